"""Which of a ligand's poses is the true one: order (the model), kinds and features (what it sees), fitting (how it learned)."""
