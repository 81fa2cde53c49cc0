"""Optimizers' steps on a GPU: those of many variables share dispatches, and nobody can tell but by counting."""

import ferroflow as tf
import numpy as np
import pytest
from ferroflow import _core

SIZES = [(3, 5), (7,), (257,), (1,), (16, 16), (2, 3, 4), (300,), (9,), (33,)]


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def variables(use_resource):
    random = np.random.RandomState(1)
    return [
        tf.Variable(random.uniform(0.5, 2, size).astype(np.float32), use_resource=use_resource, name=f"v{i}")
        for i, size in enumerate(SIZES)
    ]


def gradients(step):
    random = np.random.RandomState(step)
    return [random.normal(size=size).astype(np.float32) for size in SIZES]


def dispatches(session, *args):
    before = _core.gpu_counts(0)["dispatches"]
    session.run(*args)
    return _core.gpu_counts(0)["dispatches"] - before


def test_averages_together_have_the_bits_of_averages_one_by_one():
    trained = variables(False)
    averages = tf.train.ExponentialMovingAverage(0.9)
    averages.apply(trained)
    updates = [op for op in trained[0].graph.get_operations() if op.type == "AssignSub"]
    assert len(updates) == len(SIZES)
    grow = tf.group(*[v.assign_add(v * 0.5) for v in trained])
    found = []
    for one_by_one in [False, True]:
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(3):
                session.run(grow)
                for update in updates if one_by_one else [updates]:
                    session.run(update)
            found.append(session.run([averages.average(v) for v in trained]))
    for together, alone in zip(*found):
        np.testing.assert_array_equal(together, alone)


OPTIMIZERS = {
    "descent": lambda: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.1),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.1, momentum=0.5, centered=True),
    "adam": lambda: tf.train.AdamOptimizer(0.1),
    "ftrl": lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01),
}


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_together_have_the_bits_of_updates_one_by_one(name, use_resource):
    trained = variables(use_resource)
    optimizer = OPTIMIZERS[name]()
    fed = [tf.placeholder(tf.float32, size) for size in SIZES]
    # Ends of steps (Adam's powers of beta) come once; before them each variable's update can be run by itself.
    train = optimizer.apply_gradients([(g * 2.0, v) for g, v in zip(fed, trained)])
    updates = [op for op in train.graph.get_operations() if "Apply" in op.type]
    assert len(updates) == len(SIZES)
    slots = [optimizer.get_slot(v, slot) for slot in optimizer.get_slot_names() for v in trained]
    found = []
    for one_by_one in [False, True]:
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for step in range(3):
                feeds = dict(zip(fed, gradients(step)))
                if not one_by_one:
                    session.run(updates, feeds)
                    continue
                for update in updates:
                    session.run(update, feeds)
            found.append(session.run(trained + slots))
    for together, alone in zip(*found):
        np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("use_resource", [False, True])
def test_updates_of_nine_variables_are_few_dispatches(use_resource):
    trained = variables(use_resource)
    fed = [tf.placeholder(tf.float32, size) for size in SIZES]
    descend = tf.train.GradientDescentOptimizer(0.1).apply_gradients(list(zip(fed, trained)))
    averages = tf.train.ExponentialMovingAverage(0.9)
    with tf.control_dependencies([descend]):
        average = averages.apply(trained)
    adam = tf.train.AdamOptimizer(0.1).apply_gradients(list(zip(fed, trained)))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        feeds = dict(zip(fed, gradients(0)))
        session.run([average, adam], feeds)
        # Two buffers a variable, three, or four: what a dispatch may have at least is eight, and never more than sixteen.
        # The gradient of one element travels as a parameter: a kind of its own.
        assert dispatches(session, descend, feeds) in (2, 3)
        if not use_resource:  # behind handles the differences are values of their own
            assert dispatches(session, average, feeds) in (3, 5)
        assert dispatches(session, adam, feeds) in (3, 5)


def test_what_is_read_between_updates_is_what_they_made():
    a, b, c = [tf.Variable(np.full(4, x, np.float32), use_resource=False) for x in (8.0, 4.0, 2.0)]
    ones = tf.ones([4]) * tf.placeholder_with_default(1.0, [])
    optimizer = tf.train.GradientDescentOptimizer(1.0)

    def descend(variable, gradient):
        return optimizer.apply_gradients([(gradient, variable)])

    first = descend(a, ones)
    with tf.control_dependencies([first]):
        # The gradient is a variable that waits to be written.
        second = descend(b, tf.identity(a))
    with tf.control_dependencies([second]):
        seen = tf.identity(b) * 2.0
    with tf.control_dependencies([seen]):
        third = descend(b, ones)
    with tf.control_dependencies([third]):
        fourth = descend(c, b.value())
    with tf.control_dependencies([fourth]):
        last = c * 1.0
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        got = session.run([seen, last])
        np.testing.assert_array_equal(got, [[-6.0] * 4, [6.0] * 4])
        np.testing.assert_array_equal(session.run([a, b, c]), [[7.0] * 4, [-4.0] * 4, [6.0] * 4])


def test_a_resource_variable_keeps_what_was_read_of_it_before_its_update():
    v, w = [tf.Variable(np.full(4, x, np.float32), use_resource=True) for x in (8.0, 4.0)]
    old, other = v.read_value(), w.read_value()
    with tf.control_dependencies([old, other]):
        update = tf.train.GradientDescentOptimizer(1.0).apply_gradients([(other, v), (old, w)])
    with tf.control_dependencies([update]):
        late = old * 1.0
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(late), [8.0] * 4)
        np.testing.assert_array_equal(session.run([v, w]), [[4.0] * 4, [-4.0] * 4])


def test_a_variable_assigned_after_its_update_holds_what_was_assigned():
    v = tf.Variable(np.full(4, 8.0, np.float32), use_resource=False)
    w = tf.Variable(np.full(4, 1.0, np.float32), use_resource=False)
    optimizer = tf.train.GradientDescentOptimizer(1.0)
    with tf.control_dependencies([optimizer.apply_gradients([(w.value(), v)])]):
        assigned = v.assign(np.full(4, 3.0, np.float32))
    with tf.control_dependencies([assigned]):
        again = optimizer.apply_gradients([(w.value(), v)])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(again)
        np.testing.assert_array_equal(session.run(v), [2.0] * 4)


def test_an_update_before_a_step_that_fails_is_made():
    v = tf.Variable(np.full(4, 8.0, np.float32), use_resource=False)
    update = tf.train.GradientDescentOptimizer(1.0).apply_gradients([(tf.ones([4]), v)])
    with tf.control_dependencies([update]):
        fails = tf.check_numerics(tf.fill([3], np.float32(np.nan)), "not a number")
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(tf.errors.InvalidArgumentError, match="not a number"):
            session.run(fails)
        np.testing.assert_array_equal(session.run(v), [7.0] * 4)
