"""Choosing elements by index or mask, repeating them, and sorting them into place."""

from ferroflow._src.framework import dtypes, slicing, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import as_shape
from ferroflow._src.ops import array, filling, shaping
from ferroflow._src.ops.arguments import renamed


def where(condition, x=None, y=None, name=None):
    """Chooses between `x` and `y`, or finds where a condition holds.

    Args:
      condition: bool: of the shape of `x`, or a scalar, or a vector that chooses rows.
      x: what is taken where it is True; None for the indices.
      y: what is taken elsewhere, of the type and shape of `x`.
      name: the operation's name.

    Returns:
      A `Tensor` like `x`; or int64 [how many are True, rank of `condition`].

    Raises:
      ValueError: when only one of `x` and `y` is given.
    """
    return _where("Select", condition, x, y, name)


def where_v2(condition, x=None, y=None, name=None):
    """`where` whose three arguments broadcast.

    Args:
      condition: bool.
      x: what is taken where it is True; None for the indices.
      y: what is taken elsewhere.
      name: the operation's name.

    Returns:
      A `Tensor` of the broadcast shape; or int64 [how many are True, rank of `condition`].

    Raises:
      ValueError: when only one of `x` and `y` is given.
    """
    return _where("SelectV2", condition, x, y, name)


def _where(select, condition, x, y, name):
    if x is None and y is None:
        with name_scope(name, "Where", [condition]) as name:
            condition = convert_to_tensor(condition, preferred_dtype=dtypes.bool, name="condition")
            return apply_op("Where", condition, name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return apply_op(select, condition, x, y, name=name)


def gather(params, indices, validate_indices=None, name=None, axis=None, batch_dims=0):
    """Takes slices along a dimension.

    Args:
      params: a `Tensor` or variable.
      indices: int32 or int64 of any shape.
      validate_indices: has no effect.
      name: the operation's name.
      axis: which dimension; None for the first after the batch.
      batch_dims: how many dimensions `params` and `indices` share.

    Returns:
      A `Tensor` of the type of `params`, where the shape of `indices` stands in place of the dimension.
    """
    del validate_indices
    if axis is None:
        axis = batch_dims
    if tensor_util.constant_value(axis) != 0:
        return apply_op("GatherV2", params, indices, axis, batch_dims=batch_dims, name=name)
    read = getattr(params, "sparse_read", None)
    if read is not None:
        return read(indices, name=name)
    return apply_op("GatherV2", params, indices, axis, name=name)


def gather_v2(params, indices, validate_indices=None, axis=None, batch_dims=0, name=None):
    """`gather` with TensorFlow 2's order of arguments."""
    return gather(params, indices, validate_indices, name, axis, batch_dims)


def batch_gather(params, indices, name=None):
    """Takes slices of each element of a batch.

    Args:
      params: a `Tensor`.
      indices: int32 or int64; all its dimensions but the last are those of the batch.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `params`.

    Raises:
      ValueError: when the rank of `indices` is not known, or not less than that of `params`.
    """
    with name_scope(name, "BatchGather", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        ndims = indices.shape.ndims
        if ndims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        batch_dims = ndims - 1
        if params.shape.ndims is not None and batch_dims >= params.shape.ndims:
            raise ValueError(f"batch_dims = {batch_dims} must be less than rank(params) = {params.shape.ndims}")
        return _gather_of_batch(params, indices, batch_dims)


def _gather_of_batch(params, indices, batch_dims):
    """Flattens the batch into the gathered dimension and shifts the indices accordingly."""
    indices_shape, params_shape = shaping.shape(indices), shaping.shape(params)
    ndims, dtype = indices.shape.ndims, indices.dtype.base_dtype
    flat = indices
    stride = filling.ones((), dtype=dtype)
    sizes = apply_op("Cast", params_shape, DstT=dtype)
    for dim in range(batch_dims, 0, -1):
        size = sizes[dim - 1]
        stride *= sizes[dim]
        start, step = filling.zeros((), dtype=dtype), filling.ones((), dtype=dtype)
        offsets = apply_op("Range", start, size, step)
        offsets *= stride
        offsets_shape = array.stack([1] * (dim - 1) + [size] + [1] * (ndims - dim), axis=0)
        flat += array.reshape(offsets, offsets_shape)
    flat = array.reshape(flat, [-1])
    inner = params_shape[batch_dims + 1 :]
    rows = apply_op("Prod", params_shape[: batch_dims + 1], [0], keep_dims=False)
    found = gather(array.reshape(params, array.concat([[rows], inner], axis=0)), flat)
    result = array.reshape(found, array.concat([indices_shape, inner], axis=0))
    known = indices.shape[:batch_dims].merge_with(params.shape[:batch_dims])
    known = known.concatenate(indices.shape[batch_dims:]).concatenate(params.shape[batch_dims + 1 :])
    result.set_shape(known)
    return result


def gather_nd(params, indices, name=None, batch_dims=0):
    """Takes elements or slices by their coordinates.

    Args:
      params: a `Tensor` or variable.
      indices: int32 or int64; its last dimension holds coordinates.
      name: the operation's name.
      batch_dims: how many dimensions `params` and `indices` share.

    Returns:
      A `Tensor` of the type of `params`.
    """
    known = tensor_util.constant_value(batch_dims)
    if known is not None:
        batch_dims = int(known)
    if batch_dims:
        return _gather_nd_of_batch(params, indices, batch_dims, name)
    read = getattr(params, "gather_nd", None)
    if read is not None:
        return read(indices, name=name)
    return apply_op("GatherNd", params, indices, name=name)


def _gather_nd_of_batch(params, indices, batch_dims, name):
    with name_scope(name, "BatchGatherND", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        if not isinstance(batch_dims, int):
            raise TypeError(f"batch_dims must be an int; got {batch_dims!r}")
        if batch_dims < 0:
            raise ValueError("tf.gather_nd does not allow negative batch_dims.")
        for label, tensor in (("indices", indices), ("params", params)):
            if tensor.shape.ndims is not None and batch_dims >= tensor.shape.ndims:
                raise ValueError(f"batch_dims = {batch_dims} must be less than rank({label}) = {tensor.shape.ndims}")
        params_shape, indices_shape = shaping.shape(params), shaping.shape(indices)
        batch_shape = params_shape[:batch_dims]
        batch_size = apply_op("Prod", batch_shape, [0])
        inner_ndims = shaping.rank(indices) - batch_dims - 1
        inner_shape = indices_shape[batch_dims:-1]
        ranges = [
            apply_op("Cast", apply_op("Range", 0, x, 1), DstT=indices.dtype) for x in array.unstack(batch_shape, axis=0)
        ]
        meshes = array.meshgrid(*ranges, indexing="ij") if ranges else []
        flat = [array.reshape(x, shape=(-1,)) for x in meshes]
        grid = array.transpose(array.stack(flat, axis=0))
        grid_shape = shaping.shape(grid)
        wide = [grid_shape[:1], filling.ones(inner_ndims, dtype=dtypes.int32), grid_shape[1:]]
        grid = array.reshape(grid, array.concat(wide, axis=0))
        grid = array.tile(grid, multiples=array.concat(((1,), inner_shape, (1,)), axis=0))
        flat_shape = array.concat(([batch_size], indices_shape[batch_dims:]), axis=0)
        indices = array.concat((grid, array.reshape(indices, shape=flat_shape)), axis=-1)
        out = apply_op("GatherNd", params, indices)
        out_shape = shaping.shape(out)
        return array.reshape(out, shape=array.concat((batch_shape, out_shape[1:]), axis=0))


def boolean_mask(tensor, mask, name="boolean_mask", axis=None):
    """Takes the elements where a mask is True.

    Args:
      tensor: a `Tensor`.
      mask: bool, of known rank and at least 1, whose shape is that of `tensor` from `axis` on.
      name: the name scope.
      axis: where the mask begins; None for 0.

    Returns:
      A `Tensor` of the type of `tensor`, in which one dimension stands for those of the mask.

    Raises:
      ValueError: when the shapes do not fit, or the mask's rank is unknown or 0.
    """
    with name_scope(name, values=[tensor, mask]):
        tensor = convert_to_tensor(tensor, name="tensor")
        mask = convert_to_tensor(mask, name="mask")
        ndims, known = mask.shape.ndims, tensor.shape
        if ndims == 0:
            raise ValueError("mask cannot be scalar.")
        if ndims is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  E.g. shape=[None] is "
                "ok, but shape=None is not."
            )
        axis = 0 if axis is None else axis
        known[axis : axis + ndims].assert_is_compatible_with(mask.shape)
        leading = apply_op("Prod", shaping.shape(tensor)[axis : axis + ndims], [0])
        tensor = array.reshape(
            tensor, array.concat([shaping.shape(tensor)[:axis], [leading], shaping.shape(tensor)[axis + ndims :]], 0)
        )
        first = known[axis : axis + ndims].num_elements()
        tensor.set_shape(as_shape(known[:axis]).concatenate([first]).concatenate(known[axis + ndims :]))
        mask = array.reshape(mask, [-1])
        return gather(tensor, array.squeeze(where(mask), axis=[1]), axis=axis)


slicing.register_boolean_mask(boolean_mask)


def boolean_mask_v2(tensor, mask, axis=None, name="boolean_mask"):
    """`boolean_mask` with TensorFlow 2's order of arguments."""
    return boolean_mask(tensor, mask, name, axis)


def sparse_mask(a, mask_indices, name=None):
    """Drops rows of indexed slices.

    Args:
      a: an `IndexedSlices`.
      mask_indices: the indices of the rows to drop.
      name: the operation's name.

    Returns:
      An `IndexedSlices` without them.
    """
    with name_scope(name, "sparse_mask", [a, mask_indices]) as name:
        kept = apply_op("ListDiff", a.indices, mask_indices)
        return IndexedSlices(gather(a.values, kept.idx, name=name), kept.out, a.dense_shape)


def unique(x, out_idx=dtypes.int32, name=None):
    """Finds the different elements of a vector, in the order in which they first appear.

    Args:
      x: a `Tensor` of rank 1.
      out_idx: int32 or int64.
      name: the operation's name.

    Returns:
      A named tuple: `y`, the elements; `idx`, for each element of `x` its place in `y`.
    """
    return apply_op("Unique", x, out_idx=out_idx, name=name)


def unique_with_counts(x, out_idx=dtypes.int32, name=None):
    """`unique` that also counts.

    Args:
      x: a `Tensor` of rank 1.
      out_idx: int32 or int64.
      name: the operation's name.

    Returns:
      A named tuple: `y`, the elements; `idx`, for each element of `x` its place in `y`; `count`, of each.
    """
    return apply_op("UniqueWithCounts", x, out_idx=out_idx, name=name)


def setdiff1d(x, y, index_dtype=dtypes.int32, name=None):
    """Finds the elements of one vector that are not in another.

    Args:
      x: a `Tensor` of rank 1.
      y: a `Tensor` of rank 1 of the same type.
      index_dtype: int32 or int64.
      name: the operation's name.

    Returns:
      A named tuple: `out`, the elements in their order; `idx`, their places in `x`.
    """
    return apply_op("ListDiff", x, y, out_idx=index_dtype, name=name)


listdiff = setdiff1d


def sequence_mask(lengths, maxlen=None, dtype=dtypes.bool, name=None):
    """Makes rows that begin with as many Trues as `lengths` says.

    Args:
      lengths: integers of any shape.
      maxlen: an integer scalar, the rows' length; None for the greatest of `lengths`.
      dtype: the type of the result.
      name: the name scope.

    Returns:
      A `Tensor` of `dtype` whose rank is one more than that of `lengths`.

    Raises:
      ValueError: when `maxlen` is no scalar.
    """
    with name_scope(name, "SequenceMask", [lengths, maxlen]):
        lengths = convert_to_tensor(lengths)
        if maxlen is None:
            maxlen = apply_op("Max", lengths, shaping.all_dimensions(lengths))
            maxlen = apply_op("Maximum", constant(0, maxlen.dtype), maxlen)
        else:
            maxlen = convert_to_tensor(maxlen)
        if maxlen.shape.ndims not in (None, 0):
            raise ValueError("maxlen must be scalar for sequence_mask")
        row = apply_op("Range", constant(0, maxlen.dtype), maxlen, constant(1, maxlen.dtype))
        column = apply_op("Cast", array.expand_dims(lengths, -1), DstT=maxlen.dtype)
        result = row < column
        if dtype is None or dtypes.as_dtype(dtype).base_dtype == dtypes.bool:
            return result
        return apply_op("Cast", result, DstT=dtype)


def reverse(tensor, axis, name=None):
    """Reverses dimensions.

    Args:
      tensor: a `Tensor` of numbers, bool, string.
      axis: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `tensor`.
    """
    return apply_op("ReverseV2", tensor, axis, name=name)


reverse_v2 = reverse


def reverse_sequence(
    input,
    seq_lengths,
    seq_axis=None,
    batch_axis=None,
    name=None,
    seq_dim=None,
    batch_dim=None,
):
    """Reverses the first elements of each row, as many as `seq_lengths` says.

    Args:
      input: a `Tensor`.
      seq_lengths: int32 or int64 [size of the batch].
      seq_axis: the dimension that is partly reversed.
      batch_axis: the dimension of the batch; None for 0.
      name: the operation's name.
      seq_dim: the older name of `seq_axis`.
      batch_dim: the older name of `batch_axis`.

    Returns:
      A `Tensor` of the type and shape of `input`.
    """
    seq_axis = renamed("seq_axis", seq_axis, "seq_dim", seq_dim)
    batch_axis = renamed("batch_axis", batch_axis, "batch_dim", batch_dim)
    return apply_op("ReverseSequence", input, seq_lengths, seq_dim=seq_axis, batch_dim=batch_axis, name=name)


def roll(input, shift, axis, name=None):
    """Moves elements along dimensions; those that leave at one end come in at the other.

    Args:
      input: a `Tensor`.
      shift: int32 or int64: how far, a number or one for each axis.
      axis: int32 or int64: which dimensions.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `input`.
    """
    return apply_op("Roll", input, shift, axis, name=name)


def searchsorted(sorted_sequence, values, side="left", out_type=dtypes.int32, name=None):
    """Finds where values belong in sorted rows.

    Args:
      sorted_sequence: a `Tensor` whose last dimension is sorted.
      values: a `Tensor` of the same type and the same other dimensions.
      side: 'left', before equal elements, or 'right', after them.
      out_type: int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of `out_type` with the shape of `values`.

    Raises:
      ValueError: for another side.
    """
    length = shaping.shape_internal(sorted_sequence)[-1]
    count = shaping.shape_internal(values)[-1]
    sequences = array.reshape(sorted_sequence, [-1, length])
    wanted = array.reshape(values, [-1, count])
    if side not in ("left", "right"):
        raise ValueError(f"side must be either 'right' or 'left'.  Saw: {side}.")
    op = "UpperBound" if side == "right" else "LowerBound"
    found = apply_op(op, sequences, wanted, out_type=out_type, name=name)
    return array.reshape(found, shaping.shape_internal(values))


def _as_int32(tensor, name):
    tensor = convert_to_tensor(tensor, name=name, preferred_dtype=dtypes.int32)
    if not tensor.dtype.is_integer:
        raise TypeError(f"{name} must be an integer tensor; dtype={tensor.dtype}")
    return apply_op("Cast", tensor, DstT=dtypes.int32)


def _tile_axis(data, axis, multiple):
    if data.shape.ndims is not None:
        multiples = [1] * data.shape.ndims
        multiples[axis] = multiple
    else:
        ones = filling.ones(shaping.rank(data), dtypes.int32)
        multiples = array.concat([ones[:axis], [multiple], ones[axis + 1 :]], axis=0)
    return array.tile(data, multiples)


def repeat(input, repeats, axis=None, name=None):
    """Repeats elements along a dimension.

    Args:
      input: a `Tensor`.
      repeats: integers: how often, a number or one for each element of the dimension.
      axis: which dimension; None flattens `input` first.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      TypeError: when `axis` is no int.
      ValueError: for an axis out of range.
    """
    if axis is None:
        input, axis = array.reshape(input, [-1]), 0
    if not isinstance(axis, int):
        raise TypeError(f"axis must be an int; got {type(axis).__name__}")
    with name_scope(name, "Repeat", [input, repeats]):
        data = convert_to_tensor(input, name="data")
        repeats = _as_int32(repeats, "repeats")
        repeats.shape.with_rank_at_most(1)
        if data.shape.ndims == 0:
            data = array.stack([data])
        data_shape = shaping.shape(data)
        ndims = data.shape.ndims
        if ndims is not None and not -ndims <= axis < ndims:
            raise ValueError(f"axis={axis} out of bounds: expected {-ndims}<=axis<{ndims}")
        if axis < 0:
            if ndims is None:
                raise ValueError("axis may only be negative if ndims is statically known.")
            axis += ndims
        if repeats.shape.ndims == 0:
            tiled = _tile_axis(array.expand_dims(data, axis + 1), axis + 1, repeats)
            return array.reshape(tiled, array.concat([data_shape[:axis], [-1], data_shape[axis + 1 :]], axis=0))
        return _repeat_each(data, data_shape, repeats, axis)


def _repeat_each(data, data_shape, repeats, axis):
    if repeats.shape.ndims != axis + 1:
        repeats_shape, ndims = shaping.shape(repeats), shaping.rank(repeats)
        wide = array.concat([data_shape[: axis + 1 - ndims], repeats_shape], axis=0)
        repeats = array.broadcast_to(repeats, wide)
        repeats.set_shape([None] * (axis + 1))
    most = apply_op("Maximum", 0, apply_op("Max", repeats, shaping.all_dimensions(repeats)))
    mask = sequence_mask(repeats, most)
    tiled = _tile_axis(array.expand_dims(data, axis + 1), axis + 1, most)
    result = boolean_mask(tiled, mask)
    if axis != 0:
        result = array.reshape(result, array.concat([data_shape[:axis], [-1], data_shape[axis + 1 :]], axis=0))
    if data.shape.ndims is not None:
        size = 0 if repeats.shape[0] == 0 else None
        result.set_shape(data.shape[:axis].concatenate([size]).concatenate(data.shape[axis + 1 :]))
    return result


def scatter_nd(indices, updates, shape, name=None):
    """Makes a tensor of zeros in which values stand at given coordinates; those named twice add up.

    Args:
      indices: a `Tensor` of int32 or int64.
      updates: a `Tensor` of any type.
      shape: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `updates`.
    """
    return apply_op("ScatterNd", indices, updates, shape, name=name)


def tensor_scatter_update(tensor, indices, updates, name=None):
    """Returns a copy in which values at given coordinates are replaced.

    Args:
      tensor: a `Tensor` of any type.
      indices: a `Tensor` of int32 or int64.
      updates: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `tensor`.
    """
    return apply_op("TensorScatterUpdate", tensor, indices, updates, name=name)


def tensor_scatter_add(tensor, indices, updates, name=None):
    """Returns a copy in which values are added at given coordinates.

    Args:
      tensor: a `Tensor` of any type.
      indices: a `Tensor` of int32 or int64.
      updates: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `tensor`.
    """
    return apply_op("TensorScatterAdd", tensor, indices, updates, name=name)


def tensor_scatter_sub(tensor, indices, updates, name=None):
    """Returns a copy from which values are subtracted at given coordinates.

    Args:
      tensor: a `Tensor` of any type.
      indices: a `Tensor` of int32 or int64.
      updates: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `tensor`.
    """
    return apply_op("TensorScatterSub", tensor, indices, updates, name=name)


def invert_permutation(x, name=None):
    """Returns the permutation that undoes another.

    Args:
      x: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x`.
    """
    return apply_op("InvertPermutation", x, name=name)


def dynamic_partition(data, partitions, num_partitions, name=None):
    """Sorts slices into several tensors by their number.

    Args:
      data: a `Tensor` of any type.
      partitions: a `Tensor` of int32.
      num_partitions: an integer.
      name: the operation's name.

    Returns:
      A list of `Tensor`s of the type of `data`.
    """
    return apply_op("DynamicPartition", data, partitions, num_partitions=num_partitions, name=name)


def dynamic_stitch(indices, data, name=None):
    """Puts slices of several tensors in the places that indices tell; the last one wins.

    Args:
      indices: a list of `Tensor`s of int32.
      data: a list of `Tensor`s of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("DynamicStitch", indices, data, name=name)


def parallel_dynamic_stitch(indices, data, name=None):
    """`dynamic_stitch` without an order among equal indices.

    Args:
      indices: a list of `Tensor`s of int32.
      data: a list of `Tensor`s of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("ParallelDynamicStitch", indices, data, name=name)


def unravel_index(indices, dims, name=None):
    """Turns places in a flat array into coordinates.

    Args:
      indices: a `Tensor` of int32 or int64.
      dims: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `indices`.
    """
    return apply_op("UnravelIndex", indices, dims, name=name)
