"""tf.flags."""

from ferroflow._src.platform.flags import *  # noqa: F403
