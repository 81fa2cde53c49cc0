"""Losses of sequences: as one tensor (tf.contrib.seq2seq) and as a list of steps (tf.contrib.legacy_seq2seq)."""

from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, math, nn, reductions, shaping


def sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    sum_over_timesteps=False,
    sum_over_batch=False,
    softmax_loss_function=None,
    name=None,
):
    """Computes the weighted cross entropy of sequences.

    Args:
      logits: a `Tensor` of floats [batch, steps, classes].
      targets: a `Tensor` of integers [batch, steps].
      weights: a `Tensor` of floats [batch, steps]: 0 where a sequence has ended.
      average_across_timesteps: whether the sum over the steps is divided by the sum of their weights.
      average_across_batch: the same over the batch.
      sum_over_timesteps: whether the sum over the steps is divided by the number of weights that are not 0.
      sum_over_batch: the same over the batch.
      softmax_loss_function: a function of (labels, logits) in place of the sparse softmax cross entropy.
      name: the scope.

    Returns:
      A scalar when both dimensions go, [batch] or [steps] when one goes, [batch, steps] otherwise.

    Raises:
      ValueError: for other ranks, and for a dimension that is to be averaged and summed.
    """
    if len(logits.get_shape()) != 3:
        raise ValueError("Logits must be a [batch_size x sequence_length x logits] tensor")
    if len(targets.get_shape()) != 2:
        raise ValueError("Targets must be a [batch_size x sequence_length] tensor")
    if len(weights.get_shape()) != 2:
        raise ValueError("Weights must be a [batch_size x sequence_length] tensor")
    for what, averages, sums in (
        ("timesteps", average_across_timesteps, sum_over_timesteps),
        ("batch", average_across_batch, sum_over_batch),
    ):
        if averages and sums:
            raise ValueError(f"average_across_{what} and sum_over_{what} cannot be set to True at same time.")
    with name_scope(name, "sequence_loss", [logits, targets, weights]):
        classes = shaping.shape(logits)[2]
        flat = array.reshape(logits, [-1, classes])
        loss = _cross_entropy(array.reshape(targets, [-1]), flat, softmax_loss_function)
        loss *= array.reshape(weights, [-1])
        is_mean = average_across_timesteps or average_across_batch
        if (average_across_timesteps and average_across_batch) or (sum_over_timesteps and sum_over_batch):
            axis = None
        else:
            loss = array.reshape(loss, shaping.shape(logits)[0:2])
            if not (is_mean or sum_over_timesteps or sum_over_batch):
                return loss
            axis = [0] if (average_across_batch if is_mean else sum_over_batch) else [1]
        loss = reductions.reduce_sum(loss, axis=axis)
        if is_mean:
            return math.div_no_nan(loss, reductions.reduce_sum(weights, axis=axis))
        return math.div_no_nan(loss, math.cast(reductions.count_nonzero(weights, axis=axis), loss.dtype))


def _cross_entropy(labels, logits, function):
    return (function or nn.sparse_softmax_cross_entropy_with_logits)(labels=labels, logits=logits)


def sequence_loss_by_example(
    logits, targets, weights, average_across_timesteps=True, softmax_loss_function=None, name=None
):
    """Computes each sequence's weighted cross entropy, from lists of steps.

    Args:
      logits: a list of tensors of floats [batch, classes].
      targets: a list of tensors of integers [batch].
      weights: a list of tensors of floats [batch].
      average_across_timesteps: whether the sum is divided by the sum of the weights.
      softmax_loss_function: a function of (labels, logits) in place of the sparse softmax cross entropy.
      name: the scope.

    Returns:
      A `Tensor` [batch].

    Raises:
      ValueError: when the lists are not equally long.
    """
    if not len(logits) == len(targets) == len(weights):
        raise ValueError(
            f"Lengths of logits, weights, and targets must be the same {len(logits)}, {len(weights)}, {len(targets)}."
        )
    with name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        steps = []
        for logit, target, weight in zip(logits, targets, weights):
            if softmax_loss_function is None:
                target = array.reshape(target, [-1])
            steps.append(_cross_entropy(target, logit, softmax_loss_function) * weight)
        total = math.add_n(steps)
        if average_across_timesteps:
            size = math.add_n(weights)
            size += 1e-12  # sequences of which nothing counts
            total /= size
    return total


def legacy_sequence_loss(
    logits,
    targets,
    weights,
    average_across_timesteps=True,
    average_across_batch=True,
    softmax_loss_function=None,
    name=None,
):
    """Computes the weighted cross entropy of a batch of sequences, from lists of steps.

    Args:
      logits: a list of tensors of floats [batch, classes].
      targets: a list of tensors of integers [batch].
      weights: a list of tensors of floats [batch].
      average_across_timesteps: whether each sequence's sum is divided by the sum of its weights.
      average_across_batch: whether the sum over the batch is divided by its size.
      softmax_loss_function: a function of (labels, logits) in place of the sparse softmax cross entropy.
      name: the scope.

    Returns:
      A scalar.

    Raises:
      ValueError: when the lists are not equally long.
    """
    with name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        cost = reductions.reduce_sum(
            sequence_loss_by_example(logits, targets, weights, average_across_timesteps, softmax_loss_function)
        )
        if not average_across_batch:
            return cost
        batch = shaping.shape(targets[0])[0]
        return cost / math.cast(batch, cost.dtype)
