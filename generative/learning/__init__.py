"""How the network is taught: dataset (what molecules teach), state and parallel (stopped and gone on with; on several
processors), replay (what scored well).
"""
