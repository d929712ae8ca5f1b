"""The ground that all rooms share: molecules, scores, ranking, campaigns.

outcome, units, devices, molecule, target, molgraph, intake, proposal, score,
desirability, diversity, properties, series, ranking, funnel, learning, ledger,
execution, config, campaign, results, plugins, events, views, report, cli.

Import each name from its own room: `from discovery.molecule import Molecule`.
"""
