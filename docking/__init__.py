"""Everything that happens in the binding site.

receptor, site, ligand, pose    the records: what is docked where, and how it lies
protein/, preparation           a PDB or mmCIF file becomes a receptor, every choice told
ligands/                        a molecule becomes what docks
pockets                         where a ligand could lie, when nobody has seen one there
pdbqt, demo_target              a format, a target that ships
atom_types, energy, maps        what a pose's energy is, in JAX
search/, side_chains, restraints    how the lowest is found; side chains that turn; wishes about poses
engines/                        the engine promise; vina and native behind it
relief, plausibility, interactions    is a pose plausible, and what does it touch
rescoring/                      which of a ligand's poses is the true one
dynamics/                       does it stay: molecular dynamics
library/, run_folder            a run over a file, in its folder
dock, looking, scorers, key_contacts, cli, checks    the doors: Python, to be looked at, campaigns, command line; the
                                doctor's lines

Lengths in Å, energies in kcal/mol at every public door.
"""
