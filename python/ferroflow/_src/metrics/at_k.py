"""Metrics of the k likeliest classes: precision, recall and average precision, of labels in sets."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.composite import SparseTensor, SparseTensorValue, convert_to_tensor_or_sparse_tensor
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.metrics.streaming import collected, expand_labels, metric_variable
from ferroflow._src.ops import array, filling, indexing, math, nn, reductions, sets, shaping, sparse, state
from ferroflow._src.ops.weights_broadcast import assert_broadcastable, broadcast_weights


def _at_k_name(name, k=None, class_id=None):
    name = f"{name}_at_k" if k is None else f"{name}_at_{k:d}"
    return name if class_id is None else f"{name}_class{class_id:d}"


def _with_one_value(shape, axes):
    """A shape with size 1 in `axes`."""
    shape, axes = math.cast(shape, dtypes.int32), math.cast(axes, dtypes.int32)
    rank = shaping.size(shape)
    axes = (axes + rank) % rank
    ones = shaping.shape(axes)
    return indexing.dynamic_stitch([math.range(rank), axes], [shape, filling.fill(ones, 1)])


def _only_class(ids, class_id):
    """What remains of sets of classes when only one class counts."""
    ids = convert_to_tensor_or_sparse_tensor(ids)
    if isinstance(ids, SparseTensor):
        return sparse.sparse_retain(ids, math.equal(ids.values, class_id))
    shape = shaping.shape(ids, out_type=dtypes.int64)
    last = shaping.size(shape) - 1
    filled_shape = _with_one_value(shape, array.reshape(last, [1]))
    filled = filling.fill(filled_shape, math.cast(class_id, dtypes.int64))
    found = sets.set_intersection(filled, ids)
    return SparseTensor(indices=found.indices, values=found.values, dense_shape=shape)


def _count(combine, scope, labels, predictions_idx, class_id, weights):
    """How many classes `combine` leaves of each pair of sets, weighted: a `Tensor` of float64."""
    with name_scope(None, scope, (predictions_idx, labels, weights)):
        if class_id is not None:
            labels, predictions_idx = _only_class(labels, class_id), _only_class(predictions_idx, class_id)
        count = math.cast(sets.set_size(combine(predictions_idx, labels)), dtypes.float64)
        if weights is not None:
            with control_dependencies((assert_broadcastable(weights, count),)):
                count = math.multiply(count, math.cast(weights, dtypes.float64))
        return count


def _true_positives(labels, predictions_idx, class_id=None, weights=None, name="true_positives"):
    return _count(sets.set_intersection, name, labels, predictions_idx, class_id, weights)


def _false_positives(labels, predictions_idx, class_id=None, weights=None):
    return _count(sets.set_difference, "false_positives", labels, predictions_idx, class_id, weights)


def _false_negatives(labels, predictions_idx, class_id=None, weights=None):
    def missing(found, wanted):
        return sets.set_difference(found, wanted, aminusb=False)

    return _count(missing, "false_negatives", labels, predictions_idx, class_id, weights)


def _so_far(count, label, labels, predictions_idx, k, class_id, weights):
    name = _at_k_name(label, k, class_id)
    with name_scope(None, name, (predictions_idx, labels, weights)) as scope:
        counted = count(labels, predictions_idx, class_id, weights)
        total = math.cast(reductions.reduce_sum(counted), dtypes.float64)
        var = metric_variable([], dtypes.float64, name=scope)
        return var, state.assign_add(var, total, name="update")


def _true_among(
    other,
    other_label,
    label,
    labels,
    predictions_idx,
    k,
    class_id,
    weights,
    metrics_collections,
    updates_collections,
    name,
):
    """The part of true positives among them and what `other` counts."""
    with name_scope(name, _at_k_name(label, k, class_id), (predictions_idx, labels, weights)) as scope:
        labels = expand_labels(labels, predictions_idx)
        top = math.cast(predictions_idx, dtypes.int64)
        true, update_true = _so_far(_true_positives, "true_positive", labels, top, k, class_id, weights)
        false, update_false = _so_far(other, other_label, labels, top, k, class_id, weights)
        value = collected(math.div(true, math.add(true, false), name=scope), metrics_collections)
        update = math.div(update_true, math.add(update_true, update_false), name="update")
        return value, collected(update, updates_collections)


def precision_at_top_k(
    labels,
    predictions_idx,
    k=None,
    class_id=None,
    weights=None,
    metrics_collections=None,
    updates_collections=None,
    name=None,
):
    """The part of labelled classes among the predicted ones.

    Args:
      labels: a `Tensor` or `SparseTensor` of int64 [*batch, labels], or [*batch] for one label each.
      predictions_idx: a `Tensor` of integers [*batch, k]: the predicted classes.
      k: for names alone.
      class_id: the one class that counts; None for all.
      weights: a `Tensor` of rank 0 or [*batch]; None for 1.
      metrics_collections: graph collections for the precision.
      updates_collections: graph collections for the update.
      name: the name scope.

    Returns:
      The precision, a scalar of float64; and an op that adds these predictions and gives the new precision.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions_idx, k, class_id, weights, metrics_collections, updates_collections, name)
    return _true_among(_false_positives, "false_positive", "precision", *rest)


