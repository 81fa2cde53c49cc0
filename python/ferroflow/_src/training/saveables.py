"""What a Saver saves: objects of one or more tensors, each with the name that it has in a checkpoint."""

from ferroflow._src.framework.convert import to_tensor
from ferroflow._src.framework.device_spec import DeviceSpec
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.resource_variables import (
    BaseResourceVariable,
    is_resource_variable,
    shape_safe_assign_variable_handle,
)
from ferroflow._src.framework.scopes import device
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import array, state

_REFERENCES = ("Variable", "VariableV2", "AutoReloadVariable")
_VARIABLES = (*_REFERENCES, "VarHandleOp", "ReadVariableOp")


class SaveSpec:
    """One tensor of a checkpoint: the tensor (or a function that makes it), its slice and its name there."""

    def __init__(self, tensor, slice_spec, name, dtype=None, device=None):
        """Keeps the arguments.

        Args:
          tensor: a `Tensor`, or a function that makes it; then dtype and device must be given.
          slice_spec: which part of a partitioned variable it is, as text; '' for all of it.
          name: in the checkpoint.
          dtype: of the tensor.
          device: where it is saved.
        """
        self._tensor = tensor
        self.slice_spec = slice_spec
        self.name = name
        is_made_later = callable(tensor)
        if is_made_later and (dtype is None or device is None):
            raise AssertionError("When passing a callable `tensor` to a SaveSpec, dtype and device must be given.")
        self.dtype = dtype if is_made_later else tensor.dtype
        self.device = device if is_made_later or device is not None else tensor.device

    @property
    def tensor(self):
        """The tensor; made now, if a function makes it."""
        return self._tensor() if callable(self._tensor) else self._tensor


class SaveableObject:
    """Something that is saved as a few tensors and restored from them."""

    def __init__(self, op, specs, name):
        """Keeps the arguments.

        Args:
          op: the variable, or other thing, that is saved.
          specs: a list of `SaveSpec`.
          name: in the checkpoint.
        """
        self.op = op
        self.specs = specs
        self.name = name

    @property
    def optional_restore(self):
        """Whether it may be missing in a checkpoint."""
        return False

    @property
    def device(self):
        """Where its tensors are saved."""
        return self.specs[0].device

    def restore(self, restored_tensors, restored_shapes):
        """Returns the op that takes on `restored_tensors`, one a spec, reshaped to `restored_shapes` unless None."""
        raise NotImplementedError("Calling an abstract method.")


class ReferenceVariableSaveable(SaveableObject):
    """A reference variable."""

    def __init__(self, var, slice_spec, name):
        super().__init__(var, [SaveSpec(var, slice_spec, name, dtype=var.dtype)], name)

    def restore(self, restored_tensors, restored_shapes):
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = array.reshape(value, restored_shapes[0])
        checks_shape = restored_shapes is None and self.op.get_shape().is_fully_defined()
        return state.assign(self.op, value, validate_shape=checks_shape)


class ResourceVariableSaveable(SaveableObject):
    """A resource variable, or the tensor that reads one."""

    def __init__(self, var, slice_spec, name):
        self._device = var.device
        self._shape = var.shape
        if isinstance(var, Tensor):
            self.handle_op = var.op.inputs[0]
            tensor = var
        elif is_resource_variable(var):
            self.handle_op = var.handle
            tensor = _reader(var)
        else:
            raise ValueError(
                f"Saveable is neither a resource variable nor a read operation. Got: {var!r}"
            )
        super().__init__(var, [SaveSpec(tensor, slice_spec, name, dtype=var.dtype, device=var.device)], name)

    def restore(self, restored_tensors, restored_shapes):
        value = restored_tensors[0]
        if restored_shapes is not None:
            value = array.reshape(value, restored_shapes[0])
        with device(self._device):
            value = array.identity(value)
            return shape_safe_assign_variable_handle(self.handle_op, self._shape, value)


def _reader(variable):
    def read():
        with device(variable.device):
            value = variable.read_value()
            with device("/device:CPU:0"):
                return array.identity(value)

    return read


def on_cpu(device_string):
    """Returns the device's name with CPU 0 for its kind and number."""
    return DeviceSpec.from_string(device_string).replace(device_type="CPU", device_index=0).to_string()


