"""Proposes molecules.

The baseline: recombination. The graph model, from records to doors: trees, vocabulary,
rollouts, construction (what is legal), given (scaffolds, fragments), encoding, policy,
model (weights on disk), sampling, dataset, training, search (edits), surrogate, proposer,
steering, tasks, audit, cli. Weights and their card: weights/.
"""
