"""Attributes as messages: AttrValue to what the core takes and back."""

from ferroflow._src import proto
from ferroflow._src.framework import dtypes, tensor_proto
from ferroflow._src.framework.tensor_shape import TensorShape


def to_program(kind, value):
    """Returns a shape, tensor or function of the core as the message that `Operation.get_attr` gives.

    Args:
      kind: the attribute's type, `shape` or `list(tensor)` and so on.
      value: as `Graph.get_attr` of the core gives it.
    """
    if kind.startswith("list("):
        return [to_program(kind[5:-1], v) for v in value]
    if kind == "shape":
        return TensorShape._of(value).as_proto()
    if kind == "tensor":
        return tensor_proto.make_tensor_proto(value)
    if kind == "func":
        return proto.NameAttrList(name=value)
    return value


def to_core(message):
    """Returns an `AttrValue` as `Graph.create_op` of the core takes it."""
    kind = message.WhichOneof("value")
    if kind is None:
        return []
    if kind == "list":
        for field, values in message.list.ListFields():
            return [_scalar(field.name, v) for v in values]
        return []
    return _scalar(kind, getattr(message, kind))


def _scalar(kind, value):
    if kind == "shape":
        return TensorShape(value)._for_core()
    if kind == "tensor":
        return tensor_proto.MakeNdarray(value)
    if kind == "func":
        return value.name
    return value


def of_python(value):
    """Returns an `AttrValue` of a plain Python value, a `DType` or a `TensorShape`; an `AttrValue` as it is."""
    if isinstance(value, proto.AttrValue):
        return value
    if isinstance(value, bool):
        return proto.AttrValue(b=value)
    if isinstance(value, int):
        return proto.AttrValue(i=value)
    if isinstance(value, float):
        return proto.AttrValue(f=value)
    if isinstance(value, str):
        return proto.AttrValue(s=value.encode())
    if isinstance(value, bytes):
        return proto.AttrValue(s=value)
    if isinstance(value, dtypes.DType):
        return proto.AttrValue(type=value.as_datatype_enum)
    if isinstance(value, TensorShape):
        return proto.AttrValue(shape=value.as_proto())
    raise TypeError(f"an attribute cannot be {value!r}")
