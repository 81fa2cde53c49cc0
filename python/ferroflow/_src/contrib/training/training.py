"""Train ops: gradients changed on the way, summaries of them, and checks of the loss."""

from ferroflow._src.framework.collections import get_collection, get_collection_ref
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.control_flow import no_op, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.variable_lists import trainable_variables
from ferroflow._src.ops import clip
from ferroflow._src.ops.checks import check_numerics as checked_numerics
from ferroflow._src.platform import tf_logging
from ferroflow._src.summary import summary_ops
from ferroflow._src.training.global_step import get_or_create_global_step
from ferroflow._src.training.monitored_session import MonitoredTrainingSession
from ferroflow._src.training.optimizer import Optimizer

_USE_GLOBAL_STEP = 0


def summarize_gradients_of(grads_and_vars, separator):
    """Makes a histogram and the norm of each gradient, under names of the variable and `separator`."""
    made = []
    for gradient, variable in grads_and_vars:
        if gradient is None:
            tf_logging.info("Var %s has no gradient", variable.op.name)
            continue
        values = gradient.values if isinstance(gradient, IndexedSlices) else gradient
        prefix = variable.op.name + separator
        made.append(summary_ops.histogram(prefix + "gradient", values))
        made.append(summary_ops.scalar(prefix + "gradient_norm", clip.global_norm([values])))
    return made


def add_gradients_summaries(grads_and_vars):
    """Makes a histogram and the norm of each gradient.

    Args:
      grads_and_vars: (gradient, variable) pairs.

    Returns:
      The summaries.
    """
    return summarize_gradients_of(grads_and_vars, "_")


def clip_gradient_norms(gradients_to_variables, max_norm):
    """Clips the norm of each gradient.

    Args:
      gradients_to_variables: (gradient, variable) pairs.
      max_norm: the greatest norm.

    Returns:
      The pairs with the clipped gradients.
    """
    made = []
    for gradient, variable in gradients_to_variables:
        if isinstance(gradient, IndexedSlices):
            values = clip.clip_by_norm(gradient.values, max_norm)
            gradient = IndexedSlices(values, gradient.indices, gradient.dense_shape)
        elif gradient is not None:
            gradient = clip.clip_by_norm(gradient, max_norm)
        made.append((gradient, variable))
    return made


def clip_gradient_norms_fn(max_norm):
    """Makes a function that clips the norm of each gradient, for `create_train_op`."""

    def clipped(gradients_to_variables):
        return clip_gradient_norms(gradients_to_variables, max_norm)

    return clipped


def multiplied(grads_and_vars, gradient_multipliers, as_tensor):
    """Multiplies gradients by factors that `as_tensor` makes tensors of; see `multiply_gradients`."""
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    made = []
    for gradient, variable in grads_and_vars:
        by_variable = any(key is variable for key in gradient_multipliers)
        if by_variable or variable.op.name in gradient_multipliers:
            if gradient is None:
                raise ValueError("Requested multiple of `None` gradient.")
            factor = gradient_multipliers[variable if by_variable else variable.op.name]
            factor = as_tensor(factor, dtype=gradient.dtype)
            if isinstance(gradient, IndexedSlices):
                gradient = IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
            else:
                gradient *= factor
        made.append((gradient, variable))
    return made


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
    return multiplied(grads_and_vars, gradient_multipliers, convert_to_tensor)


def create_train_op(
    total_loss,
    optimizer,
    global_step=_USE_GLOBAL_STEP,
    update_ops=None,
    variables_to_train=None,
    transform_grads_fn=None,
    summarize_gradients=False,
    gate_gradients=Optimizer.GATE_OP,
    aggregation_method=None,
    colocate_gradients_with_ops=False,
    check_numerics=True,
):
    """Makes an op that trains once and gives the loss.

    Args:
      total_loss: a scalar.
      optimizer: a `tf.train.Optimizer`.
      global_step: the step counter; None for none; the graph's when not given.
      update_ops: operations to run before; None for those of `tf.GraphKeys.UPDATE_OPS`.
      variables_to_train: what is trained; None for all that is trainable.
      transform_grads_fn: a function of (gradient, variable) pairs that gives others.
      summarize_gradients: whether gradients are summarized.
      gate_gradients: how much waits for gradients; see `tf.train.Optimizer`.
      aggregation_method: an `AggregationMethod`.
      colocate_gradients_with_ops: whether gradients stay on the device of their operation.
      check_numerics: whether a loss that is no number fails the run.

    Returns:
      A scalar.
    """
    if global_step is _USE_GLOBAL_STEP:
        global_step = get_or_create_global_step()
    collected = list(dict.fromkeys(get_collection(GraphKeys.UPDATE_OPS)))
    update_ops = collected if update_ops is None else list(dict.fromkeys(update_ops))
    if any(all(op is not given for given in update_ops) for op in collected):
        tf_logging.warning("update_ops in create_train_op does not contain all the update_ops in GraphKeys.UPDATE_OPS")
    if update_ops:
        with control_dependencies(update_ops):
            barrier = no_op(name="update_barrier")
        total_loss = with_dependencies([barrier], total_loss)
    if variables_to_train is None:
        variables_to_train = trainable_variables()
    assert variables_to_train
    pairs = optimizer.compute_gradients(
        total_loss,
        variables_to_train,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn:
        pairs = transform_grads_fn(pairs)
    if summarize_gradients:
        with name_scope("summarize_grads"):
            add_gradients_summaries(pairs)
    applied = optimizer.apply_gradients(pairs, global_step=global_step)
    with name_scope("train_op"):
        if check_numerics:
            total_loss = checked_numerics(total_loss, "LossTensor is inf or nan")
        train_op = with_dependencies([applied], total_loss)
    train_ops = get_collection_ref(GraphKeys.TRAIN_OP)
    if not any(train_op is op for op in train_ops):
        train_ops.append(train_op)
    return train_op


def train(
    train_op,
    logdir,
    master="",
    is_chief=True,
    scaffold=None,
    hooks=None,
    chief_only_hooks=None,
    save_checkpoint_secs=600,
    save_summaries_steps=100,
    config=None,
    max_wait_secs=7200,
    run_metadata=None,
):
    """Trains in a `tf.train.MonitoredTrainingSession` until a hook stops it.

    Args:
      train_op: what trains and gives the loss.
      logdir: the folder of checkpoints and summaries.
      master: the target of the session.
      is_chief: whether this process initializes, saves and writes summaries.
      scaffold: a `Scaffold`.
      hooks: `SessionRunHook`s.
      chief_only_hooks: `SessionRunHook`s of the chief.
      save_checkpoint_secs: seconds from one checkpoint to the next; None for none.
      save_summaries_steps: steps from one summary to the next; None for none.
      config: a `ConfigProto`.
      max_wait_secs: how long a process that is not chief waits for the model.
      run_metadata: a `RunMetadata` to fill.

    Returns:
      The last loss.

    Raises:
      ValueError: when there is no `logdir`, but something to write there.
    """
    if logdir is None and is_chief:
        for label, given in (
            ("save_summaries_steps", save_summaries_steps),
            ("save_checkpoint_secs", save_checkpoint_secs),
        ):
            if given:
                raise ValueError(f"logdir cannot be None when {label} is not None")
    session = MonitoredTrainingSession(
        master=master,
        is_chief=is_chief,
        checkpoint_dir=logdir,
        scaffold=scaffold,
        hooks=hooks,
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
        max_wait_secs=max_wait_secs,
    )
    loss = None
    with session:
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss
