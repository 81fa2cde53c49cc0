"""Copies of layers and cells, which programs make for stacks of networks."""

import copy

import ferroflow as tf


def test_a_copied_cell_has_variables_of_its_own():
    cell = tf.nn.rnn_cell.GRUCell(3)
    other = copy.deepcopy(cell)
    inputs, state = tf.ones([2, 4]), tf.zeros([2, 3])
    with tf.variable_scope("one"):
        cell(inputs, state)
    with tf.variable_scope("other"):
        other(inputs, state)
    assert [v.name for v in other.variables] == [v.name.replace("one", "other", 1) for v in cell.variables]


def test_a_layer_that_is_not_built_can_be_copied():
    layer = copy.deepcopy(tf.layers.Dense(3, name="dense"))
    assert layer(tf.ones([2, 4])).shape.as_list() == [2, 3]
