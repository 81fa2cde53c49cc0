"""tf.train.MonitoredTrainingSession: a session that starts from the newest checkpoint and calls hooks around each run."""

import abc
import functools
import inspect

from ferroflow._src.framework import stacks
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.errors import OutOfRangeError
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.training.coordinator import Coordinator
from ferroflow._src.training.queue_runner import start_queue_runners
from ferroflow._src.training.saving_hooks import CheckpointSaverHook, StepCounterHook, SummarySaverHook
from ferroflow._src.training.scaffold import Scaffold
from ferroflow._src.training.session_manager import SessionManager
from ferroflow._src.training.wrapped_sessions import (
    CoordinatedSession,
    HookedSession,
    RecoverableSession,
    StepContext as _StepContext,
)

USE_DEFAULT = object()


class SessionCreator(metaclass=abc.ABCMeta):
    """Makes sessions; a monitored session asks it again after a failure."""

    @abc.abstractmethod
    def create_session(self):
        """Returns a new `Session`."""
        raise NotImplementedError(f"create_session is not implemented for {self}.")


class _ScaffoldedSessionCreator(SessionCreator):
    """Makes sessions of a scaffold's model."""

    def __init__(self, scaffold, master, config):
        self._scaffold = scaffold or Scaffold()
        self._session_manager = None
        self._master = master
        self._config = config

    def _get_session_manager(self):
        if not self._session_manager:
            self._session_manager = SessionManager(
                local_init_op=self._scaffold.local_init_op,
                ready_op=self._scaffold.ready_op,
                ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
                graph=stacks.get_default_graph(),
            )
        return self._session_manager


class ChiefSessionCreator(_ScaffoldedSessionCreator):
    """Makes sessions whose model is restored or initialized here."""

    def __init__(self, scaffold=None, master="", config=None, checkpoint_dir=None, checkpoint_filename_with_path=None):
        """Creates the creator.

        Args:
          scaffold: a `Scaffold`; None for a default one.
          master: the target of sessions.
          config: a `ConfigProto`, or None.
          checkpoint_dir: the folder of checkpoints; the newest is restored.
          checkpoint_filename_with_path: a checkpoint to restore instead.
        """
        super().__init__(scaffold, master, config)
        self._checkpoint_dir = checkpoint_dir
        self._checkpoint_filename_with_path = checkpoint_filename_with_path

    def create_session(self):
        """Returns a new session whose model is ready."""
        scaffold = self._scaffold.finalize()
        return self._get_session_manager().prepare_session(
            self._master,
            saver=scaffold.saver,
            checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._checkpoint_filename_with_path,
            config=self._config,
            init_op=scaffold.init_op,
            init_feed_dict=scaffold.init_feed_dict,
            init_fn=scaffold.init_fn,
        )


class WorkerSessionCreator(_ScaffoldedSessionCreator):
    """Makes sessions whose model the chief makes ready."""

    def __init__(self, scaffold=None, master="", config=None, max_wait_secs=30 * 60):
        """Creates the creator.

        Args:
          scaffold: a `Scaffold`; None for a default one.
          master: the target of sessions.
          config: a `ConfigProto`, or None.
          max_wait_secs: how long to wait for the chief.
        """
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self):
        """Returns a new session once the model is ready."""
        self._scaffold.finalize()
        return self._get_session_manager().wait_for_session(
            self._master, config=self._config, max_wait_secs=self._max_wait_secs
        )