def recall_at_top_k(
    labels,
    predictions_idx,
    k=None,
    class_id=None,
    weights=None,
    metrics_collections=None,
    updates_collections=None,
    name=None,
):
    """The part of predicted classes among the labelled ones.

    Args:
      labels: a `Tensor` or `SparseTensor` of int64 [*batch, labels], or [*batch] for one label each.
      predictions_idx: a `Tensor` of integers [*batch, k]: the predicted classes.
      k: for names alone.
      class_id: the one class that counts; None for all.
      weights: a `Tensor` of rank 0 or [*batch]; None for 1.
      metrics_collections: graph collections for the recall.
      updates_collections: graph collections for the update.
      name: the name scope.

    Returns:
      The recall, a scalar of float64; and an op that adds these predictions and gives the new recall.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions_idx, k, class_id, weights, metrics_collections, updates_collections, name)
    return _true_among(_false_negatives, "false_negative", "recall", *rest)


def _of_top_k(metric, label, labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name):
    with name_scope(name, _at_k_name(label, k, class_id), (predictions, labels, weights)) as scope:
        _, top = nn.top_k(predictions, k)
        return metric(
            labels=labels,
            predictions_idx=top,
            k=k,
            class_id=class_id,
            weights=weights,
            metrics_collections=metrics_collections,
            updates_collections=updates_collections,
            name=scope,
        )


def precision_at_k(
    labels,
    predictions,
    k,
    class_id=None,
    weights=None,
    metrics_collections=None,
    updates_collections=None,
    name=None,
):
    """The part of labelled classes among the k likeliest.

    Args:
      labels: a `Tensor` or `SparseTensor` of int64 [*batch, labels], or [*batch] for one label each.
      predictions: a `Tensor` of floats [*batch, classes].
      k: an integer.
      class_id: the one class that counts; None for all.
      weights: a `Tensor` of rank 0 or [*batch]; None for 1.
      metrics_collections: graph collections for the precision.
      updates_collections: graph collections for the update.
      name: the name scope.

    Returns:
      The precision, a scalar of float64; and an op that adds these predictions and gives the new precision.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name)
    return _of_top_k(precision_at_top_k, "precision", *rest)


sparse_precision_at_k = precision_at_k


def recall_at_k(
    labels,
    predictions,
    k,
    class_id=None,
    weights=None,
    metrics_collections=None,
    updates_collections=None,
    name=None,
):
    """The part of the k likeliest classes among the labelled ones.

    Args:
      labels: a `Tensor` or `SparseTensor` of int64 [*batch, labels], or [*batch] for one label each.
      predictions: a `Tensor` of floats [*batch, classes].
      k: an integer.
      class_id: the one class that counts; None for all.
      weights: a `Tensor` of rank 0 or [*batch]; None for 1.
      metrics_collections: graph collections for the recall.
      updates_collections: graph collections for the update.
      name: the name scope.

    Returns:
      The recall, a scalar of float64; and an op that adds these predictions and gives the new recall.

    Raises:
      ValueError: when shapes do not fit.
    """
    rest = (labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name)
    return _of_top_k(recall_at_top_k, "recall", *rest)


def _repeat_along_new_axis(tensor, multiple, dim):
    """Gives a tensor a new dimension `dim` in which it stands `multiple` times."""
    with name_scope("labels_per_k", "expand_and_tile", (tensor, multiple, dim)) as scope:
        tensor = convert_to_tensor_or_sparse_tensor(tensor)
        if isinstance(tensor, SparseTensor):
            return _repeat_sparse(tensor, multiple, dim, scope)
        expanded = array.expand_dims(tensor, dim if dim >= 0 else dim - 1, name="expand")
        if multiple == 1:
            return expanded
        ones = filling.ones_like(shaping.shape(tensor))
        multiples = array.concat((ones[:dim], (multiple,), ones[dim:]), 0, name="multiples")
        return array.tile(expanded, multiples, name=scope)


def _repeat_sparse(tensor, multiple, dim, scope):
    shape = tensor.dense_shape
    at = array.reshape(shaping.size(shape) + dim, [1]) if dim < 0 else [dim]
    wanted = array.concat((array.slice(shape, [0], at), [1], array.slice(shape, at, [-1])), 0, name="expanded_shape")
    expanded = sparse.sparse_reshape(tensor, shape=wanted, name="expand")
    if multiple == 1:
        return expanded
    return sparse.sparse_concat(dim - 1 if dim < 0 else dim, [expanded] * multiple, name=scope)


