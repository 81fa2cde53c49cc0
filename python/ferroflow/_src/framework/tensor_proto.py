"""tf.make_tensor_proto and tf.make_ndarray: arrays as `TensorProto` and back."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape
from ferroflow._src.framework.tensor_values import as_ndarray

# Types whose bytes go into `tensor_content`, when there is more than one value.
_CONTENT = frozenset(
    [
        "float32",
        "float64",
        "int32",
        "uint8",
        "int16",
        "int8",
        "int64",
        "uint32",
        "uint64",
        "qint8",
        "quint8",
        "qint16",
        "quint16",
        "qint32",
    ]
)
_FIELDS = {
    "float16": "half_val",
    "bfloat16": "half_val",
    "float32": "float_val",
    "float64": "double_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "qint8": "int_val",
    "quint8": "int_val",
    "qint16": "int_val",
    "quint16": "int_val",
    "qint32": "int_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
    "bool": "bool_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
}


def make_tensor_proto(values, dtype=None, shape=None, verify_shape=False, allow_broadcast=False):
    """Returns a value as a `TensorProto`.

    Args:
      values: as for `tf.constant`; a `TensorProto` is returned as it is.
      dtype: the type, or None.
      shape: sizes, or None. A single value is stored once whatever the shape.
      verify_shape: whether the values themselves must have that shape.
      allow_broadcast: whether nothing but one value may be spread over `shape`.

    Raises:
      TypeError: when the values are not of the type.
      ValueError: when there are too many.
    """
    from ferroflow._src import proto

    if isinstance(values, proto.TensorProto):
        return values
    dtype = dtypes.as_dtype(dtype) if dtype else None
    if shape is not None:
        shape = [int(d) for d in shape]
        wanted = int(np.prod(shape, dtype=np.int64))
        given, kind = as_ndarray(values, dtype, None if wanted else shape)
        if given.size != wanted:
            as_ndarray(given, None if kind.is_quantized else kind, shape, verify_shape, allow_broadcast)
        elif verify_shape and given.shape != tuple(shape):
            raise TypeError(f"Expected Tensor's shape: {tuple(shape)}, got {given.shape}.")
        is_whole = given.size == wanted
    else:
        given, kind = as_ndarray(values, dtype)
        shape, is_whole = list(given.shape), True
    message = proto.TensorProto(dtype=kind._type_enum, tensor_shape=TensorShape(shape).as_proto())
    if is_whole and kind.name in _CONTENT and given.size > 1:
        message.tensor_content = np.ascontiguousarray(given).tobytes()
        return message
    _extend(getattr(message, _FIELDS[kind.name]), kind, given.ravel())
    return message


def _extend(field, kind, flat):
    if kind.name in ("float16", "bfloat16"):
        field.extend(flat.view(np.uint16).tolist())
    elif kind.is_complex:
        field.extend([part for value in flat.tolist() for part in (value.real, value.imag)])
    elif kind.is_quantized and flat.dtype.names:
        field.extend(flat[flat.dtype.names[0]].tolist())
    else:
        field.extend(flat.tolist())


def MakeNdarray(tensor):
    """Returns the array of a `TensorProto`.

    Raises:
      TypeError: for a type without arrays.
      ValueError: when the contents do not fit the shape.
    """
    shape = [d.size for d in tensor.tensor_shape.dim]
    count = int(np.prod(shape, dtype=np.int64))
    kind = dtypes.as_dtype(tensor.dtype)
    field = _FIELDS.get(kind.name)
    if field is None:
        raise TypeError(f"Unsupported tensor type: {tensor.dtype}")
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype=kind.as_numpy_dtype).copy().reshape(shape)
    values = list(getattr(tensor, field))
    if kind is dtypes.string:
        values += [values[-1] if values else b""] * (count - len(values))
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array.reshape(shape)
    if kind.name in ("float16", "bfloat16"):
        array = np.array(values, dtype=np.uint16).view(kind.as_numpy_dtype)
    elif kind.is_complex:
        parts = iter(values)
        array = np.array([complex(a, b) for a, b in zip(parts, parts, strict=True)], dtype=kind.as_numpy_dtype)
    elif kind.is_quantized:
        array = np.array([(v,) for v in values], dtype=kind.as_numpy_dtype)
    else:
        array = np.array(values, dtype=kind.as_numpy_dtype)
    if array.size == 0:
        return np.zeros(shape, kind.as_numpy_dtype)
    if array.size < count:
        array = np.concatenate([array, np.repeat(array[-1:], count - array.size)])
    return array.reshape(shape)


make_ndarray = MakeNdarray


def attr_ndarray(value, name):
    """Returns the value of a tensor attribute as an array; a `TensorProto` is read.

    Raises:
      TypeError: when it is neither an array nor a message.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    if hasattr(value, "tensor_shape"):
        return MakeNdarray(value)
    if isinstance(value, str):
        from google.protobuf import text_format

        from ferroflow._src import proto

        return MakeNdarray(text_format.Parse(value, proto.TensorProto()))
    raise TypeError(f"Don't know how to convert {value!r} to a TensorProto for argument '{name}'")


def ShapeEquals(tensor_proto, shape):
    """Whether a `TensorProto` has that shape."""
    return as_shape(tensor_proto.tensor_shape).as_list() == as_shape(shape).as_list()
