"""Metrics that count answers: true and false positives and negatives, precision and recall, and means over classes."""

from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.metrics.streaming import collected, fitted, metric_variable
from ferroflow._src.ops import array, checks, filling, indexing, math, reductions, shaping, state
from ferroflow._src.ops.histograms import confusion_matrix
from ferroflow._src.ops.linalg import diag_part


def _fitted_bools(predictions, labels, weights):
    predictions = math.cast(predictions, dtype=dtypes.bool)
    return fitted(predictions, math.cast(labels, dtype=dtypes.bool), weights)


def _count(label, prediction, scope, labels, predictions, weights, metrics_collections, updates_collections, name):
    """Counts where labels are `label` and predictions are `prediction`."""
    with scopes.variable_scope(name, scope, (predictions, labels, weights)):
        predictions, labels, weights = _fitted_bools(predictions, labels, weights)
        holds = math.logical_and(math.equal(labels, label), math.equal(predictions, prediction))
        checks.assert_type(holds, dtypes.bool)
        count = metric_variable([], dtypes.float32, name="count")
        holds = math.cast(holds, dtypes.float32)
        if weights is not None:
            with control_dependencies((checks.assert_rank_in(weights, (0, shaping.rank(holds))),)):
                holds = math.multiply(holds, math.cast(weights, dtypes.float32))
        value = collected(array.identity(count), metrics_collections)
        update = state.assign_add(count, reductions.reduce_sum(holds))
        return value, collected(update, updates_collections)


