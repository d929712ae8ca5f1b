"""The ground that all rooms share: molecules, scores, ranking, campaigns.

outcome, units, devices, molecule, target, lines, records, intake, proposal, score,
desirability, diversity, properties, ranking, funnel, files, ledger, worker, crew,
execution, interrupt, plugins, conformance, config, provenance, events, results,
starting, campaign, screening, planning, replaying, checkup, demo, views, report, cli.

Import each name from its own room: `from discovery.molecule import Molecule`.
"""
