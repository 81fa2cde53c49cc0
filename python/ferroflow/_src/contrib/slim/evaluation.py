"""tf.contrib.slim.evaluation: checkpoints evaluated once, or as they come."""

from ferroflow._src.summary.summary_ops import merge_all
from ferroflow._src.training import evaluation
from ferroflow._src.training.saver import Saver
from ferroflow._src.training.scaffold import Scaffold

_USE_DEFAULT = 0


def _hooks(num_evals, logdir, summary_op, feed_dict, given):
    if isinstance(summary_op, int) and summary_op == _USE_DEFAULT:
        summary_op = merge_all()
    made = [evaluation.StopAfterNEvalsHook(num_evals)]
    if summary_op is not None:
        made.append(evaluation.SummaryAtEndHook(log_dir=logdir, summary_op=summary_op, feed_dict=feed_dict))
    return made + list(given or [])


def _scaffold(init_op, init_feed_dict, init_fn, variables_to_restore):
    saver = None if variables_to_restore is None else Saver(variables_to_restore)
    return Scaffold(init_op=init_op, init_feed_dict=init_feed_dict, init_fn=init_fn, saver=saver)


def evaluate_once(
    master,
    checkpoint_path,
    logdir,
    num_evals=1,
    initial_op=None,
    initial_op_feed_dict=None,
    eval_op=None,
    eval_op_feed_dict=None,
    final_op=None,
    final_op_feed_dict=None,
    summary_op=_USE_DEFAULT,
    summary_op_feed_dict=None,
    variables_to_restore=None,
    session_config=None,
    hooks=None,
):
    """Restores a checkpoint and evaluates it.

    Args:
      master: the target of the session.
      checkpoint_path: the checkpoint.
      logdir: the folder of the summaries.
      num_evals: how often `eval_op` runs.
      initial_op: runs first.
      initial_op_feed_dict: fed to `initial_op`.
      eval_op: what evaluates.
      eval_op_feed_dict: fed to `eval_op`.
      final_op: what is fetched at the end.
      final_op_feed_dict: fed to `final_op`.
      summary_op: a serialized `Summary`; by default of all summaries; None for none.
      summary_op_feed_dict: fed to `summary_op`.
      variables_to_restore: a list or dict of variables; None for all.
      session_config: a `ConfigProto`.
      hooks: more `SessionRunHook`s.

    Returns:
      The values of `final_op`.
    """
    hooks = _hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks)
    return evaluation.evaluate_once(
        checkpoint_path,
        master=master,
        scaffold=_scaffold(initial_op, initial_op_feed_dict, None, variables_to_restore),
        eval_ops=eval_op,
        feed_dict=eval_op_feed_dict,
        final_ops=final_op,
        final_ops_feed_dict=final_op_feed_dict,
        hooks=hooks,
        config=session_config,
    )


def evaluation_loop(
    master,
    checkpoint_dir,
    logdir,
    num_evals=1,
    initial_op=None,
    initial_op_feed_dict=None,
    init_fn=None,
    eval_op=None,
    eval_op_feed_dict=None,
    final_op=None,
    final_op_feed_dict=None,
    summary_op=_USE_DEFAULT,
    summary_op_feed_dict=None,
    variables_to_restore=None,
    eval_interval_secs=60,
    max_number_of_evaluations=None,
    session_config=None,
    timeout=None,
    timeout_fn=None,
    hooks=None,
):
    """Evaluates each new checkpoint of a folder; the arguments are those of `evaluate_once`, and these.

    Args:
      master: the target of the sessions.
      checkpoint_dir: the folder of the checkpoints.
      logdir: the folder of the summaries.
      num_evals: how often `eval_op` runs.
      initial_op: runs first.
      initial_op_feed_dict: fed to `initial_op`.
      init_fn: called with the scaffold and the session.
      eval_op: what evaluates.
      eval_op_feed_dict: fed to `eval_op`.
      final_op: what is fetched at the end.
      final_op_feed_dict: fed to `final_op`.
      summary_op: a serialized `Summary`; by default of all summaries; None for none.
      summary_op_feed_dict: fed to `summary_op`.
      variables_to_restore: a list or dict of variables; None for all.
      eval_interval_secs: the least number of seconds from one evaluation to the next.
      max_number_of_evaluations: how many; None for no end.
      session_config: a `ConfigProto`.
      timeout: how many seconds to wait for a checkpoint; None for ever.
      timeout_fn: called after a timeout: whether no more will come.
      hooks: more `SessionRunHook`s.

    Returns:
      The values of `final_op` of the last evaluation.
    """
    hooks = _hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks)
    return evaluation.evaluate_repeatedly(
        checkpoint_dir,
        master=master,
        scaffold=_scaffold(initial_op, initial_op_feed_dict, init_fn, variables_to_restore),
        eval_ops=eval_op,
        feed_dict=eval_op_feed_dict,
        final_ops=final_op,
        final_ops_feed_dict=final_op_feed_dict,
        eval_interval_secs=eval_interval_secs,
        hooks=hooks,
        config=session_config,
        max_number_of_evaluations=max_number_of_evaluations,
        timeout=timeout,
        timeout_fn=timeout_fn,
    )
