"""How the networks learn: cli is `discovery train-reader`.

annotated, lessons              corpora that people annotated, and what is shown of them
descent, train, scaling, cue_weights    down the loss and on again; the whole course; 8-bit scales; the weights of cues
scoring, card                   how well it reads, and what its card says
"""
