"""tf.contrib.losses: the older losses, with predictions before labels and their own way of counting weights."""

from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.losses.losses import get_regularization_losses as get_regularization_losses
from ferroflow._src.ops import activations, array, filling, indexing, math, nn, reductions, shaping
from ferroflow._src.ops.arguments import renamed


@add_arg_scope
def add_loss(loss, loss_collection=GraphKeys.LOSSES):
    """Adds a loss to a collection; None for none."""
    if loss_collection:
        add_to_collection(loss_collection, loss)


def get_losses(scope=None, loss_collection=GraphKeys.LOSSES):
    """Returns the losses of a collection whose name begins with `scope`."""
    return get_collection(loss_collection, scope)


def get_total_loss(add_regularization_losses=True, name="total_loss"):
    """Returns the sum of all losses.

    Args:
      add_regularization_losses: whether those of regularizers count too.
      name: the sum's name.

    Raises:
      ValueError: when there are none.
    """
    losses = get_losses()
    if add_regularization_losses:
        losses += get_regularization_losses()
    return math.add_n(losses, name=name)


def _weighted_sum(losses, weights):
    axes = list(range(max(0, weights.shape.ndims), losses.shape.ndims))
    return reductions.reduce_sum(math.multiply(reductions.reduce_sum(losses, axis=axes), weights))


def _num_present(losses, weights, per_batch=False):
    """How many elements have a weight that is not zero."""
    rank = weights.shape.ndims
    if rank == 0:
        batch = array.reshape(array.slice(shaping.shape(losses), [0], [1]), [])
        count = math.div(math.cast(shaping.size(losses), dtypes.float32), math.cast(batch, dtypes.float32))
        count = indexing.where(math.equal(weights, 0), 0.0, count)
        counts = math.multiply(filling.ones(array.reshape(batch, [1])), count)
    else:
        is_present = math.cast(math.not_equal(weights, 0), dtypes.float32)
        present = reductions.reduce_sum(is_present, axis=list(range(1, rank)))
        rest = array.slice(shaping.shape(losses), [rank], [-1])
        counts = math.multiply(present, math.cast(reductions.reduce_prod(rest), dtypes.float32))
    return counts if per_batch else reductions.reduce_sum(counts)


def compute_weighted_loss(losses, weights=1.0, scope=None):
    """Weighs losses, takes their mean over what has a weight, and adds it to the collection of losses.

    Args:
      losses: a `Tensor` of numbers.
      weights: a scalar, or a `Tensor` whose dimensions are the first of the losses'.
      scope: the name scope.

    Returns:
      A scalar of the type of `losses`.

    Raises:
      ValueError: for an unknown rank.
    """
    with name_scope(scope, "weighted_loss", [losses, weights]):
        losses = convert_to_tensor(losses)
        dtype = losses.dtype
        losses = math.cast(losses, dtypes.float32)
        weights = math.cast(convert_to_tensor(weights), dtypes.float32)
        if losses.shape.ndims is None:
            raise ValueError("losses.get_shape().ndims cannot be None")
        if weights.shape.ndims is None:
            raise ValueError("weights.get_shape().ndims cannot be None")
        if weights.shape.ndims > 1 and weights.shape.dims[-1].is_compatible_with(1):
            weights = array.squeeze(weights, [-1])
        total = _weighted_sum(losses, weights)
        count = _num_present(losses, weights)
        mean = math.div_no_nan(reductions.reduce_sum(total), count, name="value")
        mean = math.cast(mean, dtype)
        add_loss(mean)
        return mean


def _as_floats(predictions, labels):
    predictions.shape.assert_is_compatible_with(labels.shape)
    return math.cast(predictions, dtypes.float32), math.cast(labels, dtypes.float32)


def absolute_difference(predictions, labels=None, weights=1.0, scope=None):
    """The absolute difference.

    Args:
      predictions: a `Tensor`.
      labels: a `Tensor` of its shape.
      weights: see `compute_weighted_loss`.
      scope: the name scope.

    Returns:
      A scalar of float32.
    """
    with name_scope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        return compute_weighted_loss(math.abs(math.subtract(predictions, labels)), weights, scope=scope)


def mean_squared_error(predictions, labels=None, weights=1.0, scope=None):
    """The squared difference.

    Args:
      predictions: a `Tensor`.
      labels: a `Tensor` of its shape.
      weights: see `compute_weighted_loss`.
      scope: the name scope.

    Returns:
      A scalar of float32.
    """
    with name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        return compute_weighted_loss(math.squared_difference(predictions, labels), weights, scope=scope)


def log_loss(predictions, labels=None, weights=1.0, epsilon=1e-7, scope=None):
    """The cross entropy of probabilities.

    Args:
      predictions: a `Tensor` of probabilities.
      labels: a `Tensor` of its shape.
      weights: see `compute_weighted_loss`.
      epsilon: added to what the logarithm is taken of.
      scope: the name scope.

    Returns:
      A scalar of float32.
    """
    with name_scope(scope, "log_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = -math.multiply(labels, math.log(predictions + epsilon)) - math.multiply(
            1 - labels, math.log(1 - predictions + epsilon)
        )
        return compute_weighted_loss(losses, weights, scope=scope)


