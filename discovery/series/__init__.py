"""What does a series of analogues say about structure and activity?

student, sheet, assembly, measured, scaffolds, rgroups, cutting, pairs, cliffs, free_wilson, families, known, library, analogues,
attribution, why, page, door, cli.

Import each name from its own room: `from discovery.series.door import Series`.
"""
