"""Proposes molecules.

trees, vocabulary, rollouts, construction, given, limits    the records: what is legal, what is given, what is out of bounds
encoding, policy, model, sampling, wishes    the network, its weights on disk, and how it builds
training, learning/             how it is taught
proposer, draft                 the graph model that learns: THE DOOR; its file, that survives a kill
guided, breeding/               guided search: edits and crossing on the same trees, a surrogate before the oracle
routes/                         what can be made from the shelf
oracles, steering, steer_config, pharmacophores, tasks, fragment_tasks, audit    calls on a budget; the protocols; how good it all is
taste, refusal, cli, steer_cli, checks    what a chemist strikes out; what cannot be done; command line; the doctor's lines

Weights and their card: weights/.
"""
