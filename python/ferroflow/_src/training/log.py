"""The logger of tf.logging, for what training has to say."""

from ferroflow._src.platform.tf_logging import logger as logger

