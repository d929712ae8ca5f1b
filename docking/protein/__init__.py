"""From a structure file to a protein with every atom in its place.

fetch, structure, numbering     the Protein Data Bank; atoms under the names the user knows; residues numbered alike
residues, side_chain_shapes     what a residue is made of, how long its bonds are and how it likes to turn
rebuilding, hydrogens           what the crystal did not show
burial, protonation             how deep a group lies, and in which state it is at this pH
receptor_types, receptor_mol    its atoms to AutoDock 4 and to RDKit
"""
