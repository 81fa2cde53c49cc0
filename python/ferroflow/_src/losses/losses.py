"""tf.losses: losses of each element, weighted, reduced to a scalar and collected."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.stacks import get_default_graph
from ferroflow._src.ops import activations, array, filling, indexing, math, nn, reductions, shaping
from ferroflow._src.ops.arguments import renamed
from ferroflow._src.ops.histograms import remove_squeezable_dimensions
from ferroflow._src.ops.weights_broadcast import assert_broadcastable, broadcast_weights


class Reduction:
    """How the losses of all elements become one.

    `NONE`: they do not. `SUM`: their sum. `SUM_OVER_BATCH_SIZE`: that divided by their number. `MEAN`: divided by the
    sum of weights. `SUM_BY_NONZERO_WEIGHTS` (or `SUM_OVER_NONZERO_WEIGHTS`): divided by how many weights are not zero.
    """

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls):
        """Returns all of them."""
        return (
            cls.NONE,
            cls.SUM,
            cls.MEAN,
            cls.SUM_OVER_BATCH_SIZE,
            cls.SUM_OVER_NONZERO_WEIGHTS,
            cls.SUM_BY_NONZERO_WEIGHTS,
        )

    @classmethod
    def validate(cls, key):
        """Raises ValueError when `key` is none of them."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


def add_loss(loss, loss_collection=GraphKeys.LOSSES):
    """Adds a loss to a collection.

    Args:
      loss: a `Tensor`.
      loss_collection: the collection; None for none.
    """
    if loss_collection:
        add_to_collection(loss_collection, loss)


def get_losses(scope=None, loss_collection=GraphKeys.LOSSES):
    """Returns the losses of a collection, in order.

    Args:
      scope: keeps those whose name begins with it.
      loss_collection: the collection.
    """
    return get_collection(loss_collection, scope)


def get_regularization_losses(scope=None):
    """Returns the losses that regularizers made, in order.

    Args:
      scope: keeps those whose name begins with it.
    """
    return get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope=None, name="total_regularization_loss"):
    """Returns the sum of the losses that regularizers made: a scalar, 0 when there are none.

    Args:
      scope: keeps those whose name begins with it.
      name: the sum's name.
    """
    losses = get_regularization_losses(scope)
    return math.add_n(losses, name=name) if losses else constant(0.0)


def get_total_loss(add_regularization_losses=True, name="total_loss", scope=None):
    """Returns the sum of all losses: a scalar.

    Args:
      add_regularization_losses: whether those of regularizers count too.
      name: the sum's name.
      scope: keeps those whose name begins with it.

    Raises:
      ValueError: when there are none.
    """
    losses = get_losses(scope=scope)
    if add_regularization_losses:
        losses += get_regularization_losses(scope=scope)
    return math.add_n(losses, name=name)


def _safe_mean(losses, count):
    return math.div_no_nan(reductions.reduce_sum(losses), count, name="value")


def _num_elements(losses):
    with name_scope(None, "num_elements", values=[losses]) as scope:
        return math.cast(shaping.size(losses, name=scope), dtype=losses.dtype)


def _num_present(losses, weights, per_batch=False):
    """How many weights, spread over the losses, are not zero."""
    if isinstance(weights, float) and weights != 0.0:
        return _num_elements(losses)
    with name_scope(None, "num_present", (losses, weights)) as scope:
        weights = math.cast(weights, dtype=dtypes.float32)
        is_zero = math.equal(weights, 0.0)
        present = indexing.where(is_zero, filling.zeros_like(weights), filling.ones_like(weights))
        present = broadcast_weights(present, losses)
        if per_batch:
            axes = math.range(1, shaping.rank(present))
            return reductions.reduce_sum(present, axis=axes, keepdims=True, name=scope)
        return reductions.reduce_sum(present, name=scope)


