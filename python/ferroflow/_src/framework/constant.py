"""tf.constant, and the conversions that make one."""

import numpy as np

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.convert import register_tensor_conversion_function
from ferroflow._src.framework.tensor_shape import Dimension, TensorShape
from ferroflow._src.framework.tensor_values import as_ndarray


def constant(value, dtype=None, shape=None, name="Const", verify_shape=False):
    """Makes a constant tensor.

    Args:
      value: a number, string, array, or nested lists of them.
      dtype: the type; None for float32, int32 (int64 where it must be), string or bool, as the value is.
      shape: sizes; when there are fewer values than elements the last one is repeated.
      name: the name of the operation.
      verify_shape: whether the value itself must have that shape.

    Raises:
      TypeError: when the value is not of the type, or not of the shape and `verify_shape`.
      ValueError: when there are too many values, or the value is None.
    """
    return _constant(value, dtype, shape, name, verify_shape, False)


def constant_v2(value, dtype=None, shape=None, name="Const"):
    """`constant` of TensorFlow 2: only a single value is spread over `shape`."""
    return _constant(value, dtype, shape, name, False, True)


def _constant(value, dtype, shape, name, verify_shape, allow_broadcast):
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if value.__class__.__name__ == "TensorProto":
        from ferroflow._src.framework import tensor_proto

        value = tensor_proto.MakeNdarray(value)
        shape = None
    if isinstance(shape, TensorShape):
        shape = shape.as_list()
    array, kind = as_ndarray(value, dtype, shape, verify_shape, allow_broadcast)
    if shape is not None and array.size > 1:
        # What was given is what the proto holds; the last element stands for those that are not.
        given, _ = as_ndarray(value, dtype)
        if 0 < given.size < array.size:
            array = (given.ravel(), array.shape)
    graph = stacks.get_default_graph()
    node = graph._create("Const", "Const" if name is None else name, (), {"value": array, "dtype": kind._type_enum})
    return graph._tensor(node << 16)


def _convert(value, dtype=None, name=None, as_ref=False):
    return _constant(value, dtype, None, name, False, False)


def _convert_shape(shape, dtype=None, name=None, as_ref=False):
    if not shape.is_fully_defined():
        raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {shape}")
    sizes = shape.as_list()
    large = next((d for d in sizes if d >= 2**31), None)
    if dtype is None:
        dtype = dtypes.int32 if large is None else dtypes.int64
    elif dtype not in (dtypes.int32, dtypes.int64):
        raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype}")
    elif dtype is dtypes.int32 and large is not None:
        raise ValueError(f"Cannot convert a TensorShape to dtype int32; a dimension is too large ({large})")
    return constant(sizes, dtype, name=name or "shape_as_tensor")


def _convert_dimension(dimension, dtype=None, name=None, as_ref=False):
    if dimension.value is None:
        raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {dimension}")
    if dtype is not None and dtype not in (dtypes.int32, dtypes.int64):
        raise TypeError(f"Cannot convert a TensorShape to dtype: {dtype}")
    return constant(dimension.value, dtype or dtypes.int32, name=name or "shape_as_tensor")


register_tensor_conversion_function((list, tuple), _convert, 100)
register_tensor_conversion_function((np.ndarray, np.generic), _convert, 100)
register_tensor_conversion_function(TensorShape, _convert_shape, 100)
register_tensor_conversion_function(Dimension, _convert_dimension, 100)
register_tensor_conversion_function(object, _convert, 200)
