"""Lists that hold tensors become one tensor: what `[x, 1.0]` is where a tensor is wanted."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor, register_tensor_conversion_function
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase, is_dense_tensor_like


def stack(values, name="stack"):
    """Packs values along a new first axis: one constant when they are all constants, else a Pack op."""
    try:
        return convert_to_tensor(values, name=name)
    except (TypeError, ValueError):
        convert_to_tensor(values[0], name=name)  # as TensorFlow, which looks at its shape
        return apply_op("Pack", values, axis=0, name=name)


def _first_dtype(values):
    for value in values:
        if is_dense_tensor_like(value):
            return value.dtype.base_dtype
        if isinstance(value, (list, tuple)):
            found = _first_dtype(value)
            if found is not None:
                return found
    return None


def _cast_tensors(values, dtype):
    made = []
    for value in values:
        if isinstance(value, (list, tuple)):
            made.append(_cast_tensors(value, dtype))
        elif isinstance(value, TensorBase) and value.dtype.base_dtype is not dtype:
            made.append(apply_op("Cast", value, DstT=dtype))
        else:
            made.append(value)
    return made


def _pack(values, dtype, name):
    must_pack = False
    parts = []
    with name_scope(name) as scope:
        for i, value in enumerate(values):
            if is_dense_tensor_like(value):
                if dtype is not None and value.dtype.base_dtype is not dtype:
                    raise TypeError(
                        f"Cannot convert a list containing a tensor of dtype {value.dtype} to {dtype} "
                        f"(Tensor is: {value!r})"
                    )
                must_pack = True
            elif isinstance(value, (list, tuple)):
                value = _pack(value, dtype, str(i))
                must_pack = must_pack or is_dense_tensor_like(value)
            parts.append(value)
        if not must_pack:
            return parts
        tensors = [
            part if is_dense_tensor_like(part) else constant(part, dtype=dtype, name=str(i))
            for i, part in enumerate(parts)
        ]
        return apply_op("Pack", tensors, name=scope)


def _convert(values, dtype=None, name=None, as_ref=False):
    if as_ref:
        return NotImplemented
    inferred = _first_dtype(values)
    if inferred is None:
        return NotImplemented
    if dtype is None:
        dtype = inferred
    elif dtype is not inferred:
        dtype = dtypes.as_dtype(dtype).base_dtype
        values = _cast_tensors(values, dtype)
    return _pack(values, dtype, name or "packed")


register_tensor_conversion_function((list, tuple), _convert, 99)