def MonitoredTrainingSession(
    master="",
    is_chief=True,
    checkpoint_dir=None,
    scaffold=None,
    hooks=None,
    chief_only_hooks=None,
    save_checkpoint_secs=USE_DEFAULT,
    save_summaries_steps=USE_DEFAULT,
    save_summaries_secs=USE_DEFAULT,
    config=None,
    stop_grace_period_secs=120,
    log_step_count_steps=100,
    max_wait_secs=7200,
    save_checkpoint_steps=USE_DEFAULT,
    summary_dir=None,
):
    """Returns a `MonitoredSession` that saves, writes summaries and logs its speed, as training programs need it.

    Args:
      master: the target of the session.
      is_chief: whether this process initializes, restores and saves; others wait for the one that does.
      checkpoint_dir: the folder of checkpoints; None: nothing is saved or restored.
      scaffold: a `Scaffold`; None for a default one.
      hooks: `SessionRunHook` objects.
      chief_only_hooks: more of them, for the chief.
      save_checkpoint_secs: seconds from one checkpoint to the next; 600 when it is not said how often, None for never.
      save_summaries_steps: steps from one summary to the next; 100 when it is not said how often, None for never.
      save_summaries_secs: seconds from one summary to the next, or None.
      config: a `ConfigProto`, or None.
      stop_grace_period_secs: how long threads may go on after a stop.
      log_step_count_steps: steps from one figure of the speed to the next.
      max_wait_secs: how long others wait for the chief.
      save_checkpoint_steps: steps from one checkpoint to the next, or None.
      summary_dir: the folder of the event file; None for `checkpoint_dir`.

    Example:
      with tf.train.MonitoredTrainingSession(checkpoint_dir=folder, hooks=hooks) as sess:
          while not sess.should_stop():
              sess.run(train_op)
    """
    save_summaries_steps, save_summaries_secs = _settled(save_summaries_steps, save_summaries_secs, (100, None))
    save_checkpoint_steps, save_checkpoint_secs = _settled(save_checkpoint_steps, save_checkpoint_secs, (None, 600))
    scaffold = scaffold or Scaffold()
    if not is_chief:
        creator = WorkerSessionCreator(scaffold=scaffold, master=master, config=config, max_wait_secs=max_wait_secs)
        return MonitoredSession(
            session_creator=creator, hooks=hooks or [], stop_grace_period_secs=stop_grace_period_secs
        )
    all_hooks = list(chief_only_hooks or ())
    creator = ChiefSessionCreator(scaffold=scaffold, checkpoint_dir=checkpoint_dir, master=master, config=config)
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            all_hooks.append(StepCounterHook(output_dir=summary_dir, every_n_steps=log_step_count_steps))
        if _is_positive(save_summaries_steps) or _is_positive(save_summaries_secs):
            all_hooks.append(
                SummarySaverHook(
                    scaffold=scaffold,
                    save_steps=save_summaries_steps,
                    save_secs=save_summaries_secs,
                    output_dir=summary_dir,
                )
            )
    if checkpoint_dir and (_is_positive(save_checkpoint_secs) or _is_positive(save_checkpoint_steps)):
        all_hooks.append(
            CheckpointSaverHook(
                checkpoint_dir, save_steps=save_checkpoint_steps, save_secs=save_checkpoint_secs, scaffold=scaffold
            )
        )
    all_hooks.extend(hooks or ())
    return MonitoredSession(session_creator=creator, hooks=all_hooks, stop_grace_period_secs=stop_grace_period_secs)


def _settled(steps, secs, default):
    """What the two ways to say how often come to."""
    if steps is USE_DEFAULT and secs is USE_DEFAULT:
        return default
    return (None if steps is USE_DEFAULT else steps), (None if secs is USE_DEFAULT else secs)


def _is_positive(number):
    return bool(number) and number > 0


class _CoordinatedSessionCreator(SessionCreator):
    """Makes a session with its threads and hooks."""

    def __init__(self, session_creator, hooks, stop_grace_period_secs):
        self._session_creator = session_creator
        self._hooks = hooks
        self.coord = None
        self.tf_sess = None
        self._stop_grace_period_secs = stop_grace_period_secs

    def create_session(self):
        self.tf_sess = self._session_creator.create_session()
        # The end of the input ends the `with` block, so here it is reported as any exception.
        self.coord = Coordinator(clean_stop_exception_types=[])
        if get_collection(GraphKeys.QUEUE_RUNNERS):
            start_queue_runners(sess=self.tf_sess, coord=self.coord)
        for hook in self._hooks:
            hook.after_create_session(self.tf_sess, self.coord)
        return CoordinatedSession(HookedSession(self.tf_sess, self._hooks), self.coord, self._stop_grace_period_secs)


