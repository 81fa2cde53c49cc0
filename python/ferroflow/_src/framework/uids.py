"""Numbers that TensorFlow gives to graphs and tensors as they are made, for the names that hold one of them."""

import itertools
import weakref

_numbers = itertools.count()
_living = {}  # a graph's core, how many of its nodes were counted, and their outputs
_of_the_dead = 0


def graph_made(graph):
    """Counts a graph, and from now on its tensors."""
    next(_numbers)
    key = id(graph._core)
    _living[key] = (graph._core, 0, 0)
    weakref.finalize(graph, _graph_gone, key)


def _graph_gone(key):
    global _of_the_dead
    _of_the_dead += _count(key)
    del _living[key]


def _count(key):
    core, nodes, outputs = _living[key]
    now = core.num_nodes()
    outputs += sum(core.num_outputs(node) for node in range(nodes, now))
    _living[key] = (core, now, outputs)
    return outputs


def next_uid():
    """Returns a new number: how many graphs, tensors and such numbers there were in this process so far."""
    return next(_numbers) + _of_the_dead + sum(map(_count, list(_living)))
