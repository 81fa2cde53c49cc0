"""Metrics over thresholds of predicted probabilities: counts at each of them, the areas below curves, and points on them."""

from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.metrics.streaming import collected, fitted, metric_variable, spread
from ferroflow._src.ops import array, checks, filling, indexing, math, reductions, shaping, state
from ferroflow._src.platform import tf_logging

# What is counted: its key, its variable's name, whether the label is true, whether the prediction is.
_KINDS = (
    ("tp", "true_positives", True, True),
    ("fn", "false_negatives", True, False),
    ("tn", "true_negatives", False, False),
    ("fp", "false_positives", False, True),
)
_NUDGE = 1e-7


def counts_at_thresholds(labels, predictions, thresholds, weights=None, includes=None):
    """Counts answers at each threshold.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      includes: some of 'tp', 'fn', 'tn' and 'fp'; None for all.

    Returns:
      Two dicts by those keys: variables [thresholds] of float32, and the ops that add to them.

    Raises:
      ValueError: for other keys.
    """
    keys = [kind[0] for kind in _KINDS]
    includes = keys if includes is None else includes
    for key in includes:
        if key not in keys:
            raise ValueError(f"Invalid key: {key}.")
    message = "predictions must be in [0, 1]"
    low = checks.assert_greater_equal(predictions, math.cast(0.0, dtype=predictions.dtype), message=message)
    high = checks.assert_less_equal(predictions, math.cast(1.0, dtype=predictions.dtype), message=message)
    with control_dependencies([low, high]):
        predictions = math.cast(predictions, dtypes.float32)
        predictions, labels, weights = fitted(predictions, math.cast(labels, dtype=dtypes.bool), weights)

    count = len(thresholds)
    column = array.reshape(predictions, [-1, 1])
    row = array.reshape(math.cast(labels, dtype=dtypes.bool), [1, -1])
    size = column.shape.as_list()[0]
    if size is None:
        size = shaping.shape(column)[0]
    limits = array.tile(array.expand_dims(constant(thresholds), [1]), array.stack([1, size]))
    predicted = {True: math.greater(array.tile(array.transpose(column), [count, 1]), limits)}
    if "fn" in includes or "tn" in includes:
        predicted[False] = math.logical_not(predicted[True])
    labelled = {True: array.tile(row, [count, 1])}
    if "fp" in includes or "tn" in includes:
        labelled[False] = math.logical_not(labelled[True])
    if weights is not None:
        weights = array.tile(array.reshape(spread(weights, predictions), [1, -1]), [count, 1])
        limits.shape.assert_is_compatible_with(weights.shape)

    values, updates = {}, {}
    for key, label, is_labelled, is_predicted in _KINDS:
        if key in includes:
            values[key] = metric_variable([count], dtypes.float32, name=label)
            holds = math.cast(math.logical_and(labelled[is_labelled], predicted[is_predicted]), dtypes.float32)
            if weights is not None:
                holds *= weights
            updates[key] = state.assign_add(values[key], reductions.reduce_sum(holds, 1))
    return values, updates


def _inner_thresholds(count):
    return [(i + 1) * 1.0 / (count - 1) for i in range(count - 2)]


def _one_kind(key, scope, labels, predictions, thresholds, weights, metrics_collections, updates_collections, name):
    with scopes.variable_scope(name, scope, (predictions, labels, weights)):
        values, updates = counts_at_thresholds(labels, predictions, thresholds, weights, includes=(key,))
        value = collected(array.identity(values[key]), metrics_collections)
        return value, collected(updates[key], updates_collections)


def true_positives_at_thresholds(
    labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """How often the label is true and the prediction is above each threshold.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the counts.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The counts, a `Tensor` [thresholds] of float32; and an op that adds to them and gives the new counts.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)
    return _one_kind("tp", "true_positives", *rest)


def true_negatives_at_thresholds(
    labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """How often the label is false and the prediction is not above each threshold.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the counts.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The counts, a `Tensor` [thresholds] of float32; and an op that adds to them and gives the new counts.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)
    return _one_kind("tn", "true_negatives", *rest)


def false_positives_at_thresholds(
    labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """How often the label is false and the prediction is above each threshold.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the counts.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The counts, a `Tensor` [thresholds] of float32; and an op that adds to them and gives the new counts.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)
    return _one_kind("fp", "false_positives", *rest)


def false_negatives_at_thresholds(
    labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """How often the label is true and the prediction is not above each threshold.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the counts.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The counts, a `Tensor` [thresholds] of float32; and an op that adds to them and gives the new counts.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)
    return _one_kind("fn", "false_negatives", *rest)


