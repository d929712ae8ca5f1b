"""Everything that happens in the binding site.

receptor, site, ligand, pose    the records: what is docked where, and how it lies
structure, numbering, preparation    a PDB or mmCIF file becomes a receptor, every choice told
protonation, burial, hydrogens, residues, rebuilding, side_chain_shapes, receptor_types, receptor_mol    its steps
pockets                         where a ligand could lie, when nobody has seen one there
species, conformer, torsions, ligand_types, ligand_files    a molecule or a file becomes ligands
pdbqt, fetch, demo_target       formats, the Protein Data Bank, a target that ships
atom_types, energy, maps, tree, motion, descent, search, effort, refine    pose energy and search in JAX
programs                        what was traced and compiled, kept for the next process
assembly, side_chains, restraints    several bodies at once, side chains that turn, wishes about poses
engines/                        the engine promise; vina and native behind it
plausibility, relief, interactions    is a pose plausible, and what does it touch
kinds, features, rescoring, fitting    which of a ligand's poses is the true one; how that was learned
dynamics/                       does it stay: molecular dynamics
parts, watching, run_folder     a run over a file: few rows at a time, unattended, in its folder
dock, library, looking, scorers, key_contacts, cli, checks    the doors: Python, files, to be looked at, campaigns,
                                command line; the doctor's lines

Lengths in Å, energies in kcal/mol at every public door.
"""
