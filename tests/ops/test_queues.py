"""Queues and tensor arrays in sessions; values and messages are those of TensorFlow 1.15.5."""

import threading

import ferroflow as tf
import pytest


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default(), tf.Session() as sess:
        yield sess


def test_a_closed_queue_gives_what_it_has_and_no_more(session):
    q = tf.FIFOQueue(3, [tf.float32], shapes=[()], shared_name="q")
    session.run(q.enqueue(1.0))
    session.run(q.close())
    with pytest.raises(tf.errors.CancelledError, match="FIFOQueue 'q' is closed."):
        session.run(q.enqueue(2.0))
    assert session.run(q.dequeue_up_to(2)).tolist() == [1.0]
    message = r"'q' is closed and has insufficient elements \(requested 1, current size 0\)"
    with pytest.raises(tf.errors.OutOfRangeError, match=message):
        session.run(q.dequeue())


def test_a_shuffled_queue_draws_as_tensorflow_draws(session):
    q = tf.RandomShuffleQueue(10, 2, [tf.int32], shapes=[()], seed=7)
    session.run(q.enqueue_many([list(range(8))]))
    first = [int(session.run(q.dequeue())) for _ in range(5)]
    session.run(q.close())
    assert first + session.run(q.dequeue_many(3)).tolist() == [7, 4, 1, 6, 0, 2, 3, 5]


def test_a_padded_queue_fills_up_with_zeros_and_priorities_come_in_order(session):
    q = tf.PaddingFIFOQueue(10, [tf.int32], shapes=[(None,)])
    for row in ([1, 2], [3]):
        session.run(q.enqueue([row]))
    assert session.run(q.dequeue_many(2)).tolist() == [[1, 2], [3, 0]]
    q = tf.PriorityQueue(10, [tf.string], shapes=[()])
    for priority, word in ((3, "c"), (1, "a"), (2, "b"), (2, "b2")):
        session.run(q.enqueue((priority, word)))
    numbers, words = session.run(q.dequeue_many(4))
    assert numbers.tolist() == [1, 2, 2, 3]
    assert words.tolist() == [b"a", b"b", b"b2", b"c"]


def test_a_thread_that_waits_goes_on_when_another_brings_what_it_needs(session):
    q = tf.FIFOQueue(2, [tf.int32], shapes=[()])
    value = tf.placeholder(tf.int32, [])
    put, take, got = q.enqueue(value), q.dequeue_many(6), []
    reader = threading.Thread(target=lambda: got.extend(session.run(take).tolist()))
    reader.start()
    for i in range(6):
        session.run(put, {value: i})
    reader.join(timeout=30)
    assert got == [0, 1, 2, 3, 4, 5]


def test_elements_that_were_never_written_are_zeros_of_the_known_shape(session):
    array = tf.TensorArray(tf.float32, 3).write(0, [1.0, 2.0])
    assert session.run(array.stack()).tolist() == [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not read from TensorArray index 1"):
        session.run(tf.TensorArray(tf.float32, 3).read(1))


def test_gradients_pass_through_a_tensor_array(session):
    x = tf.constant([1.0, 2.0, 3.0])
    array = tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(x)
    y = array.read(0) + 2 * array.read(2) + array.read(0)
    (grad,) = tf.gradients(y, x)
    assert session.run(grad).tolist() == [2.0, 0.0, 2.0]
