"""Layers' small parts: biases, dropout, the best k; and the cross entropies of logits."""

import itertools
import logging
import numbers

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape
from ferroflow._src.ops import activations, array, checks, filling, indexing, math, random, reductions, shaping
from ferroflow._src.ops.arguments import renamed


def l2_loss(t, name=None):
    """Computes half the sum of squares.

    Args:
      t: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `t`.
    """
    return apply_op("L2Loss", t, name=name)


def bias_add(value, bias, data_format=None, name=None):
    """Adds a bias to each channel.

    Args:
      value: a `Tensor` of numbers whose last dimension (or second, for 'NC...') holds channels.
      bias: one of the same type [channels].
      data_format: 'N...C' or 'NC...'; None for the former.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `value`.

    Raises:
      ValueError: for another format.
    """
    with name_scope(name, "BiasAdd", [value, bias]) as name:
        if data_format is not None:
            if data_format.startswith("NC"):
                data_format = "NCHW"
            elif data_format.startswith("N") and data_format.endswith("C"):
                data_format = "NHWC"
            else:
                raise ValueError("data_format must be of the form `N...C` or `NC...`")
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, dtype=value.dtype, name="bias")
        return apply_op("BiasAdd", value, bias, data_format=data_format, name=name)


def xw_plus_b(x, weights, biases, name=None):
    """Computes `matmul(x, weights) + biases`.

    Args:
      x: a `Tensor` [batch, inputs].
      weights: one of the same type [inputs, outputs].
      biases: one of the same type [outputs].
      name: the operation's name.

    Returns:
      A `Tensor` [batch, outputs].
    """
    with name_scope(name, "xw_plus_b", [x, weights, biases]) as name:
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(weights, name="weights")
        biases = convert_to_tensor(biases, name="biases")
        return bias_add(math.matmul(x, weights), biases, name=name)


def relu_layer(x, weights, biases, name=None):
    """Computes `relu(matmul(x, weights) + biases)`.

    Args:
      x: a `Tensor` [batch, inputs].
      weights: one of the same type [inputs, outputs].
      biases: one of the same type [outputs].
      name: the operation's name.

    Returns:
      A `Tensor` [batch, outputs].
    """
    with name_scope(name, "relu_layer", [x, weights, biases]) as name:
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(weights, name="weights")
        biases = convert_to_tensor(biases, name="biases")
        return activations.relu(bias_add(math.matmul(x, weights), biases), name=name)


_log = logging.getLogger("tensorflow")
_warnings_left = itertools.repeat(None, 5)


def _warn_of_large_rate(rate):
    """Says, a few times, what a rate means: older programs gave the probability to stay."""
    if next(_warnings_left, 1) is None:
        _log.warning("Large dropout rate: %g (> 0.5): it is the part that is dropped.", rate)


def _noise_shape(x, noise_shape):
    if noise_shape is None:
        return shaping.shape(x)
    try:
        given = as_shape(noise_shape)
    except (TypeError, ValueError):
        return noise_shape
    if x.shape.ndims is None or x.shape.ndims != len(given.dims):
        return noise_shape
    return TensorShape(
        [own if wanted is None else wanted for wanted, own in zip(given.as_list(), x.shape.as_list(), strict=True)]
    )


def dropout(x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None):
    """Sets elements to zero at random and scales the others up, so that the sum is expected to stay.

    Args:
      x: a `Tensor` of floats.
      keep_prob: the probability of an element to stay; `1 - rate`, the older way to say it.
      noise_shape: int32 of rank 1: dimensions of size 1 in it are kept or dropped as a whole.
      seed: a Python integer.
      name: the name scope.
      rate: the probability of an element to be dropped.

    Returns:
      A `Tensor` of the type and shape of `x`.

    Raises:
      ValueError: without a rate, or with one out of range, or when `x` has no floats.
    """
    try:
        dropped = None if keep_prob is None else 1.0 - keep_prob
    except TypeError:
        raise ValueError(f"keep_prob must be a floating point number or Tensor (got {keep_prob!r})") from None
    rate = renamed("rate", rate, "keep_prob", dropped)
    if rate is None:
        raise ValueError("You must provide a rate to dropout.")
    return dropout_v2(x, rate, noise_shape, seed, name)


