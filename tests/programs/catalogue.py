"""The scripts that are run as a user would: every example, and the programs beside this file."""

import glob
import os

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "examples")

# Few steps: training differs in the last bits at first and visibly after some hundred steps, in TensorFlow itself too when
# the number of threads changes.
ARGUMENTS = {
    "autoencoder": ["--steps", "24"],
    "gan": ["--steps", "200"],
    "pix2pix": ["12"],
}
"""What an example is given on its command line."""

OTHERS = {"mnist_train", "mnist_eval", "mnist_inference", "prepare_data"}
"""The demo's scripts, which `make demo` runs: they need data."""


def examples():
    """Returns (name, path, arguments) of each example."""
    found = []
    for path in sorted(glob.glob(os.path.join(EXAMPLES, "*.py"))):
        name = os.path.basename(path)[: -len(".py")]
        if name not in OTHERS:
            found.append((name, path, ARGUMENTS.get(name, [])))
    return found


def programs():
    """Returns (name, path, arguments) of each program in scripts/."""
    paths = sorted(glob.glob(os.path.join(HERE, "scripts", "*.py")))
    return [(os.path.basename(path)[: -len(".py")], path, []) for path in paths]
