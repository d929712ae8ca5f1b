"""Docking engines behind one promise: engine (the promise), native (ours), vina (the reference), conformance (a check)."""