def dropout_v2(x, rate, noise_shape=None, seed=None, name=None):
    """`dropout` with TensorFlow 2's arguments."""
    with name_scope(name, "dropout", [x]) as name:
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                f"x has to be a floating point tensor since it's going to be scaled. Got a {x.dtype} tensor instead."
            )
        if isinstance(rate, numbers.Real):
            if not 0 <= rate < 1:
                raise ValueError(f"rate must be a scalar tensor or a float in the range [0, 1), got {rate:g}")
            if rate > 0.5:
                _warn_of_large_rate(rate)
            if rate == 0:
                return x
        rate = convert_to_tensor(rate, dtype=x.dtype, name="rate")
        rate.shape.assert_has_rank(0)
        if tensor_util.constant_value(rate) == 0:
            return x
        noise = random.random_uniform(_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype)
        keep_prob = 1 - rate
        scale = 1 / keep_prob
        is_kept = noise >= rate
        result = x * scale * math.cast(is_kept, x.dtype)
        result.set_shape(x.shape)
        return result


def top_k(input, k=1, sorted=True, name=None):
    """Finds the greatest elements of each row.

    Args:
      input: a `Tensor` of real numbers whose last dimension is at least `k`.
      k: an int32 scalar.
      sorted: whether they come in falling order.
      name: the operation's name.

    Returns:
      A named tuple: `values` and `indices`, both with `k` as their last dimension.
    """
    return apply_op("TopKV2", input, k, sorted=sorted, name=name)


def in_top_k(predictions, targets, k, name=None):
    """Finds whether targets are among the greatest predictions.

    Args:
      predictions: float32 [batch, classes].
      targets: int32 or int64 [batch].
      k: an integer scalar.
      name: the name scope.

    Returns:
      A `Tensor` of bool [batch].
    """
    with name_scope(name, "in_top_k"):
        return apply_op("InTopKV2", predictions, targets, k, name=name)


def nth_element(input, n, reverse=None, name=None):
    """Finds the n-th least element of each row.

    Args:
      input: a `Tensor` of real numbers.
      n: a `Tensor` of int32.
      reverse: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("NthElement", input, n, reverse=reverse, name=name)


def zero_fraction(value, name=None):
    """Computes which part of the elements is zero.

    Args:
      value: a `Tensor` of numbers.
      name: the name scope.

    Returns:
      A float32 scalar.
    """
    with name_scope(name, "zero_fraction", [value]):
        value = convert_to_tensor(value, name="value")
        size = shaping.size(value, out_type=dtypes.int64)

        def count_short():
            return math.cast(_count_nonzero(value, dtypes.int32), dtypes.int64)

        def count_long():
            return _count_nonzero(value, dtypes.int64)

        nonzero = cond(size <= dtypes.int32.max, true_fn=count_short, false_fn=count_long)
        with name_scope("counts_to_fraction"):
            zero = size - nonzero
            fraction = math.cast(zero, dtypes.float32) / math.cast(size, dtypes.float32)
        return array.identity(fraction, "fraction")


def _count_nonzero(value, dtype):
    with name_scope("count_nonzero", values=[value]):
        zero = filling.zeros([], dtype=value.dtype)
        differ = math.cast(math.not_equal(value, zero), dtype=dtype)
        return reductions.reduce_sum(differ, name="nonzero_count")


def _check_named(function, sentinel, labels, logits):
    if sentinel is not None:
        raise ValueError(f"Only call `{function}` with named arguments (labels=..., logits=..., ...)")
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


def _check_same_shape(first, second, label):
    try:
        second.shape.merge_with(first.shape)
    except ValueError:
        raise ValueError(f"{label} must have the same shape ({first.shape} vs {second.shape})") from None


def sigmoid_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """Computes the cross entropy of independent classes, each with a probability of its own.

    Args:
      _sentinel: guards against arguments without names.
      labels: a `Tensor` of floats: probabilities.
      logits: one of the same type and shape.
      name: the operation's name.

    Returns:
      A `Tensor` of their type and shape: the loss of each element.

    Raises:
      ValueError: when the shapes differ, or an argument is missing.
    """
    _check_named("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "logistic_loss", [logits, labels]) as name:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _check_same_shape(logits, labels, "logits and labels")
        # max(x, 0) - x * z + log(1 + exp(-abs(x))) in a form whose gradient at zero is right.
        zeros = filling.zeros_like(logits, dtype=logits.dtype)
        is_positive = logits >= zeros
        rectified = indexing.where(is_positive, logits, zeros)
        negative = indexing.where(is_positive, -logits, logits)
        return math.add(rectified - logits * labels, math.log1p(math.exp(negative)), name=name)


def sigmoid_cross_entropy_with_logits_v2(labels=None, logits=None, name=None):
    """`sigmoid_cross_entropy_with_logits` with TensorFlow 2's arguments."""
    return sigmoid_cross_entropy_with_logits(None, labels, logits, name)