def hinge_loss(logits, labels=None, scope=None):
    """The hinge loss of each element; it is not collected.

    Args:
      logits: a `Tensor` of floats.
      labels: a `Tensor` of its shape: 0 or 1.
      scope: the name scope.

    Returns:
      A `Tensor` of the shape of `logits`.
    """
    with name_scope(scope, "hinge_loss", [logits, labels]) as scope:
        logits.shape.assert_is_compatible_with(labels.shape)
        labels = math.cast(labels, dtypes.float32)
        ones = filling.ones_like(labels)
        labels = math.subtract(2 * labels, ones)
        return activations.relu(math.subtract(ones, math.multiply(labels, logits)))


def cosine_distance(predictions, labels=None, axis=None, weights=1.0, scope=None, dim=None):
    """One minus the inner product.

    Args:
      predictions: a `Tensor`.
      labels: a `Tensor` of its shape.
      axis: the dimension of the vectors.
      weights: see `compute_weighted_loss`.
      scope: the name scope.
      dim: the older name of `axis`.

    Returns:
      A scalar of float32.

    Raises:
      ValueError: without an axis.
    """
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    with name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        products = math.multiply(predictions, labels)
        losses = 1 - reductions.reduce_sum(products, axis=[axis])
        return compute_weighted_loss(losses, weights, scope=scope)


def sigmoid_cross_entropy(logits, multi_class_labels, weights=1.0, label_smoothing=0, scope=None):
    """The cross entropy of independent classes.

    Args:
      logits: a `Tensor` of floats [batch, classes].
      multi_class_labels: a `Tensor` of its shape: 0 or 1.
      weights: see `compute_weighted_loss`.
      label_smoothing: how far labels are moved towards 1/2.
      scope: the name scope.

    Returns:
      A scalar of the type of `logits`.
    """
    with name_scope(scope, "sigmoid_cross_entropy_loss", [logits, multi_class_labels, weights]) as scope:
        logits.shape.assert_is_compatible_with(multi_class_labels.shape)
        labels = math.cast(multi_class_labels, logits.dtype)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def softmax_cross_entropy(logits, onehot_labels, weights=1.0, label_smoothing=0, scope=None):
    """The cross entropy of classes that exclude each other.

    Args:
      logits: a `Tensor` of floats [batch, classes].
      onehot_labels: a `Tensor` of its shape.
      weights: see `compute_weighted_loss`.
      label_smoothing: how far labels are moved towards equal ones.
      scope: the name scope.

    Returns:
      A scalar of the type of `logits`.
    """
    with name_scope(scope, "softmax_cross_entropy_loss", [logits, onehot_labels, weights]) as scope:
        logits.shape.assert_is_compatible_with(onehot_labels.shape)
        labels = math.cast(onehot_labels, logits.dtype)
        if label_smoothing > 0:
            classes = math.cast(shaping.shape(labels)[1], logits.dtype)
            negative = label_smoothing / classes
            labels = labels * (1.0 - label_smoothing) + negative
        losses = nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def sparse_softmax_cross_entropy(logits, labels, weights=1.0, scope=None):
    """The cross entropy of classes given by number.

    Args:
      logits: a `Tensor` of floats [batch, classes].
      labels: a `Tensor` of integers [batch] or [batch, 1].
      weights: see `compute_weighted_loss`.
      scope: the name scope.

    Returns:
      A scalar of the type of `logits`.
    """
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", [logits, labels, weights]) as scope:
        labels = array.reshape(labels, shape=[shaping.shape(labels)[0]])
        losses = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def mean_pairwise_squared_error(predictions, labels=None, weights=1.0, scope=None):
    """The squared difference between the differences of all pairs of elements of an example.

    Args:
      predictions: a `Tensor`.
      labels: a `Tensor` of its shape.
      weights: a scalar, or a `Tensor` [batch].
      scope: the name scope.

    Returns:
      A scalar of float32.

    Raises:
      ValueError: for an unknown rank.
    """
    with name_scope(scope, "mean_pairwise_squared_error", [predictions, labels, weights]) as scope:
        predictions, labels = _as_floats(predictions, labels)
        weights = math.cast(convert_to_tensor(weights), dtypes.float32)
        differences = math.subtract(predictions, labels)
        if differences.shape.ndims is None:
            raise ValueError("diffs.get_shape().ndims cannot be None")
        if weights.shape.ndims is None:
            raise ValueError("weights.get_shape().ndims cannot be None")
        axes = list(range(1, differences.shape.ndims))
        squares = reductions.reduce_sum(math.square(differences), axis=axes)
        counts = _num_present(differences, weights, per_batch=True)
        first = 2.0 * math.div_no_nan(squares, counts, name="value")
        sums = reductions.reduce_sum(differences, axis=axes)
        second = 2.0 * math.div_no_nan(math.square(sums), math.square(counts), name="value")
        loss = _weighted_sum(first - second, weights)
        is_any = reductions.reduce_sum(counts) > 0
        mean = indexing.where(is_any, loss, filling.zeros_like(loss), name="value")
        add_loss(mean)
        return mean
