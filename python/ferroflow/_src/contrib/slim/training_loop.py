"""tf.contrib.slim.learning.train: a supervisor, and one step after the other in its session."""

import os
import sys
import time

from ferroflow._src import proto
from ferroflow._src.framework import stacks
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import group
from ferroflow._src.framework.errors import AbortedError, OutOfRangeError
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.timeline import Timeline
from ferroflow._src.framework.variable_lists import (
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)
from ferroflow._src.ops import elementwise, math
from ferroflow._src.platform import file_io, tf_logging
from ferroflow._src.summary.summary_ops import merge_all
from ferroflow._src.training.global_step import get_or_create_global_step, global_step as value_of_step
from ferroflow._src.training.saver import Saver
from ferroflow._src.training.supervisor import Supervisor
from ferroflow._src.training.sync_replicas import SyncReplicasOptimizer

_USE_DEFAULT = 0


def train_step(sess, train_op, global_step, train_step_kwargs):
    """Runs one step.

    Args:
      sess: a session.
      train_op: what trains and gives the loss.
      global_step: the step counter.
      train_step_kwargs: a dict that may hold bool tensors `should_stop`, `should_log` and `should_trace`, and for the
        latter a folder, `logdir`, and a `summary_writer`.

    Returns:
      (loss, whether to stop).

    Raises:
      ValueError: when there is `should_trace` without `logdir`.
    """
    started = time.time()
    options = metadata = None
    if "should_trace" in train_step_kwargs:
        if "logdir" not in train_step_kwargs:
            raise ValueError("logdir must be present in train_step_kwargs when should_trace is present")
        if sess.run(train_step_kwargs["should_trace"]):
            options = proto.RunOptions(trace_level=proto.RunOptions.FULL_TRACE)
            metadata = proto.RunMetadata()
    loss, step = sess.run([train_op, global_step], options=options, run_metadata=metadata)
    elapsed_secs = time.time() - started
    if metadata is not None:
        path = os.path.join(train_step_kwargs["logdir"], f"tf_trace-{step}.json")
        tf_logging.info("Writing trace to %s", path)
        file_io.write_string_to_file(path, Timeline(metadata.step_stats).generate_chrome_trace_format())
        if "summary_writer" in train_step_kwargs:
            train_step_kwargs["summary_writer"].add_run_metadata(metadata, f"run_metadata-{step}")
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        tf_logging.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, elapsed_secs)
    stops = sess.run(train_step_kwargs["should_stop"]) if "should_stop" in train_step_kwargs else False
    return loss, stops


