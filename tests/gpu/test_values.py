"""Values at the edges, on the GPU as on the CPU and as in TensorFlow; and what runs leave behind them."""

import ferroflow as tf
import numpy as np
import pytest

NAN, INF = np.nan, np.inf
HOST = tf.ConfigProto(device_count={"GPU": 0})


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def fed(value, dtype=np.float32):
    """A placeholder for a value, and what feeds it."""
    value = np.asarray(value, dtype)
    placeholder = tf.placeholder(dtype, value.shape)
    return placeholder, {placeholder: value}


def run(fetches, feeds, config=None):
    with tf.Session(config=config) as session:
        return session.run(fetches, feeds)


def test_extremes_pass_nan_over_as_tensorflow_does():
    x, feeds = fed([[1, NAN, 3], [NAN, NAN, NAN], [INF, -INF, 0], [NAN, 2, 1]])
    fetches = [tf.reduce_max(x, 1), tf.reduce_min(x, 1), tf.argmax(x, 1), tf.argmin(x, 0)]
    expected = [[3, -INF, INF, 2], [1, INF, -INF, 1], [2, 0, 0, 1], [0, 2, 2]]
    for config in (None, HOST):
        for got, wanted in zip(run(fetches, feeds, config), expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_maximum_of_a_window_passes_nan_over_and_so_does_its_gradient():
    x, feeds = fed(np.reshape([NAN, 1, 2, 3, -INF, INF, -INF, -INF, 0], [1, 3, 3, 1]))
    y = tf.nn.max_pool(x, [1, 2, 2, 1], [1, 1, 1, 1], "SAME")
    lowest = np.finfo("f").min
    for config in (None, HOST):
        got, slope = run([y, tf.gradients(y, x)[0]], feeds, config)
        np.testing.assert_array_equal(got.ravel(), [3, INF, INF, 3, INF, INF, lowest, 0, 0])
        np.testing.assert_array_equal(slope.ravel(), [1, 0, 0, 1, 0, 4, 1, 0, 2])


def test_chains_of_steps_keep_to_the_rules_of_floats():
    x, feeds = fed([NAN, INF, -INF, -1, 0, 7, 3e38, 51.25])
    y, more = fed([1, 2, INF, NAN, 5, -2, 1e38, 3])
    z, w = x * 3.0, y * 7.0
    chains = [z - z, z / z, (z + w) - z, (z - w) + w, tf.sqrt(z) * tf.sqrt(z), tf.reduce_sum(z * 0.0), w - z * 0.0]
    chains += [(z + 1e8) - 1e8, (z * 1e-3 + 12582912.0) - 12582912.0, tf.cast(z > w, tf.float32) * z, 1.0 - (1.0 - z)]
    chains += [tf.cast(tf.equal(z, z), tf.float32) + 1.0, tf.clip_by_value(z, 0.0, 1.0) * 2.0, z * w - z * y]
    chains += tf.gradients([tf.abs(z) * 0.0, tf.sqrt(z) * tf.sqrt(z)], x)
    with tf.Session() as on_gpu, tf.Session(config=HOST) as on_host:
        for chain in chains:
            got, expected = (session.run(chain, {**feeds, **more}) for session in (on_gpu, on_host))
            np.testing.assert_allclose(got, expected, rtol=1e-6, err_msg=chain.name)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 1023])
