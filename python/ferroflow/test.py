"""tf.test."""

from ferroflow._src.platform.test import *  # noqa: F403
