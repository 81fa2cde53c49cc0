"""tf.sets: the last dimension of a tensor as sets."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor, convert_to_tensor_or_sparse_tensor

_DTYPES = frozenset((dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.uint16, dtypes.string))


def set_size(a, validate_indices=True):
    """Counts the different values of each set.

    Args:
      a: a `SparseTensor` of integers or strings [*batch, set], in order.
      validate_indices: whether the order is checked when it runs.

    Returns:
      A `Tensor` [*batch] of int32.

    Raises:
      TypeError: when `a` is dense, or of another type.
    """
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if not isinstance(a, SparseTensor):
        raise TypeError(f"Expected `SparseTensor`, got {a}.")
    if a.values.dtype.base_dtype not in _DTYPES:
        raise TypeError(f"Invalid dtype {a.values.dtype}.")
    return apply_op("SetSize", a.indices, a.values, a.dense_shape, validate_indices=validate_indices)


def _combined(a, b, operation, flipped_operation, validate_indices):
    a = convert_to_tensor_or_sparse_tensor(a, name="a")
    if a.dtype.base_dtype not in _DTYPES:
        raise TypeError(f"'a' invalid dtype {a.dtype}.")
    b = convert_to_tensor_or_sparse_tensor(b, name="b")
    if b.dtype.base_dtype != a.dtype.base_dtype:
        raise TypeError(f"Types don't match, {a.dtype} vs {b.dtype}.")
    if isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        a, b, operation = b, a, flipped_operation
    inputs, op = [], ""
    for each in (a, b):
        if isinstance(each, SparseTensor):
            inputs += [each.indices, each.values, each.dense_shape]
            op += "ToSparse"
        else:
            inputs.append(each)
            op += "ToDense"
    op = op.removeprefix("To") + "SetOperation"
    return SparseTensor(*apply_op(op, *inputs, set_operation=operation, validate_indices=validate_indices))


def set_intersection(a, b, validate_indices=True):
    """Computes what two sets have in common.

    Args:
      a: a `Tensor` or `SparseTensor` of integers or strings [*batch, set].
      b: a `Tensor` or `SparseTensor` of its type and batch.
      validate_indices: whether the order of sparse ones is checked when it runs.

    Returns:
      A `SparseTensor` [*batch, greatest set]: the values of each set in order.

    Raises:
      TypeError: when types differ, or are others.
    """
    return _combined(a, b, "intersection", "intersection", validate_indices)


def set_difference(a, b, aminusb=True, validate_indices=True):
    """Computes what one set has and the other has not.

    Args:
      a: a `Tensor` or `SparseTensor` of integers or strings [*batch, set].
      b: a `Tensor` or `SparseTensor` of its type and batch.
      aminusb: whether it is what `a` has; False for what `b` has.
      validate_indices: whether the order of sparse ones is checked when it runs.

    Returns:
      A `SparseTensor` [*batch, greatest set]: the values of each set in order.

    Raises:
      TypeError: when types differ, or are others.
    """
    first, second = ("a-b", "b-a") if aminusb else ("b-a", "a-b")
    return _combined(a, b, first, second, validate_indices)


def set_union(a, b, validate_indices=True):
    """Computes what at least one of two sets has.

    Args:
      a: a `Tensor` or `SparseTensor` of integers or strings [*batch, set].
      b: a `Tensor` or `SparseTensor` of its type and batch.
      validate_indices: whether the order of sparse ones is checked when it runs.

    Returns:
      A `SparseTensor` [*batch, greatest set]: the values of each set in order.

    Raises:
      TypeError: when types differ, or are others.
    """
    return _combined(a, b, "union", "union", validate_indices)