def _true_among(
    other, scope, prefix, labels, predictions, thresholds, weights, metrics_collections, updates_collections, name
):
    with scopes.variable_scope(name, scope, (predictions, labels, weights)):
        values, updates = counts_at_thresholds(labels, predictions, thresholds, weights, includes=("tp", other))

        def part(counts, label):
            return math.div(counts["tp"], _NUDGE + counts["tp"] + counts[other], name=prefix + label)

        value = collected(part(values, "value"), metrics_collections)
        return value, collected(part(updates, "update_op"), updates_collections)


def precision_at_thresholds(
    labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The part of true labels among what is above each threshold.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the precisions.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The precisions, a `Tensor` [thresholds] of float32; and an op that adds these predictions and gives the new ones.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)
    return _true_among("fp", "precision_at_thresholds", "precision_", *rest)


def recall_at_thresholds(
    labels, predictions, thresholds, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The part of what is above each threshold among true labels.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      thresholds: a list of floats.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      metrics_collections: graph collections for the recalls.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The recalls, a `Tensor` [thresholds] of float32; and an op that adds these predictions and gives the new ones.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)
    return _true_among("fn", "recall_at_thresholds", "recall_", *rest)


def _interpolated_area(tp, fp, fn, count):
    """The area below precision over recall, interpolated as Davis and Goadrich do (ICML 2006)."""
    tp_steps = tp[: count - 1] - tp[1:]
    positives = tp + fp
    slope = math.div_no_nan(tp_steps, math.maximum(positives[: count - 1] - positives[1:], 0), name="prec_slope")
    intercept = tp[1:] - math.multiply(slope, positives[1:])
    ratio = indexing.where(
        math.logical_and(positives[: count - 1] > 0, positives[1:] > 0),
        math.div_no_nan(positives[: count - 1], math.maximum(positives[1:], 0), name="recall_relative_ratio"),
        filling.ones_like(positives[1:]),
    )
    steps = math.div_no_nan(
        slope * (tp_steps + intercept * math.log(ratio)),
        math.maximum(tp[1:] + fn[1:], 0),
        name="pr_auc_increment",
    )
    return reductions.reduce_sum(steps, name="interpolate_pr_auc")


def _area(counts, curve, summation_method, count, name):
    tp, fn, tn, fp = (counts[key] for key in ("tp", "fn", "tn", "fp"))
    if curve == "PR":
        if summation_method == "trapezoidal":
            tf_logging.warning(
                "Trapezoidal rule is known to produce incorrect PR-AUCs; "
                'please switch to "careful_interpolation" instead.'
            )
        elif summation_method == "careful_interpolation":
            return _interpolated_area(tp, fp, fn, count)
    epsilon = 1e-6
    recall = math.div(tp + epsilon, tp + fn + epsilon)
    if curve == "ROC":
        x, y = math.div(fp, fp + tn + epsilon), recall
    else:
        x, y = recall, math.div(tp + epsilon, tp + fp + epsilon)
    if summation_method not in ("trapezoidal", "careful_interpolation", "minoring", "majoring"):
        raise ValueError(f"Invalid summation_method: {summation_method}")
    width = x[: count - 1] - x[1:]
    if summation_method == "minoring":
        height = math.minimum(y[: count - 1], y[1:])
    elif summation_method == "majoring":
        height = math.maximum(y[: count - 1], y[1:])
    else:
        height = (y[: count - 1] + y[1:]) / 2.0
    return reductions.reduce_sum(math.multiply(width, height), name=name)


