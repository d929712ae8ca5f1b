"""Better molecules from good ones: what guided search is made of.

elite, edits, search, coverage, recombination    who is bred from; small changes, crossings, what was never tried, pieces of drugs
surrogate, collection, screening    which candidates deserve a call; those of a large file
"""
