"""Writes what TensorFlow 1.15 makes of the cases: run it with an interpreter that has TensorFlow 1.15.

python record.py nodes      nodes.json: the nodes of each call of functions.py
python record.py values     values.npz: the outputs of each row of cases.py
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import building  # noqa: E402
import cases  # noqa: E402
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


def record_values(tf, np):
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.framework import op_def_library, op_def_registry

    definitions = op_def_registry.get_registered_ops()
    library = op_def_library.OpDefLibrary()
    library.add_op_list(op_def_pb2.OpList(op=list(definitions.values())))

    def apply_op(op, inputs, attrs):
        names = [arg.name for arg in definitions[op].input_arg]
        defaults = {attr.name: None for attr in definitions[op].attr if attr.HasField("default_value")}
        inferred = {arg.type_attr for arg in definitions[op].input_arg}
        options = {k: v for k, v in {**defaults, **attrs}.items() if k not in inferred or k in attrs}
        return library.apply_op(op, **dict(zip(names, inputs)), **options)

    found = {}
    for case in cases.CASES:
        with tf.Graph().as_default():
            try:
                _, outputs, feeds = building.build(tf, apply_op, case)
                with tf.compat.v1.Session() as session:
                    values = session.run(outputs, feeds)
            except Exception as error:
                print("left out:", case.label, type(error).__name__, str(error)[:200])
                continue
            for i, value in enumerate(values):
                value = np.asarray(value)
                found[f"{case.label}:{i}"] = value.astype(bytes) if value.dtype == object else value
    np.savez_compressed(os.path.join(HERE, "values.npz"), **found)


if __name__ == "__main__":
    import numpy
    import tensorflow

    tensorflow.compat.v1.logging.set_verbosity(tensorflow.compat.v1.logging.ERROR)
    {"nodes": record_nodes, "values": record_values}[sys.argv[1]](tensorflow, numpy)
