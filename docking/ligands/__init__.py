"""From a molecule to what docks: its species, its shapes, what turns in it.

species, conformer              which species meets the protein at this pH; its shapes
torsions, tree                  which bonds turn; which atoms move together, which pairs have an energy
ligand_types                    its atoms to AutoDock 4
"""
