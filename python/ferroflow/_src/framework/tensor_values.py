"""Python values as arrays, by TensorFlow 1.15's rules: what `tf.constant` and conversions make of them."""

import numpy as np

from ferroflow._src.framework import dtypes, nest
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import Dimension
from ferroflow._src.framework.text import (
    as_bytes,
    bytes_or_text_types,
    complex_types,
    integral_types,
    real_types,
)

_MAX_BYTES = 2**31


def as_ndarray(values, dtype=None, shape=None, verify_shape=False, allow_broadcast=False):
    """Converts a Python value as TensorFlow does when it makes a constant.

    Args:
      values: a number, string, NumPy array or anything like one, or nested lists of them.
      dtype: a `DType`, or None: floats become float32, ints int32 where they fit.
      shape: sizes, or None for the shape of the values. With fewer values than elements the last one is repeated.
      verify_shape: whether `values` must have `shape` themselves.
      allow_broadcast: whether nothing but one value may be spread over `shape`.

    Returns:
      An array of `dtype`'s NumPy type (objects that are bytes for strings), and its `DType`.

    Raises:
      TypeError: when a value is not of the type.
      ValueError: when the values are None, ragged or too many.
    """
    if allow_broadcast and verify_shape:
        raise ValueError("allow_broadcast and verify_shape are not both allowed.")
    array = _as_array(values, dtype, shape)
    kind = dtype.base_dtype if dtype is not None and dtype.is_quantized else dtypes.as_dtype(array.dtype)
    if dtype is not None and dtype.base_dtype is not kind.base_dtype:
        raise TypeError(f"Incompatible types: {dtype} vs. {array.dtype}. Value is {values}")
    if kind is dtypes.string:
        array = _bytes(array, values)
    if shape is not None:
        array = _shaped(array, [int(d) for d in shape], verify_shape, allow_broadcast)
    if array.nbytes >= _MAX_BYTES and array.size > 1:
        raise ValueError("Cannot create a tensor proto whose content is larger than 2GB.")
    return array, kind


def _as_array(values, dtype, shape):
    if values.__class__ is not np.ndarray and not isinstance(values, np.generic):
        if _is_array_like(values):
            values = np.asarray(values)
        else:
            return _from_python(values, dtype, shape)
    if dtype is not None and dtype.is_numpy_compatible:
        wanted = dtype.as_numpy_dtype
        return np.asarray(values) if values.dtype == wanted else np.asarray(values).astype(wanted)
    return np.asarray(values)


def _from_python(values, dtype, shape):
    if values is None:
        raise ValueError("None values not supported.")
    wanted = dtype.as_numpy_dtype if dtype is not None and dtype.is_numpy_compatible else None
    if shape is not None and np.prod(shape, dtype=np.int64) == 0:
        return np.empty(shape, dtype=wanted)
    _check_kinds(values, dtype)
    try:
        array = np.array(values, dtype=wanted)
    except OverflowError:
        # Newer NumPy refuses integers that do not fit. TensorFlow 1.15's kept their lowest bits.
        if wanted is None or not dtype.is_integer or dtype.size == 8:
            raise
        array = np.array(values, dtype=np.int64).astype(wanted)
    except ValueError as error:
        # Newer NumPy refuses ragged lists. TensorFlow 1.15's made objects of them, of the shape that could be stacked.
        if "inhomogeneous" not in str(error):
            raise
        if wanted is not None:
            raise ValueError("setting an array element with a sequence.") from None
        array = np.array(values, dtype=object)
    if isinstance(values, (list, tuple)) or array.ndim:
        wanted_shape = _dense_shape(values)
        if list(array.shape) != wanted_shape and not (dtype is not None and dtype.is_quantized):
            raise ValueError(
                f"Argument must be a dense tensor: {values} - got shape {list(array.shape)}, but wanted {wanted_shape}."
            )
    if dtype is None:
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        elif array.dtype == np.int64:
            small = array.astype(np.int32)
            if np.array_equal(small, array):
                array = small
    return array


