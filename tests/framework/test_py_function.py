"""tf.py_function, with TensorFlow 1.15.5's answers."""

import ferroflow as tf
import numpy as np
import pytest


def _chooses(a):
    if tf.reduce_sum(a) > 5.0:
        return tf.reduce_sum(a * a) * 3.0
    total = 0.0
    for i in range(3):
        total = total + a[i]
    return total


def test_a_function_of_values_has_a_gradient():
    x = tf.placeholder(tf.float32, [3])
    w = tf.Variable([1.0, 2.0, 3.0])
    y = tf.py_function(_chooses, [x * w], tf.float32)
    assert (y.name, str(y.shape)) == ("EagerPyFunc:0", "<unknown>")
    gradients = tf.gradients(y, [w, x])
    with tf.Session() as sess:
        sess.run(w.initializer)
        value, found = sess.run([y, gradients], {x: [1.0, 1.0, 1.0]})
        assert value == 42.0
        np.testing.assert_allclose(found, [[6, 12, 18], [6, 24, 54]])
        value, found = sess.run([y, gradients], {x: [0.0, 0.5, 0.1]})
        np.testing.assert_allclose(value, 1.3, rtol=1e-6)
        np.testing.assert_allclose(found, [[0, 0.5, 0.1], [1, 2, 3]])


def test_values_can_be_looked_at_and_lists_returned():
    seen = []

    def look(a):
        seen.append((a.numpy().tolist(), type(a).__name__, float(a[0]), len(a), [int(v) for v in a]))
        return a + 1, a.numpy().astype("i")

    made = tf.py_function(look, [tf.constant([1.0, 2.0])], [tf.float32, tf.int32])
    nothing = tf.py_function(lambda a: None, [tf.constant(1)], [])
    with tf.Session() as sess:
        more, same = sess.run(made)
        assert sess.run(nothing) is None
    assert (more.tolist(), same.tolist(), same.dtype) == ([2.0, 3.0], [1, 2], np.int32)
    assert seen == [([1.0, 2.0], "EagerTensor", 1.0, 2, [1, 2])]


def test_it_trains():
    w = tf.Variable([1.0, 2.0, 3.0])
    loss = tf.py_function(lambda a: tf.reduce_sum(a) * 2.0, inp=[w], Tout=tf.float32)
    loss.set_shape([])
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as sess:
        sess.run(w.initializer)
        sess.run(train)
        np.testing.assert_allclose(sess.run(w), [0.8, 1.8, 2.8], rtol=1e-6)


def test_what_fails_fails_the_run():
    with pytest.raises(ValueError, match="callable"):
        tf.py_function(3, [], tf.float32)
    failing = tf.py_function(lambda: 1 / 0, [], tf.float32)
    with tf.Session() as sess, pytest.raises(tf.errors.UnknownError, match="ZeroDivisionError"):
        sess.run(failing)
