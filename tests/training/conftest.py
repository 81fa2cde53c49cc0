"""Each test has a default graph of its own."""

import ferroflow as tf
import pytest


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as made:
        yield made
