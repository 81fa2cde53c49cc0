"""Runs of a session: interrupts, threads, callbacks, and what is kept between them."""

import os
import signal
import threading
import time

import ferroflow as tf
import numpy as np
import pytest

errors = tf.errors


def endless():
    return tf.while_loop(lambda i: i >= 0, lambda i: i * 0, [tf.constant(0)])


@pytest.fixture
def interrupt_soon():
    # A shell that starts the tests in the background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    yield
    timer.cancel()
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupt_soon")
def test_interrupt_in_an_endless_loop_ends_the_run_and_leaves_the_session():
    forever, x = endless(), tf.constant(3.0)
    with tf.Session() as sess:
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            sess.run(forever)
        assert time.monotonic() - begun < 5.0
        assert sess.run(x) == 3.0


@pytest.mark.usefixtures("interrupt_soon")
def test_interrupt_in_a_blocked_dequeue_ends_the_run():
    queue = tf.FIFOQueue(2, [tf.float32], shapes=[[]])
    with tf.Session() as sess:
        with pytest.raises(KeyboardInterrupt):
            sess.run(queue.dequeue())
        sess.run(queue.enqueue(4.0))
        assert sess.run(queue.dequeue()) == 4.0


def test_close_cancels_a_run_of_another_thread():
    forever = endless()
    sess = tf.Session()
    caught = []

    def work():
        try:
            sess.run(forever)
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    sess.close()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(caught[0], errors.CancelledError)
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        sess.run(tf.constant(1.0))


def test_time_limit_ends_a_run():
    config = tf.ConfigProto(operation_timeout_in_ms=50)
    with tf.Session(config=config) as sess, pytest.raises(errors.DeadlineExceededError):
        sess.run(endless())


@pytest.mark.parametrize("use_resource", [False, True])
def test_updates_of_many_threads_are_all_counted(use_resource):
    v = tf.get_variable("v", initializer=np.zeros([100], np.float32), use_resource=use_resource)
    update = v.assign_add(tf.ones([100])).op
    with tf.Session() as sess:
        sess.run(v.initializer)
        threads = [threading.Thread(target=lambda: [sess.run(update) for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sess.run(v).tolist() == [1600.0] * 100


def test_py_func_raises_the_class_that_tensorflow_makes_of_an_exception():
    def fail(error):
        def function():
            raise error("no luck")
        return tf.py_func(function, [], tf.float32)

    with tf.Session() as sess:
        for error, wanted in [(ValueError, errors.InvalidArgumentError), (TypeError, errors.InvalidArgumentError),
                              (StopIteration, errors.OutOfRangeError), (MemoryError, errors.ResourceExhaustedError),
                              (NotImplementedError, errors.UnimplementedError), (KeyError, errors.UnknownError)]:
            with pytest.raises(wanted, match="no luck"):
                sess.run(fail(error))


def test_py_func_may_run_a_session_of_its_own():
    x = tf.constant(2.0)

    def function(value):
        with tf.Session(graph=x.graph) as inner:
            return inner.run(x) + value

    with tf.Session() as sess:
        assert sess.run(tf.py_func(function, [tf.constant(3.0)], tf.float32)) == 5.0


def test_graph_may_grow_between_runs():
    x = tf.Variable(1.0)
    with tf.Session() as sess:
        sess.run(x.initializer)
        for i in range(5):
            assert sess.run(x + float(i)) == 1.0 + i


def test_run_in_parts_goes_on_with_each_feed():
    a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    first, second = a * 2.0, a * 2.0 + b
    with tf.Session() as sess:
        handle = sess.partial_run_setup([first, second], [a, b])
        assert sess.partial_run(handle, first, {a: 3.0}) == 6.0
        with pytest.raises(errors.InvalidArgumentError, match="already been fed"):
            sess.partial_run(handle, first, {a: 3.0})
        assert sess.partial_run(handle, second, {b: 1.0}) == 7.0


def test_metadata_of_a_traced_run_names_the_steps():
    x = tf.placeholder(tf.float32, [])
    y = tf.add(x, 2.0, name="y")
    metadata = tf.RunMetadata()
    with tf.Session() as sess:
        sess.run(y, {x: 1.0}, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
    names = [node.node_name for device in metadata.step_stats.dev_stats for node in device.node_stats]
    assert "y" in names


def test_chain_of_ten_thousand_nodes_runs():
    x = y = tf.placeholder(tf.float32, [])
    for _ in range(10_000):
        y = y + x
    with tf.Session() as sess:
        assert sess.run(y, {x: 1.0}) == 10_001.0


def test_error_names_the_node_and_the_line_that_made_it():
    v = tf.Variable(1.0, name="v")
    with tf.Session() as sess:
        with pytest.raises(errors.FailedPreconditionError, match="uninitialized value v") as caught:
            sess.run(v + 1.0)
    assert caught.value.op.name == "v/read"
    assert "test_runs.py" in caught.value.message
