"""What a run on a GPU costs: submissions, waits, dispatches, memory; and what it keeps of TensorFlow's meaning."""

import ferroflow as tf
import numpy as np
import pytest
from ferroflow import _core


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def counted(run, steps=3):
    """What one of several equal runs does."""
    run()
    before = _core.gpu_counts(0)
    for _ in range(steps):
        run()
    after = _core.gpu_counts(0)
    return {name: (after[name] - before[name]) / steps for name in after}


def perceptron():
    """The classifier of the notes: two layers, momentum-free descent, averages of all variables."""
    tf.set_random_seed(3)
    x = tf.placeholder(tf.float32, [None, 784])
    labels = tf.placeholder(tf.int64, [None])
    hidden = tf.layers.dense(x, 128, tf.nn.relu)
    logits = tf.layers.dense(hidden, 10)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = tf.train.get_or_create_global_step()
    descent = tf.train.GradientDescentOptimizer(0.1).minimize(loss, step)
    averages = tf.train.ExponentialMovingAverage(0.99, step)
    with tf.control_dependencies([descent]):
        train = averages.apply(tf.trainable_variables())
    return x, labels, loss, train


def digits(count):
    random = np.random.RandomState(count)
    return random.uniform(0, 1, [count, 784]).astype(np.float32), random.randint(0, 10, count)


def test_a_training_step_is_one_submission_and_one_wait():
    x, labels, loss, train = perceptron()
    pixels, truth = digits(100)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        count = counted(lambda: session.run([loss, train], {x: pixels, labels: truth}))
        assert (count["submissions"], count["waits"]) == (1, 1), count
        assert count["dispatches"] <= 20, count
        count = counted(lambda: session.run(train, {x: pixels, labels: truth}))
        assert count["submissions"] == 1, count


def test_a_step_of_the_autoencoder_is_one_submission_and_at_most_fifty_dispatches():
    x = tf.placeholder(tf.float32, [None, 12, 12, 1])
    h = tf.layers.conv2d(x, 6, 3, padding="same", activation=tf.nn.relu)
    h = tf.layers.max_pooling2d(h, 2, 2, padding="same")
    h = tf.layers.batch_normalization(h, training=True)
    h = tf.layers.conv2d(h, 4, 3, padding="same", activation=tf.nn.relu)
    h = tf.layers.conv2d_transpose(h, 6, 3, 2, padding="same", activation=tf.nn.relu)
    loss = tf.reduce_mean(tf.square(tf.layers.conv2d(h, 1, 3, padding="same", activation=tf.nn.sigmoid) - x))
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
    pictures = np.random.RandomState(0).uniform(0, 1, [8, 12, 12, 1]).astype(np.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        count = counted(lambda: session.run([loss, train], {x: pictures}))
    assert (count["submissions"], count["waits"]) == (1, 1), count
    assert count["dispatches"] <= 50, count


def test_memory_stays_as_it_is_over_a_thousand_steps():
    x, labels, loss, train = perceptron()
    pixels, truth = digits(8)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(20):
            session.run([loss, train], {x: pixels, labels: truth})
        before = _core.gpu_counts(0)["bytes_held"]
        for _ in range(1000):
            session.run([loss, train], {x: pixels, labels: truth})
        assert _core.gpu_counts(0)["bytes_held"] == before


def test_indices_that_the_device_computes_cost_no_wait():
    table = tf.get_variable("table", [50, 4], use_resource=False)
    x = tf.placeholder(tf.float32, [None, 50])
    rows = tf.gather(table, tf.argmax(x, 1))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(rows)))
    scores = np.random.RandomState(1).uniform(size=[700, 50]).astype(np.float32)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        count = counted(lambda: session.run(train, {x: scores}))
    # The wait is for the checks of the indices, at the run's end.
    assert count["submissions"] == 1 and count["waits"] <= 1, count


def arrays_of_tensors(x):
    """Arrays that a loop reads and writes, joined and cut in every way; and the gradient through them."""
    y = x * 2.0
    rows = tf.TensorArray(tf.float32, 4, infer_shape=False).unstack(y)
    out = tf.TensorArray(tf.float32, 4, infer_shape=False, clear_after_read=False)

    def body(i, out, total):
        row = tf.reshape(rows.read(i), [3])
        return i + 1, out.write(i, tf.expand_dims(row * tf.reduce_sum(row), 0)), total + row

    _, out, total = tf.while_loop(lambda i, *_: i < 4, body, [0, out, tf.zeros([3])])
    parts = tf.TensorArray(tf.float32, 2, infer_shape=False).split(y, [1, 3])
    signs = tf.TensorArray(tf.bool, 2, infer_shape=False).unstack(y[:2] > 0.0)
    zeros = tf.TensorArray(tf.float32, 3, element_shape=[3]).write(1, y[0])
    twice = tf.TensorArray(tf.float32, 2, clear_after_read=False).unstack(y[:2])
    twice = twice.read(0) * twice.read(0) + twice.read(1)
    joined = out.concat()
    loss = tf.reduce_sum(joined**2) + tf.reduce_sum(total**3) + tf.reduce_sum(parts.read(1)) + tf.reduce_sum(twice)
    gradient = tf.gradients(loss, x)[0]
    return [joined, out.gather([2, 0]), out.stack(), parts.read(0), signs.stack(), zeros.stack(), twice, gradient]


