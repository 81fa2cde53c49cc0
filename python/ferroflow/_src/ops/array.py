"""Layout: what changes how elements are arranged."""

import numpy as np

from ferroflow._src.framework import dtypes, slicing, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import Dimension, TensorShape, dimension_value
from ferroflow._src.ops import filling, shaping
from ferroflow._src.ops.arguments import renamed

newaxis = None


def reshape(tensor, shape, name=None):
    """Arranges the elements in another shape, in the same order.

    Args:
      tensor: a `Tensor`.
      shape: int32 or int64 of rank 1; one element may be -1 and is then found from the others.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `tensor`.

    Raises:
      ValueError: when the numbers of elements are known and differ.
    """
    return apply_op("Reshape", tensor, shape, name=name)


def identity(input, name=None):
    """Returns its input, as an operation of its own.

    Args:
      input: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("Identity", input, name=name)


def identity_n(input, name=None):
    """Returns its inputs, all of them once all are there.

    Args:
      input: a list of `Tensor`s of any types.
      name: the operation's name.

    Returns:
      A list of `Tensor`s of any types.
    """
    return apply_op("IdentityN", input, name=name)


def stop_gradient(input, name=None):
    """Returns its input, and lets no gradient through.

    Args:
      input: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("StopGradient", input, name=name)


