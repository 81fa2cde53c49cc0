"""tf.contrib.rnn: cells beyond those of tf.nn.rnn_cell, and stacked bidirectional networks."""