def test_arrays_of_tensors_give_what_they_give_on_the_host():
    x = tf.placeholder(tf.float32, [4, 3])
    both = []
    for device in ("/cpu:0", "/gpu:0"):
        with tf.device(device):
            fetches = arrays_of_tensors(x)
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            both.append(session.run(fetches, {x: np.random.RandomState(0).normal(size=[4, 3])}))
    for expected, got in zip(*both, strict=True):
        assert expected.dtype == got.dtype
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_a_recurrent_network_waits_once_a_step_of_training():
    x = tf.placeholder(tf.float32, [3, 7, 5])
    lengths = tf.placeholder(tf.int32, [3])
    outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(6), x, lengths, dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        feed = {x: np.random.RandomState(2).uniform(size=[3, 7, 5]), lengths: [7, 3, 5]}
        count = counted(lambda: session.run([loss, train], feed))
    assert count["waits"] <= 2, count


def test_what_was_read_of_a_reference_variable_shows_its_update(graph):
    v = tf.Variable(np.arange(4, dtype=np.float32), use_resource=False)
    old = tf.identity(v)
    with tf.control_dependencies([old]):
        update = v.assign_add(np.ones(4, np.float32))
    with tf.control_dependencies([update]):
        late = old * 1.0
    with tf.Session() as session:
        session.run(v.initializer)
        np.testing.assert_array_equal(session.run(late), [1, 2, 3, 4])


def test_what_was_read_of_a_resource_variable_stays(graph):
    v = tf.Variable(np.arange(4, dtype=np.float32), use_resource=True)
    old = v.read_value()
    with tf.control_dependencies([old]):
        update = v.assign_add(np.ones(4, np.float32))
    with tf.control_dependencies([update]):
        late = old * 1.0
    with tf.Session() as session:
        session.run(v.initializer)
        np.testing.assert_array_equal(session.run(late), [0, 1, 2, 3])
        np.testing.assert_array_equal(session.run(v), [1, 2, 3, 4])


def test_loops_and_branches_choose_by_values_of_the_device():
    x = tf.placeholder(tf.float32, [3])
    doubled = tf.while_loop(lambda a: tf.reduce_sum(a) < 100.0, lambda a: a * 2.0, [x])
    chosen = tf.cond(tf.reduce_sum(x) > 5.0, lambda: x + 1.0, lambda: x - 1.0)
    with tf.Session() as session:
        value = np.array([1, 2, 3], np.float32)
        np.testing.assert_array_equal(session.run(doubled, {x: value}), [32, 64, 96])
        np.testing.assert_array_equal(session.run(chosen, {x: value}), [2, 3, 4])
        np.testing.assert_array_equal(session.run(chosen, {x: value - 2}), [-2, -1, 0])


def test_not_a_number_and_infinity_are_kept():
    x = tf.placeholder(tf.float32, [None])
    relu, larger, unequal, nan = tf.nn.relu(x), tf.maximum(x, 0.5), tf.not_equal(x, x), tf.is_nan(x)
    with tf.Session() as session:
        value = np.array([np.nan, np.inf, -np.inf, -0.0, 1.0], np.float32)
        got = session.run([relu, larger, unequal, nan, x - x], {x: value})
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got[0], [np.nan, np.inf, 0, 0, 1])
        np.testing.assert_array_equal(got[2], [True, False, False, False, False])
        np.testing.assert_array_equal(got[3], [True, False, False, False, False])
        np.testing.assert_array_equal(got[4], [np.nan, np.nan, np.nan, 0, 0])


@pytest.mark.parametrize("size", [0, 1, 3, 255, 257, 100_003])
def test_odd_sizes(size):
    x = tf.placeholder(tf.float32, [None])
    y = tf.tanh(x) * 2.0 + 1.0
    with tf.Session() as session:
        value = np.linspace(-2, 2, size).astype(np.float32)
        np.testing.assert_allclose(session.run(y, {x: value}), np.tanh(value) * 2 + 1, rtol=1e-6, atol=3e-7)


def test_dividing_by_zero_fails_the_run_and_names_the_node():
    x = tf.placeholder(tf.int32, [40])
    y = tf.floordiv(tf.cast(tf.cast(x, tf.float32) * 1.0, tf.int32), 0 * x, name="quotient")
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="ivision by zero"):
            session.run(y, {x: np.ones(40, np.int32)})
        np.testing.assert_array_equal(session.run(x + 1, {x: np.ones(40, np.int32)}), np.full(40, 2))
