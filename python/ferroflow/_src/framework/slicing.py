"""`x[1:, ..., tf.newaxis]`: indexing of tensors and of variables."""

import sys

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.packing import stack
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import Dimension

_INDEX_TYPES = (dtypes.int32, dtypes.int32_ref, dtypes.int64, dtypes.int64_ref)
_masked = None


def register_boolean_mask(function):
    """Called once by the array ops: what `x[mask]` does."""
    global _masked
    _masked = function


def masked(tensor, mask):
    """Returns `tf.boolean_mask(tensor, mask)`."""
    return _masked(tensor, mask)


def _check_index(index):
    if isinstance(index, (int, Dimension)):
        return
    dtype = getattr(index, "dtype", None)
    if dtype is None or dtypes.as_dtype(dtype) not in _INDEX_TYPES or (index.shape and len(index.shape) == 1):
        raise TypeError(
            "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors "
            f"are valid indices, got {index!r}"
        )


class _Spec:
    """The arguments of a StridedSlice, one dimension of the index at a time."""

    def __init__(self):
        self.begin, self.end, self.strides = [], [], []
        self.masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)

    def add(self, begin, end, stride, *masks):
        bit = 1 << len(self.begin)
        for mask in masks:
            self.masks[mask] |= bit
        self.begin.append(begin)
        self.end.append(end)
        self.strides.append(stride)

    def add_slice(self, index):
        masks = []
        ends = []
        for value, mask in ((index.start, "begin_mask"), (index.stop, "end_mask")):
            if value is None or (not isinstance(value, TensorBase) and value == sys.maxsize):
                masks.append(mask)
                value = 0
            else:
                _check_index(value)
            ends.append(value)
        if index.step is not None:
            _check_index(index.step)
        self.add(*ends, 1 if index.step is None else index.step, *masks)


def _spec_of(index):
    spec = _Spec()
    for part in index if isinstance(index, (list, tuple)) else [index]:
        if isinstance(part, slice):
            spec.add_slice(part)
        elif part is Ellipsis:
            spec.add(0, 0, 1, "ellipsis_mask")
        elif part is None:
            spec.add(0, 0, 1, "new_axis_mask")
        else:
            _check_index(part)
            spec.add(part, part + 1, 1, "shrink_axis_mask")
    return spec


def getitem(tensor, index, variable=None):
    """Returns `tensor[index]`.

    Args:
      tensor: a `Tensor`, or a variable's value.
      index: what stands between the brackets.
      variable: the variable that a slice of can be assigned to: the result gets a method `assign`.

    Raises:
      TypeError: for an index of another kind.
      ValueError: when it is out of range.
    """
    if isinstance(index, bool) or getattr(index, "dtype", None) in (dtypes.bool, np.bool_):
        return _masked(tensor, index)
    spec = _spec_of(index)
    with name_scope(None, "strided_slice", [tensor, *spec.begin, *spec.end, *spec.strides]) as name:
        if spec.begin:
            ends = [stack(spec.begin), stack(spec.end), stack(spec.strides)]
            if any(t.dtype is dtypes.int64 for t in ends):
                ends = [t if t.dtype is dtypes.int64 else apply_op("Cast", t, DstT=dtypes.int64) for t in ends]
        else:
            ends = [apply_op("Const", value=np.zeros(0, np.int32), dtype=dtypes.int32)] * 3
        return strided_slice(tensor, *ends, **spec.masks, var=variable, name=name)


def strided_slice(
    input_,
    begin,
    end,
    strides=None,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
    var=None,
    name=None,
):
    """Takes every `strides`-th element from `begin` up to `end` in each dimension.

    Args:
      input_: a `Tensor`.
      begin: int32 or int64, one number a dimension of the index.
      end: the same.
      strides: the same; None for ones.
      begin_mask: a bit for each dimension whose `begin` does not count.
      end_mask: the same for `end`.
      ellipsis_mask: the bit of the dimension that stands for all that are not named.
      new_axis_mask: a bit for each new dimension of size 1.
      shrink_axis_mask: a bit for each dimension that is indexed, and falls away.
      var: the variable that `input_` is read from, if it can be assigned to.
      name: the operation's name.

    Returns:
      A `Tensor` with a method `assign(value, name=None)`, for a slice of `var`.
    """
    if strides is None:
        strides = apply_op("OnesLike", begin)
    masks = {
        "begin_mask": begin_mask,
        "end_mask": end_mask,
        "ellipsis_mask": ellipsis_mask,
        "new_axis_mask": new_axis_mask,
        "shrink_axis_mask": shrink_axis_mask,
    }
    made = apply_op("StridedSlice", input_, begin, end, strides, name=name, **masks)
    parent = name

    def assign(val, name=None):
        if var is None:
            raise ValueError("Sliced assignment is only supported for variables")
        if name is None:
            name = parent + "_assign"
        return var._strided_slice_assign(begin=begin, end=end, strides=strides, value=val, name=name, **masks)

    made.assign = assign
    return made


def getitem_of_variable(variable, index):
    """Returns `variable[index]`, which can be assigned to."""
    return getitem(variable.value(), index, variable)