def compute_weighted_loss(
    losses,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """Weighs losses, reduces them and adds the result to a collection.

    Args:
      losses: a `Tensor` of numbers: the loss of each element.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar of the type of `losses`; for `Reduction.NONE` a `Tensor` of their shape.

    Raises:
      ValueError: for another reduction, or weights that do not fit.
    """
    Reduction.validate(reduction)
    with name_scope(scope, "weighted_loss", (losses, weights)):
        get_default_graph()._last_loss_reduction = reduction
        with control_dependencies((assert_broadcastable(weights, losses),)):
            losses = convert_to_tensor(losses)
            dtype = losses.dtype
            losses = math.cast(losses, dtype=dtypes.float32)
            weights = math.cast(weights, dtype=dtypes.float32)
            loss = math.multiply(losses, weights)
            if reduction != Reduction.NONE:
                loss = reductions.reduce_sum(loss)
                if reduction == Reduction.MEAN:
                    loss = _safe_mean(loss, reductions.reduce_sum(filling.ones_like(losses) * weights))
                elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                    loss = _safe_mean(loss, _num_present(losses, weights))
                elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                    loss = _safe_mean(loss, _num_elements(losses))
            loss = math.cast(loss, dtype)
            add_loss(loss, loss_collection)
            return loss


def _check_given(**values):
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{name} must not be None.")


def _as_floats(predictions, labels):
    predictions = math.cast(predictions, dtype=dtypes.float32)
    labels = math.cast(labels, dtype=dtypes.float32)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return predictions, labels


def absolute_difference(
    labels,
    predictions,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The absolute difference.

    Args:
      labels: a `Tensor` of numbers.
      predictions: one of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "absolute_difference", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = math.abs(math.subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def cosine_distance(
    labels,
    predictions,
    axis=None,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim=None,
):
    """One minus the cosine, for vectors of length 1.

    Args:
      labels: a `Tensor` of numbers.
      predictions: one of the same shape.
      axis: the dimension along which the vectors lie.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.
      dim: the older name of `axis`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    axis = renamed("axis", axis, "dim", dim)
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "cosine_distance_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        products = math.multiply(predictions, labels)
        losses = 1 - reductions.reduce_sum(products, axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def hinge_loss(
    labels,
    logits,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The hinge loss: by how much a logit falls short of 1 on its side.

    Args:
      labels: a `Tensor` of zeros and ones.
      logits: numbers of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, logits=logits)
    with name_scope(scope, "hinge_loss", (logits, labels, weights)) as scope:
        logits, labels = _as_floats(logits, labels)
        ones = filling.ones_like(labels)
        labels = math.subtract(2 * labels, ones)
        losses = activations.relu(math.subtract(ones, math.multiply(labels, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def huber_loss(
    labels,
    predictions,
    weights=1.0,
    delta=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """Half the square of small differences, and linear beyond `delta`.

    Args:
      labels: a `Tensor` of numbers.
      predictions: one of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      delta: where the loss becomes linear.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "huber_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        error = math.abs(math.subtract(predictions, labels))
        quadratic = math.minimum(error, delta)
        linear = math.subtract(error, quadratic)
        half = convert_to_tensor(0.5, dtype=quadratic.dtype)
        losses = math.add(math.multiply(half, math.multiply(quadratic, quadratic)), math.multiply(delta, linear))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def log_loss(
    labels,
    predictions,
    weights=1.0,
    epsilon=1e-7,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The cross entropy of probabilities.

    Args:
      labels: a `Tensor` of numbers from 0 to 1.
      predictions: one of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      epsilon: added to what the logarithm is taken of.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "log_loss", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        right = -math.multiply(labels, math.log(predictions + epsilon))
        losses = right - math.multiply(1 - labels, math.log(1 - predictions + epsilon))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def mean_squared_error(
    labels,
    predictions,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The squared difference.

    Args:
      labels: a `Tensor` of numbers.
      predictions: one of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_squared_error", (predictions, labels, weights)) as scope:
        predictions, labels = _as_floats(predictions, labels)
        losses = math.squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def sigmoid_cross_entropy(
    multi_class_labels,
    logits,
    weights=1.0,
    label_smoothing=0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The cross entropy of independent classes.

    Args:
      multi_class_labels: a `Tensor` of zeros and ones, or probabilities.
      logits: floats of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      label_smoothing: how far labels are moved towards one half.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(multi_class_labels=multi_class_labels, logits=logits)
    with name_scope(scope, "sigmoid_cross_entropy_loss", (logits, multi_class_labels, weights)) as scope:
        logits = convert_to_tensor(logits)
        labels = math.cast(multi_class_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def softmax_cross_entropy(
    onehot_labels,
    logits,
    weights=1.0,
    label_smoothing=0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The cross entropy of classes of which exactly one is there.

    Args:
      onehot_labels: a `Tensor` of probabilities [*batch, classes].
      logits: floats of the same shape.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      label_smoothing: how far labels are moved towards equal ones.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(onehot_labels=onehot_labels, logits=logits)
    with name_scope(scope, "softmax_cross_entropy_loss", (logits, onehot_labels, weights)) as scope:
        logits = convert_to_tensor(logits)
        labels = math.cast(onehot_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = math.cast(shaping.shape(labels)[-1], logits.dtype)
            positive = 1.0 - label_smoothing
            negative = label_smoothing / classes
            labels = labels * positive + negative
        labels = array.stop_gradient(labels, name="labels_stop_gradient")
        losses = nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def sparse_softmax_cross_entropy(
    labels,
    logits,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """The cross entropy of classes whose labels are numbers.

    Args:
      labels: int32 or int64: the classes' numbers.
      logits: floats; the shape of `labels` with the number of classes behind.
      weights: a scalar, or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.
      reduction: a `Reduction`.

    Returns:
      A scalar; for `Reduction.NONE` a `Tensor` with the loss of each element.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, logits=logits)
    with name_scope(scope, "sparse_softmax_cross_entropy_loss", (logits, labels, weights)) as scope:
        labels, logits, weights = _squeezed(labels, logits, weights)
        losses = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction=reduction)


def _squeezed(labels, logits, weights):
    """Drops last dimensions of size 1 that labels or weights have too many."""
    labels, logits = remove_squeezable_dimensions(labels, logits, expected_rank_diff=1)
    weights = convert_to_tensor(weights)
    ranks = weights.shape.ndims, labels.shape.ndims
    if None not in ranks:
        if ranks[0] - ranks[1] == 1:
            weights = array.squeeze(weights, [-1])
        return labels, logits, weights
    difference = shaping.rank(weights) - shaping.rank(labels)
    if ranks[0] is None or (ranks[0] > 0 and weights.shape.dims[-1].is_compatible_with(1)):
        given = weights
        weights = cond(math.equal(1, difference), lambda: array.squeeze(given, [-1]), lambda: given)
    return labels, logits, weights


def mean_pairwise_squared_error(labels, predictions, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES):
    """The mean squared difference between the differences of pairs of elements, within each example.

    Args:
      labels: a `Tensor` of numbers [batch, ...].
      predictions: one of the same shape.
      weights: a scalar, [batch], or a `Tensor` of their rank with their size or 1 in each dimension.
      scope: the name scope.
      loss_collection: the collection for the result; None for none.

    Returns:
      A scalar.

    Raises:
      ValueError: when shapes do not fit, or an argument is None.
    """
    _check_given(labels=labels, predictions=predictions)
    with name_scope(scope, "mean_pairwise_squared_error", (predictions, labels, weights)) as scope:
        weights = math.cast(weights, dtype=dtypes.float32)
        labels = math.cast(labels, dtype=dtypes.float32)
        with control_dependencies((assert_broadcastable(weights, labels),)):
            predictions = math.cast(predictions, dtype=dtypes.float32)
            predictions.shape.assert_is_compatible_with(labels.shape)
            differences = math.subtract(predictions, labels)
            axes = math.range(1, shaping.rank(differences))
            squares = reductions.reduce_sum(math.square(differences), axis=axes, keepdims=True)
            count = _num_present(differences, weights, per_batch=True)
            first = 2.0 * math.div_no_nan(squares, math.maximum(count - 1, 0), name="value")
            total = reductions.reduce_sum(differences, axis=axes, keepdims=True)
            square = math.square(total)
            pairs = math.maximum(math.multiply(count, count - 1), 0)
            second = 2.0 * math.div_no_nan(square, pairs, name="value")
            loss = reductions.reduce_sum(math.multiply(first - second, weights))
            is_present = reductions.reduce_sum(count) > 0
            loss = indexing.where(is_present, loss, filling.zeros_like(loss), name="value")
            add_loss(loss, loss_collection)
            return loss
