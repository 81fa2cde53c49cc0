"""Slots: variables kept beside another variable (or a tensor), under its name and on its device.

Optimizers keep their state in slots, moving averages their shadows.
"""

from contextlib import nullcontext

from ferroflow._src.framework import variable_scope as vs
from ferroflow._src.framework.initializers import zeros_initializer
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.framework.variables import RefVariable, Variable
from ferroflow._src.ops import filling, shaping


def create_slot(primary, val, name, colocate_with_primary=True):
    """Makes a slot that starts as the tensor `val`.

    Args:
      primary: the `Variable` or `Tensor` beside which the slot stands.
      val: a `Tensor`; its dtype and shape are the slot's.
      name: the slot's name under that of `primary`; made unique there.
      colocate_with_primary: whether the slot goes to the device of `primary`.

    Returns:
      A `Variable` that is not trainable.
    """
    return _make(primary, val, None, None, val.get_shape().is_fully_defined(), name, colocate_with_primary)


def create_slot_with_initializer(primary, initializer, shape, dtype, name, colocate_with_primary=True):
    """Makes a slot of `shape` and `dtype` that starts as `initializer` gives it; else as `create_slot`."""
    return _make(primary, initializer, shape, dtype, shape.is_fully_defined(), name, colocate_with_primary)


def create_zeros_slot(primary, name, dtype=None, colocate_with_primary=True):
    """Makes a slot of zeros with the shape of `primary`, and its dtype unless told; else as `create_slot`."""
    dtype = primary.dtype if dtype is None else dtype
    shape = primary.get_shape()
    if shape.is_fully_defined():
        return create_slot_with_initializer(primary, zeros_initializer(), shape, dtype, name, colocate_with_primary)
    value = primary.initialized_value() if isinstance(primary, Variable) else primary
    zeros = filling.zeros(shaping.shape(value), dtype=dtype)
    return create_slot(primary, zeros, name, colocate_with_primary)


def _make(primary, initial, shape, dtype, validate_shape, name, colocate_with_primary):
    # As the scope's default name, so that under reuse the slot is found and otherwise gets a free name.
    with vs.variable_scope(None, primary.op.name + "/" + name):
        with colocate_with(primary) if colocate_with_primary else nullcontext():
            slot = _unpartitioned(primary, initial, shape, dtype, validate_shape)
    if isinstance(primary, Variable) and primary._save_slice_info:
        _share_slice_info(primary, slot)
    return slot


def _unpartitioned(primary, initial, shape, dtype, validate_shape):
    """Makes the variable that the current scope itself names, whatever partitioner is in force."""
    scope = vs.get_variable_scope()
    partitioner = scope.partitioner
    scope.set_partitioner(None)
    slot = vs.get_variable(
        "",
        initializer=initial,
        trainable=False,
        use_resource=_use_resource(primary),
        shape=shape if callable(initial) else None,
        dtype=dtype,
        validate_shape=validate_shape,
    )
    scope.set_partitioner(partitioner)
    return slot


def _use_resource(primary):
    """What the slot's kind must be: that of a variable, or None (as the scope says) beside a tensor."""
    if is_resource_variable(primary):
        return True
    return False if isinstance(primary, RefVariable) else None


def _share_slice_info(primary, slot):
    """A slot of one part of a partitioned variable is saved as that part of the whole variable's slot."""
    own_name = slot.name[len(primary.op.name) + 1 : -len(":0")]
    part = primary._save_slice_info
    slot._set_save_slice_info(
        Variable.SaveSliceInfo(
            part.full_name + "/" + own_name, part.full_shape[:], part.var_offset[:], part.var_shape[:]
        )
    )
