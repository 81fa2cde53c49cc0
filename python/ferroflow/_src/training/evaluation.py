"""Evaluation of checkpoints: hooks that count and summarize, and the loops that run them."""

import math
import time

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import zeros_initializer
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.variable_scope import get_variable
from ferroflow._src.ops import array, state
from ferroflow._src.platform import tf_logging
from ferroflow._src.summary.summary_ops import merge_all
from ferroflow._src.summary.writer import FileWriterCache
from ferroflow._src.training.checkpoint_utils import checkpoints_iterator
from ferroflow._src.training.global_step import get_or_create_global_step, global_step as value_of_step
from ferroflow._src.training.hooks import FinalOpsHook
from ferroflow._src.training.monitored_session import ChiefSessionCreator, MonitoredSession
from ferroflow._src.training.session_run_hook import SessionRunArgs, SessionRunHook


def get_or_create_eval_step():
    """Returns the graph's counter of evaluations: an int64 scalar, a local variable.

    Raises:
      ValueError: when the collection `tf.GraphKeys.EVAL_STEP` has several.
    """
    found = stacks.get_default_graph().get_collection(GraphKeys.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    return get_variable(
        "eval_step",
        shape=[],
        dtype=dtypes.int64,
        initializer=zeros_initializer(),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, GraphKeys.EVAL_STEP],
    )


class StopAfterNEvalsHook(SessionRunHook):
    """Stops after a number of evaluations."""

    def __init__(self, num_evals, log_progress=True):
        """Creates the hook.

        Args:
          num_evals: how many; None to go on until inputs end.
          log_progress: whether the log tells how many were done.
        """
        self._num_evals = num_evals
        self._evals_completed = None
        self._log_progress = log_progress
        self._log_frequency = 1 if num_evals is None or num_evals < 20 else math.floor(num_evals / 10.0)

    def _set_evals_completed_tensor(self, updated_eval_step):
        self._evals_completed = updated_eval_step

    def before_run(self, run_context):
        """Asks for the counter."""
        return SessionRunArgs({"evals_completed": self._evals_completed})

    def after_run(self, run_context, run_values):
        """Logs the counter, and stops at the last."""
        completed = run_values.results["evals_completed"]
        if self._log_progress:
            if self._num_evals is None:
                tf_logging.info("Evaluation [%d]", completed)
            elif completed % self._log_frequency == 0 or self._num_evals == completed:
                tf_logging.info("Evaluation [%d/%d]", completed, self._num_evals)
        if self._num_evals is not None and completed >= self._num_evals:
            run_context.request_stop()


class SummaryAtEndHook(SessionRunHook):
    """Writes summaries at the end of an evaluation."""

    def __init__(self, log_dir=None, summary_writer=None, summary_op=None, feed_dict=None):
        """Creates the hook.

        Args:
          log_dir: a folder for events.
          summary_writer: a `FileWriter` instead.
          summary_op: a serialized `Summary`; None for that of all summaries.
          feed_dict: fed to it.

        Raises:
          ValueError: when there is neither a folder nor a writer.
        """
        self._summary_op = summary_op
        self._merges_all = summary_op is None
        self._feed_dict = feed_dict
        self._summary_writer = summary_writer
        self._log_dir = log_dir
        if log_dir is None and summary_writer is None:
            raise ValueError("One of log_dir or summary_writer should be used.")

    def begin(self):
        """Finds the summaries and the step counter."""
        if self._merges_all:
            self._summary_op = merge_all()
        self._global_step = get_or_create_global_step()

    def after_create_session(self, session, coord):
        """Opens the writer."""
        if self._summary_writer is None and self._log_dir:
            self._summary_writer = FileWriterCache.get(self._log_dir)

    def end(self, session):
        """Writes the summaries."""
        if self._summary_op is not None:
            step = value_of_step(session, self._global_step)
            summary = session.run(self._summary_op, self._feed_dict)
            if self._summary_writer:
                self._summary_writer.add_summary(summary, step)
        if self._summary_writer:
            self._summary_writer.flush()


def _with_counter(eval_ops, update_eval_step):
    if isinstance(eval_ops, dict):
        eval_ops["update_eval_step"] = update_eval_step
        return eval_ops
    return [*(eval_ops if isinstance(eval_ops, (tuple, list)) else [eval_ops]), update_eval_step]


