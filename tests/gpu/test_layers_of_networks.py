"""Ops of networks and their gradients: a GPU gives what the CPU gives, whatever the shape."""

import ferroflow as tf
import numpy as np
import pytest
from ferroflow import _core

RANDOM = np.random.RandomState(0)
LAST = ("NHWC", [2, 9, 7, 3], [1, 2, 2, 1], [1, 3, 3, 1])
FIRST = ("NCHW", [2, 3, 9, 7], [1, 1, 2, 2], [1, 1, 3, 3])
REDUCTIONS = [tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_min, tf.reduce_prod]


def normal(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def on(device, build, arrays):
    """The results and their gradients by all floats; soft placement, since not every op has a kernel there."""
    with tf.Graph().as_default():
        with tf.device(device):
            inputs = [tf.placeholder(array.dtype, array.shape) for array in arrays]
            made = build(*inputs)
            made = list(made) if isinstance(made, (list, tuple)) else [made]
            floats = [x for x in inputs if x.dtype == tf.float32]
            smooth = [y for y in made if y.dtype == tf.float32]
            gradients = [tf.convert_to_tensor(g) for y in smooth for g in tf.gradients(y, floats) if g is not None]
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            before = _core.gpu_counts(0)["dispatches"]
            results = session.run(made + gradients, dict(zip(inputs, arrays, strict=True)))
            return results, _core.gpu_counts(0)["dispatches"] - before


def check(build, *arrays, tolerance=1e-4, launches=True):
    expected, _ = on("/cpu:0", build, arrays)
    got, dispatches = on("/gpu:0", build, arrays)
    assert dispatches > 0 or not launches
    for x, y in zip(got, expected, strict=True):
        scale = np.abs(y[np.isfinite(y)]).max(initial=1)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("layout", [LAST, FIRST], ids=["channels last", "channels first"])
def test_windows(layout, padding):
    order, shape, strides, window = layout
    options = {"strides": strides, "padding": padding, "data_format": order}
    check(lambda x, w: tf.nn.conv2d(x, w, **options), normal(*shape), normal(3, 3, 3, 8))
    check(lambda x: tf.nn.max_pool(x, window, **options), normal(*shape))
    check(lambda x: tf.nn.avg_pool(x, window, **options), normal(*shape))


@pytest.mark.parametrize("layout", [LAST, FIRST], ids=["channels last", "channels first"])
def test_channels(layout):
    order, shape, _, _ = layout
    check(lambda x, b: tf.nn.bias_add(x, b, data_format=order), normal(*shape), normal(3))

    def normalized(x, scale, offset):
        return tf.nn.fused_batch_norm(x, scale, offset, data_format=order)[0]

    check(normalized, normal(*shape), normal(3), normal(3), tolerance=1e-3)
    check(lambda x: tf.nn.lrn(x, 3, 1.0, 0.5, 0.75), normal(2, 4, 4, 9))


def test_other_convolutions():
    check(
        lambda x, w: tf.nn.conv2d_transpose(x, w, [2, 16, 15, 5], [1, 2, 2, 1]), normal(2, 8, 8, 6), normal(3, 3, 5, 6)
    )
    check(lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "SAME"), normal(2, 8, 9, 4), normal(3, 3, 4, 2))
    check(lambda x, w: tf.nn.atrous_conv2d(x, w, 2, "SAME"), normal(1, 12, 12, 4), normal(3, 3, 4, 2))


@pytest.mark.parametrize("shape", [(4, 5), (1, 700), (300, 1), (3, 4, 50), (0, 5), (2, 0)])
def test_rows_and_columns(shape):
    x = normal(*shape) * 0.5 + 1
    for reduce in REDUCTIONS:
        for axis in (None, 0, -1, [0, 1], []):
            check(lambda x, reduce=reduce, axis=axis: reduce(x, axis), x, launches=min(x.shape) > 1 and axis != [])
    for build in (tf.nn.softmax, tf.nn.log_softmax, tf.nn.l2_loss, lambda x: tf.nn.moments(x, [0])):
        check(build, x, launches=min(x.shape) > 1)
    if x.size:
        check(lambda x: tf.argmax(x, -1), x)


def test_losses():
    check(lambda x, y: tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=x), normal(8, 5), abs(normal(8, 5)))
    classes = RANDOM.randint(0, 5, 8)
    check(lambda x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x), normal(8, 5), classes)


def test_products():
    for a, b in [((3, 4), (4, 5)), ((0, 4), (4, 5)), ((3, 0), (0, 5)), ((2, 3, 4), (2, 4, 5)), ((100, 784), (784, 70))]:
        check(tf.matmul, normal(*a), normal(*b), launches=0 not in a + b)
    check(lambda x, y: tf.matmul(x, y, transpose_b=True), normal(2, 1, 3, 4), normal(3, 5, 4))
    check(lambda x, y: tf.tensordot(x, y, [[1, 2], [0, 1]]), normal(3, 4, 5), normal(4, 5, 6))


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("method", [tf.image.ResizeMethod.BILINEAR, 1, tf.image.ResizeMethod.BICUBIC])
def test_resized_images(method, aligned):
    check(lambda x: tf.image.resize_images(x, [7, 13], method, align_corners=aligned), normal(2, 5, 6, 3))
