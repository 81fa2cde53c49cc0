"""The call plan of each op: its signature in the form in which `apply_op` wants it, made on the op's first use."""

import collections
import re

from ferroflow import _core
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.tensor_shape import as_shape
from ferroflow._src.framework.text import as_bytes, real_types

_plans: dict = {}


_KINDS = {
    "type": "DataType",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "string": "string",
    "list(type": "list",
    "list(int": "list",
    "list(float": "list",
    "list(string": "list",
    "list(shape": "list",
}


class OpPlan:
    """What `apply_op` must know of an op."""

    __slots__ = (
        "attrs",
        "converters",
        "default_types",
        "inferred",
        "input_names",
        "inputs",
        "is_simple",
        "is_stateful",
        "name",
        "num_inputs",
        "outputs",
        "ref_inputs",
        "required",
        "result",
        "signature",
    )

    def __init__(self, signature):
        self.signature = signature
        self.name = signature.name
        self.inputs = tuple(signature.inputs)
        self.num_inputs = len(self.inputs)
        self.input_names = tuple(arg.name for arg in self.inputs)
        self.is_simple = not any(arg.number_attr or arg.type_list_attr for arg in self.inputs)
        self.ref_inputs = tuple(i for i, arg in enumerate(self.inputs) if arg.is_ref)
        self.is_stateful = signature.is_stateful
        self.attrs = {attr.name: attr for attr in signature.attrs}
        self.inferred = {
            name for arg in self.inputs for name in (arg.type_attr, arg.number_attr, arg.type_list_attr) if name
        }
        self.converters = {attr.name: _converter(attr, self.name) for attr in signature.attrs}
        # What must be given: how TensorFlow calls its type, or a list.
        self.required = {
            attr.name: "list" if attr.type.startswith("list(") else _KINDS[attr.type]
            for attr in signature.attrs
            if not attr.has_default and attr.name not in self.inferred and attr.type.removesuffix(")") in _KINDS
        }
        self.default_types = {
            attr.name: dtypes.as_dtype(attr.default)
            for attr in signature.attrs
            if attr.type == "type" and attr.has_default
        }
        self.outputs = tuple(signature.outputs)
        self.result = self._result()

    def _result(self):
        """'op' without outputs, 'tensor', 'list', or the class of the named tuple of several outputs."""
        if not self.outputs:
            return "op"
        if len(self.outputs) == 1:
            arg = self.outputs[0]
            return "list" if arg.number_attr or arg.type_list_attr else "tensor"
        names = [arg.name for arg in self.outputs]
        return collections.namedtuple(self.name, names, rename=True)


def plan_of(op_type):
    """Returns the plan of an op.

    Raises:
      RuntimeError: when there is no such op.
    """
    plan = _plans.get(op_type)
    if plan is None:
        signature = _core.op_signature(op_type)
        if signature is None:
            raise RuntimeError(f"Unrecognized Op name {op_type}")
        plan = _plans[op_type] = OpPlan(signature)
    return plan


# -- attributes: from what programs give to what the core takes --


def _converter(attr, op_type):
    """A function (value) -> value for the core, which checks the value as TensorFlow does."""
    name, kind = attr.name, attr.type
    if kind.startswith("list("):
        return _list_converter(attr, op_type, _scalar_converter(name, kind[5:-1]))
    convert = _scalar_converter(name, kind)
    if kind == "string" and attr.allowed is not None:
        return _allowed_string(attr, op_type, convert)
    if kind == "int" and attr.minimum is not None:
        minimum = attr.minimum

        def checked(value):
            value = convert(value)
            if value < minimum:
                raise ValueError(f"Attr '{name}' of '{op_type}' Op passed {value} less than minimum {minimum}.")
            return value

        return checked
    if kind == "type" and attr.allowed is not None:
        return _allowed_type(attr, convert)
    return convert


def no_list(name, op_type, values):
    """Returns the TypeError for an attribute that must be a list."""
    function = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", op_type).lower()
    return TypeError(f"Expected list for '{name}' argument to '{function}' Op, not {values!r}.")


def _list_converter(attr, op_type, convert):
    name, minimum = attr.name, attr.minimum

    def checked(values):
        if not isinstance(values, (list, tuple)):
            raise no_list(name, op_type, values)
        if minimum is not None and len(values) < minimum:
            raise ValueError(
                f"Attr '{name}' of '{op_type}' Op passed list of length {len(values)} less than minimum {minimum}."
            )
        return [convert(value) for value in values]

    return checked


def _allowed_string(attr, op_type, convert):
    allowed = list(attr.allowed)

    def checked(value):
        value = convert(value)
        if value not in allowed:
            texts = '", "'.join(a.decode() for a in allowed)
            raise ValueError(
                f"Attr '{attr.name}' of '{op_type}' Op passed string '{value.decode(errors='replace')}' "
                f'not in: "{texts}".'
            )
        return value

    return checked


def _allowed_type(attr, convert):
    allowed = frozenset(attr.allowed)

    def checked(value):
        number = convert(value)
        if number not in allowed:
            check_type_allowed(dtypes.as_dtype(number), attr, attr.name)
        return number

    return checked


def check_type_allowed(dtype, attr, param_name):
    """Raises TypeError when the attribute does not allow that type.

    Args:
      dtype: a `DType`.
      attr: the attribute's signature.
      param_name: the argument that gave the type.
    """
    if attr.allowed is None:
        return
    allowed = [dtypes.as_dtype(number) for number in attr.allowed]
    if dtype not in allowed:
        names = ", ".join(a.name for a in allowed)
        raise TypeError(
            f"Value passed to parameter '{param_name}' has DataType {dtype.name} not in list of allowed values: {names}"
        )


def _scalar_converter(name, kind):
    def fail(expected, value):
        return TypeError(f"Expected {expected} for argument '{name}' not {value!r}.")

    def to_int(value):
        if value.__class__ is int:
            return value
        if isinstance(value, str):
            raise fail("int", value)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise fail("int", value) from None

    def to_float(value):
        if not isinstance(value, real_types):
            raise fail("float", value)
        return float(value)

    def to_bool(value):
        if not isinstance(value, bool):
            raise fail("bool", value)
        return value

    def to_bytes(value):
        if not isinstance(value, (bytes, str)):
            raise fail("string", value)
        return as_bytes(value)

    def to_type(value):
        try:
            return dtypes.as_dtype(value).base_dtype._type_enum
        except TypeError:
            raise fail("DataType", value) from None

    def to_shape(value):
        try:
            return as_shape(value)._for_core()
        except TypeError as error:
            raise TypeError(f"Error converting {name} to a TensorShape: {error}.") from None
        except ValueError as error:
            raise ValueError(f"Error converting {name} to a TensorShape: {error}.") from None

    def to_tensor(value):
        from ferroflow._src.framework import tensor_proto

        return tensor_proto.attr_ndarray(value, name)

    def to_function(value):
        if hasattr(value, "add_to_graph"):
            value.add_to_graph(None)
            value = value.name
        if isinstance(value, (bytes, str)):
            return value.decode() if isinstance(value, bytes) else value
        return getattr(value, "name", value)

    kinds = {
        "int": to_int,
        "float": to_float,
        "bool": to_bool,
        "string": to_bytes,
        "type": to_type,
        "shape": to_shape,
        "tensor": to_tensor,
        "func": to_function,
    }
    return kinds[kind]
