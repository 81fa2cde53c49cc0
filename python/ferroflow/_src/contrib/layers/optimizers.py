"""optimize_loss: gradients, their clipping, summaries and the step that applies them, in one call."""

from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.control_flow import with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import Constant, Zeros
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.variable_lists import trainable_variables
from ferroflow._src.ops import clip, filling, indexing, math, random
from ferroflow._src.ops.checks import assert_scalar
from ferroflow._src.summary import summary_ops
from ferroflow._src.training.adagrad import AdagradOptimizer
from ferroflow._src.training.adam import AdamOptimizer
from ferroflow._src.training.ftrl import FtrlOptimizer
from ferroflow._src.training.global_step import assert_global_step, get_global_step
from ferroflow._src.training.gradient_descent import GradientDescentOptimizer
from ferroflow._src.training.momentum import MomentumOptimizer
from ferroflow._src.training.moving_averages import assign_moving_average
from ferroflow._src.training.optimizer import Optimizer
from ferroflow._src.training.rmsprop import RMSPropOptimizer

OPTIMIZER_CLS_NAMES = {
    "Adagrad": AdagradOptimizer,
    "Adam": AdamOptimizer,
    "Ftrl": FtrlOptimizer,
    "Momentum": lambda learning_rate: MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": RMSPropOptimizer,
    "SGD": GradientDescentOptimizer,
}

OPTIMIZER_SUMMARIES = ["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"]


def _rate(learning_rate):
    """The learning rate as a tensor or a variable; None for none."""
    if learning_rate is None:
        return None
    if isinstance(learning_rate, TensorBase) and learning_rate.shape.ndims == 0:
        return learning_rate
    if not isinstance(learning_rate, float):
        raise ValueError(
            f"Learning rate should be 0d Tensor or float. Got {learning_rate} of type {type(learning_rate)}"
        )
    if learning_rate < 0.0:
        raise ValueError("Invalid learning_rate %s.", learning_rate)
    return scopes.get_variable("learning_rate", [], trainable=False, initializer=Constant(learning_rate))


def _made_optimizer(optimizer, rate, has_rate):
    if isinstance(optimizer, str):
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is string ({optimizer}).")
        if optimizer not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], you provided {optimizer}."
            )
        return OPTIMIZER_CLS_NAMES[optimizer](learning_rate=rate)
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is class ({optimizer}).")
        return optimizer(learning_rate=rate)
    if isinstance(optimizer, Optimizer):
        return optimizer
    if not callable(optimizer):
        raise ValueError(
            "Unrecognized optimizer: should be string, subclass of Optimizer, instance of subclass of Optimizer or "
            f"function with one argument. Got {optimizer}."
        )
    made = optimizer(rate) if has_rate else optimizer()
    if not isinstance(made, Optimizer):
        raise ValueError(f"Unrecognized optimizer: function should return subclass of Optimizer. Got {made}.")
    return made


