"""Metrics that are the mean of something: values, errors, correct answers."""

from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.metrics.streaming import collected, fitted, metric_variable, spread
from ferroflow._src.ops import filling, indexing, math, reductions, shaping, state
from ferroflow._src.ops.histograms import remove_squeezable_dimensions


def _mean_of(values, total, count, added_values, added_count, metrics_collections, updates_collections):
    """Adds to a total and a count, and divides them."""
    update_total = state.assign_add(total, added_values())
    with control_dependencies([values]):
        update_count = state.assign_add(count, added_count)
    value = collected(math.div_no_nan(total, math.maximum(count, 0), name="value"), metrics_collections)
    update = math.div_no_nan(update_total, math.maximum(update_count, 0), name="update_op")
    return value, collected(update, updates_collections)


def mean(values, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The mean of all values so far.

    Args:
      values: a `Tensor` of numbers.
      weights: a `Tensor` of rank 0, or of the rank of `values` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the mean.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The mean, a scalar of float32, 0 at first; and an op that adds the values and gives the new mean.

    Raises:
      ValueError: when the weights do not fit.
    """
    with scopes.variable_scope(name, "mean", (values, weights)):
        values = math.cast(values, dtypes.float32)
        total = metric_variable([], dtypes.float32, name="total")
        count = metric_variable([], dtypes.float32, name="count")
        if weights is None:
            added = math.cast(shaping.size(values), dtypes.float32)
        else:
            values, _, weights = fitted(values, None, weights)
            weights = spread(weights, values)
            values = math.multiply(values, weights)
            added = reductions.reduce_sum(weights)
        return _mean_of(
            values,
            total,
            count,
            lambda: reductions.reduce_sum(values),
            added,
            metrics_collections,
            updates_collections,
        )


def mean_tensor(values, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The mean of each element of a tensor so far.

    Args:
      values: a `Tensor` of numbers, of known shape.
      weights: a `Tensor` of rank 0, or of the rank of `values` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the mean.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The means, a `Tensor` of float32 in the shape of `values`; and an op that adds the values and gives the new means.

    Raises:
      ValueError: when the weights do not fit.
    """
    with scopes.variable_scope(name, "mean", (values, weights)):
        values = math.cast(values, dtypes.float32)
        total = metric_variable(values.shape, dtypes.float32, name="total_tensor")
        count = metric_variable(values.shape, dtypes.float32, name="count_tensor")
        added = filling.ones_like(values)
        if weights is not None:
            values, _, weights = fitted(values, None, weights)
            weights = spread(weights, values)
            values = math.multiply(values, weights)
            added = math.multiply(added, weights)
        return _mean_of(values, total, count, lambda: values, added, metrics_collections, updates_collections)


def accuracy(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """How often predictions equal labels.

    Args:
      labels: a `Tensor`.
      predictions: a `Tensor` of the shape of `labels`.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the accuracy.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The accuracy, a scalar of float32; and an op that adds these predictions and gives the new accuracy.

    Raises:
      ValueError: when shapes do not fit.
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    predictions.shape.assert_is_compatible_with(labels.shape)
    if labels.dtype != predictions.dtype:
        predictions = math.cast(predictions, labels.dtype)
    is_correct = math.cast(math.equal(predictions, labels), dtypes.float32)
    return mean(is_correct, weights, metrics_collections, updates_collections, name or "accuracy")


def mean_absolute_error(
    labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The mean of absolute differences.

    Args:
      labels: a `Tensor` of numbers.
      predictions: a `Tensor` of the type and shape of `labels`.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the error.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The error, a scalar of float32; and an op that adds these predictions and gives the new error.

    Raises:
      ValueError: when shapes do not fit.
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    errors = math.abs(predictions - labels)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_absolute_error")


def mean_squared_error(
    labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The mean of squared differences.

    Args:
      labels: a `Tensor` of numbers.
      predictions: a `Tensor` of the type and shape of `labels`.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the error.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The error, a scalar of float32; and an op that adds these predictions and gives the new error.

    Raises:
      ValueError: when shapes do not fit.
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    errors = math.squared_difference(labels, predictions)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_squared_error")


def root_mean_squared_error(
    labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The square root of the mean of squared differences.

    Args:
      labels: a `Tensor` of numbers.
      predictions: a `Tensor` of the type and shape of `labels`.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the error.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The error, a scalar of float32; and an op that adds these predictions and gives the new error.

    Raises:
      ValueError: when shapes do not fit.
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    squared, update = mean_squared_error(labels, predictions, weights, name=name or "root_mean_squared_error")
    value = collected(math.sqrt(squared), metrics_collections)
    return value, collected(math.sqrt(update), updates_collections)


def mean_relative_error(
    labels, predictions, normalizer, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The mean of absolute differences divided by a normalizer; 0 where that is 0.

    Args:
      labels: a `Tensor` of numbers.
      predictions: a `Tensor` of the type and shape of `labels`.
      normalizer: a `Tensor` of the type and shape of `labels`.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the error.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The error, a scalar of float32; and an op that adds these predictions and gives the new error.

    Raises:
      ValueError: when shapes do not fit.
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.shape.assert_is_compatible_with(normalizer.shape)
    errors = indexing.where(
        math.equal(normalizer, 0.0),
        filling.zeros_like(labels),
        math.div(math.abs(labels - predictions), normalizer),
    )
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_cosine_distance(
    labels, predictions, dim, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """One minus the mean of inner products along a dimension: the cosine distance of vectors of length 1.

    Args:
      labels: a `Tensor` of numbers.
      predictions: a `Tensor` of the type and shape of `labels`.
      dim: the dimension of the vectors.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1, and 1 in `dim`; None for 1.
      metrics_collections: graph collections for the distance.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The distance, a scalar of float32; and an op that adds these predictions and gives the new distance.

    Raises:
      ValueError: when shapes do not fit.
    """
    predictions, labels, weights = fitted(predictions, labels, weights)
    products = reductions.reduce_sum(math.multiply(predictions, labels), axis=[dim], keepdims=True)
    similarity, update = mean(products, weights, None, None, name or "mean_cosine_distance")
    distance, update = math.subtract(1.0, similarity), math.subtract(1.0, update)
    return collected(distance, metrics_collections), collected(update, updates_collections)


def percentage_below(values, threshold, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The part of values that are less than a threshold.

    Args:
      values: a `Tensor` of numbers.
      threshold: a number.
      weights: a `Tensor` of rank 0, or of the rank of `values` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the part.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The part, a scalar of float32 in [0, 1]; and an op that adds these values and gives the new part.

    Raises:
      ValueError: when the weights do not fit.
    """
    is_below = math.cast(math.less(values, threshold), dtypes.float32)
    return mean(is_below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")
