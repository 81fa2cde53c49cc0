"""Runs a program of scripts/ in this process and tells what it printed and which graph it left: under either library."""

import contextlib
import io
import os
import random
import re
import tempfile

import numpy as np

RANDOM_NAME = re.compile("_temp_[0-9a-f]{32}|CustomGradient-[0-9]+")


def run(tf, path):
    """Returns (what the program printed, the nodes of the default graph as lines)."""
    if int(np.__version__.split(".")[0]) > 1:
        np.set_printoptions(legacy="1.25")
    np.random.seed(0)
    random.seed(0)
    with open(path, encoding="utf-8") as file:
        program = compile(file.read(), os.path.basename(path), "exec")
    home, printed, graph = os.getcwd(), io.StringIO(), tf.Graph()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(printed):
                tf.reset_default_graph()
                exec(program, {"__name__": "__main__"})
                graph = tf.get_default_graph()
        finally:
            os.chdir(home)
            tf.reset_default_graph()
    return printed.getvalue(), [line(node) for node in graph.as_graph_def().node]


def line(node):
    """A node's name, type, inputs and device: what later ops are named and seeded by."""
    text = "%s = %s(%s) %s" % (node.name, node.op, ", ".join(node.input), node.device)
    return RANDOM_NAME.sub("*", text.rstrip())
