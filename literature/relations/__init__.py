"""How two things that a text names are related.

relating, answers               the door; what may be said of a pair
cues, network, hub              by rules and words, by our network, by somebody else's
corpus, lessons, training, cue_weights, scoring    how it was taught, and how well it does
"""
