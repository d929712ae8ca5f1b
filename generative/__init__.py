"""Proposes molecules.

recombination (the baseline), vocabulary, construction, encoding, policy, sampling,
objective, steering, search, audit, proposer. Weights and their card: weights/.
"""
