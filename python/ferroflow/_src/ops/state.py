"""Updates of variables: assigned, added to, and changed at some rows."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, filling, shaping


def assign(ref, value, validate_shape=None, use_locking=None, name=None):
    """Sets a variable.

    Args:
      ref: a variable.
      value: a `Tensor` of its type.
      validate_shape: whether the shape must be the variable's; None for True.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    if ref.dtype._is_ref_dtype:
        return apply_op("Assign", ref, value, use_locking=use_locking, validate_shape=validate_shape, name=name)
    return ref.assign(value, name=name)


def assign_add(ref, value, use_locking=None, name=None):
    """Adds to a variable.

    Args:
      ref: a variable of numbers.
      value: a `Tensor` of its type and shape.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    if ref.dtype._is_ref_dtype:
        return apply_op("AssignAdd", ref, value, use_locking=use_locking, name=name)
    return ref.assign_add(value)


def assign_sub(ref, value, use_locking=None, name=None):
    """Subtracts from a variable.

    Args:
      ref: a variable of numbers.
      value: a `Tensor` of its type and shape.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    if ref.dtype._is_ref_dtype:
        return apply_op("AssignSub", ref, value, use_locking=use_locking, name=name)
    return ref.assign_sub(value)


def is_variable_initialized(ref, name=None):
    """Finds whether a variable has a value.

    Args:
      ref: a variable.
      name: the operation's name.

    Returns:
      A bool scalar.
    """
    if ref.dtype._is_ref_dtype:
        return apply_op("IsVariableInitialized", ref, name=name)
    return ref.is_initialized(name=name)


def count_up_to(ref, limit, name=None):
    """Adds 1 to a variable until it reaches a limit.

    Args:
      ref: a scalar variable of int32 or int64.
      limit: an integer; beyond it the run ends with OutOfRangeError.
      name: the operation's name.

    Returns:
      The value before the update.
    """
    if ref.dtype._is_ref_dtype:
        return apply_op("CountUpTo", ref, limit=limit, name=name)
    return apply_op("ResourceCountUpTo", ref.handle, limit=limit, T=ref.dtype, name=name)


def _scatter(op, ref, indices, updates, use_locking, name):
    """A scatter for either kind of variable."""
    if ref.dtype._is_ref_dtype:
        return apply_op(op, ref, indices, updates, use_locking=use_locking, name=name)
    updates = convert_to_tensor(updates, ref.dtype)
    return ref._lazy_read(apply_op("Resource" + op, ref.handle, indices, updates, name=name))


def scatter_update(ref, indices, updates, use_locking=True, name=None):
    """Sets rows of a variable.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: their new values.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterUpdate", ref, indices, updates, use_locking, name)


def scatter_add(ref, indices, updates, use_locking=False, name=None):
    """Adds to rows of a variable; rows named twice are added to twice.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterAdd", ref, indices, updates, use_locking, name)


def scatter_sub(ref, indices, updates, use_locking=False, name=None):
    """Subtracts from rows of a variable; rows named twice are subtracted from twice.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterSub", ref, indices, updates, use_locking, name)


def scatter_mul(ref, indices, updates, use_locking=False, name=None):
    """Multiplies rows of a variable.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterMul", ref, indices, updates, use_locking, name)


def scatter_div(ref, indices, updates, use_locking=False, name=None):
    """Divides rows of a variable.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterDiv", ref, indices, updates, use_locking, name)


def scatter_max(ref, indices, updates, use_locking=False, name=None):
    """Takes the greater of each element of rows of a variable and another.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterMax", ref, indices, updates, use_locking, name)


def scatter_min(ref, indices, updates, use_locking=False, name=None):
    """Takes the lesser of each element of rows of a variable and another.

    Args:
      ref: a variable.
      indices: int32 or int64: which rows.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterMin", ref, indices, updates, use_locking, name)


def scatter_nd_update(ref, indices, updates, use_locking=True, name=None):
    """Sets elements or slices of a variable by their coordinates.

    Args:
      ref: a variable.
      indices: int32 or int64; the last dimension holds coordinates.
      updates: a `Tensor` of its type: their new values.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterNdUpdate", ref, indices, updates, use_locking, name)


def scatter_nd_add(ref, indices, updates, use_locking=False, name=None):
    """Adds to elements or slices of a variable by their coordinates.

    Args:
      ref: a variable.
      indices: int32 or int64; the last dimension holds coordinates.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterNdAdd", ref, indices, updates, use_locking, name)


def scatter_nd_sub(ref, indices, updates, use_locking=False, name=None):
    """Subtracts from elements or slices of a variable by their coordinates.

    Args:
      ref: a variable.
      indices: int32 or int64; the last dimension holds coordinates.
      updates: a `Tensor` of its type: the other numbers.
      use_locking: whether the update excludes others.
      name: the operation's name.

    Returns:
      The variable after the update.
    """
    return _scatter("ScatterNdSub", ref, indices, updates, use_locking, name)


def batch_scatter_update(ref, indices, updates, use_locking=True, name=None):
    """Sets rows of each element of a batch in a variable.

    Args:
      ref: a variable whose first dimensions are the batch.
      indices: int32 or int64 [*batch, rows].
      updates: a `Tensor` of its type: the new values.
      use_locking: whether the update excludes others.
      name: the name scope.

    Returns:
      The variable after the update.

    Raises:
      ValueError: when the rank of `indices` is not known.
    """
    with name_scope(name):
        indices = convert_to_tensor(indices, name="indices")
        sizes, ndims = shaping.shape(indices), indices.shape.ndims
        if ndims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        coordinates = array.expand_dims(indices, axis=-1)
        columns = []
        for dim in range(ndims - 1):
            size = sizes[dim]
            shape = [1] * (ndims + 1)
            shape[dim] = size
            counted = array.reshape(apply_op("Range", 0, size, 1), shape)
            if counted.dtype.base_dtype != coordinates.dtype:
                counted = apply_op("Cast", counted, DstT=coordinates.dtype)
            columns.append(counted * filling.ones_like(coordinates))
        columns.append(coordinates)
        return scatter_nd_update(ref, array.concat(columns, axis=-1), updates, use_locking=use_locking)