def train(
    train_op,
    logdir,
    train_step_fn=train_step,
    train_step_kwargs=_USE_DEFAULT,
    log_every_n_steps=1,
    graph=None,
    master="",
    is_chief=True,
    global_step=None,
    number_of_steps=None,
    init_op=_USE_DEFAULT,
    init_feed_dict=None,
    local_init_op=_USE_DEFAULT,
    init_fn=None,
    ready_op=_USE_DEFAULT,
    summary_op=_USE_DEFAULT,
    save_summaries_secs=600,
    summary_writer=_USE_DEFAULT,
    startup_delay_steps=0,
    saver=None,
    save_interval_secs=600,
    sync_optimizer=None,
    session_config=None,
    session_wrapper=None,
    trace_every_n_steps=None,
    ignore_live_threads=False,
):
    """Trains with a `tf.train.Supervisor` until a step says to stop, or inputs end.

    Args:
      train_op: what trains and gives the loss, as `create_train_op` makes it.
      logdir: the folder of checkpoints and summaries; None for neither.
      train_step_fn: called with the session, `train_op`, `global_step` and `train_step_kwargs`; gives the loss and
        whether to stop.
      train_step_kwargs: a dict; by default with bool tensors `should_stop` and `should_log`.
      log_every_n_steps: steps from one line in the log to the next.
      graph: a `Graph`; None for the default one.
      master: the target of the session.
      is_chief: whether this process initializes, saves and writes summaries.
      global_step: the step counter; None for the graph's, made when there is none.
      number_of_steps: how far `global_step` goes; None for no end.
      init_op: initializes the model; by default all variables.
      init_feed_dict: fed to `init_op`.
      local_init_op: runs in each new session; by default local variables and tables.
      init_fn: called with the session after `init_op`.
      ready_op: a string vector, empty when the model is ready.
      summary_op: a serialized `Summary`; by default of all summaries.
      save_summaries_secs: seconds from one summary to the next.
      summary_writer: a `FileWriter`; None for no summaries.
      startup_delay_steps: how many steps a process that is not chief waits for.
      saver: a `Saver`; None to make one.
      save_interval_secs: seconds from one checkpoint to the next.
      sync_optimizer: a `SyncReplicasOptimizer`, or a list of them.
      session_config: a `ConfigProto`.
      session_wrapper: a function of the session that gives the one to use.
      trace_every_n_steps: steps from one written timeline to the next; None for none.
      ignore_live_threads: whether threads may outlive the supervisor's grace period.

    Returns:
      The last loss.

    Raises:
      ValueError: for no `train_op`, arguments that need a `logdir`, a delay with `sync_optimizer`, or a
        `number_of_steps` that is not positive.
    """
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None:
        for label, is_given in (
            ("summary_op", not _is_default(summary_op)),
            ("saver", saver is not None),
            ("trace_every_n_steps", trace_every_n_steps is not None),
        ):
            if is_given:
                raise ValueError(f"Cannot provide {label} because logdir=None")
    if isinstance(sync_optimizer, SyncReplicasOptimizer):
        sync_optimizer = [sync_optimizer]
    if sync_optimizer is not None and startup_delay_steps > 0:
        raise ValueError("startup_delay_steps must be zero when sync_optimizer is supplied.")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")

    graph = graph or stacks.get_default_graph()
    chief_runners = init_tokens = None
    with graph.as_default():
        if global_step is None:
            global_step = get_or_create_global_step()
        saver = saver or Saver()
        for optimizer in sync_optimizer or ():
            if not isinstance(optimizer, SyncReplicasOptimizer):
                raise ValueError("`sync_optimizer` must be a tf.train.SyncReplicasOptimizer.")
        with name_scope("init_ops"):
            if _is_default(init_op):
                init_op = global_variables_initializer()
            if _is_default(ready_op):
                ready_op = report_uninitialized_variables()
            if _is_default(local_init_op):
                local_init_op = group(local_variables_initializer(), tables_initializer())
            ready_for_local_init_op = None
            if isinstance(sync_optimizer, list):
                with control_dependencies([local_init_op] if local_init_op is not None else []):
                    local_init_op = group(*[o.chief_init_op if is_chief else o.local_step_init_op for o in sync_optimizer])
                ready_for_local_init_op = group(*[o.ready_for_local_init_op for o in sync_optimizer])
        if _is_default(summary_op):
            summary_op = merge_all()
        if _is_default(summary_writer):
            summary_writer = Supervisor.USE_DEFAULT
        if is_chief and sync_optimizer is not None:
            init_tokens = [o.get_init_tokens_op() for o in sync_optimizer]
            chief_runners = [o.get_chief_queue_runner() for o in sync_optimizer]
        if _is_default(train_step_kwargs):
            every_n_steps = trace_every_n_steps if is_chief else None
            train_step_kwargs = _step_arguments(global_step, number_of_steps, log_every_n_steps, every_n_steps, logdir)

    supervisor = Supervisor(
        graph=graph,
        is_chief=is_chief,
        logdir=logdir,
        init_op=init_op,
        init_feed_dict=init_feed_dict,
        local_init_op=local_init_op,
        ready_for_local_init_op=ready_for_local_init_op,
        ready_op=ready_op,
        summary_op=summary_op,
        summary_writer=summary_writer,
        global_step=global_step,
        saver=saver,
        save_summaries_secs=save_summaries_secs,
        save_model_secs=save_interval_secs,
        init_fn=init_fn,
    )
    if summary_writer is not None:
        train_step_kwargs["summary_writer"] = supervisor.summary_writer

    def in_session(sess):
        tf_logging.info("Starting Session.")
        if session_wrapper is not None:
            tf_logging.info("Wrapping session with wrapper function: %s", session_wrapper)
            sess = session_wrapper(sess)
        if is_chief:
            if logdir:
                supervisor.start_standard_services(sess)
        elif startup_delay_steps > 0:
            wanted = min(startup_delay_steps, number_of_steps or sys.maxsize)
            while value_of_step(sess, global_step) < wanted:
                time.sleep(1.0)
        threads = supervisor.start_queue_runners(sess)
        tf_logging.info("Starting Queues.")
        if chief_runners is not None:
            supervisor.start_queue_runners(sess, chief_runners)
            sess.run(init_tokens)
        loss = None
        try:
            while not supervisor.should_stop():
                loss, stops = train_step_fn(sess, train_op, global_step, train_step_kwargs)
                if stops:
                    tf_logging.info("Stopping Training.")
                    supervisor.request_stop()
                    break
        except OutOfRangeError as error:
            tf_logging.info("Caught OutOfRangeError. Stopping Training. %s", error)
        if logdir and supervisor.is_chief:
            tf_logging.info("Finished training! Saving model to disk.")
            supervisor.saver.save(sess, supervisor.save_path, global_step=supervisor.global_step)
            supervisor.stop(threads, close_summary_writer=True, ignore_live_threads=ignore_live_threads)
        return loss

    loss = None
    while True:
        try:
            with supervisor.managed_session(master, start_standard_services=False, config=session_config) as sess:
                loss = in_session(sess)
            return loss  # also when the supervisor took an error for a clean end
        except AbortedError:
            tf_logging.info("Retrying training!")


def _is_default(given):
    return isinstance(given, int) and given == _USE_DEFAULT


def _step_arguments(global_step, number_of_steps, log_every_n_steps, trace_every_n_steps, logdir):
    """Makes what `train_step` asks after each step."""
    made = {}
    with name_scope("train_step"):
        if number_of_steps:
            made["should_stop"] = elementwise.greater_equal(global_step, number_of_steps)
        else:
            made["should_stop"] = constant(False)
        if log_every_n_steps > 0:
            made["should_log"] = math.equal(elementwise.floormod(global_step, log_every_n_steps), 0)
        if trace_every_n_steps is not None:
            made["should_trace"] = math.equal(elementwise.floormod(global_step, trace_every_n_steps), 0)
            made["logdir"] = logdir
    return made
