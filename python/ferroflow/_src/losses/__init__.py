"""tf.losses. It may import `framework`, `ops` and `layers`."""
