#!/usr/bin/env python3
"""record.py [NAME...]: runs the examples and the programs of this folder in TensorFlow 1.15 and writes what they print.

Run it with the Python of an environment that has tensorflow==1.15.5 (tests/oracle/setup.sh makes one). Writes
answers/NAME.txt for each, and the graphs that programs leave to answers/graphs.json.xz.
"""

import json
import lzma
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import catalogue  # noqa: E402
import running  # noqa: E402


def main(names):
    record_examples(names)
    record_programs(names)


def record_programs(names):
    import tensorflow as tf

    tf.logging.set_verbosity(tf.logging.ERROR)
    path = os.path.join(HERE, "answers", "graphs.json.xz")
    graphs = {}
    if os.path.exists(path):
        with lzma.open(path, "rt") as file:
            graphs = json.load(file)
    for name, script, _ in catalogue.programs():
        if names and name not in names:
            continue
        printed, graphs[name] = running.run(tf, script)
        with open(os.path.join(HERE, "answers", name + ".txt"), "w") as file:
            file.write(printed)
        print(name, len(printed.splitlines()), "lines", len(graphs[name]), "nodes")
    with lzma.open(path, "wt") as file:
        json.dump(graphs, file, indent=0, sort_keys=True)


def record_examples(names):
    for name, script, arguments in catalogue.examples():
        if names and name not in names:
            continue
        environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONWARNINGS="ignore")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, script] + arguments,
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
            )
        if done.returncode:
            sys.exit("%s: %s" % (name, done.stderr))
        with open(os.path.join(HERE, "answers", name + ".txt"), "w") as file:
            file.write(done.stdout)
        print(name, len(done.stdout.splitlines()), "lines")


if __name__ == "__main__":
    main(sys.argv[1:])
