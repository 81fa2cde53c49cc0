"""Ops with kernels of their own: on the GPU they give what they give on the host, and run there."""

import ferroflow as tf
import numpy as np
import pytest

from .test_arrays import floats, moved, on

IDS = np.array([0, 0, 0, 2, 2, 3], np.int32)
MIXED = np.array([3, 0, -1, 3, 1, 0], np.int32)
BOXES = np.array([[0, 0.1, 1, 0.9], [0.5, 0.2, 0.2, 0.8], [0.2, 0.2, 0.3, 0.3]], np.float32)
SPARSE = tf.SparseTensorValue([[0, 1], [0, 3], [2, 0], [2, 3], [3, 2]], [1.0, -2.0, 3.0, 0.5, 4.0], [4, 5])


def with_gradient(function, power=2):
    """The function's value, and the gradient of the sum of its powers."""

    def build(x, *others):
        y = function(x, *others)
        return [y, tf.gradients(y**power, x)[0]]

    return build


def with_argmax(x):
    y, places = tf.nn.max_pool_with_argmax(x, [1, 3, 2, 1], [1, 2, 2, 1], "SAME")
    return [y, places, tf.gradients(y**2, x)[0]]


def look_up(combiner):
    """`embedding_lookup_sparse` of a table."""

    def function(table):
        ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]], tf.constant([3, 0, 5, 5, 1], tf.int64), [3, 3])
        return tf.nn.embedding_lookup_sparse(table, ids, None, combiner=combiner)

    return with_gradient(function)


def sparse_times_dense(is_turned):
    def function(x):
        a = tf.SparseTensor(np.array(SPARSE.indices, np.int64), tf.constant(SPARSE.values), SPARSE.dense_shape)
        return tf.sparse_tensor_dense_matmul(a, x, adjoint_a=is_turned)

    return with_gradient(function)


def partitioned(x, i):
    parts = tf.dynamic_partition(x, i, 3)
    places = tf.dynamic_partition(tf.range(6), i, 3)
    return [*parts, with_gradient(lambda y: tf.dynamic_stitch(places, [y * p for p in parts]))(tf.reduce_sum(x))[0]]


