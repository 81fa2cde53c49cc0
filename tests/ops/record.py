"""Writes what TensorFlow 1.15 makes of the cases: run it with an interpreter that has TensorFlow 1.15.

    python record.py nodes      nodes.json: the nodes of each call of functions.py
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import functions  # noqa: E402
import graphs  # noqa: E402


def record_nodes(tf, np):
    made = {}
    for label, build in functions.CASES.items():
        with tf.Graph().as_default() as graph:
            try:
                build(tf, np)
            except Exception as error:
                print("left out:", label, type(error).__name__, error)
                continue
            made[label] = graphs.nodes(graph.as_graph_def(), tf.make_ndarray)
    lines = [f" {json.dumps(label)}: {json.dumps(nodes, separators=(',', ':'))}" for label, nodes in made.items()]
    with open(os.path.join(HERE, "nodes.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    import numpy
    import tensorflow

    tensorflow.compat.v1.logging.set_verbosity(tensorflow.compat.v1.logging.ERROR)
    {"nodes": record_nodes}[sys.argv[1]](tensorflow, numpy)
