"""Writes what TensorFlow 1.15 makes of programs: run it with an interpreter that has TensorFlow 1.15.

python record_programs.py     control_flow.json.xz and ../rnn/recurrent.json.xz: nodes and values of each program,
                              loops.meta: a meta graph with a conditional in a loop in a conditional
"""

import json
import lzma
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RNN = os.path.join(os.path.dirname(HERE), "rnn")
sys.path[:0] = [HERE, RNN]
import control_flow_programs  # noqa: E402
import graphs  # noqa: E402
import programs  # noqa: E402


def record(tf, np, all_programs, path):
    made = {}
    for label, program in all_programs.items():
        with tf.Graph().as_default() as graph:
            fetches, feeds = program(tf, np)
            nodes = graphs.nodes(graph.as_graph_def(), tf.make_ndarray)
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                values = session.run(fetches, feeds)
        made[label] = {"nodes": nodes, "values": [np.asarray(v).tolist() for v in values]}
    with lzma.open(path, "wt", preset=9) as file:
        json.dump(made, file, separators=(",", ":"))


def record_meta_graph(tf, path):
    with tf.Graph().as_default():
        control_flow_programs.build_for_meta_graph(tf)
        tf.train.export_meta_graph(path)


if __name__ == "__main__":
    import numpy
    import tensorflow

    tensorflow.compat.v1.logging.set_verbosity(tensorflow.compat.v1.logging.ERROR)
    control_flow = os.path.join(HERE, "control_flow.json.xz")
    record(tensorflow, numpy, control_flow_programs.PROGRAMS, control_flow)
    record(tensorflow, numpy, programs.PROGRAMS, os.path.join(RNN, "recurrent.json.xz"))
    record_meta_graph(tensorflow, os.path.join(HERE, "loops.meta"))
