"""What is known about a target: from articles to quoted, signed evidence.

article, readers, corpus, encoder, mentions, lexicon, claims, evidence, graph,
retrieval, dossier, cli.
"""
