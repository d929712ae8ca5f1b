"""What is known about a target: from articles to quoted, signed evidence.

article, readers/, corpus, sentences, eutils    papers, what of them is read, and PubMed's records
lexicon, names/, mentions       names and what they mean
model/, annotated, training/    the network that reads; corpora that people annotated; how they teach it
relations/, assertion, exposure, loss, claims, calibration    how two names are related, what a sentence claims, how surely
evidence, dossier, pages, picture    all on one target: THE DOOR
reading, mining, crew, mined, graph, graph_export, standing    one pass, kept in tables; what the tables say
search, topic, verdict, answering    sentences for a question, and its answer
annotation                      the same articles marked
cli, checks                     command line; the doctor's lines
"""
