"""Assignment to slices of variables; values and messages are those of TensorFlow 1.15.5."""

import ferroflow as tf
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default(), tf.Session() as sess:
        yield sess


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def ones(request):
    return tf.Variable(np.ones((4, 2), np.float32), use_resource=request.param)


def test_a_slice_is_written_and_the_rest_stays(session, ones):
    assigned = ones[::-2, tf.newaxis, ..., -1].assign([[1.0], [3.0]])
    session.run(ones.initializer)
    session.run(assigned)
    assert session.run(ones).tolist() == [[1, 1], [1, 3], [1, 1], [1, 1]]


def test_a_reference_is_given_on_with_its_shape(session):
    numbers = tf.Variable([1, 2, 3, 4])
    assigned = numbers[tf.constant(2)].assign(9)
    assert assigned.dtype._is_ref_dtype and assigned.shape == [4]
    session.run(numbers.initializer)
    assert session.run(assigned).tolist() == [1, 2, 9, 4]


def test_strings_are_written(session):
    letters = tf.Variable(["a", "b", "c"])
    assigned = letters[1:].assign(["x", "y"])
    session.run(letters.initializer)
    assert session.run(assigned).tolist() == [b"a", b"x", b"y"]


def test_nothing_is_broadcast(session, ones):
    assigned = ones[1:3, 0].assign([7.0, 1.0, 2.0])
    session.run(ones.initializer)
    message = r"sliced l-value shape \[2\] does not match r-value shape \[3\]"
    with pytest.raises(tf.errors.UnimplementedError, match=message):
        session.run(assigned.op)
    assert session.run(ones).tolist() == np.ones((4, 2)).tolist()


def test_what_is_no_variable_cannot_be_assigned_to():
    with pytest.raises(ValueError, match="Sliced assignment is only supported for variables"):
        tf.constant([1, 2, 3])[1].assign(3)
