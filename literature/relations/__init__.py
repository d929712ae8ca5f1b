"""How two things that a text names are related.

relating, answers               the door; what may be said of a pair
cues, network, hub              by rules and words, by our network, by somebody else's
corpus, lessons                 which pairs people annotated, and what the network is shown of them
"""
