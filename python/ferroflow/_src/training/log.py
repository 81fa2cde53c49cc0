"""The logger of tf.logging, for what training has to say."""

import logging

logger = logging.getLogger("tensorflow")
