"""Whatever a program calls first works, however little has been loaded."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "first",
    [
        "tf.get_default_graph()",
        "tf.set_random_seed(1)",
        "tf.random.get_seed(None)",
        "tf.reset_default_graph()",
        "tf.Session().close()",
        "tf.get_variable('v', [1])",
        "tf.trainable_variables()",
        "tf.train.get_global_step()",
        "tf.placeholder(tf.float32)",
        "tf.ConfigProto()",
        "tf.global_variables_initializer()",
    ],
)
def test_a_first_call_works(first):
    done = subprocess.run([sys.executable, "-c", f"import ferroflow as tf; {first}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