def true_positives(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """How often the label and the prediction are both true.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of the shape of `labels`, read as bools.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the count.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The count, a scalar of float32; and an op that adds to it and gives the new count.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _count(True, True, "true_positives", *rest)


def true_negatives(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """How often the label and the prediction are both false.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of the shape of `labels`, read as bools.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the count.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The count, a scalar of float32; and an op that adds to it and gives the new count.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _count(False, False, "true_negatives", *rest)


def false_positives(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """How often the label is false and the prediction is true.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of the shape of `labels`, read as bools.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the count.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The count, a scalar of float32; and an op that adds to it and gives the new count.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _count(False, True, "false_positives", *rest)


def false_negatives(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """How often the label is true and the prediction is false.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of the shape of `labels`, read as bools.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the count.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The count, a scalar of float32; and an op that adds to it and gives the new count.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _count(True, False, "false_negatives", *rest)


def _part_of_sum(part, rest, name):
    """`part / (part + rest)`, 0 when both are 0."""
    return indexing.where(math.greater(part + rest, 0), math.div(part, part + rest), 0, name)


def _true_among(other, scope, labels, predictions, weights, metrics_collections, updates_collections, name):
    """The part of true positives among them and what the metric `other` counts."""
    with scopes.variable_scope(name, scope, (predictions, labels, weights)):
        predictions, labels, weights = _fitted_bools(predictions, labels, weights)
        true, update_true = true_positives(labels, predictions, weights)
        false, update_false = other(labels, predictions, weights)
        value = collected(_part_of_sum(true, false, "value"), metrics_collections)
        return value, collected(_part_of_sum(update_true, update_false, "update_op"), updates_collections)


def precision(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The part of true labels among what was predicted to be true.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of the shape of `labels`, read as bools.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the precision.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The precision, a scalar of float32, 0 at first; and an op that adds these predictions and gives the new one.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _true_among(false_positives, "precision", *rest)


def recall(labels, predictions, weights=None, metrics_collections=None, updates_collections=None, name=None):
    """The part of what was predicted to be true among true labels.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of the shape of `labels`, read as bools.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the recall.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The recall, a scalar of float32, 0 at first; and an op that adds these predictions and gives the new one.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, weights, metrics_collections, updates_collections, name)
    return _true_among(false_negatives, "recall", *rest)


def _flat(tensor):
    return array.reshape(tensor, [-1]) if tensor.shape.ndims > 1 else tensor


def mean_per_class_accuracy(
    labels, predictions, num_classes, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The mean over classes of how often predictions equal labels.

    Args:
      labels: a `Tensor` of integers in [0, num_classes).
      predictions: a `Tensor` of the shape of `labels`.
      num_classes: an integer.
      weights: a `Tensor` of the shape of `labels`; None for 1.
      metrics_collections: graph collections for the mean.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The mean, a scalar of float32; and an op that adds these predictions and gives the new accuracy of each class.

    Raises:
      ValueError: when shapes do not fit.
    """
    with scopes.variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        labels = _flat(math.cast(labels, dtypes.int64))
        predictions = _flat(predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
        total = metric_variable([num_classes], dtypes.float32, name="total")
        count = metric_variable([num_classes], dtypes.float32, name="count")
        added = filling.ones([shaping.size(labels)], dtypes.float32)
        if labels.dtype != predictions.dtype:
            predictions = math.cast(predictions, labels.dtype)
        is_correct = math.cast(math.equal(predictions, labels), dtypes.float32)
        if weights is not None:
            weights = math.cast(_flat(weights), dtypes.float32)
            is_correct *= weights
            added *= weights
        update_total = state.scatter_add(total, labels, added)
        update_count = state.scatter_add(count, labels, is_correct)
        of_each = math.div_no_nan(count, math.maximum(total, 0))
        value = collected(reductions.reduce_mean(of_each, name="mean_accuracy"), metrics_collections)
        update = math.div_no_nan(update_count, math.maximum(update_total, 0), name="update_op")
        return value, collected(update, updates_collections)


def confusion_so_far(labels, predictions, num_classes, weights=None):
    """Counts how often each label met each prediction.

    Returns:
      The variable [num_classes, num_classes] of float64, and the op that adds to it.
    """
    total = metric_variable([num_classes, num_classes], dtypes.float64, name="total_confusion_matrix")
    predictions = math.cast(predictions, dtypes.int64)
    labels = math.cast(labels, dtypes.int64)
    num_classes = math.cast(num_classes, dtypes.int64)
    predictions, labels = _flat(predictions), _flat(labels)
    if weights is not None:
        weights = _flat(weights)
    current = confusion_matrix(labels, predictions, num_classes, weights=weights, dtype=dtypes.float64)
    return total, state.assign_add(total, current)


def mean_iou(
    labels, predictions, num_classes, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The mean over classes of intersection over union: true positives among all that is labelled or predicted so.

    Args:
      labels: a `Tensor` of integers in [0, num_classes).
      predictions: a `Tensor` of the shape of `labels`.
      num_classes: an integer.
      weights: a `Tensor` of the shape of `labels`; None for 1.
      metrics_collections: graph collections for the mean.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The mean over classes that occur, a scalar of float32, 0 when none does; and an op that adds to the confusion
      matrix [num_classes, num_classes] and gives the new one.

    Raises:
      ValueError: when shapes do not fit.
    """
    with scopes.variable_scope(name, "mean_iou", (predictions, labels, weights)):
        predictions.shape.assert_is_compatible_with(labels.shape)
        total, update = confusion_so_far(labels, predictions, num_classes, weights)
        rows = math.cast(reductions.reduce_sum(total, 0), dtypes.float32)
        columns = math.cast(reductions.reduce_sum(total, 1), dtypes.float32)
        both = math.cast(diag_part(total), dtypes.float32)
        either = rows + columns - both
        occurring = reductions.reduce_sum(math.cast(math.not_equal(either, 0), dtype=dtypes.float32))
        either = indexing.where(math.greater(either, 0), either, filling.ones_like(either))
        of_each = math.div(both, either)
        occurs = math.greater(occurring, 0)
        value = indexing.where(occurs, reductions.reduce_sum(of_each, name="mean_iou") / occurring, 0)
        return collected(value, metrics_collections), collected(update, updates_collections)
