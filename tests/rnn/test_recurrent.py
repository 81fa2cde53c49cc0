"""Recurrent networks make TensorFlow's nodes, gradients included, and its numbers; and its errors."""

import json
import lzma
import pathlib

import ferroflow as tf
import numpy as np
import pytest

from ops import graphs

from . import programs

with lzma.open(pathlib.Path(__file__).parent / "recurrent.json.xz", "rt") as file:
    RECORDED = json.load(file)


@pytest.mark.parametrize("label", RECORDED)
def test_program_makes_tensorflows_nodes_and_numbers(label):
    graphs.check(tf, np, programs.PROGRAMS[label], RECORDED[label])


def test_every_program_is_recorded():
    assert set(RECORDED) == set(programs.PROGRAMS)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def gru(units=2):
    return tf.nn.rnn_cell.GRUCell(units)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: tf.nn.dynamic_rnn(1, tf.zeros([1, 2, 3])), TypeError, "is not an RNNCell"),
        (lambda: tf.nn.dynamic_rnn(gru(), tf.zeros([1, 2, 3])), ValueError, "you must give a dtype"),
        (lambda: tf.nn.static_rnn(gru(), tf.zeros([1, 2, 3])), TypeError, "inputs must be a sequence"),
        (lambda: tf.nn.static_rnn(gru(), []), ValueError, "inputs must not be empty"),
        (lambda: tf.nn.rnn_cell.MultiRNNCell([]), ValueError, "at least one cell"),
        (lambda: tf.nn.rnn_cell.DropoutWrapper(gru(), 1.5), ValueError, "input_keep_prob must be between 0 and 1"),
        (
            lambda: gru()(tf.zeros([1, 2], tf.int32), tf.zeros([1, 2], tf.int32)),
            ValueError,
            "only supports floating point inputs",
        ),
        (
            lambda: tf.nn.dynamic_rnn(gru(), tf.zeros([2, 2, 3]), sequence_length=[[1]], dtype=tf.float32),
            ValueError,
            "sequence_length must be a vector",
        ),
        (lambda: gru()(tf.zeros([1, 2, 3]), tf.zeros([1, 2])), ValueError, "expected ndim=2, found ndim=3"),
    ],
)
def test_bad_arguments_are_refused_as_tensorflow_does(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_a_batch_of_another_size_than_the_lengths_fails():
    x = tf.placeholder(tf.float32, [None, 4, 3])
    out, _ = tf.nn.dynamic_rnn(gru(), x, sequence_length=[2, 4], dtype=tf.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match="Expected shape for Tensor"):
            session.run(out, {x: [[[0.0] * 3] * 4] * 3})