def test_nothing_behind_the_last_element_is_a_divisor(count):
    # Memory that was zero before is given to operands whose last vector of four is not full.
    x, feeds = fed(np.zeros(4 * count), np.int32)
    a, more = fed(np.arange(count), np.int32)
    b, most = fed(np.full(count, 3), np.int32)
    with tf.Session() as session:
        for _ in range(3):
            session.run(x + 1, feeds)
            got = session.run([tf.truncatediv(a, b), a % b], {**more, **most})
            np.testing.assert_array_equal(got, [np.arange(count) // 3, np.arange(count) % 3])


def test_remainders_of_floats_are_exact():
    numbers = [0, -0.0, 1, -1, 0.5, INF, -INF, NAN, 3.4e38, -3.4e38, 17.3, -2.5, 1e10, 3.7, 1e-7]
    a, feeds = fed(np.repeat(numbers, len(numbers)))
    b, more = fed(np.tile(numbers, len(numbers)))
    left, right = feeds[a], more[b]
    with np.errstate(invalid="ignore", over="ignore"):
        rest = np.fmod(left, right)
        floored = np.where((rest != 0) & ((rest < 0) != (right < 0)), rest + right, rest)
    for config in (None, HOST):
        got = run([tf.truncatemod(a, b), tf.floormod(a, b)], {**feeds, **more}, config)
        np.testing.assert_array_equal(got[0], rest)
        np.testing.assert_array_equal(got[1], floored)


def test_long_integers_become_the_nearest_floats():
    random = np.random.RandomState(3)
    count = random.randint(0, 64, 4000)
    numbers = np.concatenate([random.randint(-(2**62), 2**62, 4000) >> count, [0, -1, 2**63 - 1, -(2**63), 2**53 + 1]])
    x, feeds = fed(np.concatenate([numbers, numbers + 1, (2**24 + 1) << np.arange(39)]), np.int64)
    np.testing.assert_array_equal(run(tf.cast(x, tf.float32), feeds), feeds[x].astype(np.float32))


def test_what_takes_more_steps_than_drivers_in_software_allow():
    many = 70_000
    x, feeds = fed(np.random.RandomState(0).normal(size=[many, 2]))
    rows = tf.zeros([many], tf.int32)
    window = tf.reshape(tf.concat([x[:, 0], x[:, 1]], 0), [1, 350, 400, 1])
    fetches = [
        tf.segment_sum(x, rows)[0],
        tf.segment_mean(x, rows)[0],
        tf.unsorted_segment_sum(x, rows, 1)[0],
        tf.nn.avg_pool(window, [1, 350, 400, 1], [1, 1, 1, 1], "VALID"),
    ]
    on_gpu, on_host = run(fetches, feeds), run(fetches, feeds, HOST)
    for got, expected in zip(on_gpu, on_host, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


def test_positions_in_more_elements_than_a_dispatch_has_groups():
    x, feeds = fed(np.random.RandomState(1).normal(size=65_535 * 256 + 1))
    longest, cut = tf.argmax(x), tf.argmin(tf.reshape(x[:-1], [-1, 5]), 0)
    got = run([longest, cut], feeds)
    assert got[0] == feeds[x].argmax()
    np.testing.assert_array_equal(got[1], feeds[x][:-1].reshape(-1, 5).argmin(0))


@pytest.mark.parametrize("is_computed", [False, True])
@pytest.mark.parametrize("label", [5, -1])
def test_label_outside_the_classes_fails_the_run(label, is_computed):
    labels, feeds = fed([0, label, 2], np.int32)
    logits, more = fed(np.zeros([3, 5]))
    computed = tf.cast(tf.cast(labels, tf.float32) * 1.0, tf.int64) if is_computed else labels
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=computed, logits=logits, name="loss")
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"Received a label value of {label} which is outside"):
        run(loss, {**feeds, **more})
    feeds[labels][1] = 1
    np.testing.assert_allclose(run(loss, {**feeds, **more}), np.log([5.0] * 3), rtol=1e-6)


def test_a_restored_optimizer_goes_on_from_what_was_saved(tmp_path):
    x, feeds = fed(np.random.RandomState(2).normal(size=[4, 3]))
    weights = tf.get_variable("w", initializer=np.full([3, 2], 0.3, np.float32))
    train = tf.train.AdamOptimizer(0.1).minimize(tf.reduce_mean(tf.matmul(x, weights) ** 2))
    saver = tf.train.Saver()

    def trained(config=None):
        with tf.Session(config=config) as session:
            session.run(tf.global_variables_initializer())
            session.run(train, feeds)
            path = saver.save(session, str(tmp_path / "model"))
            for _ in range(5):
                session.run(train, feeds)
            saver.restore(session, path)
            session.run(train, feeds)
            return session.run(weights)

    np.testing.assert_allclose(trained(), trained(HOST), rtol=1e-5)


def test_what_no_buffer_holds_is_computed_on_the_host():
    # One byte more than WebGPU's default, and what the software driver has.
    size = (128 << 20) // 4 + 1
    x = tf.placeholder(tf.float32, [None])
    y = tf.nn.relu(x) + 1
    variable = tf.get_variable("v", [size], initializer=tf.ones_initializer())
    with tf.Session() as session:
        session.run(variable.initializer)
        ends = [y[-2:], tf.concat([x, x], 0)[-2:], variable.assign_add(y)[-2:]]
        got = session.run(ends, {x: np.full(size, 2, np.float32)})
        np.testing.assert_array_equal(got, [[3, 3], [2, 2], [4, 4]])


def test_terms_of_a_sum_have_one_shape():
    x, y = (tf.placeholder(tf.float32) for _ in range(2))
    total = tf.add_n([x, y], name="total")
    sums = [("total", total), ("total", tf.nn.relu(total * 2.0) + 1.0)]
    sums.append(("product", tf.add_n([tf.matmul(x, tf.ones([3, 3])), y], name="product")))
    feeds = {x: np.ones([2, 3]), y: np.ones([1, 3])}
    for name, fetch in sums:
        message = f"Inputs to operation {name} of type AddN must have the same size and shape.  Input 0: "
        for config in (None, HOST):
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                run(fetch, feeds, config)
    feeds[y] = np.ones([2, 3])
    np.testing.assert_array_equal(run(total, feeds), np.full([2, 3], 2))
