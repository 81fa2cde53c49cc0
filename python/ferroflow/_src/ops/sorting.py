"""Sorting along a dimension, by TopKV2."""

import numpy as np

from ferroflow._src.framework import tensor_util
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, math, nn, shaping


def sort(values, axis=-1, direction="ASCENDING", name=None):
    """Sorts along a dimension.

    Args:
      values: a `Tensor` of real numbers.
      axis: which dimension.
      direction: 'ASCENDING' or 'DESCENDING'.
      name: the name scope.

    Returns:
      A `Tensor` of the type and shape of `values`.

    Raises:
      ValueError: for another direction, or an axis that is not known.
    """
    with name_scope(name, "sort"):
        return _sorted(values, axis, direction, False)


def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """Finds the order that would sort along a dimension.

    Args:
      values: a `Tensor` of real numbers.
      axis: which dimension.
      direction: 'ASCENDING' or 'DESCENDING'.
      stable: has no effect.
      name: the name scope.

    Returns:
      A `Tensor` of int32 with the shape of `values`.

    Raises:
      ValueError: for another direction, or an axis that is not known.
    """
    with name_scope(name, "argsort"):
        return _sorted(values, axis, direction, True)


def _sorted(values, axis, direction, is_order):
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"{direction} should be one of ASCENDING, DESCENDING")
    axis = convert_to_tensor(axis, name="axis")
    known = tensor_util.constant_value(axis)
    if axis.shape.ndims != 0 or known is None:
        raise ValueError("axis must be a constant scalar")
    values = convert_to_tensor(values, name="values")
    if direction == "DESCENDING":
        return _descending(values, int(known), is_order)
    found = _descending(-values, int(known), is_order)
    return found if is_order else -found


def _descending(values, axis, is_order):
    k = shaping.shape(values)[axis]
    rank, ndims = shaping.rank(values), values.shape.ndims
    perm = None
    if axis != -1 and axis + 1 != ndims:
        if axis < 0:
            axis += ndims or rank
        if ndims is not None:
            swapped = np.r_[np.arange(axis), [ndims - 1], np.arange(axis + 1, ndims - 1), [axis]]
            perm = constant(swapped, name="transposition")
        else:
            middle = math.range(axis + 1, rank - 1)
            perm = array.concat([math.range(axis), [rank - 1], middle, [axis]], axis=0)
        values = array.transpose(values, perm)
    top = nn.top_k(values, k)
    result = top.indices if is_order else top.values
    return result if perm is None else array.transpose(result, perm)
