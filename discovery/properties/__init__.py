"""Models of the molecule alone: physchem, synthesis, alerts, learned."""
