"""Sizes of states and outputs, and zeros of them."""

from ferroflow._src.framework import dtypes, nest, tensor_util
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import as_shape
from ferroflow._src.ops import array, filling


def _as_vector(size, which):
    """Returns (int32 vector or None, list of known sizes or None) of an int, shape or tensor."""
    if not isinstance(size, TensorBase):
        shape = as_shape(size)
        known = shape.as_list() if shape.ndims is not None else None
        return (constant(known, dtype=dtypes.int32) if shape.is_fully_defined() else None), known
    known = tensor_util.constant_value(size)
    if size.shape.ndims == 0:
        return array.expand_dims(size, 0), known
    if size.shape.ndims != 1:
        raise ValueError(f"{which} tensor must be either a scalar or vector, but saw tensor: {size}")
    return size, known


def join_sizes(prefix, suffix):
    """Returns the sizes of both, one after the other, as an int32 vector.

    Args:
      prefix: an int, `TensorShape` or int32 `Tensor`, as a rule the batch size.
      suffix: the same, as a rule the size of a state.

    Raises:
      ValueError: when a size is not known, or a tensor has another rank than 0 or 1.
    """
    first, _ = _as_vector(prefix, "prefix")
    second, _ = _as_vector(suffix, "suffix")
    if first is None or second is None:
        raise ValueError(f"Provided a prefix or suffix of None: {prefix} and {suffix}")
    return array.concat((first, second), 0)


def join_known_sizes(prefix, suffix):
    """Returns the sizes of both as a list, with None where one is not known; None when a rank is not known."""
    _, first = _as_vector(prefix, "prefix")
    _, second = _as_vector(suffix, "suffix")
    shape = as_shape(first).concatenate(as_shape(second))
    return shape.as_list() if shape.ndims is not None else None


def zero_states(state_size, batch_size, dtype):
    """Returns zeros of shape [batch_size, *size] for each size in the structure `state_size`."""

    def zeros(size):
        made = filling.zeros(join_sizes(batch_size, size), dtype=dtype)
        made.set_shape(join_known_sizes(batch_size, size))
        return made

    return nest.map_structure(zeros, state_size)


def state_dtype(dtype, state):
    """Returns `dtype`, or when it is None the type that all tensors of `state` have.

    Raises:
      ValueError: when there are none, or their types differ.
    """
    if dtype is not None:
        return dtype
    if not nest.is_sequence(state):
        return state.dtype
    found = [element.dtype for element in nest.flatten(state)]
    if not found:
        raise ValueError("Unable to infer dtype from empty state.")
    if any(other != found[0] for other in found):
        raise ValueError(
            "State has tensors of different inferred_dtypes. Unable to infer a single representative dtype."
        )
    return found[0]
