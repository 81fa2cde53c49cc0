"""tf.contrib.slim.nets: networks that won prizes."""
