"""tf.test: what its assertions accept and refuse, and gradients compared with differences."""

import sys

import ferroflow as tf
import numpy as np
import pytest


@pytest.fixture
def case():
    class Case(tf.test.TestCase):
        def runTest(self):
            pass

    made = Case()
    made.setUp()
    yield made
    made.tearDown()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("assertAllEqual", ([1, 2], [1, 2]), ([1, 2], [1, 3])),
        ("assertNotAllEqual", ([1, 2], [1, 3]), ([1, 2], [1, 2])),
        ("assertAllClose", ([1.0], [1.0 + 1e-7]), ([1.0], [1.1])),
        ("assertAllCloseAccordingToType", (np.float16([1.0]), np.float16([1.0009])), ([1.0], [1.0009])),
        ("assertAllGreater", ([2, 3], 1), ([2, 1], 1)),
        ("assertAllGreaterEqual", ([2, 1], 1), ([2, 0], 1)),
        ("assertAllLess", ([2, 3], 4), ([2, 4], 4)),
        ("assertAllLessEqual", ([2, 4], 4), ([2, 5], 4)),
        ("assertAllInRange", ([0.0, 1.0], 0, 1), ([0.0, 1.5], 0, 1)),
        ("assertAllInRange", ([0.0, 0.5], 0, 1, False, True), ([0.0, 1.0], 0, 1, False, True)),
        ("assertAllInSet", ([1, 2], [1, 2, 3]), ([1, 4], [1, 2, 3])),
        ("assertDTypeEqual", (np.float32([1]), tf.float32), (np.float32([1]), tf.int32)),
        ("assertDeviceEqual", ("/cpu:0", "/device:CPU:0"), ("/cpu:0", "/cpu:1")),
        ("assertItemsEqual", ([1, 2], [2, 1]), ([1, 2], [1, 1])),
        ("assertDictEqual", ({"a": 1}, {"a": 1}), ({"a": 1}, {"a": 2})),
        ("assertNear", (1.0, 1.05, 0.1), (1.0, 1.2, 0.1)),
        ("assertLen", ([1, 2], 2), ([1], 2)),
        ("assertStartsWith", ("abc", "ab"), ("abc", "b")),
    ],
)
def test_assertion_accepts_and_refuses(case, name, good, bad):
    getattr(case, name)(*good)
    with pytest.raises(AssertionError):
        getattr(case, name)(*bad)


def test_tensors_are_compared_by_value(case):
    with case.session():
        case.assertAllEqual(tf.constant([1, 2]) + 1, [2, 3])
    with case.cached_session() as one, case.cached_session() as other:
        assert one is other


def test_thread_of_a_test_fails_it(case):
    def fail():
        raise ValueError("from the thread")

    thread = case.checkedThread(target=fail)
    thread.start()
    with pytest.raises(AssertionError, match="from the thread"):
        thread.join()


def test_writes_of_the_core_are_caught(case):
    with case.session() as session, case.captureWritesToStream(sys.__stderr__) as caught:
        session.run(tf.Print(tf.constant(1), [tf.constant([1, 2])], "values "))
    assert caught.contents() == "values [1 2]\n"


def test_stubs_are_taken_away_again():
    class Thing:
        size = 1

    with tf.test.StubOutForTesting() as stubs:
        stubs.Set(Thing, "size", 2)
        stubs.SmartSet(Thing, "size", 3)
        assert Thing.size == 3
    assert Thing.size == 1


def test_graph_defs_are_compared_node_by_node():
    def graph(value):
        with tf.Graph().as_default() as made:
            tf.constant(value, name="c")
        return made.as_graph_def()

    tf.test.assert_equal_graph_def(graph(1), graph(1))
    with pytest.raises(AssertionError, match="node c"):
        tf.test.assert_equal_graph_def(graph(1), graph(2))
    with pytest.raises(TypeError, match="Expected tf.GraphDef for actual, got Graph"):
        tf.test.assert_equal_graph_def(tf.Graph(), graph(1))


def test_gradients_agree_with_differences():
    with tf.Graph().as_default(), tf.Session():
        x = tf.placeholder(tf.float64, [2, 3])
        start = np.arange(6.0).reshape(2, 3)
        exact, steps = tf.test.compute_gradient(x, [2, 3], tf.square(x), [2, 3], x_init_value=start)
        assert np.allclose(exact, np.diag(2 * start.ravel())) and np.allclose(exact, steps, atol=1e-6)
        assert tf.test.compute_gradient_error(x, [2, 3], tf.reduce_sum(tf.exp(x)), [], x_init_value=start) < 1e-3
        # A gradient that is wrong is found out.
        assert tf.test.compute_gradient_error(x, [2, 3], x + tf.stop_gradient(x), [2, 3]) > 0.9
        y = tf.placeholder(tf.float64, [3, 2])
        pairs = tf.test.compute_gradient([x, y], [[2, 3], [3, 2]], tf.matmul(x, y), [2, 2])
        assert all(np.allclose(exact, steps, atol=1e-6) for exact, steps in pairs)
        z = tf.placeholder(tf.complex64, [2])
        assert tf.test.compute_gradient_error(z, [2], z * z, [2]) < 1e-2
        rows = tf.gather(x, [1])
        assert tf.test.compute_gradient_error(x, [2, 3], rows, [1, 3]) < 1e-6
