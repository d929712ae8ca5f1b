"""Proposes molecules.

The baseline: recombination. The graph model, from records to doors: trees, vocabulary,
rollouts, construction (what is legal), given (scaffolds, fragments), encoding, policy,
model (weights on disk), sampling, dataset, state and training, search and edits, surrogate, collection
(what to look at next in a large file), elite, guided, proposer, oracles, steering, tasks, audit, cli.
Weights and their card: weights/.
"""