def guarantee_const(input, name=None):
    """Returns its input, which the program promises never changes.

    Args:
      input: a `Tensor` of any type.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("GuaranteeConst", input, name=name)


def expand_dims(input, axis=None, name=None, dim=None):
    """Adds a dimension of size 1.

    Args:
      input: a `Tensor`.
      axis: where: from -rank-1 to rank.
      name: the operation's name.
      dim: the older name of `axis`.

    Returns:
      A `Tensor` with the same elements.

    Raises:
      ValueError: without an axis.
    """
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return apply_op("ExpandDims", input, axis, name=name)


def squeeze(input, axis=None, name=None, squeeze_dims=None):
    """Drops dimensions of size 1.

    Args:
      input: a `Tensor`.
      axis: a number, or a list of numbers, of dimensions; None for all that have size 1.
      name: the operation's name.
      squeeze_dims: the older name of `axis`.

    Returns:
      A `Tensor` with the same elements.

    Raises:
      ValueError: when a dimension that is named has another size.
    """
    axis = renamed("axis", axis, "squeeze_dims", squeeze_dims)
    if np.isscalar(axis):
        axis = [axis]
    return apply_op("Squeeze", input, squeeze_dims=axis, name=name)


def slice(input_, begin, size, name=None):
    """Takes a block of elements.

    Args:
      input_: a `Tensor` of any type.
      begin: a `Tensor` of int32 or int64.
      size: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input_`.
    """
    return apply_op("Slice", input_, begin, size, name=name)


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
    return slicing.strided_slice(
        input_,
        begin,
        end,
        filling.ones_like(begin) if strides is None else strides,
        begin_mask,
        end_mask,
        ellipsis_mask,
        new_axis_mask,
        shrink_axis_mask,
        var,
        name,
    )


def stack(values, axis=0, name="stack"):
    """Packs tensors of one shape along a new dimension.

    Args:
      values: a list of `Tensor`s of one shape and type.
      axis: where the new dimension stands.
      name: the operation's name.

    Returns:
      A `Tensor` whose rank is one more.

    Raises:
      ValueError: for an axis out of range.
    """
    if axis == 0:
        try:
            return convert_to_tensor(values, name=name)  # one constant, when none of them is a tensor
        except (TypeError, ValueError):
            pass
    ndims = convert_to_tensor(values[0], name=name).shape.ndims
    if ndims is not None and not -ndims - 1 <= axis < ndims + 1:
        raise ValueError(f"axis = {axis} not in [{-ndims - 1}, {ndims + 1})")
    return apply_op("Pack", values, axis=axis, name=name)


def parallel_stack(values, name="parallel_stack"):
    """Packs tensors along a new first dimension as each becomes ready.

    Args:
      values: a list of `Tensor`s of one shape, which must be known, and type.
      name: the operation's name.

    Returns:
      A `Tensor` whose rank is one more.
    """
    with name_scope(name):
        known = convert_to_tensor(values[0]).shape
        parts = [expand_dims(value, 0) for value in values]
        return apply_op("ParallelConcat", parts, shape=TensorShape([len(values)]).concatenate(known))


def unstack(value, num=None, axis=0, name="unstack"):
    """Takes a tensor apart along a dimension.

    Args:
      value: a `Tensor` of rank 1 or more.
      num: the size of the dimension; None when it is known.
      axis: which dimension.
      name: the operation's name.

    Returns:
      A list of `num` `Tensor`s whose rank is one less.

    Raises:
      ValueError: when `num` is not known, or the axis out of range.
    """
    if num is None:
        value = convert_to_tensor(value)
        known = value.shape
        if known.ndims is not None:
            if not -known.ndims <= axis < known.ndims:
                raise ValueError(f"axis = {axis} not in [{-known.ndims}, {known.ndims})")
            num = dimension_value(known[axis])
        if num is None:
            raise ValueError(f"Cannot infer num from shape {known}")
    return apply_op("Unpack", value, num=num, axis=axis, name=name)


def concat(values, axis, name="concat"):
    """Joins tensors along a dimension.

    Args:
      values: a list of `Tensor`s of one type, whose shapes differ in that dimension at most; or one `Tensor`.
      axis: an int32 scalar.
      name: the operation's name.

    Returns:
      A `Tensor` of the same rank.

    Raises:
      ValueError: when the shapes do not fit.
    """
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        with name_scope(name):
            convert_to_tensor(axis, dtype=dtypes.int32, name="concat_dim").shape.assert_has_rank(0)
            return identity(values[0], name=name)
    return apply_op("ConcatV2", values, axis, name=name)


def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    """Cuts a tensor into pieces along a dimension.

    Args:
      value: a `Tensor`.
      num_or_size_splits: the number of equal pieces (a Python integer), or the size of each, of which one may be -1.
      axis: an int32 scalar.
      num: the number of pieces, when it does not follow from `num_or_size_splits`.
      name: the operation's name.

    Returns:
      A list of `Tensor`s.

    Raises:
      ValueError: when the number of pieces is not known.
    """
    size_splits = convert_to_tensor(num_or_size_splits)
    if isinstance(num_or_size_splits, (int, Dimension)):
        return apply_op("Split", axis, value, num_split=num_or_size_splits, name=name)
    if size_splits.shape.ndims == 0:
        raise ValueError(
            "Rank-0 tensors are not supported as the num_or_size_splits argument to split. Argument provided: "
            f"{num_or_size_splits}"
        )
    if num is None:
        if size_splits.shape.ndims:
            num = size_splits.shape.as_list()[0]
        if num is None:
            raise ValueError(f"Cannot infer num from shape {num_or_size_splits}")
    return apply_op("SplitV", value, size_splits, axis, num_split=num, name=name)


def transpose(a, perm=None, name="transpose", conjugate=False):
    """Permutes dimensions.

    Args:
      a: a `Tensor`.
      perm: which dimension of `a` each one of the result is; None reverses them.
      name: the operation's name.
      conjugate: whether complex elements are conjugated too.

    Returns:
      A `Tensor` of the type of `a`.
    """
    with name_scope(name, "transpose", [a]) as name:
        op = "ConjugateTranspose" if conjugate and a.dtype.is_complex else "Transpose"
        if perm is not None:
            return apply_op(op, a, perm, name=name)
        a = convert_to_tensor(a, name="a")
        ndims = a.shape.ndims
        if not ndims:
            count = apply_op("Rank", a)
            perm = count - 1 - apply_op("Range", 0, count, 1)
        else:
            perm = ndims - 1 - np.arange(ndims)
        result = apply_op(op, a, perm, name=name)
        if a.shape.ndims is not None:
            result.set_shape(a.shape.as_list()[::-1])
        return result


def transpose_v2(a, perm=None, conjugate=False, name="transpose"):
    """`transpose` with TensorFlow 2's order of arguments."""
    return transpose(a, perm, name, conjugate)


def matrix_transpose(a, name="matrix_transpose", conjugate=False):
    """Swaps the last two dimensions.

    Args:
      a: a `Tensor` of rank 2 or more.
      name: the name scope.
      conjugate: whether complex elements are conjugated too.

    Returns:
      A `Tensor` of the type of `a`.

    Raises:
      ValueError: when the rank is known and less than 2.
    """
    with name_scope(name, values=[a]):
        a = convert_to_tensor(a, name="a")
        ndims = a.shape.ndims
        if ndims is None:
            count = shaping.rank(a)
            perm = concat((apply_op("Range", 0, count - 2, 1), [count - 1, count - 2]), 0)
        elif ndims < 2:
            raise ValueError(f"Argument 'a' should be a (batch) matrix, with rank >= 2.  Found: {a.shape}")
        else:
            perm = [*range(ndims - 2), ndims - 1, ndims - 2]
        return transpose(a, perm=perm, conjugate=conjugate)


def pad(tensor, paddings, mode="CONSTANT", name=None, constant_values=0):
    """Adds elements around a tensor.

    Args:
      tensor: a `Tensor`.
      paddings: int32 or int64 [rank, 2]: how many before and after each dimension.
      mode: 'CONSTANT', 'REFLECT' (without the edge) or 'SYMMETRIC' (with it).
      name: the operation's name.
      constant_values: the value for 'CONSTANT'.

    Returns:
      A `Tensor` of the type of `tensor`.

    Raises:
      ValueError: for another mode.
    """
    mode = mode.upper()
    if mode == "CONSTANT":
        if not tensor_util.is_tensor(constant_values) and constant_values == 0:
            result = apply_op("Pad", tensor, paddings, name=name)
        else:
            result = apply_op("PadV2", tensor, paddings, constant_values, name=name)
    elif mode in ("REFLECT", "SYMMETRIC"):
        result = apply_op("MirrorPad", tensor, paddings, mode=mode, name=name)
    else:
        raise ValueError(f"Unknown padding mode: {mode}")
    _set_padded_shape(result)
    return result


def _set_padded_shape(result):
    source, paddings = result.op.inputs[0].shape, result.op.inputs[1]
    if result.shape.is_fully_defined() or source.ndims is None:
        return
    known = tensor_util.constant_value(paddings, partial=True)
    if known is not None:
        result.set_shape(
            [
                None if pair is None or size is None or any(p is None for p in pair) else int(sum(pair)) + size
                for pair, size in zip(known, source.as_list(), strict=False)
            ]
        )


def pad_v2(tensor, paddings, mode="CONSTANT", constant_values=0, name=None):
    """`pad` with TensorFlow 2's order of arguments."""
    return pad(tensor, paddings, mode, name, constant_values)


def tile(input, multiples, name=None):
    """Repeats a tensor along each dimension.

    Args:
      input: a `Tensor` of any type.
      multiples: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("Tile", input, multiples, name=name)


def broadcast_to(input, shape, name=None):
    """Repeats a tensor so that it has a shape to which it broadcasts.

    Args:
      input: a `Tensor` of any type.
      shape: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("BroadcastTo", input, shape, name=name)


def meshgrid(*args, **kwargs):
    """Makes coordinate arrays of a grid from the coordinates of each dimension.

    Args:
      *args: `Tensor`s of rank 1.
      **kwargs: `indexing`, 'xy' (the first two dimensions are swapped) or 'ij'; `name`.

    Returns:
      A list of `Tensor`s, one an argument, each of the grid's shape.

    Raises:
      TypeError: for another keyword.
      ValueError: for another indexing.
    """
    indexing = kwargs.pop("indexing", "xy")
    name = kwargs.pop("name", "meshgrid")
    if kwargs:
        raise TypeError(f"'{next(iter(kwargs))}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing parameter must be either 'xy' or 'ij'")
    with name_scope(name, "meshgrid", args) as name:
        ndim = len(args)
        ones_before = (1,) * ndim
        grids = [reshape(stack(x), ones_before[:i] + (-1,) + ones_before[i + 1 :]) for i, x in enumerate(args)]
        shapes = [shaping.size(x) for x in args]
        dtype = convert_to_tensor(args[0]).dtype.base_dtype
        if indexing == "xy" and ndim > 1:
            grids[0] = reshape(grids[0], (1, -1) + (1,) * (ndim - 2))
            grids[1] = reshape(grids[1], (-1, 1) + (1,) * (ndim - 2))
            shapes[0], shapes[1] = shapes[1], shapes[0]
        everywhere = filling.ones(shapes, dtype)
        return [x * everywhere for x in grids]


def bitcast(input, type, name=None):
    """Reads the bytes of a tensor as elements of another type.

    Args:
      input: a `Tensor` of numbers.
      type: a `DType`: numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of numbers.
    """
    return apply_op("Bitcast", input, type=type, name=name)
