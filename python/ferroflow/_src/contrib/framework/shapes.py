"""Tensors whose shapes are asserted: now where they are known, and when they run."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.control_flow import Assert
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_like import is_tensor
from ferroflow._src.ops import array, math, reductions, shaping


def _assert_shape(expected, tensor):
    with name_scope("assert_shape", values=[tensor]) as scope:
        actual = shaping.shape(tensor, name="actual")
        is_shape = _is_shape(expected, tensor, actual)
        message = f"Wrong shape for {tensor.name} [expected] [actual]."
        return Assert(is_shape, [message, expected, actual], name=scope)


def _is_shape(expected, tensor, actual):
    with name_scope("is_shape", values=[tensor]) as scope:
        is_rank = _is_rank(shaping.size(expected), tensor)
        with name_scope("shape_tensor_equal", values=[expected, actual]) as inner:
            fits = math.logical_or(
                math.equal(expected, -1), math.equal(expected, actual, "equal"), name="exclude_partial_shape"
            )
            fits = reductions.reduce_all(fits, name=inner)
        return math.logical_and(is_rank, fits, name=scope)


def _is_rank(expected, tensor):
    with name_scope("is_rank", values=[tensor]) as scope:
        expected = convert_to_tensor(expected, name="expected")
        return math.equal(expected, shaping.rank(tensor, name="actual"), name=scope)


def with_same_shape(expected_tensor, tensor):
    """Returns `tensor`, which must have the shape of `expected_tensor`; see `with_shape`."""
    with name_scope(f"{tensor.op.name}/", values=[expected_tensor, tensor]):
        known = expected_tensor.get_shape()
        if known.is_fully_defined():
            expected = known.as_list()
        else:
            expected = shaping.shape(expected_tensor, name="expected_shape")
        return with_shape(expected, tensor)


def with_shape(expected_shape, tensor):
    """Returns `tensor`, which must have a shape.

    Args:
      expected_shape: sizes, as a list, an int32 array or an int32 `Tensor`.
      tensor: a `Tensor`. One element becomes a scalar where a scalar is expected.

    Raises:
      ValueError: when it is known to have another one, or the sizes are no int32 vector.
    """
    if isinstance(tensor, SparseTensor):
        raise ValueError("SparseTensor not supported.")
    expected = _as_sizes(expected_shape, tensor)
    actual = tensor.get_shape()
    is_dynamic = is_tensor(expected)
    if is_dynamic or not actual.is_fully_defined():
        with name_scope(f"{tensor.op.name}/", values=[tensor]):
            if not is_dynamic and len(expected) < 1:
                return array.reshape(tensor, [])
            with control_dependencies([_assert_shape(expected, tensor)]):
                result = array.identity(tensor)
            if not is_dynamic:
                result.set_shape(expected)
            return result
    if not actual.is_compatible_with(expected):
        if len(expected) < 1 and actual.is_compatible_with([1]):
            with name_scope(f"{tensor.op.name}/", values=[tensor]):
                return array.reshape(tensor, [])
        raise ValueError(f"Invalid shape for tensor {tensor.name}, expected {expected}, got {actual}.")
    return tensor


def _as_sizes(expected, tensor):
    def wrong(what, value):
        return ValueError(f"Invalid {what} {value} for shape {expected} expected of tensor {tensor.name}.")

    if is_tensor(expected):
        if expected.dtype.base_dtype is not dtypes.int32:
            raise wrong("dtype", expected.dtype)
        return expected
    if isinstance(expected, (list, tuple)):
        sizes = np.asarray(expected) if expected else np.asarray([], dtype=np.int32)
        expected = sizes.astype(np.int32) if sizes.dtype == np.int64 else sizes
    if isinstance(expected, np.ndarray):
        if expected.ndim > 1:
            raise wrong("rank", expected.ndim)
        if expected.dtype != np.int32:
            raise wrong("dtype", expected.dtype)
    return expected