def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None, targets=None):
    """`sigmoid_cross_entropy_with_logits` in which what is there counts more, or less.

    Args:
      labels: a `Tensor` of floats: probabilities.
      logits: one of the same type and shape.
      pos_weight: what the positive part counts.
      name: the operation's name.
      targets: the older name of `labels`.

    Returns:
      A `Tensor` of their type and shape: the loss of each element.

    Raises:
      ValueError: when the shapes differ.
    """
    labels = renamed("labels", labels, "targets", targets)
    with name_scope(name, "logistic_loss", [logits, labels]) as name:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _check_same_shape(logits, labels, "logits and labels")
        weight = 1 + (pos_weight - 1) * labels
        return math.add(
            (1 - labels) * logits,
            weight * (math.log1p(math.exp(-math.abs(logits))) + activations.relu(-logits)),
            name=name,
        )


def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """Computes the loss of a Poisson distribution whose logarithm is predicted.

    Args:
      targets: a `Tensor` of floats.
      log_input: one of the same type and shape.
      compute_full_loss: whether the constant part is added too.
      name: the name scope.

    Returns:
      A `Tensor` of their type and shape.

    Raises:
      ValueError: when the shapes differ.
    """
    with name_scope(name, "log_poisson_loss", [log_input, targets]) as name:
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, name="targets")
        _check_same_shape(log_input, targets, "log_input and targets")
        result = math.exp(log_input) - log_input * targets
        if compute_full_loss:
            half = constant(0.5, dtype=targets.dtype)
            two_pi = constant(6.283185307179586, dtype=targets.dtype)
            stirling = targets * math.log(targets) - targets + half * math.log(two_pi * targets)
            zeros = filling.zeros_like(targets, dtype=targets.dtype)
            ones = filling.ones_like(targets, dtype=targets.dtype)
            is_small = math.logical_and(targets >= zeros, targets <= ones)
            result += indexing.where(is_small, zeros, stirling)
        return result


def _flatten_outer(logits):
    rank = shaping.rank(logits)
    last = array.slice(shaping.shape(logits), [math.subtract(rank, 1)], [1])
    flat = array.reshape(logits, array.concat([[-1], last], 0))
    known = logits.shape
    if known.ndims is not None and known[:-1].is_fully_defined():
        flat.set_shape([known[:-1].num_elements(), known.as_list()[-1]])
    return flat


def _move_to_end(tensor, axis, rank):
    order = array.concat([math.range(axis), math.range(axis + 1, rank), [axis]], 0)
    return array.transpose(tensor, order)


