"""The ligand's force field and charges, without AmberTools.

sage, smirnoff                  the published figures, and which atom gets which
am1, am1_worker, bcc, resonance    AM1-BCC charges, in a process of their own
charge_graph, charge_net        charges from the graph alone
charge_training                 how the graph's charges were learned
charges                         which of them, and what was used
"""
