"""Values between NumPy and a session: nothing is shared that could change under either."""

import ferroflow as tf
import numpy as np
import pytest

TYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
         "bool", "complex64", "complex128"]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (50, 60)])
def test_array_of_every_type_survives_the_way_through_a_session(name, shape):
    x = tf.placeholder(name, shape)
    value = np.arange(int(np.prod(shape))).reshape(shape).astype(name)
    with tf.Session() as sess:
        got = sess.run(tf.identity(x), {x: value})
    assert got.dtype == value.dtype
    assert got.shape == value.shape
    np.testing.assert_array_equal(got, value)


def test_strided_and_byte_swapped_arrays_are_fed_by_value():
    x = tf.placeholder(tf.float32, [None, None])
    value = np.arange(24, dtype=np.float32).reshape(4, 6)
    with tf.Session() as sess:
        for view in (value.T, value[::2, 1::3], value[::-1], value.astype(">f4"), np.asfortranarray(value)):
            np.testing.assert_array_equal(sess.run(x * 1.0, {x: view}), view)


def test_strings_are_bytes():
    x = tf.placeholder(tf.string)
    with tf.Session() as sess:
        assert sess.run(tf.identity(x), {x: "ä"}) == "ä".encode()
        for value in (np.array([["a", "bc"]]), np.array([[b"a", b"bc"]]), np.array([["a", b"bc"]], object)):
            got = sess.run(tf.identity(x), {x: value})
            assert got.dtype == object
            assert got.tolist() == [[b"a", b"bc"]]


def test_scalar_is_a_numpy_scalar():
    with tf.Session() as sess:
        got = sess.run(tf.constant(1.5) + 1.0)
    assert type(got) is np.float32
    assert got == 2.5


def test_fed_array_may_change_afterwards():
    x = tf.placeholder(tf.float32, [3])
    v = tf.Variable(tf.zeros([3]))
    value = np.ones(3, np.float32)
    with tf.Session() as sess:
        sess.run(tf.assign(v, x), {x: value})
        value[:] = 7.0
        assert sess.run(v).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("use_resource", [False, True])
def test_fetched_array_may_be_written_to(use_resource):
    v = tf.get_variable("v", initializer=np.ones([100, 100], np.float32), use_resource=use_resource)
    c = tf.constant(np.ones([100, 100], np.float32))
    with tf.Session() as sess:
        sess.run(v.initializer)
        for tensor in (v, c, tf.identity(v), tf.reshape(v, [-1])):
            got = sess.run(tensor)
            got[...] = 5.0
            assert sess.run(tensor).max() == 1.0


def test_fed_array_of_another_shape_is_an_error():
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    with tf.Session() as sess, pytest.raises(ValueError, match=r"Cannot feed value of shape \(2, 3\) for Tensor 'x:0'"):
        sess.run(x, {x: np.zeros([2, 3])})
