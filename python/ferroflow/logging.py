"""tf.logging."""

from ferroflow._src.platform.tf_logging import *  # noqa: F403
