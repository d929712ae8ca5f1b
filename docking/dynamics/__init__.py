"""Molecular dynamics of a pose on OpenMM: does it hold, how strongly does it bind?

Floors, records low, doors high:

terms, system, platform         a molecule's mechanics as arrays; arrays to OpenMM; on which device
parameters/                     the ligand's force field and charges
water/                          implicit and explicit
receptor_system, cofactors, docked_among, pocket, surroundings   the protein's mechanics; its cofactors'; its docked side chains; what is cut out of it
hydroxyls, stiffness, minimise, simulate, checkpoint   turn, settle, move, resume
binding_energy, stability, choice  what the numbers are made of; which pose they speak for
free_energy/                    one ligand against another
protocol, scorers, watch, unit, folder, viewing, looking, work, door, cli   from a pose to its numbers; campaigns, files, command line
checks                          the doctor's lines

nm and kJ/mol live in here; the doors speak Å and kcal/mol.
"""
