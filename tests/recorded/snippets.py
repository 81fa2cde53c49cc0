"""Runs the pieces of a file of TensorFlow 1 code, each in a graph and folder of its own, and keeps what they print.

With TensorFlow 1.15.5's Python, `python snippets.py saver.txt` writes the answers beside the file (compressed, where they are long).
"""

import contextlib
import io
import json
import lzma
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
_LARGE_BYTES = 300_000  # answers that are longer are kept compressed


def pieces(name):
    """Returns [(title, code)] of a file; a line '# --- title' begins a piece, what stands before the first is in each."""
    with open(os.path.join(HERE, name)) as file:
        parts = re.split(r"^# --- (.*)\n", file.read(), flags=re.M)
    return [(title, parts[0] + code) for title, code in zip(parts[1::2], parts[2::2])]


def run(tf, np, code, title):
    """Returns {'printed': lines, 'nodes': 'name = op(inputs) device' of each}; a piece must not raise."""
    printed, home, folder = io.StringIO(), os.getcwd(), tempfile.mkdtemp()
    os.chdir(folder)
    try:
        with tf.Graph().as_default() as graph, contextlib.redirect_stdout(printed):
            exec(compile(code, title, "exec"), {"tf": tf, "np": np, "attempt": attempt, "show": show})
            nodes = ["%s = %s(%s) %s" % (n.name, n.op, ", ".join(n.input), n.device) for n in graph.as_graph_def().node]
    finally:
        tf.summary.FileWriterCache.clear()  # another piece may have a folder of the same name
        os.chdir(home)
        shutil.rmtree(folder)
    return {"printed": tidy(printed.getvalue()).splitlines(), "nodes": [tidy(n) for n in nodes]}


def attempt(function):
    """Prints what a function returns, or the class and first line of what it raises."""
    try:
        print(function())
    except Exception as error:
        print("!", type(error).__name__, str(error).split("\n")[0])


def show(message):
    """Returns a message as text in which maps are in order."""
    from google.protobuf import json_format

    return json.dumps(json_format.MessageToDict(message), sort_keys=True)


def tidy(text):
    """Returns the text without what differs from process to process."""
    text = re.sub(r"_temp_[0-9a-f]{32}", "_temp_N", text)
    text = re.sub(r"'_\d+_", "'_N_", text)  # a resource without a shared name: how many there were in the process
    return re.sub(r" object at 0x[0-9a-f]+", " object", text)


def answers_of(name):
    """Returns TensorFlow's answers to a file's pieces."""
    path = os.path.join(HERE, os.path.splitext(name)[0] + ".json")
    with open(path) if os.path.exists(path) else lzma.open(path + ".xz", "rt") as file:
        return json.load(file)


def record(name):
    """Writes TensorFlow's answers."""
    import numpy as np
    import tensorflow as tf

    tf.compat.v1.logging.set_verbosity("ERROR")
    made = {title: run(tf, np, code, title) for title, code in pieces(name)}
    path = os.path.join(HERE, os.path.splitext(name)[0] + ".json")
    text = json.dumps(made, indent=0, sort_keys=True) + "\n"
    for old in (path, path + ".xz"):
        if os.path.exists(old):
            os.remove(old)
    if len(text) < _LARGE_BYTES:
        with open(path, "w") as file:
            file.write(text)
    else:
        with lzma.open(path + ".xz", "wt") as file:
            file.write(text)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        record(os.path.basename(path))
