"""Sums, means and others along dimensions; running sums; where the greatest is."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import is_sparse
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, filling, indexing, math, shaping
from ferroflow._src.ops.arguments import reduction, renamed


def _axes_of(x, axis):
    """`axis`, or all dimensions."""
    if axis is not None:
        return axis
    if isinstance(x, TensorBase) and x.shape.ndims is not None:
        return constant(np.arange(x.shape.ndims), dtype=dtypes.int32)
    if is_sparse(x) and x.dense_shape.shape.is_fully_defined():
        return constant(np.arange(x.dense_shape.shape.as_list()[0]), dtype=dtypes.int32)
    return math.range(0, shaping.rank(x))  # a variable's too, as in TensorFlow


def _reduce(op, x, axis, keepdims, name):
    result = apply_op(op, x, _axes_of(x, axis), keep_dims=keepdims, name=name)
    return _scalar_if_all(result, axis, keepdims)


def _scalar_if_all(result, axis, keepdims):
    if axis is None and not keepdims and not result.shape.is_fully_defined():
        result.set_shape(())
    return result


def reduce_sum(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Adds up elements along dimensions.

    Args:
      input_tensor: a `Tensor` of numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `input_tensor`.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("Sum", input_tensor, axis, keepdims, name)


def reduce_prod(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Multiplies elements along dimensions.

    Args:
      input_tensor: a `Tensor` of numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `input_tensor`.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("Prod", input_tensor, axis, keepdims, name)


def reduce_min(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Takes the least element along dimensions.

    Args:
      input_tensor: a `Tensor` of real numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `input_tensor`.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("Min", input_tensor, axis, keepdims, name)


def reduce_max(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Takes the greatest element along dimensions.

    Args:
      input_tensor: a `Tensor` of real numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `input_tensor`.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("Max", input_tensor, axis, keepdims, name)


def reduce_all(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Finds whether all elements are True along dimensions.

    Args:
      input_tensor: a `Tensor` of bool.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of bool.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("All", input_tensor, axis, keepdims, name)


def reduce_any(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Finds whether an element is True along dimensions.

    Args:
      input_tensor: a `Tensor` of bool.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of bool.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("Any", input_tensor, axis, keepdims, name)


def reduce_mean(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Averages elements along dimensions.

    Args:
      input_tensor: a `Tensor` of numbers; integers are rounded.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `input_tensor`.

    Raises:
      ValueError: when an argument is given by both its names.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    return _reduce("Mean", input_tensor, axis, keepdims, name)


def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False, name=None):
    """Takes the square root of the sum of squares along dimensions.

    Args:
      input_tensor: a `Tensor` of numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input_tensor`.
    """
    return _reduce("EuclideanNorm", input_tensor, axis, bool(keepdims), name)


def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    """Averages squared distances from the mean along dimensions.

    Args:
      input_tensor: a `Tensor` of floats or complex numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input_tensor`.
    """
    with name_scope(name or "reduce_variance"):
        means = reduce_mean(input_tensor, axis=axis, keepdims=True)
        return reduce_mean(math.square(input_tensor - means), axis=axis, keepdims=keepdims)


def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    """Takes the square root of `reduce_variance`.

    Args:
      input_tensor: a `Tensor` of floats or complex numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input_tensor`.
    """
    with name_scope(name or "reduce_std"):
        return math.sqrt(reduce_variance(input_tensor, axis=axis, keepdims=keepdims))


def reduce_logsumexp(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Computes `log(sum(exp(x)))` along dimensions without overflow.

    Args:
      input_tensor: a `Tensor` of floats.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      name: the name scope.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `input_tensor`.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    x = convert_to_tensor(input_tensor)
    with name_scope(name, "ReduceLogSumExp", [x]) as name:
        greatest = reduce_max(x, axis=axis, keepdims=True)
        is_finite = math.is_finite(greatest)
        greatest = array.stop_gradient(indexing.where(is_finite, greatest, filling.zeros_like(greatest)))
        result = math.log(reduce_sum(math.exp(math.subtract(x, greatest)), axis, keepdims=keepdims))
        if not keepdims:
            greatest = array.reshape(greatest, shaping.shape(result))
        return _scalar_if_all(math.add(result, greatest), axis, keepdims)


def count_nonzero(
    input_tensor=None,
    axis=None,
    keepdims=None,
    dtype=dtypes.int64,
    name=None,
    reduction_indices=None,
    keep_dims=None,
    input=None,
):
    """Counts elements that are not zero (not empty) along dimensions.

    Args:
      input_tensor: a `Tensor` of numbers, bool or strings.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      dtype: the type of the result.
      name: the name scope.
      reduction_indices: the older name of `axis`.
      keep_dims: the older name of `keepdims`.
      input: another name of `input_tensor`.

    Returns:
      A `Tensor` of `dtype`.
    """
    axis, keepdims = reduction(axis, keepdims, reduction_indices, keep_dims)
    x = renamed("input", input, "input_tensor", input_tensor)
    with name_scope(name, "count_nonzero", [x]):
        x = convert_to_tensor(x, name="input")
        zero = filling.zeros([], dtype=x.dtype)
        differ = math.cast(math.not_equal(x, zero), dtypes.int64)
        return math.cast(reduce_sum(differ, axis=axis, keepdims=keepdims), dtype=dtype)


def argmax(input, axis=None, name=None, dimension=None, output_type=dtypes.int64):
    """Finds where the greatest element along a dimension is.

    Args:
      input: a `Tensor` of numbers.
      axis: an int32 or int64 scalar; None for 0.
      name: the operation's name.
      dimension: the older name of `axis`.
      output_type: int32 or int64.

    Returns:
      A `Tensor` of `output_type` whose rank is one less. Of equal elements it names the first.
    """
    axis = renamed("axis", axis, "dimension", dimension)
    return apply_op("ArgMax", input, 0 if axis is None else axis, output_type=output_type, name=name)


def argmin(input, axis=None, name=None, dimension=None, output_type=dtypes.int64):
    """Finds where the least element along a dimension is.

    Args:
      input: a `Tensor` of numbers.
      axis: an int32 or int64 scalar; None for 0.
      name: the operation's name.
      dimension: the older name of `axis`.
      output_type: int32 or int64.

    Returns:
      A `Tensor` of `output_type` whose rank is one less. Of equal elements it names the first.
    """
    axis = renamed("axis", axis, "dimension", dimension)
    return apply_op("ArgMin", input, 0 if axis is None else axis, output_type=output_type, name=name)


def arg_max(input, dimension, output_type=dtypes.int64, name=None):
    """`argmax` by its older name.

    Args:
      input: a `Tensor` of numbers.
      dimension: a `Tensor` of int32 or int64.
      output_type: a `DType`: int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of int32 or int64.
    """
    return apply_op("ArgMax", input, dimension, output_type=output_type, name=name)


def arg_min(input, dimension, output_type=dtypes.int64, name=None):
    """`argmin` by its older name.

    Args:
      input: a `Tensor` of numbers.
      dimension: a `Tensor` of int32 or int64.
      output_type: a `DType`: int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of int32 or int64.
    """
    return apply_op("ArgMin", input, dimension, output_type=output_type, name=name)


def _cumulative(op, x, axis, exclusive, reverse, name):
    with name_scope(name, op, [x]) as name:
        x = convert_to_tensor(x, name="x")
        return apply_op(op, x, axis, exclusive=exclusive, reverse=reverse, name=name)


def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """Computes running sums along a dimension.

    Args:
      x: a `Tensor` of numbers.
      axis: an int32 scalar.
      exclusive: whether each sum leaves its own element out.
      reverse: whether to go backwards.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    return _cumulative("Cumsum", x, axis, exclusive, reverse, name)


def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    """Computes running products along a dimension.

    Args:
      x: a `Tensor` of numbers.
      axis: an int32 scalar.
      exclusive: whether each product leaves its own element out.
      reverse: whether to go backwards.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    return _cumulative("Cumprod", x, axis, exclusive, reverse, name)


def cumulative_logsumexp(x, axis=0, exclusive=False, reverse=False, name=None):
    """Computes the logarithms of running sums of `exp(x)` along a dimension.

    Args:
      x: a `Tensor` of floats.
      axis: an int32 scalar.
      exclusive: whether each sum leaves its own element out.
      reverse: whether to go backwards.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `x`.
    """
    return _cumulative("CumulativeLogsumexp", x, axis, exclusive, reverse, name)


def bincount(arr, weights=None, minlength=None, maxlength=None, dtype=dtypes.int32):
    """Counts how often each integer occurs.

    Args:
      arr: int32, not negative.
      weights: what each element counts, of its shape; None for 1.
      minlength: the least length of the result.
      maxlength: the greatest; integers beyond it are left out.
      dtype: the type of the result without weights.

    Returns:
      A `Tensor` of rank 1.
    """
    with name_scope("bincount"):
        arr = convert_to_tensor(arr, dtype=dtypes.int32, name="arr")
        has_elements = reduce_prod(shaping.shape(arr)) > 0
        length = math.cast(has_elements, dtypes.int32) * (reduce_max(arr) + 1)
        if minlength is not None:
            length = math.maximum(convert_to_tensor(minlength, dtype=dtypes.int32, name="minlength"), length)
        if maxlength is not None:
            length = math.minimum(convert_to_tensor(maxlength, dtype=dtypes.int32, name="maxlength"), length)
        if weights is not None:
            weights = convert_to_tensor(weights, name="weights")
            return apply_op("UnsortedSegmentSum", weights, arr, length)
        return apply_op("Bincount", arr, length, constant([], dtype))
