"""tf.train.init_from_checkpoint: variables whose initializers read a checkpoint."""

import os

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.scopes import device
from ferroflow._src.framework.variable_store import default_variable_store
from ferroflow._src.framework.variables import Variable
from ferroflow._src.training import saveables
from ferroflow._src.training.checkpoint_utils import checkpoint_filename, load_checkpoint
from ferroflow._src.training.log import logger


def init_from_checkpoint(ckpt_dir_or_file, assignment_map):
    """Makes variables' initializers read their values from a checkpoint. Nothing is read before an initializer runs.

    Args:
      ckpt_dir_or_file: a checkpoint's prefix, or a folder whose newest is meant.
      assignment_map: a dict. `{'tensor': variable}`, `{'tensor': [parts of one variable]}` and
        `{'tensor': 'variable/name'}` mean one variable; `{'scope/': 'other_scope/'}` all variables made by
        `tf.get_variable` below `other_scope`, each from the tensor of its name below `scope` ('/' is the root).

    Raises:
      ValueError: when the checkpoint lacks a tensor, or shapes differ.
    """
    file = checkpoint_filename(ckpt_dir_or_file)
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    store = default_variable_store()._vars
    for tensor_name, target in sorted(assignment_map.items()):
        found = _variable_or_parts(target, store)
        if found is not None:
            _check_tensor(found, tensor_name, shapes, ckpt_dir_or_file)
            _initialize_from(found, file, tensor_name, ckpt_dir_or_file)
            continue
        for name, full_name in _names_below(target, tensor_name, store, shapes, ckpt_dir_or_file):
            _initialize_from(_variable_or_parts(name, store), file, full_name, ckpt_dir_or_file)


def is_variable(x):
    """Whether `x` is a variable, of whichever kind."""
    return isinstance(x, Variable) or is_resource_variable(x)


def _variable_or_parts(target, store):
    """What a value of the map means: a variable, a list of parts, or None for a scope."""
    if is_variable(target) or (isinstance(target, list) and all(is_variable(v) for v in target)):
        return target
    if target in store:
        return store[target]
    parts = []
    while f"{target}/part_{len(parts)}" in store:
        parts.append(store[f"{target}/part_{len(parts)}"])
    return parts or None


def _check_tensor(found, tensor_name, shapes, checkpoint):
    if tensor_name not in shapes:
        raise ValueError(f"Tensor {tensor_name} is not found in {checkpoint} checkpoint {shapes}")
    if is_variable(found) and not found.get_shape().is_compatible_with(shapes[tensor_name]):
        raise ValueError(
            f"Shape of variable {found.name} ({found.get_shape()}) doesn't match with shape of tensor {tensor_name} "
            f"({shapes[tensor_name]}) from checkpoint reader."
        )


def _names_below(target, tensor_name, store, shapes, checkpoint):
    """Yields (name of a variable below the scope `target`, name of its tensor below `tensor_name`)."""
    scope = target.rpartition("/")[0]
    if not tensor_name.endswith("/"):
        raise ValueError(
            f"Assignment map with scope only name {scope} should map to scope only {tensor_name}. "
            "Should be 'scope/': 'other_scope/'."
        )
    below = [name for name in store if not scope or name.startswith(scope + "/")]
    for name in sorted({name.partition("/part_")[0] for name in below}):
        inner = name[len(scope) :]
        if target != "/":
            inner = inner[1:]
        full_name = (inner if tensor_name == "/" else tensor_name + inner).removesuffix("/")
        if full_name not in shapes:
            raise ValueError(
                f"Tensor {full_name} ({name[len(scope) + 1 :]} in {tensor_name}) is not found in {checkpoint} checkpoint"
            )
        yield name, full_name


def _initialize_from(found, file, tensor_name, checkpoint):
    if is_variable(found):
        _set_initializer(found, file, tensor_name, "")
        names = found.name
    else:
        whole = found[0]._save_slice_info.full_name
        for part in found:
            info = part._save_slice_info
            if info.full_name != whole:
                raise ValueError(f"Slices must all be from the same tensor: {whole} != {info.full_name}")
            _set_initializer(part, file, tensor_name, info.spec)
        names = ",".join(part.name for part in found)
    logger.debug("Initialize variable %s from checkpoint %s with %s", names, checkpoint, tensor_name)


def _set_initializer(variable, file, tensor_name, slice_spec):
    # Files are read on a CPU, wherever the variable is.
    with device(variable.device), device("/cpu:0"):
        restored = apply_op(
            "RestoreV2",
            os.fspath(file),
            [tensor_name],
            [slice_spec],
            dtypes=[variable.dtype.base_dtype],
            name="checkpoint_initializer",
        )
        restored = restored[0] if isinstance(restored, (list, tuple)) else restored
        (saveable,) = saveables.saveables_of([variable])
    variable._initializer_op = saveable.restore([restored], restored_shapes=None)
    restored.set_shape(variable.shape)
    variable._initial_value = restored
