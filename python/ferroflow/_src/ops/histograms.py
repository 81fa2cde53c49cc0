"""Histograms and confusion matrices."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.control_flow import cond, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, checks, clip, filling, math, reductions, shaping, sparse


def histogram_fixed_width_bins(values, value_range, nbins=100, dtype=dtypes.int32, name=None):
    """Finds in which of equal bins each value lies.

    Args:
      values: a `Tensor` of numbers.
      value_range: two numbers of the same type; what lies outside falls into the first or last bin.
      nbins: an int32 scalar.
      dtype: has no effect.
      name: the name scope.

    Returns:
      A `Tensor` of int32 with the shape of `values`.
    """
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]):
        values = convert_to_tensor(values, name="values")
        shape = shaping.shape(values)
        values = array.reshape(values, [-1])
        value_range = convert_to_tensor(value_range, name="value_range")
        nbins = convert_to_tensor(nbins, dtype=dtypes.int32, name="nbins")
        bins = math.cast(nbins, values.dtype)
        scaled = math.truediv(values - value_range[0], value_range[1] - value_range[0], name="scaled_values")
        indices = math.floor(bins * scaled, name="indices")
        # Clipped before the cast, which overflows for what lies far outside.
        indices = math.cast(clip.clip_by_value(indices, 0, bins - 1), dtypes.int32)
        return array.reshape(indices, shape)


def histogram_fixed_width(values, value_range, nbins=100, dtype=dtypes.int32, name=None):
    """Counts values in equal bins.

    Args:
      values: a `Tensor` of numbers.
      value_range: two numbers of the same type; what lies outside falls into the first or last bin.
      nbins: an int32 scalar.
      dtype: int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype` [nbins].
    """
    with name_scope(name, "histogram_fixed_width", [values, value_range, nbins]) as name:
        return apply_op("HistogramFixedWidth", values, value_range, nbins, dtype=dtype, name=name)


def remove_squeezable_dimensions(labels, predictions, expected_rank_diff=0, name=None):
    """Drops a last dimension of size 1 from one of two tensors if their ranks then fit.

    Args:
      labels: a `Tensor`.
      predictions: a `Tensor`.
      expected_rank_diff: how much greater the rank of `predictions` is to be.
      name: the name scope.

    Returns:
      (labels, predictions).
    """
    with name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        predictions = convert_to_tensor(predictions)
        labels = convert_to_tensor(labels)
        ranks = predictions.shape.ndims, labels.shape.ndims
        if None not in ranks:
            difference = ranks[0] - ranks[1]
            if difference == expected_rank_diff + 1:
                predictions = array.squeeze(predictions, [-1])
            elif difference == expected_rank_diff - 1:
                labels = array.squeeze(labels, [-1])
            return labels, predictions
        difference = shaping.rank(predictions) - shaping.rank(labels)
        predictions = _squeezed_if(predictions, expected_rank_diff + 1, difference)
        labels = _squeezed_if(labels, expected_rank_diff - 1, difference)
        return labels, predictions


def _squeezed_if(tensor, wanted, difference):
    if tensor.shape.ndims is not None and not tensor.shape.dims[-1].is_compatible_with(1):
        return tensor
    return cond(math.equal(wanted, difference), lambda: array.squeeze(tensor, [-1]), lambda: tensor)


def confusion_matrix(labels, predictions, num_classes=None, dtype=dtypes.int32, name=None, weights=None):
    """Counts how often each class was taken for each other one.

    Args:
      labels: integers of rank 1: the rows.
      predictions: integers of the same shape: the columns.
      num_classes: how many classes; None for as many as occur.
      dtype: the type of the counts.
      name: the name scope.
      weights: what each pair counts; None for 1.

    Returns:
      A `Tensor` of `dtype` [num_classes, num_classes].
    """
    with name_scope(name, "confusion_matrix", (predictions, labels, num_classes, weights)) as name:
        labels, predictions = remove_squeezable_dimensions(
            convert_to_tensor(labels, name="labels"), convert_to_tensor(predictions, name="predictions")
        )
        predictions = math.cast(predictions, dtypes.int64)
        labels = math.cast(labels, dtypes.int64)
        check = checks.assert_non_negative(labels, message="`labels` contains negative values")
        labels = with_dependencies([check], labels)
        check = checks.assert_non_negative(predictions, message="`predictions` contains negative values")
        predictions = with_dependencies([check], predictions)
        if num_classes is None:
            num_classes = math.maximum(reductions.reduce_max(predictions), reductions.reduce_max(labels)) + 1
        else:
            bound = math.cast(num_classes, dtypes.int64)
            check = checks.assert_less(labels, bound, message="`labels` out of bound")
            labels = with_dependencies([check], labels)
            check = checks.assert_less(predictions, bound, message="`predictions` out of bound")
            predictions = with_dependencies([check], predictions)
        if weights is not None:
            weights = convert_to_tensor(weights, name="weights")
            predictions.shape.assert_is_compatible_with(weights.shape)
            weights = math.cast(weights, dtype)
        shape = array.stack([num_classes, num_classes])
        indices = array.stack([labels, predictions], axis=1)
        values = filling.ones_like(predictions, dtype) if weights is None else weights
        counts = SparseTensor(indices=indices, values=values, dense_shape=math.cast(shape, dtypes.int64))
        zeros = filling.zeros(math.cast(shape, dtypes.int32), dtype)
        return sparse.sparse_add(zeros, counts)
