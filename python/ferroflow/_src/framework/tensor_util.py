"""What is known of tensors while the graph is built: constant values, shapes held in tensors."""

import numpy as np

from ferroflow._src.framework.tensor_like import TensorBase, is_tensor
from ferroflow._src.framework.tensor_shape import TensorShape, dimension_value, unknown_shape


def constant_value(tensor, partial=False):
    """Returns the value of a tensor as far as the graph alone tells it.

    Args:
      tensor: a `Tensor`; what is none is returned as it is.
      partial: whether a packed list may have None where a value is not known.

    Returns:
      An array, or None. From then on no other value may be fed for the tensor.
    """
    if not is_tensor(tensor):
        return tensor
    if not isinstance(tensor, TensorBase):
        return None
    value = tensor.graph._core.constant_value(tensor._endpoint)
    if value is None and partial and tensor.op.type == "Pack" and tensor.op.get_attr("axis") == 0:
        return np.array([constant_value(t, partial) for t in tensor.op.inputs], dtype=object)
    if value is not None:
        tensor.graph.prevent_feeding(tensor)
    return value


_PARTLY_KNOWN = ("Shape", "Pack", "Concat", "ConcatV2", "StridedSlice")


def constant_value_as_shape(tensor):
    """Returns the shape that a tensor holds, as far as it is known.

    Raises:
      ValueError: for a scalar that is not known to be -1.
    """
    if not isinstance(tensor, TensorBase):
        return TensorShape([None if d == -1 else int(d) for d in np.asarray(tensor).tolist()])
    if tensor.shape.rank == 0:
        value = constant_value(tensor)
        if value is None:
            raise ValueError(
                "Received a scalar with unknown value as shape; require a statically known scalar with value '-1' to "
                "describe an unknown shape."
            )
        if value != -1:
            raise ValueError(
                f"Received a scalar value '{value}' as shape; require a statically known scalar with value '-1' to "
                "describe an unknown shape."
            )
        return unknown_shape()
    if tensor.op.type not in _PARTLY_KNOWN:
        constant_value(tensor)  # which may then not be fed
    return TensorShape._of(tensor.graph._core.constant_value_as_shape(tensor._endpoint))


def shape_tensor(shape):
    """Returns a shape as an int32 or int64 tensor; an empty one is int32."""
    from ferroflow._src.framework import dtypes
    from ferroflow._src.framework.convert import convert_to_tensor

    dtype = None
    if isinstance(shape, (tuple, list)):
        if not shape:
            dtype = dtypes.int32
        else:
            shape = tuple(dimension_value(d) for d in shape)
    return convert_to_tensor(shape, dtype=dtype, name="shape")


def smart_constant_value(pred):
    """Returns what a predicate is known to be, a bool or a scalar array, or None.

    Raises:
      TypeError: when it is neither a bool, 0, 1 nor a tensor.
    """
    if isinstance(pred, (bool, np.bool_)):
        return bool(pred)
    if pred in (0, 1) and not isinstance(pred, TensorBase):
        return bool(pred)
    if isinstance(pred, TensorBase):
        value = constant_value(pred)
        # As in TensorFlow more ops are looked through here than elsewhere: all that depend on constants alone.
        return pred.graph._core.evaluate_constant(pred._endpoint) if value is None else value
    raise TypeError(f"`pred` must be a Tensor, or a Python bool, or 1 or 0. Found instead: {pred}")


__all__ = ["constant_value", "constant_value_as_shape", "is_tensor", "shape_tensor", "smart_constant_value"]
