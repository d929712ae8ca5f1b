"""The ground that all rooms share: molecules, scores, ranking, campaigns.

Molecules: outcome, units, devices, molecule, target, lines, record, columns, workbook, records,
intake, gathering, proposal.
Judging them: score, desirability, diversity, properties/, series/, ranking, funnel.
Keeping and running: files, ledger, workers/, execution, provenance, events, lab.
Campaigns: plugins, extras, conformance, config, campaign, campaigns/, screens/, results, checkup, demo, views/, report, serving,
doors, cli.

Import each name from its own room: `from discovery.molecule import Molecule`.
"""
