import ferroflow as tf
import numpy as np


def test_a_default_of_no_said_shape_may_be_fed_with_any():
    x = tf.placeholder_with_default([1.0, 2.0], None)
    assert x.shape.dims is None
    assert x.op.get_attr("shape").unknown_rank
    with tf.Session() as sess:
        assert sess.run(x).tolist() == [1.0, 2.0]
        assert sess.run(x, {x: np.float32(3.0)}) == 3.0
