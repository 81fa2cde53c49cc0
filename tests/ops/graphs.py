"""Graphs as plain data: what of a node is compared, and recorded."""

import hashlib
import json


def _plain(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "list":
        for field in ("s", "i", "f", "b", "type", "shape", "tensor", "func"):
            items = list(getattr(value.list, field))
            if items:
                return [_item(field, item) for item in items]
        return []
    return _item(kind, getattr(value, kind))


def _item(kind, value):
    if kind == "s":
        return value.decode("latin1")
    if kind == "shape":
        return None if value.unknown_rank else [d.size for d in value.dim]
    if kind == "func":
        return value.name
    return round(value, 6) if kind == "f" else value


def nodes(graph_def, make_array):
    """Returns [name, op, inputs, attributes] of each node, the attributes as a short hash.

    Args:
      graph_def: a `GraphDef`.
      make_array: turns a `TensorProto` into an array.
    """
    found = []
    for node in graph_def.node:
        attrs = {}
        for key, value in sorted(node.attr.items()):
            if key in ("_gradient_op_type", "token"):
                continue  # of a custom gradient or a py_func it holds a number that is counted in the process
            if value.WhichOneof("value") == "tensor":
                array = make_array(value.tensor)
                attrs[key] = [str(array.dtype), list(array.shape), [str(x)[:8] for x in array.ravel()[:50].tolist()]]
            else:
                attrs[key] = _plain(value)
        text = json.dumps(attrs, sort_keys=True)
        found.append([node.name, node.op, list(node.input), hashlib.md5(text.encode()).hexdigest()[:6]])
    return found


def check(tf, np, program, recorded):
    """Compares a program's nodes and values with what `record_programs.py` has recorded."""
    with tf.Graph().as_default() as graph:
        fetches, feeds = program(tf, np)
        made = nodes(graph.as_graph_def(), tf.make_ndarray)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            values = session.run(fetches, feeds)
    for ours, theirs in zip(made, recorded["nodes"], strict=False):
        assert ours == theirs
    assert len(made) == len(recorded["nodes"])
    for ours, theirs in zip(values, recorded["values"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)