def _as_variable_tensor(value, complain):
    """A variable as the tensor that is saved; `complain` makes the TypeError for what is none."""
    if isinstance(value, BaseResourceVariable):
        return value._graph_element
    tensor = to_tensor(value, as_ref=True)
    if not isinstance(tensor, Tensor) or tensor.op.type not in _VARIABLES:
        raise complain(tensor)
    return tensor


def by_name(variables):
    """Returns a dict of names in a checkpoint to variables (to lists of them where they are parts of one).

    Raises:
      TypeError: when this is no list of variables.
      ValueError: when two variables have one name.
    """
    if not isinstance(variables, (list, tuple, set)):
        raise TypeError(f"Variables to save should be passed in a dict or a list: {variables}")
    named = {}

    def add(name, value):
        if name in named:
            raise ValueError(f"At least two variables have the same name: {name}")
        named[name] = value

    for var in sorted(variables, key=lambda v: v.name):
        if isinstance(var, SaveableObject):
            named[var.name] = var
        elif isinstance(var, PartitionedVariable):
            add(var.name, var)
        elif isinstance(var, Variable) and var._save_slice_info:
            name = var._save_slice_info.full_name
            parts = named.setdefault(name, [])
            if not isinstance(parts, list):
                raise ValueError(f"Mixing slices and non-slices with the same name: {name}")
            parts.append(var)
        else:
            tensor = _as_variable_tensor(var, lambda v: TypeError(f"Variable to save is not a Variable: {v}"))
            op = tensor.op.inputs[0].op if tensor.op.type == "ReadVariableOp" else tensor.op
            add(op.name, tensor)
    return named


def _for_parts(parts, name):
    full_name = None
    for part in parts:
        if not isinstance(part, Variable):
            raise ValueError(f"Slices must all be Variables: {part}")
        info = part._save_slice_info
        if not info:
            raise ValueError(f"Slices must all be slices: {part}")
        if full_name is None:
            full_name = info.full_name
        elif full_name != info.full_name:
            raise ValueError(f"Slices must all be from the same tensor: {full_name} != {info.full_name}")
        kind = ReferenceVariableSaveable if part.op.type in _REFERENCES else ResourceVariableSaveable
        yield kind(part, info.spec, name)


def objects_for_one(value, name):
    """Yields the `SaveableObject`s of a variable, the parts of one, or what is one already."""
    if not isinstance(name, str):
        raise TypeError(
            "names_to_saveables must be a dict mapping string names to trackable operations. "
            f"Name is not a string: {name}"
        )
    if isinstance(value, SaveableObject):
        yield value
    elif isinstance(value, (list, tuple, PartitionedVariable)):
        yield from _for_parts(list(value), name)
    else:
        tensor = _as_variable_tensor(
            value,
            lambda v: TypeError(
                "names_to_saveables must be a dict mapping string names to Tensors/Variables. "
                f"Not a variable: {v}"
            ),
        )
        kind = ReferenceVariableSaveable if tensor.op.type in _REFERENCES else ResourceVariableSaveable
        yield kind(tensor, "", name)


def saveables_of(variables):
    """Returns the `SaveableObject`s of variables, given in a list or by name in a dict, in the order of their names.

    Raises:
      TypeError: for what is no variable.
      ValueError: when one is given twice.
    """
    named = variables if isinstance(variables, dict) else by_name(variables)
    saveables, seen = [], set()
    for name, value in sorted(named.items(), key=lambda item: item[0]):
        for saveable in objects_for_one(value, name):
            key = _identity(saveable.op)
            if key in seen:
                raise ValueError(f"The same saveable will be restored with two names: {saveable.name}")
            seen.add(key)
            saveables.append(saveable)
    return saveables


def _identity(op):
    """Tensors of one endpoint are one thing, whatever object stands for them."""
    return (op.graph, op.name) if isinstance(op, Tensor) else id(op)


def group_by_device(saveables):
    """Returns (device, saveables) pairs sorted by device.

    Raises:
      ValueError: when the tensors of one object are on several devices.
    """
    groups = {}
    for saveable in saveables:
        devices = {_canonical(spec.tensor.device) for spec in saveable.specs}
        if len(devices) != 1:
            raise ValueError(f"All tensors of a saveable object must be on the same device: {saveable.name}")
        groups.setdefault(devices.pop(), []).append(saveable)
    return sorted(groups.items(), key=lambda item: item[0])


def _canonical(name):
    return DeviceSpec.from_string(name or "").to_string()

