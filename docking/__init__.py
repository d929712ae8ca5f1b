"""Everything that happens in the binding site.

receptor, ligand, pose, energy, maps, search, engines, plausibility, interactions,
dynamics, scorers, cli. Lengths in Å, energies in kcal/mol at every public door.
"""
