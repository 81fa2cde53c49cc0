"""Kernels that end in a formula: one dispatch, with the values of the steps one by one, and everything else as it was."""

import ferroflow as tf
import numpy as np
import pytest
from ferroflow import _core

RANDOM = np.random.RandomState(5)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def normal(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def run(fetches, feeds):
    """The fetched arrays, the same of a traced run (whose nodes run one by one), and the first run's dispatches."""
    trace, metadata = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), tf.RunMetadata()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        apart = session.run(fetches, feeds, trace, metadata)
        session.run(fetches, feeds)
        before = _core.gpu_counts(0)["dispatches"]
        together = session.run(fetches, feeds)
        count = _core.gpu_counts(0)["dispatches"] - before
    for x, y in zip(together, apart, strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-5, atol=2e-5)
    nodes = {node.node_name for device in metadata.step_stats.dev_stats for node in device.node_stats}
    return together, count, nodes


ACTIVATIONS = [tf.nn.relu, tf.nn.relu6, tf.nn.leaky_relu, tf.sigmoid, tf.tanh, tf.nn.elu, tf.nn.softplus, tf.nn.selu]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda f: f.__name__)
def test_a_dense_layer_is_one_dispatch(activation):
    x, w, b = normal(33, 20), normal(20, 7), normal(7)
    fed = tf.placeholder(tf.float32, [None, 20])
    y = activation(tf.nn.bias_add(tf.matmul(fed, w), b), name="out")
    (got,), count, nodes = run([y], {fed: x})
    assert count == 1 and {"MatMul", "BiasAdd"} <= nodes
    with tf.Session(config=tf.ConfigProto(device_count={"GPU": 0})) as session:
        np.testing.assert_allclose(got, session.run(activation(x @ w + b)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("sizes", "dispatches"),
    [((5, 3, 8), 1), ((64, 64, 64), 1), ((1, 30, 9), 1), ((40, 30, 1), 1), ((6, 5000, 10), 2), ((1, 9000, 3), 2)],
)
def test_products_of_all_kinds_end_in_a_formula(sizes, dispatches):
    m, k, n = sizes
    x, w, b, r = normal(m, k), normal(k, n), normal(n), normal(m, n)
    fed, rest = tf.placeholder(tf.float32, [None, k]), tf.placeholder(tf.float32, [None, n])
    y = tf.nn.relu(tf.matmul(fed, w) + b) * 0.5 + rest
    (got,), count, _ = run([y], {fed: x, rest: r})
    expected = (x.astype(np.float64) @ w + b).clip(0) * 0.5 + r
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-3)
    assert count == dispatches


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(
    ("channels", "outs", "window", "stride"), [(1, 5, 3, 1), (3, 8, 5, 2), (4, 4, 1, 1), (8, 6, 3, 1)]
)
def test_a_convolution_with_bias_and_activation_is_one_dispatch(padding, channels, outs, window, stride):
    x = tf.placeholder(tf.float32, [None, 11, 9, channels])
    kernel, bias = normal(window, window, channels, outs), normal(outs)
    made = tf.nn.conv2d(x, kernel, [1, stride, stride, 1], padding)
    _, count, _ = run([tf.nn.leaky_relu(tf.nn.bias_add(made, bias))], {x: normal(2, 11, 9, channels)})
    assert count == 1


def test_a_block_with_a_residual_is_one_dispatch_a_convolution():
    x = tf.placeholder(tf.float32, [None, 7, 6, 8])
    h = tf.nn.relu(tf.nn.conv2d(x, normal(3, 3, 8, 8), 1, "SAME") + normal(8))
    y = tf.nn.relu(tf.nn.conv2d(h, normal(3, 3, 8, 8), 1, "SAME") + normal(8) + x)
    _, count, _ = run([y], {x: normal(3, 7, 6, 8)})
    assert count == 2


def test_transposed_and_depthwise_convolutions_end_in_formulas():
    x = tf.placeholder(tf.float32, [3, 5, 4, 6])
    up = tf.nn.conv2d_transpose(x, normal(4, 4, 5, 6), [3, 10, 8, 5], 2, "SAME")
    wide = tf.nn.depthwise_conv2d(x, normal(3, 3, 6, 2), [1, 1, 1, 1], "SAME")
    plain = run([up, wide], {x: normal(3, 5, 4, 6)})[1]
    ended = run([tf.tanh(tf.nn.bias_add(up, normal(5))), tf.nn.relu6(wide + normal(12))], {x: normal(3, 5, 4, 6)})[1]
    assert ended == plain


def test_channels_first_are_turned_before_the_formula():
    x = tf.placeholder(tf.float32, [None, 4, 6, 5])
    with tf.device("/gpu:0"):
        y = tf.nn.conv2d(x, normal(3, 3, 4, 3), [1, 1, 1, 1], "SAME", data_format="NCHW")
        y = tf.nn.relu(y + normal(1, 3, 1, 1))
    run([y], {x: normal(2, 4, 6, 5)})


def test_what_lies_between_may_be_fetched_and_read_by_others():
    x, w, b = normal(9, 6), normal(6, 5), normal(5)
    fed = tf.placeholder(tf.float32, [None, 6])
    product = tf.matmul(fed, w)
    sums = product + b
    y = tf.nn.relu(sums)
    later = tf.reduce_sum(product * y, 1)
    got, count, _ = run([product, sums, y, later], {fed: x})
    expected = [x @ w, x @ w + b, (x @ w + b).clip(0), (x @ w * (x @ w + b).clip(0)).sum(1)]
    for result, wanted in zip(got, expected, strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-4)
    assert count <= 3


