"""tf.resource_loader."""

from ferroflow._src.platform.resource_loader import *  # noqa: F403