def optimize_loss(
    loss,
    global_step,
    learning_rate,
    optimizer,
    gradient_noise_scale=None,
    gradient_multipliers=None,
    clip_gradients=None,
    learning_rate_decay_fn=None,
    update_ops=None,
    variables=None,
    name=None,
    summaries=None,
    colocate_gradients_with_ops=False,
    increment_global_step=True,
):
    """Makes the whole training step of a loss.

    Args:
      loss: a scalar.
      global_step: the step counter; None for the graph's, if it has one.
      learning_rate: a float or a scalar; None when the optimizer has its own.
      optimizer: a name ('SGD', 'Adam', ...), a class, an optimizer, or a function of the learning rate that makes one.
      gradient_noise_scale: how much noise is added to the gradients; None for none.
      gradient_multipliers: factors by variable or its name.
      clip_gradients: a float to clip their global norm, or a function of (gradient, variable) pairs.
      learning_rate_decay_fn: a function of (learning rate, global step).
      update_ops: operations to run before; None for those of `tf.GraphKeys.UPDATE_OPS`.
      variables: what is trained; None for all that is trainable.
      name: the variable scope.
      summaries: some of `OPTIMIZER_SUMMARIES`; None for the loss, the rate and the global norm.
      colocate_gradients_with_ops: whether gradients stay on the device of their operation.
      increment_global_step: whether the step counter goes up.

    Returns:
      The loss, once the step was made.

    Raises:
      ValueError: for arguments that are not valid.
    """
    loss = convert_to_tensor(loss)
    assert_scalar(loss)
    if global_step is None:
        global_step = get_global_step()
    else:
        assert_global_step(global_step)
    with scopes.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        if update_ops is None:
            update_ops = list(dict.fromkeys(get_collection(GraphKeys.UPDATE_OPS)))
        if update_ops:
            loss = with_dependencies(list(update_ops), loss)
        rate = _rate(learning_rate)
        if summaries is None:
            summaries = ["loss", "learning_rate", "global_gradient_norm"]
        for wanted in summaries:
            if wanted not in OPTIMIZER_SUMMARIES:
                raise ValueError(
                    f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided {wanted}."
                )
        if learning_rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in summaries:
                summary_ops.scalar("learning_rate", rate)
        made = _made_optimizer(optimizer, rate, learning_rate is not None)
        pairs = made.compute_gradients(
            loss,
            trainable_variables() if variables is None else variables,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gradient_noise_scale is not None:
            pairs = _with_noise(pairs, gradient_noise_scale)
        if gradient_multipliers is not None:
            pairs = multiply_gradients(pairs, gradient_multipliers)
            if not pairs:
                raise ValueError(
                    "Empty list of (gradient, var) pairs encountered. This is most likely to be caused by an improper "
                    "value of gradient_multipliers."
                )
        wants_norm = "global_gradient_norm" in summaries or "gradient_norm" in summaries
        if wants_norm:
            summary_ops.scalar("global_norm/gradient_norm", clip.global_norm([g for g, _ in pairs]))
        pairs = _clipped(pairs, clip_gradients)
        if "loss" in summaries:
            summary_ops.scalar("loss", loss)
        _summarize(pairs, summaries)
        if clip_gradients is not None and wants_norm:
            summary_ops.scalar("global_norm/clipped_gradient_norm", clip.global_norm([g for g, _ in pairs]))
        step = global_step if increment_global_step else None
        applied = made.apply_gradients(pairs, global_step=step, name="train")
        return with_dependencies([applied], loss)


def _clipped(pairs, clip_gradients):
    if isinstance(clip_gradients, float):
        clipped, _ = clip.clip_by_global_norm([g for g, _ in pairs], clip_gradients)
        return [(g, v) for g, (_, v) in zip(clipped, pairs, strict=True)]
    if callable(clip_gradients):
        return clip_gradients(pairs)
    if clip_gradients is not None:
        raise ValueError(f"Unknown type {type(clip_gradients)} for clip_gradients")
    return pairs


def _summarize(pairs, summaries):
    for gradient, variable in pairs:
        values = gradient.values if isinstance(gradient, IndexedSlices) else gradient
        if values is not None:
            name = variable.name.replace(":", "_")
            if "gradients" in summaries:
                summary_ops.histogram(f"gradients/{name}", values)
            if "gradient_norm" in summaries:
                summary_ops.scalar(f"gradient_norm/{name}", clip.global_norm([values]))


def _with_noise(pairs, scale):
    noisy = []
    for gradient, variable in pairs:
        if gradient is not None:
            is_sparse = isinstance(gradient, IndexedSlices)
            shape = gradient.dense_shape if is_sparse else gradient.shape
            gradient = gradient + random.truncated_normal(shape) * scale
        noisy.append((gradient, variable))
    return noisy


def multiply_gradients(grads_and_vars, gradient_multipliers):
    """Multiplies gradients by factors that are given by variable or by its name."""
    made = []
    for gradient, variable in grads_and_vars:
        by_variable = any(key is variable for key in gradient_multipliers)
        if gradient is not None and (by_variable or variable.name in gradient_multipliers):
            factor = gradient_multipliers[variable if by_variable else variable.name]
            if isinstance(gradient, IndexedSlices):
                gradient = IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
            else:
                gradient *= math.cast(factor, gradient.dtype)
        made.append((gradient, variable))
    return made


def _average(name, value, decay):
    variable = scopes.get_variable(name, shape=value.shape, dtype=value.dtype, initializer=Zeros(), trainable=False)
    return assign_moving_average(variable, value, decay, zero_debias=False)


def adaptive_clipping_fn(
    std_factor=2.0,
    decay=0.95,
    static_max_norm=None,
    global_step=None,
    report_summary=False,
    epsilon=1e-8,
    name=None,
):
    """Makes a function that clips gradients whose norm stands out from those before.

    Args:
      std_factor: how many standard deviations above the mean of the norm's logarithm are let through.
      decay: how much of the moving averages stays.
      static_max_norm: a norm that is never exceeded.
      global_step: lets the averages move faster in the first steps.
      report_summary: whether the limit is summarized.
      epsilon: added to the norm.
      name: the variable scope.

    Returns:
      A function of (gradient, variable) pairs, for `optimize_loss`.
    """

    def clipped(grads_and_vars):
        norm = clip.global_norm([g for g, _ in grads_and_vars])
        with scopes.variable_scope(name, "AdaptiveMaxNorm", [norm]):
            log_norm = math.log(norm + epsilon)
            rate = decay
            if global_step is not None:
                n = math.cast(global_step, dtypes.float32)
                rate = math.minimum(rate, n / (n + 1.0))
            mean = _average("mean", log_norm, rate)
            square = _average("sq_mean", math.square(log_norm), rate)
            deviation = math.sqrt(math.maximum(epsilon, square - math.square(mean)))
            limit = math.exp(mean + std_factor * deviation)
        if report_summary:
            summary_ops.scalar("global_norm/adaptive_max_gradient_norm", limit)
        factor = indexing.where(norm < limit, filling.ones_like(norm), math.exp(mean) / norm)
        if static_max_norm is not None:
            factor = math.minimum(static_max_norm / norm, factor)
        made = []
        for gradient, variable in grads_and_vars:
            if isinstance(gradient, IndexedSlices):
                gradient = IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
            elif gradient is not None:
                gradient = gradient * factor
            made.append((gradient, variable))
        return made

    return clipped
