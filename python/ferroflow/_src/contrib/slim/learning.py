"""tf.contrib.slim.learning: train ops, and the loop that runs them."""

from ferroflow._src.contrib.training import training
from ferroflow._src.contrib.training.training import clip_gradient_norms as clip_gradient_norms
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.training.optimizer import Optimizer

_USE_GLOBAL_STEP = 0


def add_gradients_summaries(grads_and_vars):
    """Makes a histogram and the norm of each gradient.

    Args:
      grads_and_vars: (gradient, variable) pairs.

    Returns:
      The summaries.
    """
    return training.summarize_gradients_of(grads_and_vars, "/")


def _as_constant(factor, dtype):
    return factor if isinstance(factor, TensorBase) else constant(factor, dtype=dtype)


def multiply_gradients(grads_and_vars, gradient_multipliers):
    """Multiplies gradients by factors.

    Args:
      grads_and_vars: a list of (gradient, variable) pairs.
      gradient_multipliers: a dict of factors by variable or its operation's name.

    Returns:
      The pairs with the multiplied gradients.

    Raises:
      ValueError: for other types, no factors, or a factor for no gradient.
    """
    return training.multiplied(grads_and_vars, gradient_multipliers, _as_constant)


def create_train_op(
    total_loss,
    optimizer,
    global_step=_USE_GLOBAL_STEP,
    update_ops=None,
    variables_to_train=None,
    clip_gradient_norm=0,
    summarize_gradients=False,
    gate_gradients=Optimizer.GATE_OP,
    aggregation_method=None,
    colocate_gradients_with_ops=False,
    gradient_multipliers=None,
    check_numerics=True,
):
    """Makes an op that trains once and gives the loss.

    Args:
      total_loss: a scalar.
      optimizer: a `tf.train.Optimizer`.
      global_step: the step counter; None for none; the graph's when not given.
      update_ops: operations to run before; None for those of `tf.GraphKeys.UPDATE_OPS`.
      variables_to_train: what is trained; None for all that is trainable.
      clip_gradient_norm: the greatest norm of each gradient; 0 for any.
      summarize_gradients: whether gradients are summarized.
      gate_gradients: how much waits for gradients; see `tf.train.Optimizer`.
      aggregation_method: an `AggregationMethod`.
      colocate_gradients_with_ops: whether gradients stay on the device of their operation.
      gradient_multipliers: a dict of factors by variable or its operation's name.
      check_numerics: whether a loss that is no number fails the run.

    Returns:
      A scalar.
    """

    def changed(pairs):
        if gradient_multipliers:
            with name_scope("multiply_grads"):
                pairs = multiply_gradients(pairs, gradient_multipliers)
        if clip_gradient_norm > 0:
            with name_scope("clip_grads"):
                pairs = clip_gradient_norms(pairs, clip_gradient_norm)
        return pairs

    return training.create_train_op(
        total_loss=total_loss,
        optimizer=optimizer,
        global_step=global_step,
        update_ops=update_ops,
        variables_to_train=variables_to_train,
        transform_grads_fn=changed,
        summarize_gradients=summarize_gradients,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
        check_numerics=check_numerics,
    )