def _dense_shape(values):
    """The shape that the first elements of nested lists promise."""
    shape = []
    while isinstance(values, (list, tuple)):
        shape.append(len(values))
        if not values:
            break
        values = values[0]
    return shape


def _shaped(array, shape, verify_shape, allow_broadcast):
    wanted = int(np.prod(shape, dtype=np.int64))
    if allow_broadcast:
        if array.shape not in ((), (1,)) and array.size != wanted:
            raise TypeError(f"Expected Tensor's shape: {tuple(shape)}, got {array.shape}.")
    else:
        if verify_shape and array.shape != tuple(shape):
            raise TypeError(f"Expected Tensor's shape: {tuple(shape)}, got {array.shape}.")
        if array.size > wanted:
            raise ValueError(f"Too many elements provided. Needed at most {wanted}, but received {array.size}")
    if array.size == wanted:
        return array.reshape(shape)
    if array.size == 1:
        # One value for all: the core keeps it as one.
        return np.broadcast_to(array.reshape([1] * len(shape)), shape)
    flat = array.ravel()
    return np.concatenate([flat, np.full(wanted - flat.size, flat[-1] if flat.size else 0, flat.dtype)]).reshape(shape)


def _bytes(array, values):
    try:
        if array.dtype == object:
            made = np.empty(array.shape, dtype=object)
            flat = made.reshape(-1)
            own = nest.flatten(values) if isinstance(values, (list, tuple)) else array.ravel()
            for i, value in enumerate([as_bytes(value) for value in own][: array.size]):
                flat[i] = value
            return made
        made = np.empty(array.shape, dtype=object)
        flat = made.reshape(-1)
        # A list's own strings, not NumPy's: NumPy drops zero bytes at the end.
        own = nest.flatten(values) if isinstance(values, (list, tuple)) else [values]
        source = array.ravel().tolist() if len(own) != array.size or isinstance(values, np.ndarray) else own
        for i, value in enumerate(source):
            flat[i] = as_bytes(value)
        return made
    except TypeError:
        raise TypeError(
            f"Failed to convert object of type {type(values)} to Tensor. Contents: {values}. Consider casting "
            "elements to a supported type."
        ) from None


def _is_array_like(value):
    if isinstance(value, (int, float, str, bytes, list, tuple, TensorBase)):
        return False
    if callable(getattr(value, "__array__", None)) or isinstance(getattr(value, "__array_interface__", None), dict):
        return True
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


_EXPECTED = {
    "int": (*integral_types, Dimension),
    "float": real_types,
    "complex": complex_types,
    "string": bytes_or_text_types,
    "bool": (bool,),
}


def _check_kinds(values, dtype):
    """Raises TypeError when a Python value does not fit the type: no silent 1.5 to 1, nor 'a' to a number."""
    if dtype is None:
        expected = None
    elif dtype.is_quantized:
        _check_quantized(values, dtype)
        return
    elif dtype.is_integer:
        expected = _EXPECTED["int"]
    elif dtype.is_floating:
        expected = _EXPECTED["float"]
    elif dtype.is_complex:
        expected = _EXPECTED["complex"]
    else:
        expected = _EXPECTED.get(dtype.base_dtype.name)
    leaves = nest.flatten(values) if nest.is_sequence(values) else (values,)
    if expected is None:
        if any(isinstance(leaf, TensorBase) for leaf in leaves):
            raise TypeError("List of Tensors when single Tensor expected")
        return
    for leaf in leaves:
        if not isinstance(leaf, expected):
            raise TypeError(f"Expected {dtype.name}, got {leaf!r} of type '{type(leaf).__name__}' instead.")


def _check_quantized(values, dtype):
    """A quantized value is a tuple of one int."""
    if isinstance(values, tuple):
        for leaf in nest.flatten(values):
            if not isinstance(leaf, _EXPECTED["int"]):
                raise TypeError(f"Expected {dtype.name}, got {leaf!r} of type '{type(leaf).__name__}' instead.")
    elif isinstance(values, list):
        for value in values:
            _check_quantized(value, dtype)
    else:
        raise TypeError(f"Expected {dtype.name}, got {values!r} of type '{type(values).__name__}' instead.")
