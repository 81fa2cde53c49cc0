"""Ops that move elements, draw random numbers, or update variables: on the GPU and on the host they give the same."""

import ferroflow as tf
import numpy as np
import pytest
from ferroflow import _core


def floats(*shape):
    return np.random.RandomState(len(shape)).uniform(-2, 2, shape).astype(np.float32)


def on(device, build, arrays, steps=1):
    """What `build` of placeholders gives on a device, and how much the GPU did for it."""
    with tf.Graph().as_default(), tf.device(device):
        tf.set_random_seed(5)
        inputs = [tf.placeholder(a.dtype, a.shape) for a in arrays]
        outputs = build(*inputs)
        # Integers alone would stay on the host: they go there by way of the device.
        feeds = dict(zip(inputs, arrays, strict=True))
        # Some ops of gradients have kernels on the host only.
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            session.run(tf.global_variables_initializer())
            before = _core.gpu_counts(0)["dispatches"]
            for _ in range(steps):
                result = session.run(outputs, feeds)
            return result, _core.gpu_counts(0)["dispatches"] - before


def moved(x):
    """The same integers, computed on the device."""
    return tf.cast(tf.cast(x, tf.float32) * 1.0, x.dtype)


MASK = np.random.RandomState(0).uniform(size=(2, 3, 5)) < 0.5
WIDE = np.arange(24, dtype=np.int64).reshape(2, 3, 4) - 7

