"""Tensors made of one value, and one-hot rows."""


from ferroflow._src.framework import dtypes, fills
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.ops import shaping


def fill(dims, value, name=None):
    """Makes a tensor of one value.

    Args:
      dims: its shape: int32 or int64 of rank 1.
      value: a scalar.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `value`.
    """
    return apply_op("Fill", dims, value, name=name)


def _zero_of(dtype):
    if dtype is dtypes.bool:
        return False
    return "" if dtype is dtypes.string else 0


def _filled(shape, value, dtype, name):
    """A constant when it is small and the shape a Python value, else a Fill."""
    if not isinstance(shape, TensorBase):
        try:
            if fills.product(shape) < 1000:
                return constant(value, shape=shape, dtype=dtype, name=name)
        except TypeError:
            pass  # an unknown dimension, or a tensor among them
        except ValueError:
            return _fill_tensor(convert_to_tensor(shape, dtype=dtypes.int32), value, dtype, name)
        try:
            shape = convert_to_tensor(TensorShape(shape))
        except (TypeError, ValueError):
            shape = convert_to_tensor(shape, dtype=dtypes.int32)
    return _fill_tensor(shape, value, dtype, name)


def _fill_tensor(shape, value, dtype, name):
    if not shape.shape.ndims:
        shape = apply_op("Reshape", shape, [-1])
    return fill(shape, constant(value, dtype=dtype), name=name)


def zeros(shape, dtype=dtypes.float32, name=None):
    """Makes a tensor of zeros (False, empty strings).

    Args:
      shape: a list of integers, a `TensorShape`, or an int32 or int64 `Tensor` of rank 1.
      dtype: the type.
      name: the operation's name.

    Returns:
      A `Tensor`: a constant when it has fewer than 1000 elements.
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    with name_scope(name, "zeros", [shape]) as name:
        return _filled(shape, _zero_of(dtype), dtype, name)


def ones(shape, dtype=dtypes.float32, name=None):
    """Makes a tensor of ones (True).

    Args:
      shape: a list of integers, a `TensorShape`, or an int32 or int64 `Tensor` of rank 1.
      dtype: the type.
      name: the operation's name.

    Returns:
      A `Tensor`: a constant when it has fewer than 1000 elements.
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    with name_scope(name, "ones", [shape]) as name:
        return _filled(shape, True if dtype is dtypes.bool else 1, dtype, name)


def zeros_like(tensor, dtype=None, name=None, optimize=True):
    """Makes a tensor of zeros with the shape of another.

    Args:
      tensor: a `Tensor`.
      dtype: the type; None for that of `tensor`.
      name: the operation's name.
      optimize: whether a shape that is known while the graph is built is used as a constant.

    Returns:
      A `Tensor`.
    """
    with name_scope(name, "zeros_like", [tensor]) as name:
        tensor = convert_to_tensor(tensor, name="tensor")
        if dtype is not None:
            dtype = dtypes.as_dtype(dtype)
        if optimize and tensor.shape.is_fully_defined() and tensor.dtype != dtypes.variant:
            return zeros(tensor.shape, dtype=dtype or tensor.dtype, name=name)
        if dtype is not None and dtype != tensor.dtype and dtype != dtypes.variant:
            return zeros(shaping.shape_internal(tensor, optimize=optimize), dtype=dtype, name=name)
        return apply_op("ZerosLike", tensor, name=name)


def zeros_like_v2(input, dtype=None, name=None):
    """`zeros_like` with TensorFlow 2's arguments."""
    return zeros_like(input, dtype, name)


def ones_like(tensor, dtype=None, name=None, optimize=True):
    """Makes a tensor of ones with the shape of another.

    Args:
      tensor: a `Tensor`.
      dtype: the type; None for that of `tensor`.
      name: the operation's name.
      optimize: whether a shape that is known while the graph is built is used as a constant.

    Returns:
      A `Tensor`.
    """
    with name_scope(name, "ones_like", [tensor]) as name:
        tensor = convert_to_tensor(tensor, name="tensor")
        result = ones(shaping.shape_internal(tensor, optimize=optimize), dtype=dtype or tensor.dtype, name=name)
        result.set_shape(tensor.shape)
        return result


def ones_like_v2(input, dtype=None, name=None):
    """`ones_like` with TensorFlow 2's arguments."""
    return ones_like(input, dtype, name)


def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """Makes vectors that hold one value at an index and another elsewhere.

    Args:
      indices: integers of any shape; an index out of range gives no `on_value`.
      depth: an int32 scalar: the length of the vectors.
      on_value: the value at the index; None for 1.
      off_value: the value elsewhere; None for 0.
      axis: where the new dimension stands; None or -1 for the end.
      dtype: the type; None for that of the values, or float32.
      name: the operation's name.

    Returns:
      A `Tensor` whose rank is one more than that of `indices`.

    Raises:
      TypeError: when the types do not agree.
    """
    with name_scope(name, "one_hot", [indices, depth, on_value, off_value, axis, dtype]) as name:
        given = {
            label: convert_to_tensor(value).dtype.base_dtype
            for label, value in (("on_value", on_value), ("off_value", off_value))
            if value is not None
        }
        if dtype is not None:
            dtype = dtypes.as_dtype(dtype)
            for label, its in given.items():
                if its != dtype:
                    raise TypeError(f"dtype {its} of {label} does not match dtype parameter {dtype}")
        else:
            dtype = next(iter(given.values()), dtypes.float32)
        if on_value is None:
            on_value = convert_to_tensor(1, dtype, name="on_value")
        if off_value is None:
            off_value = convert_to_tensor(0, dtype, name="off_value")
        on_dtype, off_dtype = given.get("on_value", dtype), given.get("off_value", dtype)
        if on_dtype != off_dtype:
            raise TypeError(f"dtype {on_dtype} of on_value does not match dtype {off_dtype} of off_value")
        return apply_op("OneHot", indices, depth, on_value, off_value, axis=axis, name=name)
