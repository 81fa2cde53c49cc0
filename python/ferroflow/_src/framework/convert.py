"""tf.convert_to_tensor and the registry of what can become a tensor."""

import threading

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.tensor_like import TensorBase, TensorLike

_functions: dict = {}
_for_type: dict = {}
_lock = threading.Lock()


def register_tensor_conversion_function(base_type, conversion_func, priority=100):
    """Says how objects of a type become tensors.

    Args:
      base_type: a type, or a tuple of types.
      conversion_func: called with (value, dtype=None, name=None, as_ref=False); returns a `Tensor` or NotImplemented.
      priority: functions with lower numbers are asked first, those with equal numbers in order of registration.

    Raises:
      TypeError: when `base_type` is no type, or the function cannot be called.
    """
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not types or not all(isinstance(t, type) for t in types):
        raise TypeError("base_type must be a type or a tuple of types.")
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    with _lock:
        _functions.setdefault(priority, []).append((base_type, conversion_func))
        _for_type.clear()


def functions_for(query):
    """Returns [(base type, function)] for objects of type `query`, in the order in which they are asked."""
    found = _for_type.get(query)
    if found is None:
        with _lock:
            found = _for_type[query] = [
                pair for _, pairs in sorted(_functions.items()) for pair in pairs if issubclass(query, pair[0])
            ]
    return found


def convert_to_tensor(value, dtype=None, name=None, preferred_dtype=None, dtype_hint=None):
    """Converts a value to a `Tensor`: numbers, lists, arrays, variables and all registered types.

    Args:
      value: an object.
      dtype: the type wanted; None for what the value gives.
      name: the name of the constant or other op that is made, if one is.
      preferred_dtype: a type to try when `dtype` is None; the value's own is taken when it does not fit.
      dtype_hint: the same by its newer name.

    Returns:
      A `Tensor`; `value` itself when it is one.

    Raises:
      TypeError: when nothing knows how to convert it.
      ValueError: when a tensor has another type.
      RuntimeError: when a registered function gives no tensor of the type.
    """
    if isinstance(value, TensorBase) and dtype is None:
        return value
    return to_tensor(value, dtype, name, False, preferred_dtype if dtype_hint is None else dtype_hint)


def convert_to_tensor_v2(value, dtype=None, dtype_hint=None, name=None):
    """`convert_to_tensor` with TensorFlow 2's order of arguments."""
    return to_tensor(value, dtype, name, False, dtype_hint)


def to_tensor(value, dtype=None, name=None, as_ref=False, preferred_dtype=None, accepted=TensorBase):
    """`convert_to_tensor`, also for reference inputs (`as_ref`) and for other results (`accepted`)."""
    if dtype is not None and dtype.__class__ is not dtypes.DType:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, TensorBase):
        if dtype is not None and not dtype.is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {value.dtype.name}: {value!r}"
            )
        return value
    if preferred_dtype is not None:
        preferred_dtype = dtypes.as_dtype(preferred_dtype)
    for base_type, function in functions_for(type(value)):
        result = None
        if dtype is None and preferred_dtype is not None:
            try:
                result = function(value, dtype=preferred_dtype, name=name, as_ref=as_ref)
            except (TypeError, ValueError):
                pass  # it cannot be of the preferred type: let it be what it is
            else:
                if result is not NotImplemented and result.dtype.base_dtype is not preferred_dtype.base_dtype:
                    raise TypeError(
                        "convert_to_tensor did not convert to the preferred dtype: "
                        f"{result.dtype.base_dtype} vs {preferred_dtype.base_dtype} "
                    )
        if result is None:
            result = function(value, dtype=dtype, name=name, as_ref=as_ref)
        if result is NotImplemented:
            continue
        if not isinstance(result, accepted):
            raise RuntimeError(
                f"{_prefix(name)}Conversion function {function!r} for type {base_type} returned non-Tensor: {result!r}"
            )
        if dtype is not None and not dtype.is_compatible_with(result.dtype):
            raise RuntimeError(
                f"{_prefix(name)}Conversion function {function!r} for type {base_type} returned incompatible dtype: "
                f"requested = {dtype.name}, actual = {result.dtype.name}"
            )
        return result
    raise TypeError(
        f"{_prefix(name)}Cannot convert {value!r} with type {type(value)} to Tensor: no conversion function registered."
    )


def _prefix(name):
    return "" if name is None else f"{name}: "


def convert_n_to_tensor(values, dtype=None, name=None, preferred_dtype=None, as_ref=False):
    """Returns a list of tensors; with a name they are called `name_0`, `name_1`, ...

    Raises:
      TypeError: when `values` is no sequence.
    """
    if not hasattr(values, "__iter__") or isinstance(values, (str, bytes, TensorBase)):
        raise TypeError("values must be a sequence.")
    return [
        value
        if dtype is None and isinstance(value, TensorBase)
        else to_tensor(value, dtype, None if name is None else f"{name}_{i}", as_ref, preferred_dtype)
        for i, value in enumerate(values)
    ]


def convert_to_tensor_or_indexed_slices(value, dtype=None, name=None):
    """Returns `value` when it is a tensor, sparse tensor or indexed slices of the type, else its conversion.

    Raises:
      ValueError: when slices or a sparse tensor have another type.
    """
    if isinstance(value, TensorLike) and not isinstance(value, TensorBase):
        if dtype is not None and not dtypes.as_dtype(dtype).is_compatible_with(value.dtype):
            raise ValueError(
                f"Tensor conversion requested dtype {dtypes.as_dtype(dtype).name} for Tensor with dtype "
                f"{value.dtype.name}: {value!s}"
            )
        return value
    return to_tensor(value, dtype, name)


convert_to_tensor_or_sparse_tensor = convert_to_tensor_or_indexed_slices


def convert_n_to_tensor_or_indexed_slices(values, dtype=None, name=None):
    """`convert_to_tensor_or_indexed_slices` of each value; None stays None."""
    return [
        None
        if value is None
        else convert_to_tensor_or_indexed_slices(value, dtype, None if name is None else f"{name}_{i}")
        for i, value in enumerate(values)
    ]
