"""Indexing means what it means in NumPy: values, shapes known beforehand, gradients, assignment."""

import ferroflow as tf
import numpy as np
from hypothesis import assume, given, settings, strategies as st

SETTINGS = settings(max_examples=100, deadline=None)


@st.composite
def indexed_shapes(draw):
    """A shape and a basic index into it, of integers, slices, new axes and an ellipsis."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    taken = draw(st.integers(0, len(shape)))
    entries = []
    for size in shape[:taken]:
        bound = st.none() | st.integers(-size - 2, size + 2)
        step = st.sampled_from([None, 1, 2, 3, -1, -2])
        entries.append(draw(st.integers(-size, size - 1) | st.builds(slice, bound, bound, step)))
    for _ in range(draw(st.integers(0, 2))):
        entries.insert(draw(st.integers(0, len(entries))), None)
    if draw(st.booleans()):
        # What follows an ellipsis counts from the end, where sizes may be others: only whole axes stand there.
        entries.append(Ellipsis)
    assume(entries)
    return shape, tuple(entries)


def _numbers(shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@SETTINGS
@given(indexed_shapes(), st.booleans())
def test_a_slice_is_numpys_slice(drawn, is_known):
    shape, index = drawn
    x = _numbers(shape)
    with tf.Graph().as_default(), tf.Session() as session:
        tensor = tf.placeholder(tf.float32, shape if is_known else [None] * len(shape))
        cut = tensor[index]
        (gradient,) = tf.gradients(cut * 3.0, tensor)
        got, slope = session.run([cut, gradient], {tensor: x})
    wanted = x[index]
    np.testing.assert_array_equal(got, wanted)
    assert cut.shape.as_list() == list(wanted.shape) if is_known else cut.shape.is_compatible_with(wanted.shape)
    expected = np.zeros_like(x)
    expected[index] = 3.0
    np.testing.assert_array_equal(slope, expected)


@SETTINGS
@given(indexed_shapes(), st.booleans())
def test_an_assigned_slice_is_numpys(drawn, use_resource):
    shape, index = drawn
    x = _numbers(shape)
    new = -1 - _numbers(x[index].shape)
    with tf.Graph().as_default(), tf.Session() as session:
        variable = tf.Variable(x, use_resource=use_resource)
        assigned = variable[index].assign(new)
        session.run(variable.initializer)
        session.run(assigned.op)
        got = session.run(variable)
    x[index] = new
    np.testing.assert_array_equal(got, x)


@SETTINGS
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_reductions_take_any_axes(shape, data):
    axes = data.draw(st.none() | st.lists(st.integers(0, len(shape) - 1), unique=True))
    axes = axes if axes is None else [a - len(shape) * data.draw(st.booleans()) for a in axes]
    keep = data.draw(st.booleans())
    x = np.random.RandomState(0).uniform(1, 2, shape)
    axis = None if axes is None else tuple(axes)
    with tf.Graph().as_default(), tf.Session() as session:
        for ours, theirs in [
            (tf.reduce_sum, np.sum),
            (tf.reduce_mean, np.mean),
            (tf.reduce_max, np.max),
            (tf.reduce_min, np.min),
            (tf.reduce_prod, np.prod),
        ]:
            reduced = ours(x, axes, keepdims=keep)
            wanted = theirs(x, axis=axis, keepdims=keep)
            np.testing.assert_allclose(session.run(reduced), wanted, rtol=1e-12)
            assert reduced.shape.as_list() == list(wanted.shape)


@SETTINGS
@given(st.data())
def test_shapes_broadcast_as_numpys_and_gradients_sum_back(data):
    whole = data.draw(st.lists(st.integers(1, 4), max_size=4))
    shapes = []
    for _ in range(2):
        kept = whole[data.draw(st.integers(0, len(whole))) :]
        shapes.append([1 if data.draw(st.booleans()) else size for size in kept])
    x, y = (np.random.RandomState(i).uniform(1, 2, shape) for i, shape in enumerate(shapes))
    with tf.Graph().as_default(), tf.Session() as session:
        a, b = tf.constant(x), tf.placeholder(tf.float64, [None] * y.ndim)
        for ours, theirs in [(tf.multiply, np.multiply), (tf.divide, np.divide), (tf.pow, np.power)]:
            made = ours(a, b)
            np.testing.assert_allclose(session.run(made, {b: y}), theirs(x, y), rtol=1e-12)
            assert made.shape.is_compatible_with(np.broadcast_shapes(x.shape, y.shape))
        slopes = session.run(tf.gradients(a * b, [a, b]), {b: y})
    ones = np.ones(np.broadcast_shapes(x.shape, y.shape))
    for slope, own, other in zip(slopes, (x, y), (y, x), strict=True):
        full = ones * other
        axes = tuple(i for i in range(full.ndim) if i < full.ndim - own.ndim or own.shape[i - full.ndim + own.ndim] == 1)
        np.testing.assert_allclose(slope, full.sum(axis=axes).reshape(own.shape), rtol=1e-12)
