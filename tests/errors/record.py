"""Records what TensorFlow 1.15.5 raises: run with a Python that has it, `python record.py`. Writes golden.json."""

import json
import os

import numpy as np
import tensorflow as tf
from harness import run
from tensorflow.python.framework import ops

HERE = os.path.dirname(os.path.abspath(__file__))
tf.logging.set_verbosity(tf.logging.ERROR)
folder = os.path.join(HERE, "snippets")
golden = {}
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        golden[name] = run(tf, np, file.read())
    ops._default_session_stack.reset()  # sessions that a file left open are no part of the next
with open(os.path.join(HERE, "golden.json"), "w") as file:
    json.dump(golden, file, indent=0)
    file.write("\n")