def softmax_cross_entropy_with_logits_v2(labels, logits, axis=None, name=None, dim=None):
    """Computes the cross entropy of classes of which exactly one is there.

    Args:
      labels: a `Tensor`: probabilities that add up to 1 along `axis`. Gradients reach them.
      logits: floats of the same shape.
      axis: the dimension of the classes; None for the last.
      name: the operation's name.
      dim: the older name of `axis`.

    Returns:
      A `Tensor` of the type of `logits` whose rank is one less.
    """
    axis = renamed("axis", axis, "dim", dim)
    axis = -1 if axis is None else axis
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as name:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        is_short = logits.dtype in (dtypes.float16, dtypes.bfloat16)
        precise = math.cast(logits, dtypes.float32) if is_short else logits
        labels = math.cast(labels, precise.dtype)
        rank = shaping.rank(precise)
        shape = logits.shape
        if axis != -1:
            precise = _move_to_end(precise, axis, rank)
            labels = _move_to_end(labels, axis, rank)
        full_shape = shaping.shape(precise)
        precise = _flatten_outer(precise)
        labels = _flatten_outer(labels)
        cost = apply_op("SoftmaxCrossEntropyWithLogits", precise, labels, name=name).loss
        cost = array.reshape(cost, array.slice(full_shape, [0], [math.subtract(rank, 1)]))
        if shape.ndims is not None:
            sizes = shape.as_list()
            del sizes[axis]
            cost.set_shape(sizes)
        return math.cast(cost, logits.dtype) if is_short else cost


def softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, dim=-1, name=None, axis=None):
    """`softmax_cross_entropy_with_logits_v2` whose labels no gradient reaches.

    Args:
      _sentinel: guards against arguments without names.
      labels: a `Tensor`: probabilities that add up to 1 along `dim`.
      logits: floats of the same shape.
      dim: the dimension of the classes.
      name: the operation's name.
      axis: another name of `dim`.

    Returns:
      A `Tensor` of the type of `logits` whose rank is one less.

    Raises:
      ValueError: when an argument is missing.
    """
    if axis is not None:
        if dim != -1:
            raise ValueError("Cannot specify both 'dim' and 'axis'")
        dim = axis
    _check_named("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as name:
        labels = array.stop_gradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels, logits, dim, name)


def sparse_softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """Computes the cross entropy of classes whose labels are numbers.

    Args:
      _sentinel: guards against arguments without names.
      labels: int32 or int64: the classes' numbers.
      logits: floats; the shape of `labels` with the number of classes behind.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `logits` with the shape of `labels`.

    Raises:
      ValueError: when the shapes do not fit, or an argument is missing.
    """
    _check_named("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels = convert_to_tensor(labels)
        logits = convert_to_tensor(logits)
        precise = math.cast(logits, dtypes.float32) if logits.dtype == dtypes.float16 else logits
        known = labels.shape
        labels_shape = shaping.shape(labels)
        is_known = _check_sparse_shapes(known, logits.shape)
        if logits.shape.ndims == 2:
            cost = apply_op("SparseSoftmaxCrossEntropyWithLogits", precise, labels, name=name).loss
        else:
            checked = []
            if not is_known:
                checked.append(checks.assert_equal(shaping.shape(labels), shaping.shape(logits)[:-1]))
            with control_dependencies(checked):
                classes = shaping.shape(logits)[shaping.rank(logits) - 1]
                precise = array.reshape(precise, [-1, classes])
                labels = array.reshape(labels, [-1])
                cost = apply_op("SparseSoftmaxCrossEntropyWithLogits", precise, labels, name=name).loss
                cost = array.reshape(cost, labels_shape)
                cost.set_shape(known)
                return math.cast(cost, dtypes.float16) if logits.dtype == dtypes.float16 else cost
        return math.cast(cost, dtypes.float16) if logits.dtype == dtypes.float16 else cost


def _check_sparse_shapes(labels, logits):
    """Checks what is known of the shapes; returns whether all is."""
    if logits.ndims == 0:
        raise ValueError(f"Logits cannot be scalars - received shape {logits}.")
    is_known = labels.is_fully_defined() and logits.ndims is not None and logits[:-1].is_fully_defined()
    if logits.ndims is not None and labels.ndims is not None and labels.ndims != logits.ndims - 1:
        raise ValueError(
            f"Rank mismatch: Rank of labels (received {labels.ndims}) should equal rank of logits minus 1 (received "
            f"{logits.ndims})."
        )
    if is_known and labels != logits[:-1]:
        raise ValueError(
            f"Shape mismatch: The shape of labels (received {labels}) should equal the shape of logits except for the "
            f"last dimension (received {logits})."
        )
    return is_known
