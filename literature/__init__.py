"""What is known about a target: from articles to quoted, signed evidence.

article, readers/, corpus, sentences    papers, and what of them is read
lexicon, lexicon_build, lexicon_update, dictionary, likeness, families, wording, normalisation    names and what they mean
mentions, variants, assertion, exposure, loss, claims, calibration    what a sentence names, claims, and how surely
evidence, dossier, pages, picture    all on one target: THE DOOR
encoder, embedding, wordpieces, prediction, wordcues, decoding, consistency, eightbit, scaling, weights_io, card    the
network that reads, and what is added to it
relations, relations_answers, relations_cues, relations_network, relations_hub    how two names are related
annotated, lessons, scoring, descent, training, relations_corpus, relations_lessons, relations_scoring,
relations_training, relations_cues_training, wordcues_training    how both were taught, by corpora that people annotated
reading, mining, crew, mined, graph, graph_export, standing    one pass, kept in tables; what the tables say
search, topic, verdict, answering    sentences for a question, and its answer
annotation, eutils    the same articles marked; PubMed's records
cli, names_cli, training_cli, checks    command line; the doctor's lines
"""
