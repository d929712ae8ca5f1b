"""What is known about a target: from articles to quoted, signed evidence.

article, readers, corpus, sentences, lexicon, dictionary, lexicon_build, likeness, families,
wording, normalisation, mentions, variants, assertion, exposure, claims, evidence, dossier, pages, mining, cli.
"""