def _num_relevant(labels, k):
    """How many labels each set has, at most k."""
    with name_scope(None, "num_relevant", (labels,)) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            return math.minimum(sets.set_size(labels), k, name=scope)
        is_label = math.greater_equal(labels, 0)
        ones = indexing.where_v2(is_label, filling.ones_like(labels), filling.zeros_like(labels))
        return math.minimum(reductions.reduce_sum(ones, axis=-1), k, name=scope)


def _average_precision(labels, predictions_idx):
    with name_scope(None, "average_precision", (predictions_idx, labels)) as scope:
        predictions_idx = math.cast(predictions_idx, dtypes.int64, name="predictions_idx")
        if predictions_idx.shape.ndims == 0:
            raise ValueError("The rank of predictions_idx must be at least 1.")
        k = predictions_idx.shape.as_list()[-1]
        if k is None:
            raise ValueError("The last dimension of predictions_idx must be set.")
        labels = expand_labels(labels, predictions_idx)
        predicted = array.expand_dims(predictions_idx, -1, name="predictions_idx_per_k")
        labelled = _repeat_along_new_axis(labels, k, -1)
        relevant = _true_positives(labelled, predicted, name="relevant_per_k")
        found = reductions.cumsum(relevant, axis=-1, name="tp_per_k")
        retrieved = reductions.cumsum(filling.ones_like(relevant), axis=-1, name="retrieved_per_k")
        precisions = math.div(
            math.cast(found, dtypes.float64), math.cast(retrieved, dtypes.float64), name="precision_per_k"
        )
        relevant_precisions = math.multiply(
            precisions, math.cast(relevant, dtypes.float64), name="relevant_precision_per_k"
        )
        total = reductions.reduce_sum(relevant_precisions, axis=(-1,), name="precision_sum")
        return math.div(total, math.cast(_num_relevant(labels, k), dtypes.float64), name=scope)


def _without_unknown_classes(labels, num_classes):
    """Sets labels that are no class to -1."""
    is_sparse = isinstance(labels, (SparseTensor, SparseTensorValue))

    def cleaned(values):
        return indexing.where_v2(math.greater_equal(values, num_classes), -1 * filling.ones_like(values), values)

    def cleaned_labels():
        if is_sparse:
            return type(labels)(indices=labels.indices, values=cleaned(labels.values), dense_shape=labels.dense_shape)
        return cleaned(labels)

    greatest = reductions.reduce_max(labels.values if is_sparse else labels)
    return cond(math.greater_equal(greatest, num_classes), cleaned_labels, lambda: labels)


def average_precision_at_k(
    labels, predictions, k, weights=None, metrics_collections=None, updates_collections=None, name=None
):
    """The mean over examples of the average precision at 1, 2, … k, where the class at that place is labelled.

    Args:
      labels: a `Tensor` or `SparseTensor` of int64 [*batch, labels], or [*batch] for one label each.
      predictions: a `Tensor` of floats [*batch, classes].
      k: an integer.
      weights: a `Tensor` of rank 0 or [*batch]; None for 1.
      metrics_collections: graph collections for the mean.
      updates_collections: graph collections for the update.
      name: the name scope.

    Returns:
      The mean, a scalar of float64; and an op that adds these predictions and gives the new mean.

    Raises:
      ValueError: when `k` is less than 1, or shapes do not fit.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}.")
    with name_scope(name, _at_k_name("average_precision", k), (predictions, labels, weights)) as scope:
        _, top = nn.top_k(predictions, k)
        num_classes = math.cast(shaping.shape(predictions)[-1], dtypes.int64)
        labels = _without_unknown_classes(labels, num_classes)
        return _average_precision_so_far(labels, top, weights, metrics_collections, updates_collections, scope)


def _average_precision_so_far(labels, predictions_idx, weights, metrics_collections, updates_collections, name):
    with name_scope(name, "average_precision_at_top_k", (predictions_idx, labels, weights)) as scope:
        average = _average_precision(labels, predictions_idx)
        if weights is not None:
            weights = broadcast_weights(math.cast(weights, dtypes.float64), average)
            average = math.multiply(average, weights)
        with name_scope(None, "max", (average,)) as max_scope:
            most = metric_variable([], dtypes.float64, name=max_scope)
            if weights is None:
                batch_most = math.cast(shaping.size(average, name="batch_max"), dtypes.float64)
            else:
                batch_most = reductions.reduce_sum(weights, name="batch_max")
            update_most = state.assign_add(most, batch_most, name="update")
        with name_scope(None, "total", (average,)) as total_scope:
            total = metric_variable([], dtypes.float64, name=total_scope)
            batch_total = reductions.reduce_sum(average, name="batch_total")
            update_total = state.assign_add(total, batch_total, name="update")
        value = collected(math.div_no_nan(total, most, name="mean"), metrics_collections)
        update = math.div_no_nan(update_total, update_most, name=scope)
        return value, collected(update, updates_collections)


sparse_average_precision_at_k = average_precision_at_k
