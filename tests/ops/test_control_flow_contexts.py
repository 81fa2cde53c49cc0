"""Contexts of conditionals and loops: kept in meta graphs, so that gradients can be made after an import."""

import pathlib

import ferroflow as tf
import pytest

from . import control_flow_programs

META = pathlib.Path(__file__).parent / "loops.meta"


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def gradients_after_import(meta_graph, graph):
    tf.train.import_meta_graph(meta_graph)
    x, y = graph.get_tensor_by_name("x:0"), graph.get_tensor_by_name("y:0")
    found = tf.gradients(y, [x, *tf.trainable_variables()])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run([y, *found], {x: 2.0})


def test_gradients_are_made_of_a_meta_graph_that_tensorflow_wrote(graph):
    # y = (2 + 2) * v * v; dy/dx = 2 * v * v; dy/dv = 4 * 2 * v
    assert gradients_after_import(str(META), graph) == [9.0, 4.5, 12.0]


def test_gradients_are_made_of_a_meta_graph_of_our_own(graph):
    control_flow_programs.build_for_meta_graph(tf)
    meta_graph = tf.train.export_meta_graph()
    with tf.Graph().as_default() as second:
        assert gradients_after_import(meta_graph, second) == [9.0, 4.5, 12.0]


def test_contexts_are_written_as_tensorflow_writes_them():
    control_flow_programs.build_for_meta_graph(tf)
    ours = tf.train.export_meta_graph()
    theirs = tf.MetaGraphDef.FromString(META.read_bytes())
    from ferroflow._src import proto

    def contexts(meta_graph, key, message):
        return [message.FromString(b) for b in meta_graph.collection_def[key].bytes_list.value]

    for key, message in (("cond_context", proto.CondContextDef), ("while_context", proto.WhileContextDef)):
        assert contexts(ours, key, message) == contexts(theirs, key, message)
    assert len(ours.collection_def["cond_context"].bytes_list.value) == 2


def test_operations_know_their_contexts():
    x = tf.placeholder(tf.float32, [])
    _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.cond(y > 1.0, lambda: y * x, lambda: y)), [0, x])
    found = tf.gradients(y, x)[0]
    graph = tf.get_default_graph()

    def context(name):
        return graph.get_operation_by_name(name)._get_control_flow_context()

    branch, loop = context("while/cond/mul"), context("while/add")
    assert (branch.name, branch.branch, branch.outer_context) == ("while/cond/cond_text", 1, loop)
    assert (loop.name, loop.grad_state, loop.outer_context) == ("while/while_context", None, None)
    backward = context("gradients/Sub")
    assert backward.name == "gradients/while/while_context"
    assert backward.grad_state.forward_context is loop
    assert context(found.op.name) is None or found.op.type == "AddN"


def test_what_lies_in_a_branch_may_be_fed_but_not_fetched(graph):
    x, p = tf.constant(1.0), tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: x * 2.0, lambda: x)
    inside = graph.get_tensor_by_name("cond/mul:0")
    assert (graph.is_feedable(inside), graph.is_fetchable(inside.op)) == (True, False)
    with tf.Session() as session:
        assert session.run(y, {p: True, inside: 7.0}) == 7.0
