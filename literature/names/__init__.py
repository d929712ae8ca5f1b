"""Names and what they mean, below the lexicon.

dictionary, build, update, cli    the official names: read, made, brought up to date
likeness, wording, families, normalisation, variants    names written otherwise, shared, or spelt by rule
"""