class _MonitoredSession:
    """What the two kinds of monitored sessions share."""

    def __init__(self, session_creator, hooks, should_recover, stop_grace_period_secs=120):
        self._graph_was_finalized = stacks.get_default_graph().finalized
        self._hooks = hooks or []
        for hook in self._hooks:
            hook.begin()
        self._coordinated_creator = self._CoordinatedSessionCreator(
            session_creator=session_creator or ChiefSessionCreator(),
            hooks=self._hooks,
            stop_grace_period_secs=stop_grace_period_secs,
        )
        if should_recover:
            self._sess = RecoverableSession(self._coordinated_creator)
        else:
            self._sess = self._coordinated_creator.create_session()

    StepContext = _StepContext
    _CoordinatedSessionCreator = _CoordinatedSessionCreator

    @property
    def graph(self):
        """The `Graph`; None after the end."""
        return None if self._is_closed() else self._tf_sess().graph

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Runs with hooks; see `tf.Session.run`."""
        return self._sess.run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)

    def run_step_fn(self, step_fn):
        """Calls a function that makes several runs, some of them without hooks.

        Args:
          step_fn: a function of `step_context`, a `StepContext`, or a method of `self` and it.

        Returns:
          What it returns.

        Raises:
          StopIteration: when the function asks for the end.
          ValueError: when it takes other arguments.
        """
        arguments = _argument_names(step_fn)
        if arguments not in (("step_context",), ("self", "step_context")):
            raise ValueError(
                "`step_fn` may either have one `step_context` argument, or `self` and `step_context` arguments if it's an "
                f"instance method. Got {arguments} instead."
            )
        return self._sess.run_step_fn(step_fn, self._tf_sess(), run_with_hooks=None)

    def should_stop(self):
        """Returns whether a hook or a thread asked for the end; true after it."""
        return self._sess is None or self._sess.should_stop()

    def close(self):
        """Calls the hooks' `end`, stops the threads and closes the session."""
        self._close_internal()

    def __enter__(self):
        return self

    def __exit__(self, exception_type, exception_value, traceback):
        if exception_type in (OutOfRangeError, StopIteration):
            exception_type = None
        self._close_internal(exception_type)
        # The end of the input is no fault.
        return exception_type is None

    def _close_internal(self, exception_type=None):
        try:
            if not exception_type:
                for hook in self._hooks:
                    hook.end(self._coordinated_creator.tf_sess)
        finally:
            try:
                if self._sess is None:
                    raise RuntimeError("Session is already closed.")
                self._sess.close()
            finally:
                self._sess = None
                self._coordinated_creator.tf_sess = None
                self._coordinated_creator.coord = None
                if not self._graph_was_finalized:
                    stacks.get_default_graph()._unsafe_unfinalize()

    def _is_closed(self):
        return self._coordinated_creator.tf_sess is None

    def _tf_sess(self):
        return self._coordinated_creator.tf_sess


def _argument_names(function):
    """The names of a function's arguments, without those that are bound."""
    if isinstance(function, functools.partial):
        names = _argument_names(function.func)[len(function.args) :]
        return tuple(name for name in names if name not in function.keywords)
    if not inspect.isroutine(function) and not inspect.isclass(function) and hasattr(function, "__call__"):
        function = function.__call__
    names = inspect.getfullargspec(function).args
    return tuple(names[1:] if inspect.ismethod(function) else names)


class MonitoredSession(_MonitoredSession):
    """A session that calls hooks around each run, starts queue runners, and is made anew when a server is lost."""

    def __init__(self, session_creator=None, hooks=None, stop_grace_period_secs=120):
        """Creates the session.

        Args:
          session_creator: a `SessionCreator`; None for a `ChiefSessionCreator`.
          hooks: `SessionRunHook` objects.
          stop_grace_period_secs: how long threads may go on after a stop.
        """
        super().__init__(session_creator, hooks, should_recover=True, stop_grace_period_secs=stop_grace_period_secs)


class SingularMonitoredSession(_MonitoredSession):
    """A monitored session that is not made anew, so that the `Session` below may be used."""

    def __init__(
        self,
        hooks=None,
        scaffold=None,
        master="",
        config=None,
        checkpoint_dir=None,
        stop_grace_period_secs=120,
        checkpoint_filename_with_path=None,
    ):
        """Creates the session.

        Args:
          hooks: `SessionRunHook` objects.
          scaffold: a `Scaffold`; None for a default one.
          master: the target of the session.
          config: a `ConfigProto`, or None.
          checkpoint_dir: the folder of checkpoints; the newest is restored.
          stop_grace_period_secs: how long threads may go on after a stop.
          checkpoint_filename_with_path: a checkpoint to restore instead.
        """
        creator = ChiefSessionCreator(
            scaffold=scaffold,
            master=master,
            config=config,
            checkpoint_dir=checkpoint_dir,
            checkpoint_filename_with_path=checkpoint_filename_with_path,
        )
        super().__init__(creator, hooks, should_recover=False, stop_grace_period_secs=stop_grace_period_secs)

    def raw_session(self):
        """Returns the `Session` below; its runs call no hooks."""
        return self._tf_sess()
