"""tf.contrib.seq2seq: decoders and what they are fed, attention, and the loss of sequences."""
