"""tf.app."""

from ferroflow._src.platform.app import *  # noqa: F403

from ferroflow._src.platform import flags as flags
