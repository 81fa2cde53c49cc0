"""What all metrics share: their variables, shapes made to fit, and the collections for values and updates."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.collections import add_to_collections
from ferroflow._src.framework.composite import SparseTensor, convert_to_tensor_or_sparse_tensor
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.variables import Variable, VariableAggregation, VariableSynchronization
from ferroflow._src.ops import array, filling, math, shaping, sparse, weights_broadcast
from ferroflow._src.ops.histograms import remove_squeezable_dimensions


def metric_variable(shape, dtype, name=None):
    """Makes a local variable of zeros that a metric adds to."""
    return Variable(
        lambda: filling.zeros(shape, dtype),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES],
        synchronization=VariableSynchronization.ON_READ,
        aggregation=VariableAggregation.SUM,
        name=name,
    )


def collected(value, collections):
    """Adds a value or an update to graph collections, if there are any, and returns it."""
    if collections:
        add_to_collections(collections, value)
    return value


def fitted(predictions, labels, weights):
    """Gives predictions, labels and weights the same rank where a dimension of size 1 stands between them.

    Args:
      predictions: a `Tensor`.
      labels: a `Tensor` of the rank of `predictions`, or one less or more; or None.
      weights: a `Tensor` of rank 0, or of the rank of `predictions`, or one less or more; or None.

    Returns:
      The three.

    Raises:
      ValueError: when shapes are known not to fit.
    """
    predictions = convert_to_tensor(predictions)
    if labels is not None:
        labels, predictions = remove_squeezable_dimensions(labels, predictions)
        predictions.shape.assert_is_compatible_with(labels.shape)
    if weights is None:
        return predictions, labels, None
    weights = convert_to_tensor(weights)
    return predictions, labels, _fitted_weights(weights, predictions)


def _fitted_weights(weights, predictions):
    wanted, rank = predictions.shape.ndims, weights.shape.ndims
    if rank == 0:
        return weights
    if wanted is not None and rank is not None:
        if rank - wanted == 1:
            return array.squeeze(weights, [-1])
        return array.expand_dims(weights, [-1]) if wanted - rank == 1 else weights

    rank_now = shaping.rank(weights)
    difference = rank_now - shaping.rank(predictions)

    def expanded():
        return cond(math.equal(difference, -1), lambda: array.expand_dims(weights, [-1]), lambda: weights)

    def squeezed():
        if rank is not None and not weights.shape.dims[-1].is_compatible_with(1):
            return weights
        return array.squeeze(weights, [-1])

    def adjusted():
        return cond(math.equal(difference, 1), squeezed, expanded)

    return cond(math.equal(rank_now, 0), lambda: weights, adjusted)


def spread(weights, values):
    """Returns weights as float32 in the shape of the values."""
    return weights_broadcast.broadcast_weights(math.cast(weights, dtypes.float32), values)


def expand_labels(labels, predictions):
    """Gives labels a last dimension of size 1 when they have one dimension less than the predictions.

    Args:
      labels: a `Tensor` or `SparseTensor`.
      predictions: a `Tensor`.

    Raises:
      ValueError: when the ranks are known and differ by something else.
    """
    with name_scope(None, "expand_labels", (labels, predictions)) as scope:
        labels = convert_to_tensor_or_sparse_tensor(labels)
        if isinstance(labels, SparseTensor):
            shape = labels.dense_shape
            return cond(
                math.equal(shaping.rank(predictions), shaping.size(shape) + 1),
                lambda: sparse.sparse_reshape(labels, shape=array.concat((shape, (1,)), 0), name=scope),
                lambda: labels,
            )
        rank, wanted = labels.shape.ndims, predictions.shape.ndims
        if rank is not None and wanted is not None:
            if wanted == rank:
                return labels
            if wanted == rank + 1:
                return array.expand_dims(labels, -1, name=scope)
            raise ValueError(f"Unexpected labels shape {labels.shape} for predictions shape {predictions.shape}.")
        return cond(
            math.equal(shaping.rank(predictions), shaping.rank(labels) + 1),
            lambda: array.expand_dims(labels, -1, name=scope),
            lambda: labels,
        )
