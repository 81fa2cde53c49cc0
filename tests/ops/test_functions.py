"""The public functions make TensorFlow's nodes: names, ops, inputs, attributes and order."""

import json
import pathlib

import ferroflow as tf
import numpy as np
import pytest

from . import functions, graphs

RECORDED = json.loads((pathlib.Path(__file__).parent / "nodes.json").read_text())


# Shapes that the core does not infer yet make other nodes than TensorFlow's.
PENDING = set()


def _rows():
    for label in RECORDED:
        marks = [pytest.mark.xfail(reason="shape inference of Slice and pooling")] if label in PENDING else []
        yield pytest.param(label, marks=marks)


@pytest.mark.parametrize("label", _rows())
def test_function_called_makes_tensorflows_nodes(label):
    with tf.Graph().as_default() as graph:
        functions.CASES[label](tf, np)
        made = graphs.nodes(graph.as_graph_def(), tf.make_ndarray)
    wanted = RECORDED[label]
    for ours, theirs in zip(made, wanted, strict=False):
        assert ours == theirs
    assert len(made) == len(wanted)