MOVES = {
    "transpose of two": (lambda x: tf.transpose(x), [floats(65, 33)]),
    "transpose in batches": (lambda x: tf.transpose(x, [0, 2, 1]), [floats(3, 40, 9)]),
    "transpose of four": (lambda x: tf.transpose(x, [3, 0, 2, 1]), [floats(2, 3, 4, 5)]),
    "transpose of int64": (lambda x: tf.transpose(moved(x), [2, 0, 1]), [WIDE]),
    "transpose of bool": (lambda x: tf.transpose(x, [2, 0, 1]), [MASK]),
    "nothing moves": (lambda x: tf.transpose(x, [1, 0, 2]) + 0.0, [floats(1, 3, 4)]),
    "tile": (lambda x: tf.tile(x, [2, 1, 3]), [floats(2, 3, 4)]),
    "tile of bool": (lambda x: tf.tile(x, [2, 1, 3]), [MASK]),
    "broadcast": (lambda x: tf.broadcast_to(x, [4, 2, 3, 5]), [floats(2, 1, 5)]),
    "reverse": (lambda x: tf.reverse(x, [0, 2]), [floats(2, 3, 5)]),
    "slice": (lambda x: tf.slice(x, [0, 1, 1], [2, -1, 3]), [floats(2, 3, 5)]),
    "slice in fours": (lambda x: x[:, 4:12], [floats(7, 16)]),
    "strided": (lambda x: x[::-1, tf.newaxis, 1, ..., 4:0:-2], [floats(2, 3, 5)]),
    "empty slice": (lambda x: x[:, 2:2], [floats(3, 4)]),
    "strided gradient": (lambda x: tf.gradients(tf.square(x[1:, ::2]), x), [floats(5, 7)]),
    "pad": (lambda x: tf.pad(x, [[1, 2], [0, 3]], constant_values=7.0), [floats(3, 5)]),
    "pad of bool": (lambda x: tf.pad(x, [[1, 0], [0, 3], [2, 2]]), [MASK]),
    "pad of nothing": (lambda x: tf.pad(x, [[1, 2], [0, 3]]), [floats(0, 5)]),
    "reflect": (lambda x: tf.pad(x, [[1, 2], [4, 3]], "REFLECT"), [floats(3, 5)]),
    "symmetric": (lambda x: tf.pad(x, [[3, 2], [5, 3]], "SYMMETRIC"), [floats(3, 5)]),
    "concat": (lambda x, y: tf.concat([x, y, x], 1), [floats(3, 5), floats(3, 2)]),
    "concat of rows": (lambda x, y: tf.concat([x, y], 0), [floats(3, 4), floats(2, 4)]),
    "concat with nothing": (lambda x, y: tf.concat([x, y], 0), [floats(3, 4), floats(0, 4)]),
    "concat of bool": (lambda x: tf.concat([x, x], 1), [MASK]),
    "concat gradient": (
        lambda x, y: tf.gradients(tf.square(tf.concat([x, y], 1)), [x, y]),
        [floats(3, 5), floats(3, 2)],
    ),
    "stack": (lambda x, y: tf.stack([x, y], 1), [floats(3, 5), floats(3, 5)]),
    "unstack": (lambda x: tf.unstack(x, axis=1), [floats(2, 3, 5)]),
    "split": (lambda x: tf.split(x, 3, 1), [floats(2, 9)]),
    "split by sizes": (lambda x: tf.split(x, [2, -1, 3], 1), [floats(2, 9)]),
    "gather": (lambda x, i: tf.gather(x, i), [floats(9, 8), np.array([3, 0, 8, 3], np.int32)]),
    "gather of an axis": (
        lambda x, i: tf.gather(x, i, axis=1),
        [floats(2, 9, 3), np.array([[3, 0], [8, 3]], np.int64)],
    ),
    "gather gradient": (
        lambda x, i: tf.gradients(tf.square(tf.gather(x, i, axis=1)), x),
        [floats(2, 9, 3), np.array([3, 0, 3], np.int32)],
    ),
    "one hot": (lambda i: tf.one_hot(i, 5) * 1.0, [np.array([[0, 4], [5, -1]], np.int32)]),
    "one hot along another axis": (
        lambda i: tf.one_hot(i, 3, 2.0, -1.0, axis=0),
        [np.array([[0, 2], [1, 5]], np.int64)],
    ),
    "where": (lambda x: tf.where(x > 0, x, -2 * x), [floats(3, 5)]),
    "where by rows": (lambda x: tf.where(x[:, 0] > 0, x, -2 * x), [floats(7, 5)]),
    "where of all": (lambda x: tf.where(tf.reduce_sum(x) > 0, x, -2 * x), [floats(7, 5)]),
    "zeros and ones": (lambda x: [tf.zeros_like(x) + x, tf.ones_like(x) * x, tf.fill([3, 3], 2.5)], [floats(3, 5)]),
    "ones of bool": (lambda x: tf.ones_like(tf.transpose(x)), [MASK]),
    "segment sum": (lambda x: tf.segment_sum(x, [0, 0, 2, 2, 2]), [floats(5, 3)]),
    "segment mean": (lambda x: tf.segment_mean(x, [0, 0, 2, 2, 2]), [floats(5, 3)]),
    "unsorted sum": (lambda x: tf.unsorted_segment_sum(x, [3, -1, 0, 3, 1], 5), [floats(5, 3)]),
    "uniform": (lambda: tf.random_uniform([1003], seed=3), []),
    "uniform in a range": (lambda: tf.random_uniform([1003], -2, 5, seed=3), []),
    "gather of vectors": (
        lambda x, i: tf.gather_nd(x, i),
        [floats(3, 4, 5), np.array([[2, 1], [0, 3], [0, 3]], np.int32)],
    ),
    "scatter of vectors": (
        lambda x, i: tf.scatter_nd(i, x, [3, 4, 5]),
        [floats(3, 5), np.array([[2, 1], [0, 3], [0, 3]], np.int32)],
    ),
    "scatter into a tensor": (
        lambda t, x, i: [tf.tensor_scatter_add(t, i, x), tf.tensor_scatter_update(t, i, x), t * 1.0],
        [floats(3, 4, 5), floats(3, 5), np.array([[2, 1], [0, 3], [0, 3]], np.int32)],
    ),
    "unsorted sum by indices of the device": (
        lambda x, i: tf.unsorted_segment_sum(x, moved(i), 5),
        [floats(5, 3), np.array([3, -1, 0, 3, 1], np.int32)],
    ),
    "gather of vectors of the device": (
        lambda x, i: [tf.gather_nd(x, moved(i)), tf.gradients(tf.square(tf.gather_nd(x, moved(i))), x)[0]],
        [floats(3, 4, 5), np.array([[2, 1], [0, 3], [0, 3]], np.int64)],
    ),
    "scatter of vectors of the device": (
        lambda t, x, i: [
            tf.scatter_nd(moved(i), x, [3, 4, 5]),
            tf.tensor_scatter_sub(t, moved(i), x),
            tf.tensor_scatter_update(t, moved(i), x),
        ],
        [floats(3, 4, 5), floats(3, 5), np.array([[2, 1], [0, 3], [0, 3]], np.int32)],
    ),
    "gather gradient by indices of the device": (
        lambda x, i: tf.gradients(tf.square(tf.gather(tf.nn.relu(x), moved(i))), x),
        [floats(9, 3), np.arange(400, dtype=np.int64) % 7],
    ),
    "where with broadcasting": (lambda x, y: tf.where_v2(x[:, :1] > 0, x, y), [floats(3, 5), floats(5)]),
    "running sum": (lambda x: [tf.cumsum(x, 1), tf.cumsum(x, 0, True, True), tf.cumprod(x, 1)], [floats(3, 300)]),
}


@pytest.mark.parametrize("name", MOVES)
def test_result_is_the_hosts(name):
    build, arrays = MOVES[name]
    expected, _ = on("/cpu:0", build, arrays)
    got, dispatches = on("/gpu:0", build, arrays)
    assert dispatches > 0 or "nothing" in name or "empty" in name or "of bool" in name, "nothing ran on the GPU"
    many = expected if isinstance(expected, list) else [expected]
    for a, b in zip(got if isinstance(got, list) else [got], many, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 if name == "running sum" else 0)