def test_not_a_number_is_kept():
    x = normal(6, 4)
    x[2, 1] = np.nan
    fed = tf.placeholder(tf.float32, [None, 4])
    (got,), _, _ = run([tf.nn.relu(tf.matmul(fed, np.eye(4, dtype=np.float32)) - 100.0)], {fed: x})
    assert np.isnan(got[2]).all() and (got[[0, 1, 3, 4, 5]] == 0).all()


def test_batches_masks_and_parameters():
    a, b, keep = normal(3, 5, 8), normal(3, 8, 7), RANDOM.uniform(size=[3, 5, 7]) > 0.5
    fed, mask, rate = (
        tf.placeholder(tf.float32, [3, 5, 8]),
        tf.placeholder(tf.bool, [3, 5, 7]),
        tf.placeholder(tf.float32, []),
    )
    y = tf.where(mask, tf.matmul(fed, b) * rate, tf.fill([3, 5, 7], -1e9))
    (got,), _, _ = run([y], {fed: a, mask: keep, rate: 0.125})
    np.testing.assert_allclose(got, np.where(keep, a @ b * 0.125, -1e9), rtol=1e-4, atol=1e-4)


def test_shapes_that_do_not_go_together_run_one_by_one_or_fail_at_their_node():
    x, b = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, None, name="b")
    y = tf.tanh(tf.add(tf.matmul(x, normal(4, 3)), b, name="sum_of_both"))
    with tf.Session() as session:
        for shape in [(3,), (5, 1), (1, 3), (), (2, 5, 3), (5, 3)]:
            assert session.run(y, {x: normal(5, 4), b: normal(*shape)}).shape == np.broadcast_shapes((5, 3), shape)
        with pytest.raises(tf.errors.InvalidArgumentError, match="sum_of_both"):
            session.run(y, {x: normal(5, 4), b: normal(4)})


def test_a_bias_without_a_value_is_named():
    x = tf.placeholder(tf.float32, [None, 4])
    bias = tf.Variable(normal(3), name="bias")
    y = tf.nn.relu(tf.matmul(x, normal(4, 3)) + bias)
    with tf.Session() as session, pytest.raises(tf.errors.FailedPreconditionError, match="bias"):
        session.run(y, {x: normal(2, 4)})


@pytest.mark.parametrize("use_resource", [False, True])
def test_a_product_that_was_made_before_an_update_keeps_the_old_weights(use_resource):
    w = tf.Variable(np.eye(3, dtype=np.float32), use_resource=use_resource)
    x = tf.placeholder(tf.float32, [None, 3])
    product = tf.matmul(x, w)
    with tf.control_dependencies([product]):
        update = w.assign(np.zeros((3, 3), np.float32))
    with tf.control_dependencies([update]):
        y = tf.nn.relu(product + 1.0)
    with tf.Session() as session:
        for _ in range(2):
            session.run(w.initializer)
            np.testing.assert_array_equal(session.run(y, {x: np.ones((2, 3), np.float32)}), np.full((2, 3), 2))


def test_loops_and_branches_have_their_own():
    w = normal(4, 4) / 4
    x = tf.placeholder(tf.float32, [None, 4])
    _, looped = tf.while_loop(lambda i, h: i < 5, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w) + 0.1)), [0, x])
    chosen = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.nn.relu(tf.matmul(x, w)), lambda: tf.sigmoid(tf.matmul(x, w)))
    value = normal(3, 4)
    got, _, _ = run([looped, chosen], {x: value})
    expected = value
    for _ in range(5):
        expected = np.tanh(expected @ w + 0.1)
    np.testing.assert_allclose(got[0], expected, rtol=1e-4, atol=1e-5)
    product = value @ w
    np.testing.assert_allclose(got[1], product.clip(0) if value.sum() > 0 else 1 / (1 + np.exp(-product)), rtol=1e-4)


def test_a_normalized_layer_and_a_mask_end_in_formulas():
    x = tf.placeholder(tf.float32, [None, 5, 4, 8])
    y = tf.nn.leaky_relu(tf.layers.batch_normalization(x, training=True))
    noise = tf.floor(tf.random_uniform([3, 5, 7], seed=3) + 0.3) * 2.0
    value = normal(6, 5, 4, 8)
    alone = run([tf.layers.batch_normalization(x, training=True)], {x: value})[1]
    assert run([y], {x: value})[1] == alone
    with tf.Session() as session, tf.Session(config=tf.ConfigProto(device_count={"GPU": 0})) as cpu:
        before = _core.gpu_counts(0)["dispatches"]
        np.testing.assert_array_equal(session.run(noise), cpu.run(noise))
        assert _core.gpu_counts(0)["dispatches"] == before + 1


@pytest.mark.parametrize("channels", [8, 5])
def test_normalization_and_its_gradients_are_the_cpus(channels):
    shape = [3, 6, 5, channels]
    x = tf.placeholder(tf.float32, shape)
    scale, offset = tf.constant(normal(channels)), tf.constant(normal(channels))
    y, mean, variance = tf.nn.fused_batch_norm(x, scale, offset, epsilon=1e-3)
    gradients = tf.gradients(tf.nn.relu(y) * x, [x, scale, offset])
    value = normal(*shape)
    with tf.Session() as session, tf.Session(config=tf.ConfigProto(device_count={"GPU": 0})) as cpu:
        got, expected = (s.run([y, mean, variance, *gradients], {x: value}) for s in (session, cpu))
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-4)
