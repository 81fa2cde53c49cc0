"""tf.train.Supervisor: a session that starts from the newest checkpoint, saves itself and writes summaries."""

import contextlib
import os

from ferroflow._src import proto
from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.control_flow import group
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.meta_graph import create_meta_graph_def
from ferroflow._src.framework.variable_lists import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)
from ferroflow._src.summary.summary_ops import merge_all
from ferroflow._src.summary.writer import FileWriter
from ferroflow._src.training.coordinator import Coordinator, LooperThread
from ferroflow._src.training.global_step import global_step as global_step_value
from ferroflow._src.training.graph_io import write_graph
from ferroflow._src.training.log import logger
from ferroflow._src.training.saver import Saver
from ferroflow._src.training.session_manager import SessionManager
from ferroflow._src.training.supervisor_threads import SVStepCounterThread, SVSummaryThread, SVTimerCheckpointThread

_DEFAULT = 0


class Supervisor:
    """Wraps a `Coordinator`, a `Saver` and a `SessionManager` for a program that trains a model.

    Example:
      sv = tf.train.Supervisor(logdir="/tmp/model")
      with sv.managed_session() as sess:
          while not sv.should_stop():
              sess.run(train_op)
    """

    # The value of arguments that stand for something the supervisor makes.
    USE_DEFAULT = _DEFAULT

    def __init__(
        self,
        graph=None,
        ready_op=_DEFAULT,
        ready_for_local_init_op=_DEFAULT,
        is_chief=True,
        init_op=_DEFAULT,
        init_feed_dict=None,
        local_init_op=_DEFAULT,
        logdir=None,
        summary_op=_DEFAULT,
        saver=_DEFAULT,
        global_step=_DEFAULT,
        save_summaries_secs=120,
        save_model_secs=600,
        recovery_wait_secs=30,
        stop_grace_secs=120,
        checkpoint_basename="model.ckpt",
        session_manager=None,
        summary_writer=_DEFAULT,
        init_fn=None,
        local_init_run_options=None,
    ):
        """Creates a supervisor, adds what it needs to the graph, and finalizes the graph.

        An op that is left at its default is the first of its collection (`tf.GraphKeys.READY_OP` and so on), or made
        and added there; None means none.

        Args:
          graph: a `Graph`; None for the default one.
          ready_op: a string vector that is empty when the model is ready.
          ready_for_local_init_op: a string vector that is empty when `local_init_op` may run.
          is_chief: whether this process initializes, restores, saves and writes summaries.
          init_op: initializes the model when there is no checkpoint.
          init_feed_dict: fed to `init_op`.
          local_init_op: runs in each new session.
          logdir: the folder of checkpoints and events; None for neither.
          summary_op: a serialized `Summary`, written by a thread.
          saver: a `Saver`.
          global_step: the step counter: an integer scalar.
          save_summaries_secs: seconds from one summary to the next; 0 for none.
          save_model_secs: seconds from one checkpoint to the next; 0 for none.
          recovery_wait_secs: seconds between two looks whether a model is ready.
          stop_grace_secs: how long threads may go on after a stop.
          checkpoint_basename: the file name of checkpoints.
          session_manager: a `SessionManager`; None to make one.
          summary_writer: a `FileWriter`; the default is made when there is a `logdir`.
          init_fn: a function of the session, called after `init_op`.
          local_init_run_options: `RunOptions` for `local_init_op`.
        """
        graph = stacks.get_default_graph() if graph is None else graph
        with graph.as_default():
            self._ready_op = _first_or_made(ready_op, GraphKeys.READY_OP, report_uninitialized_variables)
            self._ready_for_local_init_op = _first_or_made(
                ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: None
            )
            self._init_op = _first_or_made(init_op, GraphKeys.INIT_OP, global_variables_initializer)
            self._init_feed_dict = init_feed_dict
            self._local_init_op = _first_or_made(local_init_op, GraphKeys.LOCAL_INIT_OP, _local_initializer)
            self._saver = _first_or_made(saver, GraphKeys.SAVERS, lambda: Saver() if global_variables() else None)
            self._summary_op = _first_or_made(summary_op, GraphKeys.SUMMARY_OP, merge_all)
            self._global_step = _first_or_made(global_step, GraphKeys.GLOBAL_STEP, _counter_by_name)
        self._graph = graph
        self._meta_graph_def = create_meta_graph_def(
            graph_def=graph.as_graph_def(add_shapes=True), saver_def=self._saver.saver_def if self._saver else None
        )
        self._is_chief = is_chief
        self._coord = Coordinator()
        self._stop_grace_secs = stop_grace_secs
        self._init_fn = init_fn
        self._logdir = self._save_summaries_secs = self._save_model_secs = self._save_path = None
        self._summary_writer = None
        self._graph_added_to_summary = False
        if is_chief:
            self._logdir = logdir
            self._save_summaries_secs = save_summaries_secs
            self._save_model_secs = save_model_secs
            if logdir:
                self._save_path = os.path.join(logdir, checkpoint_basename)
            if summary_writer is not Supervisor.USE_DEFAULT:
                self._summary_writer = summary_writer
            elif logdir:
                self._summary_writer = FileWriter(logdir)
        self._session_manager = session_manager
        if session_manager is None:
            self._session_manager = SessionManager(
                local_init_op=self._local_init_op,
                ready_op=self._ready_op,
                ready_for_local_init_op=self._ready_for_local_init_op,
                graph=graph,
                recovery_wait_secs=recovery_wait_secs,
                local_init_run_options=local_init_run_options,
            )
        self._check_devices()
        graph.finalize()

    def _check_devices(self):
        """Variables of replicas must be where the chief's are."""
        if self._is_chief:
            return
        for op in self._graph.get_operations():
            if op.type in ("Variable", "VariableV2") and not op.device:
                raise ValueError(f"When using replicas, all Variables must have their device set: {op}")

    # -- facts --

    @property
    def is_chief(self):
        """Whether this process initializes, restores, saves and writes summaries."""
        return self._is_chief

    @property
    def session_manager(self):
        """The `SessionManager`."""
        return self._session_manager

    @property
    def coord(self):
        """The `Coordinator`."""
        return self._coord

    @property
    def init_op(self):
        """What initializes the model."""
        return self._init_op

    @property
    def init_feed_dict(self):
        """What is fed to `init_op`."""
        return self._init_feed_dict

    @property
    def ready_op(self):
        """The names of what is not initialized."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self):
        """The names of what the local initializer waits for, or None."""
        return self._ready_for_local_init_op

    @property
    def summary_writer(self):
        """The `FileWriter`, or None."""
        return self._summary_writer

    @property
    def summary_op(self):
        """The summary that a thread writes, or None."""
        return self._summary_op

    @property
    def save_summaries_secs(self):
        """Seconds from one summary to the next."""
        return self._save_summaries_secs

    @property
    def global_step(self):
        """The step counter, or None."""
        return self._global_step

    @property
    def saver(self):
        """The `Saver`, or None."""
        return self._saver

    @property
    def save_model_secs(self):
        """Seconds from one checkpoint to the next."""
        return self._save_model_secs

    @property
    def save_path(self):
        """The prefix of checkpoints; None without a folder."""
        return self._save_path

    # -- sessions and services --

    def _write_graph(self):
        """Writes the graph as text beside the checkpoints, and as an event."""
        if self._logdir:
            write_graph(self._graph.as_graph_def(add_shapes=True), self._logdir, "graph.pbtxt")
        if self._summary_writer and not self._graph_added_to_summary:
            self._summary_writer.add_graph(self._graph)
            self._summary_writer.add_meta_graph(self._meta_graph_def)
            self._graph_added_to_summary = True

    def start_standard_services(self, sess):
        """Starts the threads that write summaries and the speed, and that save.

        Args:
          sess: a `Session`.

        Returns:
          The threads, which the coordinator waits for; None without a folder.

        Raises:
          RuntimeError: when this is not the chief.
        """
        if not self._is_chief:
            raise RuntimeError(
                "Only chief supervisor can start standard services. Because only chief supervisors can write events."
            )
        if not self._logdir:
            logger.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        if self._global_step is not None and self._summary_writer:
            start = proto.SessionLog(status=proto.SessionLog.START)
            self._summary_writer.add_session_log(start, global_step_value(sess, self._global_step))
        threads = []
        if self._save_summaries_secs and self._summary_writer:
            if self._summary_op is not None:
                threads.append(SVSummaryThread(self, sess))
            if self._global_step is not None:
                threads.append(SVStepCounterThread(self, sess))
        if self.saver and self._save_model_secs:
            threads.append(SVTimerCheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def prepare_or_wait_for_session(
        self, master="", config=None, wait_for_checkpoint=False, max_wait_secs=7200, start_standard_services=True
    ):
        """Returns a session with a model that is ready; the chief makes it so, others wait.

        Args:
          master: the target of the session.
          config: a `ConfigProto`, or None.
          wait_for_checkpoint: whether the chief waits for a first checkpoint.
          max_wait_secs: how long.
          start_standard_services: whether services and queue runners are started.
        """
        self._coord.clear_stop()
        if self._summary_writer:
            self._summary_writer.reopen()
        if self._is_chief:
            sess = self._session_manager.prepare_session(
                master,
                init_op=self.init_op,
                saver=self.saver,
                checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint,
                max_wait_secs=max_wait_secs,
                config=config,
                init_feed_dict=self._init_feed_dict,
                init_fn=self._init_fn,
            )
            self._write_graph()
            if start_standard_services:
                logger.info("Starting standard services.")
                self.start_standard_services(sess)
        else:
            sess = self._session_manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        if start_standard_services:
            logger.info("Starting queue runners.")
            self.start_queue_runners(sess)
        return sess

    def start_queue_runners(self, sess, queue_runners=None):
        """Starts the threads of queue runners.

        Args:
          sess: a `Session`.
          queue_runners: a list of `QueueRunner`; None for those in the graph's collection.

        Returns:
          The threads, which the coordinator waits for.
        """
        if queue_runners is None:
            queue_runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS)
        threads = []
        for runner in queue_runners:
            threads.extend(runner.create_threads(sess, coord=self._coord, daemon=True, start=True))
        return threads

    def loop(self, timer_interval_secs, target, args=None, kwargs=None):
        """Starts a thread that calls a function until the supervisor stops.

        Args:
          timer_interval_secs: seconds from one call to the next; None to call again at once.
          target: the function.
          args: its arguments.
          kwargs: its keyword arguments.

        Returns:
          The started `LooperThread`.
        """
        return LooperThread.loop(self._coord, timer_interval_secs, target, args=args, kwargs=kwargs)

    def stop(self, threads=None, close_summary_writer=True, ignore_live_threads=False):
        """Stops the threads, waits for them, and closes the event file.

        Args:
          threads: threads to wait for, besides those the supervisor started.
          close_summary_writer: whether the event file is closed.
          ignore_live_threads: whether it is no error that some go on.

        Raises:
          Exception: what was reported to `request_stop`.
        """
        self._coord.request_stop()
        try:
            self._coord.join(
                threads, stop_grace_period_secs=self._stop_grace_secs, ignore_live_threads=ignore_live_threads
            )
        finally:
            if close_summary_writer and self._summary_writer:
                self._summary_writer.add_session_log(proto.SessionLog(status=proto.SessionLog.STOP))
                self._summary_writer.close()
                self._graph_added_to_summary = False

    def request_stop(self, ex=None):
        """Asks the threads to stop; see `Coordinator.request_stop`."""
        self._coord.request_stop(ex=ex)

    def should_stop(self):
        """Returns whether a stop was requested."""
        return self._coord.should_stop()

    def stop_on_exception(self):
        """A block in which an exception requests a stop; see `Coordinator.stop_on_exception`."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self):
        """Waits until a stop is requested."""
        self._coord.wait_for_stop()

    def summary_computed(self, sess, summary, global_step=None):
        """Writes a summary.

        Args:
          sess: a `Session`, in which the step is read.
          summary: a serialized `Summary`.
          global_step: the step; None to read it.

        Raises:
          RuntimeError: without a writer.
        """
        if not self._summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self.global_step is not None:
            global_step = global_step_value(sess, self.global_step)
        self._summary_writer.add_summary(summary, global_step)

    @contextlib.contextmanager
    def managed_session(self, master="", config=None, start_standard_services=True, close_summary_writer=True):
        """A block with a session that is ready; at its end threads are stopped and the session is closed.

        What the block or a thread raises is raised at the end, but for `tf.errors.OutOfRangeError`.

        Args:
          master: the target of the session.
          config: a `ConfigProto`, or None.
          start_standard_services: whether services and queue runners are started.
          close_summary_writer: whether the event file is closed at the end.
        """
        sess = None
        try:
            sess = self.prepare_or_wait_for_session(
                master=master, config=config, start_standard_services=start_standard_services
            )
            yield sess
        except Exception as error:  # noqa: BLE001  (`stop` raises it)
            self.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
            finally:
                if sess is not None:
                    with contextlib.suppress(Exception):
                        sess.close()

    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners = start_queue_runners
    StartStandardServices = start_standard_services
    Stop = stop
    RequestStop = request_stop
    Loop = loop
    ShouldStop = should_stop
    StopOnException = stop_on_exception
    WaitForStop = wait_for_stop
    SummaryComputed = summary_computed


def _first_or_made(given, key, make):
    """What was given; for the default the first of a collection, or else what `make` makes, put there."""
    if given is not Supervisor.USE_DEFAULT:
        return given
    found = get_collection(key)
    if len(found) > 1:
        logger.info("Found %d %s operations. Returning the first one.", len(found), key)
    if found and found[0] is not None:
        return found[0]
    made = make()
    if made is not None:
        add_to_collection(key, made)
    return made


def _local_initializer():
    return group(local_variables_initializer(), tables_initializer())


def _counter_by_name():
    try:
        found = stacks.get_default_graph().get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    if found.dtype.base_dtype in (dtypes.int32, dtypes.int64):
        return found
    logger.warning("Found 'global_step' is not an int type: %s", found.dtype)
    return None
