"""tf.gfile."""

from ferroflow._src.platform.gfile import *  # noqa: F403
