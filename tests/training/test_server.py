"""tf.train.Server: sessions of its target share what they hold, as TensorFlow's do (answers of 1.15.5)."""

import gc

import ferroflow as tf
import pytest


def test_sessions_of_a_target_share_variables_and_queues():
    server = tf.train.Server.create_local_server()
    queue = tf.FIFOQueue(3, tf.int32)
    enqueue, dequeue = queue.enqueue(7), queue.dequeue()
    variable = tf.Variable(3)
    with tf.Session(server.target) as first, tf.Session(server.target) as second:
        first.run(variable.initializer)
        assert second.run(variable) == 3
        first.run(enqueue)
        assert second.run(dequeue) == 7
        second.run(variable.assign(5))
    with tf.Session(server.target) as third:
        assert third.run(variable) == 5
        with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
            first.run(variable)


def test_other_sessions_hold_their_own():
    server = tf.train.Server.create_local_server()
    variable = tf.Variable(3)
    with tf.Session(server.target) as shared, tf.Session() as alone:
        shared.run(variable.initializer)
        with pytest.raises(tf.errors.FailedPreconditionError):
            alone.run(variable)
    other = tf.train.Server.create_local_server()
    with tf.Session(other.target) as elsewhere, pytest.raises(tf.errors.FailedPreconditionError):
        elsewhere.run(variable)


def test_reset_drops_what_is_held():
    server = tf.train.Server.create_local_server()
    variable = tf.Variable(3)
    with tf.Session(server.target) as sess:
        sess.run(variable.initializer)
        tf.Session.reset(server.target)
        with pytest.raises(tf.errors.AbortedError, match="not found"):
            sess.run(variable)
    with tf.Session(server.target) as sess, pytest.raises(tf.errors.FailedPreconditionError):
        sess.run(variable)


def test_a_server_that_is_gone_holds_nothing():
    server = tf.train.Server.create_local_server()
    target = server.target
    variable = tf.Variable(3)
    with tf.Session(target) as sess:
        sess.run(variable.initializer)
    del server
    gc.collect()
    with tf.Session(target) as sess, pytest.raises(tf.errors.FailedPreconditionError):
        sess.run(variable)


def test_a_server_is_of_a_job_of_its_cluster():
    with pytest.raises(tf.errors.InternalError, match='Job "other" was not defined in cluster'):
        tf.train.Server({"local": ["localhost:0"]}, job_name="other", task_index=0)
