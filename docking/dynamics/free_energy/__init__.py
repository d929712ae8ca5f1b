"""By how much one molecule binds better than another.

likeness, morph                 what two ligands share; one molecule of both, with two ends
beginning, walls                how a pocket takes a ligand; what keeps it there
exchange, ladder                many states at once; their free energies, and whether to believe them
network, relative, relative_work    which pairs; what they say together; each piece done once
hydration                       the self-test
"""
