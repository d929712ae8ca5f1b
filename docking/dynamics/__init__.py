"""Molecular dynamics of a pose on OpenMM: does it hold, how strongly does it bind?

Floors, records low, doors high:

terms, solvent             a molecule's mechanics as arrays; what water sees of an atom
sage, smirnoff             the ligand's force field: the figures, and who gets which
am1, am1_worker, bcc, resonance, charge_graph, charge_net, charges   the ligand's charges
charge_training                  how the graph's charges were learned
system, platform           arrays to OpenMM; on which device
receptor_system, docked_among, pocket   the protein's mechanics; its docked side chains; what is cut out of it
born, neck, born_gradient  implicit water by pairs: its energy, its other model, its pull
hydroxyls, stiffness, minimise, simulate, checkpoint   turn, settle, move, resume
water_box                        explicit water around a solute
binding_energy, stability, choice  what the numbers are made of; which pose they speak for
exchange, ladder, hydration      many states at once; their free energies; the self-test
likeness, walls, beginning, surroundings       what two ligands share; what holds them; how a pocket takes one
morph, network, relative         one ligand against another: one molecule of both, the pairs, all together
protocol, scorers, watch, unit, folder, viewing, looking, work, relative_work, door, cli   from a pose to its numbers; campaigns, files, command line
checks                     the doctor's lines

nm and kJ/mol live in here; the doors speak Å and kcal/mol.
"""
