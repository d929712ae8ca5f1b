"""How people look at results: pictures and tables that show without a kernel, trust or a network.

text, terminal, reading, layout, drawing, pocket, contact_map, pose_viewer, trajectory, funnel_plot, score_plot, chart,
course, comparison, kinship, lineage, cards, export, sifting, grid, listing, table.

Import each name from its own room: `from discovery.views.table import Table`.
"""