def auc(
    labels,
    predictions,
    weights=None,
    num_thresholds=200,
    metrics_collections=None,
    updates_collections=None,
    curve="ROC",
    name=None,
    summation_method="trapezoidal",
    thresholds=None,
):
    """The area below a curve: true over false positives, or precision over recall.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      num_thresholds: how many points the curve has.
      metrics_collections: graph collections for the area.
      updates_collections: graph collections for the update.
      curve: 'ROC', or 'PR' for precision over recall.
      name: the variable scope.
      summation_method: 'trapezoidal', 'careful_interpolation' (right for 'PR'), 'minoring' or 'majoring' (bounds).
      thresholds: a list of floats in [0, 1] in place of `num_thresholds`.

    Returns:
      The area, a scalar of float32; and an op that adds these predictions and gives the new area.

    Raises:
      ValueError: for another curve or method, or shapes that do not fit.
    """
    with scopes.variable_scope(name, "auc", (labels, predictions, weights)):
        if curve not in ("ROC", "PR"):
            raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
        inner = _inner_thresholds(num_thresholds) if thresholds is None else sorted(thresholds)
        points = [0.0 - _NUDGE, *inner, 1.0 + _NUDGE]
        values, updates = counts_at_thresholds(labels, predictions, points, weights)
        count = num_thresholds if thresholds is None else len(points)
        value = collected(_area(values, curve, summation_method, count, "value"), metrics_collections)
        update = _area(updates, curve, summation_method, count, "update_op")
        return value, collected(update, updates_collections)


def sensitivity_at_specificity(
    labels,
    predictions,
    specificity,
    weights=None,
    num_thresholds=200,
    metrics_collections=None,
    updates_collections=None,
    name=None,
):
    """The part of true labels that is found at the threshold where a given part of false ones is told.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      specificity: a float in [0, 1].
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      num_thresholds: how many thresholds are tried.
      metrics_collections: graph collections for the sensitivity.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The sensitivity, a scalar of float32; and an op that adds these predictions and gives the new one.

    Raises:
      ValueError: for a specificity outside of [0, 1], or shapes that do not fit.
    """
    if specificity < 0 or specificity > 1:
        raise ValueError("`specificity` must be in the range [0, 1].")
    with scopes.variable_scope(name, "sensitivity_at_specificity", (predictions, labels, weights)):
        points = [0.0 - _NUDGE, *_inner_thresholds(num_thresholds), 1.0 + _NUDGE]
        values, updates = counts_at_thresholds(labels, predictions, points, weights)

        def at_specificity(counts, label):
            tp, fn, tn, fp = (counts[key] for key in ("tp", "fn", "tn", "fp"))
            specificities = math.div(tn, tn + fp + _NUDGE)
            nearest = reductions.argmin(math.abs(specificities - specificity), 0)
            nearest = math.cast(nearest, dtypes.int32)
            return math.div(tp[nearest], tp[nearest] + fn[nearest] + _NUDGE, label)

        value = collected(at_specificity(values, "value"), metrics_collections)
        return value, collected(at_specificity(updates, "update_op"), updates_collections)


def specificity_at_sensitivity(
    labels,
    predictions,
    sensitivity,
    weights=None,
    num_thresholds=200,
    metrics_collections=None,
    updates_collections=None,
    name=None,
):
    """The part of false labels that is told at the threshold where a given part of true ones is found.

    Args:
      labels: a `Tensor`, read as bools.
      predictions: a `Tensor` of floats in [0, 1], of the shape of `labels`.
      sensitivity: a float in [0, 1].
      weights: a `Tensor` of rank 0, or of the rank of `labels` with its sizes or 1; None for 1.
      num_thresholds: how many thresholds are tried.
      metrics_collections: graph collections for the specificity.
      updates_collections: graph collections for the update.
      name: the variable scope.

    Returns:
      The specificity, a scalar of float32; and an op that adds these predictions and gives the new one.

    Raises:
      ValueError: for a sensitivity outside of [0, 1], or shapes that do not fit.
    """
    if sensitivity < 0 or sensitivity > 1:
        raise ValueError("`sensitivity` must be in the range [0, 1].")
    with scopes.variable_scope(name, "specificity_at_sensitivity", (predictions, labels, weights)):
        points = [0.0 - _NUDGE, *_inner_thresholds(num_thresholds), 1.0 - _NUDGE]
        values, updates = counts_at_thresholds(labels, predictions, points, weights)

        def at_sensitivity(counts, label):
            tp, fn, tn, fp = (counts[key] for key in ("tp", "fn", "tn", "fp"))
            sensitivities = math.div(tp, tp + fn + _NUDGE)
            least = reductions.reduce_min(math.abs(sensitivities - sensitivity))
            is_least = math.cast(math.equal(math.abs(sensitivities - sensitivity), least), dtypes.int64)
            last = reductions.argmax(reductions.cumsum(is_least), 0)
            last = math.cast(last, dtypes.int32)
            return math.div(tn[last], tn[last] + fp[last] + _NUDGE, label)

        value = collected(at_sensitivity(values, "value"), metrics_collections)
        return value, collected(at_sensitivity(updates, "update_op"), updates_collections)
