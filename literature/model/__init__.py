"""The network that reads, and what stands beside it.

wordpieces, encoder, eightbit, weights_io    text to pieces, the network, its 8-bit form, its file
linear, wordcues, decoding, consistency    weights of cues; what spelling says; scores of words to spans; one type for one thing
prediction, borrowed            texts in, names out; a model of somebody else, read
embedding                       sentences that mean nearly the same
"""