OPS = {
    "max pool with sizes as operands": (
        with_gradient(
            lambda x: tf.raw_ops.MaxPoolV2(input=x, ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
        ),
        [floats(2, 9, 8, 5)],
    ),
    "max pool with argmax": (with_argmax, [floats(2, 9, 8, 5)]),
    "max pool of volumes": (
        with_gradient(lambda x: tf.nn.max_pool3d(x, [1, 3, 2, 3, 1], [1, 2, 1, 2, 1], "SAME")),
        [floats(2, 5, 6, 7, 3)],
    ),
    "average pool of volumes": (
        with_gradient(lambda x: tf.nn.avg_pool3d(x, [1, 2, 3, 2, 1], [1, 2, 1, 2, 1], "SAME")),
        [floats(2, 5, 6, 7, 3)],
    ),
    "convolution of volumes": (
        lambda x, w: [
            tf.nn.conv3d(x, w, [1, 2, 1, 2, 1], "SAME"),
            *tf.gradients(tf.nn.conv3d(x, w, [1, 2, 1, 2, 1], "SAME") ** 2, [x, w]),
        ],
        [floats(2, 7, 6, 5, 3), floats(3, 2, 2, 3, 4)],
    ),
    "convolution of volumes with holes": (
        lambda x, w: [
            tf.nn.conv3d(x, w, [1] * 5, "VALID", dilations=[1, 2, 1, 2, 1]),
            *tf.gradients(tf.nn.conv3d(x, w, [1] * 5, "VALID", dilations=[1, 2, 1, 2, 1]), [x, w]),
        ],
        [floats(2, 7, 6, 5, 3), floats(3, 2, 2, 3, 4)],
    ),
    "segment max": (with_gradient(lambda x: tf.segment_max(x, IDS)), [floats(6, 5)]),
    "segment min": (with_gradient(lambda x: tf.segment_min(x, IDS)), [floats(6, 5)]),
    "segment prod": (lambda x: tf.segment_prod(x, IDS), [floats(6, 5)]),
    "unsorted max": (with_gradient(lambda x, i: tf.unsorted_segment_max(x, i, 4)), [floats(6, 5), np.abs(MIXED)]),
    "unsorted min of the device": (lambda x, i: tf.unsorted_segment_min(x, moved(i), 5), [floats(6, 5), MIXED]),
    "unsorted prod": (with_gradient(lambda x, i: tf.unsorted_segment_prod(x, i, 4)), [floats(6, 5), MIXED]),
    "sum of looked-up rows": (look_up("sum"), [floats(7, 3)]),
    "mean of looked-up rows": (look_up("mean"), [floats(7, 3)]),
    "root of looked-up rows": (look_up("sqrtn"), [floats(7, 3)]),
    "sparse times dense": (sparse_times_dense(False), [floats(5, 7)]),
    "sparse turned times dense": (sparse_times_dense(True), [floats(4, 7)]),
    "top 3": (with_gradient(lambda x: tf.nn.top_k(x, 3)[0]), [floats(4, 50)]),
    "places of the top 40": (lambda x: tf.nn.top_k(x, 40), [floats(4, 50)]),
    "top with NaN": (
        lambda x: [tf.nn.top_k(x, 1), tf.nn.top_k(x, 9)],
        [np.where(np.arange(60) % 7, floats(3, 60), np.float32(np.nan))],
    ),
    "sorted": (lambda x: [tf.sort(x), tf.argsort(x, direction="DESCENDING")], [floats(3, 300)]),
    "among the top 2": (lambda x, t: tf.nn.in_top_k(x, t, 2), [floats(40, 7), np.arange(40, dtype=np.int64) % 7]),
    "roll": (with_gradient(lambda x: tf.roll(x, [2, -1, 9], [0, 2, 2])), [floats(3, 4, 5)]),
    "roll of bool": (lambda x: tf.roll(x > 0, 3, 1), [floats(3, 7)]),
    "reversed sequences": (
        with_gradient(lambda x, n: tf.reverse_sequence(x, n, seq_axis=1)),
        [floats(4, 6, 3), np.array([6, 0, 3, 1], np.int64)],
    ),
    "reflected gradient": (with_gradient(lambda x: tf.pad(x, [[1, 2], [4, 3]], "REFLECT")), [floats(3, 5)]),
    "symmetric gradient": (
        with_gradient(lambda x: tf.pad(x, [[3, 2], [0, 0], [5, 1]], "SYMMETRIC")),
        [floats(3, 2, 5)],
    ),
    "space to batch": (
        with_gradient(lambda x: tf.space_to_batch_nd(x, [2, 3], [[1, 1], [0, 2]])),
        [floats(2, 4, 7, 3)],
    ),
    "batch to space": (
        with_gradient(lambda x: tf.batch_to_space_nd(x, [2, 3], [[1, 0], [0, 2]])),
        [floats(12, 4, 7, 3)],
    ),
    "convolution with holes": (
        with_gradient(lambda x, w: tf.nn.atrous_conv2d(x, w, 2, "SAME")),
        [floats(2, 9, 8, 3), floats(3, 3, 3, 4)],
    ),
    "space to depth": (with_gradient(lambda x: tf.space_to_depth(x, 2)), [floats(2, 4, 6, 3)]),
    "depth to space": (with_gradient(lambda x: tf.depth_to_space(x, 2)), [floats(2, 4, 6, 8)]),
    "diagonals": (with_gradient(lambda x: tf.matrix_diag(tf.matrix_diag_part(x))), [floats(2, 3, 5)]),
    "diagonals set": (
        lambda x, d: [tf.matrix_set_diag(x, d), *tf.gradients(tf.matrix_set_diag(x, d) ** 2, [x, d])],
        [floats(2, 3, 5), floats(2, 3)],
    ),
    "bands": (
        with_gradient(lambda x: tf.matrix_band_part(x, -1, 0) + tf.matrix_band_part(x, 1, 2)),
        [floats(2, 6, 5)],
    ),
    "checked": (with_gradient(lambda x: tf.check_numerics(x * 2.0, "it")), [floats(3, 5)]),
    "patches": (
        lambda x: tf.image.extract_image_patches(x, [1, 3, 2, 1], [1, 2, 1, 1], [1, 2, 2, 1], "SAME"),
        [floats(2, 9, 8, 3)],
    ),
    "patches within": (
        lambda x: tf.image.extract_image_patches(x, [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"),
        [floats(2, 8, 8, 3)],
    ),
    "crops": (
        with_gradient(lambda x: tf.image.crop_and_resize(x, BOXES, [1, 0, 1], [4, 3])),
        [floats(2, 7, 6, 5)],
    ),
    "crops of nearest pixels": (
        lambda x: tf.image.crop_and_resize(x, BOXES, [1, 0, 1], [4, 3], "nearest"),
        [floats(2, 7, 6, 5)],
    ),
    "colours": (
        lambda x: [
            tf.image.rgb_to_hsv(x),
            tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(x)),
            tf.image.adjust_contrast(x, 2.5),
        ],
        [np.abs(floats(2, 5, 4, 3))],
    ),
    "hues and saturations": (
        lambda x: [tf.image.adjust_hue(x, 0.3), tf.image.adjust_saturation(x, 0.4)],
        [np.abs(floats(5, 4, 3)) / 2],
    ),
    "parts and stitches": (partitioned, [floats(6, 3), np.array([0, 2, 0, 2, 2, 0], np.int32)]),
    "int64": (
        lambda x, y: [
            moved(x) * moved(y),
            tf.abs(-moved(x)),
            tf.square(moved(y)),
            tf.bitwise.bitwise_xor(moved(x), moved(y)),
        ],
        [np.arange(-5, 6) * 70_001, np.arange(11) * 1_000_001 - 4_000_000],
    ),
}


@pytest.mark.parametrize("name", OPS)
def test_result_is_the_hosts(name):
    build, arrays = OPS[name]
    expected, _ = on("/cpu:0", build, arrays)
    got, dispatches = on("/gpu:0", build, arrays)
    assert dispatches > 0, "nothing ran on the GPU"
    flat = lambda x: tf.contrib.framework.nest.flatten(x)  # noqa: E731
    for a, b in zip(flat(got), flat(expected), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_what_is_not_finite_fails_the_run():
    x = tf.placeholder(tf.float32, [3])
    y = tf.check_numerics(x * 2.0, "seen", name="check")
    with tf.Session() as session:
        for value, what in ((np.nan, "NaN"), (np.inf, "Inf")):
            with pytest.raises(tf.errors.InvalidArgumentError, match=f"seen : Tensor had {what} values"):
                session.run(y, {x: [0, value, 1]})


def test_a_sequence_longer_than_its_axis_fails_the_run():
    x, n = tf.placeholder(tf.float32, [2, 3]), tf.placeholder(tf.int32, [2])
    y = tf.reverse_sequence(x * 2.0, n, seq_axis=1)
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"seq_lens\(1\) > input.dims\(1\)"):
            session.run(y, {x: np.ones((2, 3)), n: [1, 4]})
