"""How the networks learn: cli is `discovery train-reader`.

lessons                         what is shown of the corpora that people annotated
descent, train, scaling, cue_weights    down the loss and on again; the whole course; 8-bit scales; the weights of cues
regression                      the weights of cues that stand beside a network
relations, relations_cues, relations_scoring    the same for how two names are related
scoring, card                   how well it reads, and what its card says
"""
