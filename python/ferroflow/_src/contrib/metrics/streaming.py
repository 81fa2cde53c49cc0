"""tf.contrib.metrics: the metrics of `tf.metrics` under their older names, with predictions before labels."""

import functools
import inspect

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.metrics import at_k, counts, means, thresholds
from ferroflow._src.ops import math, nn, reductions


def _older(metric, order, name):
    """The metric with its arguments in another order."""
    known = inspect.signature(metric).parameters

    @functools.wraps(metric)
    def streaming(*args, **kwargs):
        return metric(**inspect.Signature.bind(signature, *args, **kwargs).arguments)

    signature = inspect.Signature([known[key] for key in (*order, *(k for k in known if k not in order))])
    streaming.__signature__ = signature
    streaming.__name__ = streaming.__qualname__ = name
    streaming.__doc__ = f"See `tf.metrics.{metric.__name__}`; predictions come before labels."
    return streaming


_TWO = ("predictions", "labels")

streaming_true_positives = _older(counts.true_positives, _TWO, "streaming_true_positives")
streaming_true_negatives = _older(counts.true_negatives, _TWO, "streaming_true_negatives")
streaming_false_positives = _older(counts.false_positives, _TWO, "streaming_false_positives")
streaming_false_negatives = _older(counts.false_negatives, _TWO, "streaming_false_negatives")
streaming_precision = _older(counts.precision, _TWO, "streaming_precision")
streaming_recall = _older(counts.recall, _TWO, "streaming_recall")
streaming_mean_iou = _older(counts.mean_iou, (*_TWO, "num_classes"), "streaming_mean_iou")
streaming_accuracy = _older(means.accuracy, _TWO, "streaming_accuracy")
streaming_mean = _older(means.mean, ("values",), "streaming_mean")
streaming_mean_tensor = _older(means.mean_tensor, ("values",), "streaming_mean_tensor")
streaming_mean_absolute_error = _older(means.mean_absolute_error, _TWO, "streaming_mean_absolute_error")
streaming_mean_squared_error = _older(means.mean_squared_error, _TWO, "streaming_mean_squared_error")
streaming_root_mean_squared_error = _older(means.root_mean_squared_error, _TWO, "streaming_root_mean_squared_error")
streaming_mean_relative_error = _older(
    means.mean_relative_error, (*_TWO, "normalizer"), "streaming_mean_relative_error"
)
streaming_percentage_less = _older(means.percentage_below, ("values", "threshold"), "streaming_percentage_less")
streaming_auc = _older(
    thresholds.auc,
    (*_TWO, "weights", "num_thresholds", "metrics_collections", "updates_collections", "curve", "name"),
    "streaming_auc",
)
streaming_precision_at_thresholds = _older(
    thresholds.precision_at_thresholds, (*_TWO, "thresholds"), "streaming_precision_at_thresholds"
)
streaming_recall_at_thresholds = _older(
    thresholds.recall_at_thresholds, (*_TWO, "thresholds"), "streaming_recall_at_thresholds"
)
streaming_sensitivity_at_specificity = _older(
    thresholds.sensitivity_at_specificity, (*_TWO, "specificity"), "streaming_sensitivity_at_specificity"
)
streaming_specificity_at_sensitivity = _older(
    thresholds.specificity_at_sensitivity, (*_TWO, "sensitivity"), "streaming_specificity_at_sensitivity"
)
streaming_sparse_recall_at_k = _older(at_k.recall_at_k, (*_TWO, "k", "class_id"), "streaming_sparse_recall_at_k")
streaming_sparse_precision_at_k = _older(
    at_k.precision_at_k, (*_TWO, "k", "class_id"), "streaming_sparse_precision_at_k"
)
streaming_sparse_average_precision_at_k = _older(
    at_k.average_precision_at_k, (*_TWO, "k"), "streaming_sparse_average_precision_at_k"
)


def streaming_recall_at_k(
    predictions, labels, k, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """How often the label is among the k likeliest classes.

    Args:
      predictions: a `Tensor` of floats [batch, classes].
      labels: a `Tensor` of integers [batch].
      k: an integer.
      weights: a `Tensor` of rank 0 or [batch]; None for 1.
      metrics_collections: graph collections for the recall.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The recall, a scalar of float32; and an op that adds these predictions and gives the new recall.
    """
    is_found = math.cast(nn.in_top_k(predictions, labels, k), dtypes.float32)
    return means.mean(is_found, weights, metrics_collections, updates_collections, name or f"recall_at_{k:d}")


def streaming_mean_cosine_distance(
    predictions, labels, dim, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """See `tf.metrics.mean_cosine_distance`; predictions come before labels."""
    return means.mean_cosine_distance(labels, predictions, dim, weights, metrics_collections, updates_collections, name)


def accuracy(predictions, labels, weights=None, name=None):
    """How often predictions equal labels in this batch.

    Args:
      predictions: a `Tensor` of integers, bools or strings.
      labels: a `Tensor` of its type and shape.
      weights: a `Tensor` of its shape; None for equal ones.
      name: the name scope.

    Returns:
      A scalar of float32.

    Raises:
      ValueError: when types differ, or are floats.
    """
    allowed = (dtypes.bool, dtypes.string)
    if not (labels.dtype.is_integer or labels.dtype in allowed):
        raise ValueError(f"Labels should have bool, string or integer dtype, not {labels.dtype}")
    if labels.dtype != predictions.dtype:
        raise ValueError(
            f"Dtypes of predictions and labels should match. Given: predictions ({predictions.dtype}) and labels "
            f"({labels.dtype})"
        )
    with name_scope(name, "accuracy", values=[predictions, labels]):
        is_correct = math.cast(math.equal(predictions, labels), dtypes.float32)
        if weights is not None:
            is_correct = math.multiply(is_correct, weights)
            count = math.multiply(weights, math.cast(is_correct * 0 + 1, dtypes.float32))
            return math.div(reductions.reduce_sum(is_correct), reductions.reduce_sum(count))
        return reductions.reduce_mean(is_correct)


def aggregate_metrics(*value_update_tuples):
    """Turns (value, update) pairs into a list of values and a list of updates.

    Raises:
      ValueError: without any pair.
    """
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


def aggregate_metric_map(names_to_tuples):
    """Turns a dict of (value, update) pairs into a dict of values and a dict of updates."""
    names = list(names_to_tuples)
    values, updates = zip(*names_to_tuples.values(), strict=True)
    return dict(zip(names, values, strict=True)), dict(zip(names, updates, strict=True))
