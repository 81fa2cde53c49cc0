"""`OpDef` messages, made from the core's signatures for those programs that ask for them."""

import functools

from ferroflow import _core
from ferroflow._src import proto
from ferroflow._src.framework import dtypes, tensor_proto
from ferroflow._src.framework.tensor_shape import TensorShape


@functools.cache
def op_def(op_type):
    """Returns the `OpDef` of an op.

    Raises:
      KeyError: when there is no such op.
    """
    signature = _core.op_signature(op_type)
    if signature is None:
        raise KeyError(op_type)
    message = proto.OpDef(name=op_type, is_stateful=signature.is_stateful)
    for ours, theirs in ((signature.inputs, message.input_arg), (signature.outputs, message.output_arg)):
        for arg in ours:
            theirs.add(
                name=arg.name,
                type=arg.dtype,
                type_attr=arg.type_attr,
                number_attr=arg.number_attr,
                type_list_attr=arg.type_list_attr,
                is_ref=arg.is_ref,
            )
    for attr in signature.attrs:
        _add_attr(message.attr.add(name=attr.name, type=attr.type), attr)
    return message


def _add_attr(message, attr):
    if attr.has_default:
        _set(message.default_value, attr.type, attr.default)
    if attr.allowed is not None:
        kind = attr.type.removeprefix("list(").removesuffix(")")
        _set(message.allowed_values, f"list({kind})", attr.allowed)
    if attr.minimum is not None:
        message.has_minimum, message.minimum = True, attr.minimum


_FIELDS = {"string": "s", "int": "i", "float": "f", "bool": "b", "type": "type"}


def _set(message, kind, value):
    if kind.startswith("list("):
        kind = kind[5:-1]
        message.list.SetInParent()
        if kind in _FIELDS:
            getattr(message.list, _FIELDS[kind]).extend(
                [dtypes.as_dtype(v)._type_enum for v in value] if kind == "type" else value
            )
        elif kind == "shape":
            message.list.shape.extend([TensorShape._of(v).as_proto() for v in value])
        elif kind == "tensor":
            message.list.tensor.extend([tensor_proto.make_tensor_proto(v) for v in value])
        else:
            message.list.func.extend([proto.NameAttrList(name=v) for v in value])
    elif kind in _FIELDS:
        setattr(message, _FIELDS[kind], value)
    elif kind == "shape":
        message.shape.CopyFrom(TensorShape._of(value).as_proto())
    elif kind == "tensor":
        message.tensor.CopyFrom(tensor_proto.make_tensor_proto(value))
    else:
        message.func.name = value
