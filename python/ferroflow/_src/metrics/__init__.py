"""tf.metrics: measures that add up over many runs, in local variables."""
