"""tf.contrib.slim: layers, arg_scope, losses, metrics and a training loop."""
