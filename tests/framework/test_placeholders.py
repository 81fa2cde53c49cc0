import ferroflow as tf
import numpy as np


def test_a_default_of_no_said_shape_may_be_fed_with_any():
    x = tf.placeholder_with_default([1.0, 2.0], None)
    assert x.shape.dims is None
    assert x.op.get_attr("shape").unknown_rank
    with tf.Session() as sess:
        assert sess.run(x).tolist() == [1.0, 2.0]
        assert sess.run(x, {x: np.float32(3.0)}) == 3.0


def test_shapes_do_not_rest_on_a_default_that_may_be_fed_over():
    size = tf.placeholder_with_default([2, 3], [2])
    rows = tf.placeholder_with_default([[1.0]], [None, 1])
    assert tf.zeros(size).shape.as_list() == [None, None]
    assert tf.reshape(tf.ones([6]), size + 0).shape.as_list() == [None, None]
    assert tf.fill(tf.shape(rows), 1.0).shape.as_list() == [None, 1]
    with tf.Session() as sess:
        assert sess.run(tf.zeros(size), {size: [1, 4]}).shape == (1, 4)
