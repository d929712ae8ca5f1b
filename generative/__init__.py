"""Proposes molecules.

trees, vocabulary, rollouts, construction, given, limits    the records: what is legal, what is given, what is out of bounds
encoding, policy, model, sampling, wishes    the network, its weights on disk, and how it builds
dataset, state, training, parallel    how it is taught, on one processor or several
recombination, search, edits, elite, coverage    the baseline; edits and crossing on the same trees
surrogate, pharmacophores, collection, screening, guided    what to look at next, in a large file too
reactions, stock, routes, assembly, route_scorer    what can be made from the shelf
replay, proposer    the graph model that learns: THE DOOR
oracles, steering, steer_config, tasks, fragment_tasks, audit    calls on a budget; the protocols; how good it all is
refusal, cli, steer_cli, route_cli, checks    what cannot be done; command line; the doctor's lines

Weights and their card: weights/.
"""
