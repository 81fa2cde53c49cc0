import ferroflow as tf
import numpy as np
import pytest


def value(tensor, feed=None):
    with tf.Session() as session:
        return session.run(tensor, feed)


def test_gradients_of_a_product():
    x, y = tf.constant(3.0), tf.constant(4.0)
    assert value(tf.gradients(x * y * y, [x, y])) == [16.0, 24.0]


def test_what_is_not_connected_has_none_or_zeros():
    x, y = tf.constant(3.0), tf.constant([4.0, 5.0])
    assert tf.gradients(x * 2.0, [y]) == [None]
    zeros = tf.gradients(x * 2.0, [y], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert value(zeros)[0].tolist() == [0.0, 0.0]


def test_stopped_tensors_count_as_constants():
    x = tf.constant(3.0)
    y = x * x
    assert value(tf.gradients(y * x, x, stop_gradients=[y])) == [9.0]


def test_grad_ys_are_the_gradients_of_ys():
    x = tf.constant([1.0, 2.0])
    assert value(tf.gradients(x * x, x, grad_ys=[[10.0, 100.0]]))[0].tolist() == [20.0, 400.0]
    with pytest.raises(ValueError, match="Passed 2 grad_ys for 1 ys"):
        tf.gradients(x, x, grad_ys=[None, None])


def test_a_registered_gradient_takes_the_place_of_the_ops():
    @tf.RegisterGradient("TenTimes")
    def _ten(op, grad):
        return grad * 10.0

    x = tf.constant(1.0)
    with tf.get_default_graph().gradient_override_map({"Neg": "TenTimes"}):
        y = -x
    assert value(tf.gradients(y, x)) == [10.0]
    with pytest.raises(KeyError, match="Registering two gradient with name 'TenTimes'"):
        tf.RegisterGradient("TenTimes")(_ten)


def test_a_gradient_of_the_wrong_length_is_an_error():
    tf.RegisterGradient("TooMany")(lambda op, grad: [grad, grad])
    x = tf.constant(1.0)
    with tf.get_default_graph().gradient_override_map({"Neg": "TooMany"}):
        y = -x
    with pytest.raises(ValueError, match="Num gradients 2 generated for op"):
        tf.gradients(y, x)
    # The scopes that the walk had opened are closed again.
    assert tf.constant(1.0).op.name == "Const_1"


def test_a_custom_gradient_is_called_with_the_incoming_one():
    @tf.custom_gradient
    def doubled(x):
        return x * 2.0, lambda dy: dy * 5.0

    x = tf.constant(3.0)
    y = doubled(x)
    assert value([y, tf.gradients(y, x)[0]]) == [6.0, 5.0]


def test_conds_have_gradients():
    x, p = tf.constant(3.0), tf.placeholder(tf.bool)
    gradient = tf.gradients(tf.cond(p, lambda: x * x, lambda: x * 5.0), x)
    assert [value(gradient, {p: flag})[0] for flag in (True, False)] == [6.0, 5.0]


def test_an_op_without_a_gradient_is_named():
    x = tf.constant(1.0)
    (y,) = tf.py_func(np.sin, [x], [tf.float32])
    y.set_shape([])
    found = tf.gradients(y, x)
    assert found == [None]


def test_the_scope_is_called_gradients_and_counts():
    x = tf.constant(1.0)
    first, second = tf.gradients(x * x, x), tf.gradients(x * x, x)
    assert first[0].op.name.startswith("gradients/")
    assert second[0].op.name.startswith("gradients_1/")
