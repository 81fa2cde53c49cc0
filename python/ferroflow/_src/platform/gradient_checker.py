"""Gradients compared with differences: what the graph says a slope is, and what small steps show."""

import numpy as np

from ferroflow._src.framework import gradients, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.constant import constant


def compute_gradient(x, x_shape, y, y_shape, x_init_value=None, delta=1e-3, init_targets=None, extra_feed_dict=None):
    """Computes the Jacobian of `y` by `x` twice: by the graph's gradient and by central differences.

    Args:
      x: a tensor, or a list of tensors.
      x_shape: its shape as a list of ints; a list of such lists for a list of tensors.
      y: a tensor.
      y_shape: its shape.
      x_init_value: an array to differentiate at; a list for a list of tensors; random numbers if None.
      delta: the step.
      init_targets: operations to run first.
      extra_feed_dict: {tensor: array} fed in every run besides.

    Returns:
      (the graph's, by differences): arrays of shape [elements of x, elements of y], each a part for the real and the
      imaginary part of complex numbers; a list of such pairs for a list of tensors.

    Raises:
      ValueError: without a default session, or when an array is not of its shape.
    """
    session = stacks.get_default_session()
    if session is None:
        raise ValueError("compute_gradient needs a default session")
    if init_targets is not None:
        session.run(init_targets)
    extra = dict(extra_feed_dict or {})
    if not isinstance(x, list):
        return _of_one(session, x, x_shape, y, y_shape, x_init_value, delta, {}, extra)
    starts = [None] * len(x) if x_init_value is None else x_init_value
    values = [_start(one, shape, start) for one, shape, start in zip(x, x_shape, starts, strict=True)]
    others = dict(zip(x, values, strict=True))
    return [
        _of_one(session, one, shape, y, y_shape, value, delta, others, extra)
        for one, shape, value in zip(x, x_shape, values, strict=True)
    ]


def compute_gradient_error(
    x, x_shape, y, y_shape, x_init_value=None, delta=1e-3, init_targets=None, extra_feed_dict=None
):
    """Returns the largest difference of the two Jacobians of `compute_gradient`, whose arguments these are."""
    found = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    pairs = [found] if isinstance(found, tuple) else found
    errors = [np.fabs(exact - steps).max() for exact, steps in pairs if exact.size or steps.size]
    return max(errors, default=0)


def _start(x, shape, value):
    if value is None:
        value = np.random.random_sample(shape)
    value = np.array(value, dtype=x.dtype.as_numpy_dtype)
    if list(value.shape) != list(shape):
        raise ValueError(f"x_init_value has shape {list(value.shape)}, but x_shape is {list(shape)}")
    return value


def _reals(array):
    """The elements as a flat array of real numbers, in the same memory."""
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype) if np.iscomplexobj(flat) else flat


def _of_one(session, x, x_shape, y, y_shape, value, delta, others, extra):
    value = _start(x, x_shape, value)
    dy = apply_op("Identity", constant(1.0, shape=y_shape, dtype=y.dtype))
    (dx,) = gradients.gradients(y, [x], grad_ys=dy)
    feeds = {**extra, **others, x: value}
    return (
        _by_graph(session, value, dx, dy, y_shape, feeds),
        _by_steps(session, x, value, y, y_shape, delta, feeds),
    )


def _by_graph(session, value, dx, dy, y_shape, feeds):
    direction = np.zeros(y_shape, dy.dtype.as_numpy_dtype)
    entries, size = _reals(direction), _reals(value).size
    jacobian = np.zeros([size, entries.size], entries.dtype)
    if dx is None:
        return jacobian
    for column in range(entries.size):
        entries[column] = 1
        found = session.run(dx, {**feeds, dy: direction})
        entries[column] = 0
        if isinstance(dx, IndexedSlices):
            dense = np.zeros_like(value)
            np.add.at(dense, found.indices, found.values)
            found = dense
        jacobian[:, column] = _reals(np.array(found, dtype=value.dtype))
    return jacobian


def _by_steps(session, x, value, y, y_shape, delta, feeds):
    size = int(np.prod(y_shape, dtype=np.int64)) * (2 if y.dtype.is_complex else 1)
    value = value.copy()
    entries = _reals(value)
    jacobian = np.zeros([entries.size, size], y.dtype.real_dtype.as_numpy_dtype)
    for row in range(entries.size):
        here = entries[row]
        around = []
        for step in (delta, -delta):
            entries[row] = here + step
            around.append(_reals(np.array(session.run(y, {**feeds, x: value}))))
        entries[row] = here
        jacobian[row] = (around[0] - around[1]) / (2 * delta)
    return jacobian


__all__ = ["compute_gradient", "compute_gradient_error"]