@pytest.mark.parametrize("draw", [tf.random_normal, tf.truncated_normal])
def test_normal_numbers_are_the_hosts_over_several_runs(draw):
    for steps in (1, 3):
        expected, _ = on("/cpu:0", lambda: draw([333, 3], seed=3), [], steps)
        got, dispatches = on("/gpu:0", lambda: draw([333, 3], seed=3), [], steps)
        assert dispatches > 0
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_index_out_of_range_fails_the_run_and_names_the_node():
    with tf.Graph().as_default():
        x, i = tf.placeholder(tf.float32, [3, 2]), tf.placeholder(tf.int32, [2])
        y = tf.gather(x * 2.0, i, name="pick") + 1.0
        with tf.Session() as session:
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"indices\[1\] = 3 is not in \[0, 3\)") as failed:
                session.run(y, {x: np.ones((3, 2)), i: [0, 3]})
            assert failed.value.op.name == "pick"


UNSEEN = {
    "segment": (
        lambda x, i: tf.unsorted_segment_sum(x, i, 3, name="it"),
        [0, 3],
        r"segment_ids\[1\] = 3 is out of range \[0, 3\)",
    ),
    "row": (
        lambda x, i: tf.scatter_update(tf.get_variable("v", [3, 2]), i, x, name="it"),
        [-1, 0],
        r"indices\[0\] = -1 is not in \[0, 3\)",
    ),
    "vector": (
        lambda x, i: tf.scatter_nd(tf.stack([i, i - 1], 1), x[:, 0], [3, 3], name="it"),
        [1, 3],
        r"indices\[1\] = \[3, 2\] does not index into shape \[3,3\]",
    ),
}


@pytest.mark.parametrize("name", UNSEEN)
@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_an_index_of_the_device_that_is_out_of_range_fails_the_run(name, dtype):
    build, indices, message = UNSEEN[name]
    with tf.Graph().as_default():
        x, i = tf.placeholder(tf.float32, [2, 2]), tf.placeholder(dtype, [2])
        y = build(x, moved(i))
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            with pytest.raises(tf.errors.InvalidArgumentError, match=message) as failed:
                session.run(y, {x: np.ones((2, 2)), i: indices})
            assert failed.value.op.name == "it"


OPTIMIZERS = {
    "descent": lambda: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9),
    "nesterov": lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.1),
    "adadelta": lambda: tf.train.AdadeltaOptimizer(0.1),
    "adam": lambda: tf.train.AdamOptimizer(0.1),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.1, momentum=0.5),
    "centered rmsprop": lambda: tf.train.RMSPropOptimizer(0.1, centered=True),
    "ftrl": lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01),
    "ftrl with shrinkage": lambda: tf.train.FtrlOptimizer(0.1, l2_shrinkage_regularization_strength=0.01),
    "proximal descent": lambda: tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.02),
    "proximal adagrad": lambda: tf.train.ProximalAdagradOptimizer(0.1, 0.1, 0.01, 0.02),
}


@pytest.mark.parametrize("is_resource", [False, True])
@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_take_the_hosts_steps(name, rows, is_resource):
    def build(x, i):
        start = tf.constant(floats(6, 5) + 3)
        v = tf.get_variable("v", initializer=start, use_resource=is_resource)
        seen = tf.gather(v, i) if rows else v
        train = OPTIMIZERS[name]().minimize(tf.reduce_sum(tf.square(seen * x)))
        with tf.control_dependencies([train]):
            return v.read_value()

    arrays = [floats(6, 5), np.array([0, 3, 3, 5, 1, 0], np.int32)]
    expected, _ = on("/cpu:0", build, arrays, steps=4)
    got, dispatches = on("/gpu:0", build, arrays, steps=4)
    assert dispatches > 0
    np.testing.assert_allclose(got, expected, rtol=3e-5, atol=1e-6)


@pytest.mark.parametrize("there", [False, True], ids=["fed", "computed"])
@pytest.mark.parametrize("is_resource", [False, True])
@pytest.mark.parametrize("op", ["update", "add", "sub", "mul", "div", "min", "max"])
def test_scattered_updates_keep_their_order(op, is_resource, there):
    def build(x, i):
        i = moved(i) if there else i
        v = tf.get_variable("v", initializer=tf.constant(floats(6, 5) + 3), use_resource=is_resource)
        if is_resource:
            done = getattr(tf.raw_ops, f"ResourceScatter{op.title()}")(resource=v.handle, indices=i, updates=x * 2.0)
        else:
            done = getattr(tf, f"scatter_{op}")(v, i, x * 2.0).op
        with tf.control_dependencies([done]):
            return v.read_value()

    arrays = [floats(4, 5) + 3, np.array([0, 3, 3, 5], np.int32)]
    expected, _ = on("/cpu:0", build, arrays)
    got, dispatches = on("/gpu:0", build, arrays)
    assert dispatches > 0
    np.testing.assert_allclose(got, expected, rtol=1e-5)
