"""Models of the molecule alone.

physchem, synthesis, alerts, sieve, rings, pattern, similarity, kernel, learned, learn_cli.
"""
