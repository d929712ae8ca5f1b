"""Models of the molecule alone.

physchem, synthesis, alerts, sieve, rings, pattern, similarity, learned, learn_cli.
"""