def _tell(hooks, counter):
    for hook in hooks:
        if isinstance(hook, StopAfterNEvalsHook):
            hook._set_evals_completed_tensor(counter)


def evaluate_once(
    checkpoint_path,
    master="",
    scaffold=None,
    eval_ops=None,
    feed_dict=None,
    final_ops=None,
    final_ops_feed_dict=None,
    hooks=None,
    config=None,
):
    """Restores a checkpoint and runs `eval_ops` until a hook stops.

    Args:
      checkpoint_path: the checkpoint.
      master: the target of the session.
      scaffold: a `Scaffold`.
      eval_ops: a tensor, a list or dict of them; None to run nothing.
      feed_dict: fed to `eval_ops`.
      final_ops: what is fetched at the end.
      final_ops_feed_dict: fed to `final_ops`.
      hooks: `SessionRunHook`s.
      config: a `ConfigProto`.

    Returns:
      The values of `final_ops`.
    """
    eval_step = get_or_create_eval_step()
    hooks = list(hooks or [])
    if eval_ops is not None:
        eval_ops = _with_counter(eval_ops, state.assign_add(eval_step, 1, use_locking=True))
        updates = list(eval_ops.values()) if isinstance(eval_ops, dict) else eval_ops
        with control_dependencies(updates):
            counter = array.identity(get_or_create_eval_step().read_value())
        _tell(hooks, counter)
    tf_logging.info("Starting evaluation at %s", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.localtime()))
    creator = ChiefSessionCreator(
        scaffold=scaffold, checkpoint_filename_with_path=checkpoint_path, master=master, config=config
    )
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    hooks.append(final)
    with MonitoredSession(session_creator=creator, hooks=hooks) as session:
        if eval_ops is not None:
            while not session.should_stop():
                session.run(eval_ops, feed_dict)
    tf_logging.info("Finished evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S", time.localtime()))
    return final.final_ops_values


def evaluate_repeatedly(
    checkpoint_dir,
    master="",
    scaffold=None,
    eval_ops=None,
    feed_dict=None,
    final_ops=None,
    final_ops_feed_dict=None,
    eval_interval_secs=60,
    hooks=None,
    config=None,
    max_number_of_evaluations=None,
    timeout=None,
    timeout_fn=None,
):
    """Evaluates each new checkpoint of a folder; see `evaluate_once`.

    Args:
      checkpoint_dir: the folder.
      master: the target of the sessions.
      scaffold: a `Scaffold`.
      eval_ops: a tensor, a list or dict of them; None to run nothing.
      feed_dict: fed to `eval_ops`.
      final_ops: what is fetched at the end of each evaluation.
      final_ops_feed_dict: fed to `final_ops`.
      eval_interval_secs: the least number of seconds from one evaluation to the next.
      hooks: a list of `SessionRunHook`s.
      config: a `ConfigProto`.
      max_number_of_evaluations: how many; None for no end.
      timeout: how many seconds to wait for a checkpoint; None for ever.
      timeout_fn: called after a timeout: whether no more will come.

    Returns:
      The values of `final_ops` of the last evaluation.
    """
    eval_step = get_or_create_eval_step()
    hooks = hooks or []
    if eval_ops is not None:
        update_eval_step = state.assign_add(eval_step, 1)
        _tell(hooks, update_eval_step)
        eval_ops = _with_counter(eval_ops, update_eval_step)
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    hooks.append(final)
    paths = checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn)
    for number, path in enumerate(paths, start=1):
        creator = ChiefSessionCreator(
            scaffold=scaffold, checkpoint_filename_with_path=path, master=master, config=config
        )
        with MonitoredSession(session_creator=creator, hooks=hooks) as session:
            tf_logging.info("Starting evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S", time.gmtime()))
            if eval_ops is not None:
                while not session.should_stop():
                    session.run(eval_ops, feed_dict)
            tf_logging.info("Finished evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S", time.gmtime()))
        if max_number_of_evaluations is not None and number >= max_number_of_evaluations:
            break
    return final.final_ops_values
