"""Plans: what `explain` shows, and that grouping steps changes no result."""

import os
import subprocess
import sys

import ferroflow as tf
import numpy as np
import pytest

PROGRAM = """
import tensorflow as tf
x = tf.placeholder(tf.float32, [None, 3], name="x")
y = tf.reduce_sum(tf.tanh(x * 2.0) - x, name="y")
with tf.Session() as sess:
    print(sess.run(y, {x: [[0.0, 0.0, 0.0]]}))
"""


def command_line(*arguments, **environment):
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from ferroflow._src.shim.command_line import main; raise SystemExit(main())",
            *arguments,
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_explain_shows_the_plans_of_a_program_on_stderr():
    ran = command_line("explain", "-c", PROGRAM)
    assert ran.stdout == "0.0\n"
    assert "%0 = feed x:0 float32" in ran.stderr
    assert "= group %0!" in ran.stderr
    assert "'y'" in ran.stderr


def test_run_shows_plans_only_when_the_environment_asks():
    assert "group" not in command_line("run", "-c", PROGRAM, FERROFLOW_EXPLAIN="0").stderr
    assert "group" in command_line("run", "-c", PROGRAM, FERROFLOW_EXPLAIN="1").stderr


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (300, 700), (2, 3, 257)])
def test_a_chain_gives_what_its_steps_give(shape):
    values = np.linspace(-3.0, 3.0, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    x = tf.placeholder(tf.float32, [None] * len(shape))
    a = x * 2.0 + 1.0
    b = tf.tanh(a) * x - tf.exp(-x * x)
    c = tf.where(b > 0.0, tf.log1p(tf.abs(b)), tf.nn.relu(x) - tf.minimum(b, -0.5))
    total, mean = tf.reduce_sum(c), tf.reduce_mean(b)
    with tf.Session() as sess:
        got = sess.run([a, b, c, total, mean], {x: values})
        alone = [sess.run(t, {x: values}) for t in (a, b)]
    wide = values.astype(np.float64)
    want_a = wide * 2 + 1
    want_b = np.tanh(want_a) * wide - np.exp(-wide * wide)
    want_c = np.where(want_b > 0, np.log1p(abs(want_b)), np.maximum(wide, 0) - np.minimum(want_b, -0.5))
    for result, want in zip(got, [want_a, want_b, want_c, want_c.sum(), want_b.mean()], strict=True):
        np.testing.assert_allclose(result, want, rtol=2e-5, atol=2e-5)
    np.testing.assert_array_equal(got[0], alone[0])
    np.testing.assert_array_equal(got[1], alone[1])


@pytest.mark.parametrize("rows, columns", [(1, 1), (4, 3), (50, 300), (9, 1030)])
def test_biases_rows_and_columns_in_a_group(rows, columns):
    rng = np.random.RandomState(1)
    m, row, column = rng.randn(rows, columns), rng.randn(columns), rng.randn(rows, 1)
    m, row, column = (x.astype(np.float32) for x in (m, row, column))
    x = tf.placeholder(tf.float32, [None, columns])
    r, k = tf.constant(row), tf.placeholder(tf.float32, [None, 1])
    y = tf.nn.relu(tf.nn.bias_add(x, r)) * k - r
    with tf.Session() as sess:
        got = sess.run(y, {x: m, k: column})
    np.testing.assert_allclose(got, np.maximum(m + row, 0) * column - row, rtol=1e-6, atol=1e-6)


def test_updates_in_a_group_read_variables_as_the_order_says():
    v = tf.Variable([1.0, 2.0])
    shadow = tf.Variable([0.0, 0.0])
    down = v.assign_sub(tf.constant([0.5, 0.5]) * 2.0)
    with tf.control_dependencies([down]):
        follow = tf.assign_sub(shadow, (shadow - v) * 0.5)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(sess.run(follow), [0.0, 0.5])
        np.testing.assert_array_equal(sess.run(v), [0.0, 1.0])
        np.testing.assert_array_equal(sess.run(follow), [-0.5, 0.25])


def test_an_update_of_another_shape_is_an_error_of_its_own_node():
    v = tf.Variable([1.0, 2.0])
    x = tf.placeholder(tf.float32)
    up = tf.assign_add(v, x * 2.0, name="up")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match="up"):
            sess.run(up, {x: [1.0, 2.0, 3.0]})
        np.testing.assert_array_equal(sess.run(up, {x: [1.0, 1.0]}), [3.0, 4.0])
