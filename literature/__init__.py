"""What is known about a target: from articles to quoted, signed evidence.

article, readers, corpus, sentences, lexicon, dictionary, lexicon_build, normalisation,
mentions, assertion, claims, evidence, dossier, pages, mining, cli.
"""
