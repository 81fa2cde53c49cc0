"""What TensorFlow 1.15 says of conditionals, loops and arrays that are wrong: its classes and the gist of its words."""

import ferroflow as tf
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def less(i, *_):
    return i < 3


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda n: tf.while_loop(less, lambda i: tf.stack([i, i]), [n]), ValueError, "enters the loop with shape"),
        (lambda n: tf.while_loop(less, lambda i, j: [i], [n, n]), ValueError, "the same number of elements"),
        (lambda n: tf.while_loop(lambda i: i, lambda i: i, [n]), TypeError, "does not match expected type of bool"),
        (lambda n: tf.while_loop(1, lambda i: i, [n]), TypeError, "cond must be callable"),
        (lambda n: tf.while_loop(lambda: True, list, []), ValueError, "No loop variables provided"),
        (
            lambda n: tf.while_loop(less, lambda i: i + 1, [n], parallel_iterations=0),
            TypeError,
            "parallel_iterations must be a positive integer",
        ),
        (
            lambda n: tf.while_loop(less, lambda i: i + 1, [n], shape_invariants=[tf.TensorShape([2])]),
            ValueError,
            "is not compatible with the initial shape",
        ),
        (
            lambda n: tf.while_loop(less, lambda i: i + 1, [n], maximum_iterations=[1, 2]),
            ValueError,
            "maximum_iterations must be a scalar",
        ),
        (lambda n: tf.cond(n > 0, lambda: n, lambda: (n, n)), ValueError, "same nested structure"),
        (lambda n: tf.cond(n > 0, lambda: n, lambda: 1.0), ValueError, "must have the same type"),
        (lambda n: tf.cond(True, lambda: n, lambda: n), TypeError, "pred must not be a Python bool"),
        (lambda n: tf.cond(n > 0, lambda: n), TypeError, "false_fn argument required"),
        (lambda n: tf.case([(n, lambda: n)]), TypeError, "pred must be Tensor of type bool"),
        (lambda n: tf.map_fn(lambda x: x, n), ValueError, "must be a 1\\+ dimensional Tensor, not a scalar"),
    ],
)
def test_wrong_graphs_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build(tf.constant(1))


def test_a_value_of_a_loop_outside_of_it_is_refused():
    inside = []
    tf.while_loop(less, lambda i, y: (i + 1, inside.append(y * 2.0) or inside[0]), [tf.constant(0), 1.0])
    with pytest.raises(ValueError, match="Cannot use 'while/mul' as input to 'Add' because 'while/mul' is in a while"):
        tf.add(inside[0], 1.0)
    with tf.Session() as session, pytest.raises(ValueError, match="not fetchable"):
        session.run(inside[0])


def test_a_gradient_through_a_loops_first_value_from_inside_is_refused():
    x = tf.constant(2.0) + 1.0

    def body(i, y):
        return i + 1, tf.gradients(y * y, x)[0]

    with pytest.raises(ValueError, match="Cannot compute gradient inside while loop with respect to op 'add'"):
        tf.while_loop(less, body, [0, x])


def test_a_gradient_of_a_loops_gradient_is_refused():
    x = tf.constant(2.0)
    first = tf.gradients(tf.while_loop(lambda y: y < 50.0, lambda y: y * x, [x]), x)
    with pytest.raises(TypeError, match="Second-order gradient for while loops not supported"):
        tf.gradients(first, x)


def test_a_body_of_another_type_fails_when_it_runs():
    last = tf.while_loop(less, lambda i: 1.0, [tf.constant(1)])
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="incompatible with expected"):
        session.run(last)


def test_an_error_in_a_loop_names_the_node_and_the_line():
    x = tf.placeholder(tf.float32, [None])
    shapes = [tf.TensorShape([]), tf.TensorShape([None])]
    last = tf.while_loop(less, lambda i, y: (i + 1, y + tf.ones([3])), [0, x], shape_invariants=shapes)[1]
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.run(last, {x: [1.0, 2.0]})
    assert caught.value.op.name == "while/add_1"
    assert "test_control_flow_errors.py" in str(caught.value)


def array(**options):
    return tf.TensorArray(tf.float32, size=3, **options)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: array().write(0, 1.0).write(0, 2.0).flow, "index 0 because it has already been written to"),
        (lambda: array().write(7, 1.0).flow, "write to index 7 but array is not resizeable and size is: 3"),
        (
            lambda: array(infer_shape=False).write(0, [1.0, 2.0]).write(1, [3.0]).stack(),
            "read from TensorArray index 2",
        ),
        (lambda: array().unstack(tf.ones([4, 2])).flow, "Max scatter index must be < array size"),
        (lambda: array().split(tf.ones([4, 2]), [1, 1, 1]).flow, "Expected sum of lengths to be equal to values.shape"),
        (lambda: array().concat(), "read from TensorArray index 0"),
    ],
)
def test_wrong_use_of_an_array_fails_when_it_runs(use, message):
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(use())


def test_an_element_that_was_read_is_gone():
    written = array().write(1, 1.0)
    with tf.control_dependencies([written.read(1)]):
        again = written.read(1)
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="Could not read index 1 twice"):
        session.run(again)


def test_elements_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="Inconsistent shapes: saw"):
        array().write(0, [1.0, 2.0]).write(1, [3.0])


@pytest.mark.parametrize(
    ("exception", "error"),
    [
        (ValueError("v"), tf.errors.InvalidArgumentError),
        (TypeError("t"), tf.errors.InvalidArgumentError),
        (StopIteration("s"), tf.errors.OutOfRangeError),
        (MemoryError("m"), tf.errors.ResourceExhaustedError),
        (NotImplementedError("n"), tf.errors.UnimplementedError),
        (KeyError("k"), tf.errors.UnknownError),
    ],
)
def test_what_a_py_func_raises_becomes_tensorflows_error(exception, error):
    def fail(_):
        raise exception

    with tf.Session() as session, pytest.raises(error, match=type(exception).__name__):
        session.run(tf.py_func(fail, [1.0], tf.float32))


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (lambda x: np.float64(x), tf.errors.InvalidArgumentError, "0-th value returned by pyfunc"),
        (lambda x: (x, x), tf.errors.InvalidArgumentError, "returns 2 values, but expects to see 1 values"),
        (lambda x: object(), tf.errors.InternalError, "Unsupported object type object"),
    ],
)
def test_what_a_py_func_returns_must_fit(function, error, message):
    with tf.Session() as session, pytest.raises(error, match=message):
        session.run(tf.py_func(function, [1.0], tf.float32))
