"""The layers of a monitored session: hooks around runs, threads that stop together, recovery from lost servers."""

import contextlib
import sys

from ferroflow._src import proto
from ferroflow._src.framework.errors import AbortedError, UnavailableError
from ferroflow._src.training.log import logger
from ferroflow._src.training.session_run_hook import SessionRunArgs, SessionRunContext, SessionRunValues

# After these a session is made anew.
PREEMPTION_ERRORS = (AbortedError, UnavailableError)

_RECOVERY = (
    "An error was raised %s. It may come from a worker or a parameter server that was preempted, or that lacks memory or "
    "bandwidth: then more parameter servers help. The session is made anew. Error: %s"
)


class StepContext:
    """What a step function gets: the session as it is, and a way to run with hooks."""

    def __init__(self, session, run_with_hooks_fn):
        """Creates the context; see the properties."""
        self._session = session
        self._run_with_hooks_fn = run_with_hooks_fn

    @property
    def session(self):
        """The `Session`: its runs call no hooks."""
        return self._session

    def run_with_hooks(self, *args, **kwargs):
        """The same as the monitored session's `run`."""
        return self._run_with_hooks_fn(*args, **kwargs)

    def request_stop(self):
        """Ends the step function, and the `with` block of the session.

        Raises:
          StopIteration: always.
        """
        raise StopIteration("step_fn has requested the iterations to stop.")


class WrappedSession:
    """A layer around a session or another layer."""

    def __init__(self, sess):
        """Creates the layer around `sess`."""
        self._sess = sess
        self._wrapped_is_stoppable = isinstance(sess, WrappedSession)

    @property
    def graph(self):
        """The `Graph`."""
        return self._sess.graph

    @property
    def sess_str(self):
        """The target of the session."""
        return self._sess.sess_str

    def should_stop(self):
        """Returns whether this layer or one below wants to stop; true after the end."""
        if self._check_stop():
            return True
        if self._sess:
            return self._wrapped_is_stoppable and self._sess.should_stop()
        return True

    def _check_stop(self):
        """Whether this layer wants to stop."""
        return False

    def close(self):
        """Closes the layers below."""
        if not self._sess:
            return
        try:
            self._sess.close()
        except PREEMPTION_ERRORS as error:
            logger.warning(
                "The session could not be closed: a worker or parameter server may be gone. Error: %s", error
            )
        finally:
            self._sess = None

    def run(self, *args, **kwargs):
        """Runs; see `tf.Session.run`."""
        return self._sess.run(*args, **kwargs)

    def run_step_fn(self, step_fn, raw_session, run_with_hooks):
        """Calls a step function with a `StepContext`."""
        return step_fn(StepContext(raw_session, run_with_hooks or self.run))


class RecoverableSession(WrappedSession):
    """Makes the session anew when a server was lost, and runs again."""

    def __init__(self, sess_creator):
        """Creates the layer.

        Args:
          sess_creator: its `create_session()` makes the layer below.
        """
        self._sess_creator = sess_creator
        super().__init__(self._create_session())

    def _create_session(self):
        while True:
            try:
                return self._sess_creator.create_session()
            except PREEMPTION_ERRORS as error:
                logger.info(_RECOVERY, "while a session was being created", error)

    def _check_stop(self):
        try:
            return self._sess._check_stop() if self._sess else True
        except PREEMPTION_ERRORS as error:
            logger.info(_RECOVERY, "while considering whether the session is complete", error)
            self.close()
            self._sess = self._create_session()
            return False
        except Exception:  # noqa: BLE001  (`should_stop` says so; the end raises it)
            return True

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Runs, as often as it takes; see `tf.Session.run`."""
        return self._persist(
            lambda: self._sess.run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)
        )

    def run_step_fn(self, step_fn, raw_session, run_with_hooks):
        """Calls a step function, as often as it takes."""
        return self._persist(lambda: self._sess.run_step_fn(step_fn, raw_session, self._sess.run))

    def _persist(self, attempt):
        while True:
            try:
                if not self._sess:
                    self._sess = self._create_session()
                return attempt()
            except PREEMPTION_ERRORS as error:
                logger.info(_RECOVERY, "in a run", error)
                self.close()
                self._sess = None


class CoordinatedSession(WrappedSession):
    """Stops when its coordinator stops, and the coordinator's threads when it is closed."""

    def __init__(self, sess, coord, stop_grace_period_secs=120):
        """Creates the layer.

        Args:
          sess: the layer below.
          coord: a `Coordinator`.
          stop_grace_period_secs: how long threads may go on after a stop.
        """
        super().__init__(sess)
        self._coord = coord
        self._stop_grace_period_secs = stop_grace_period_secs

    def _check_stop(self):
        self._coord.raise_requested_exception()
        return self._coord.should_stop()

    def close(self):
        """Stops the threads, waits for them, and closes the layers below."""
        self._coord.request_stop()
        try:
            self._coord.join(stop_grace_period_secs=self._stop_grace_period_secs, ignore_live_threads=True)
        finally:
            with contextlib.suppress(Exception):
                super().close()

    def run(self, *args, **kwargs):
        """Runs; see `tf.Session.run`. A lost server that a thread noticed counts more than what the run raised."""
        try:
            return self._sess.run(*args, **kwargs)
        except PREEMPTION_ERRORS:
            raise
        except Exception:
            raised = sys.exc_info()[1]
            try:
                self._coord.raise_requested_exception()
            except PREEMPTION_ERRORS:
                raise
            except Exception:  # noqa: BLE001
                raise raised from None
            raise


class HookedSession(WrappedSession):
    """Calls hooks around runs."""

    def __init__(self, sess, hooks):
        """Creates the layer around `sess` with a list of hooks."""
        super().__init__(sess)
        self._hooks = hooks
        self._should_stop = False

    def _check_stop(self):
        return self._should_stop

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Runs what the program and the hooks ask for; see `tf.Session.run`.

        Raises:
          RuntimeError: after a hook asked for the end, or when a tensor is fed twice.
        """
        if self.should_stop():
            raise RuntimeError("Run called even after should_stop requested.")
        context = SessionRunContext(original_args=SessionRunArgs(fetches, feed_dict), session=self._sess)
        wanted = {"caller": fetches}
        options = options or proto.RunOptions()
        feed_dict = self._ask_hooks(context, wanted, feed_dict, options)
        # A run is faster when nobody asked how it went.
        is_plain = run_metadata is None and not options.ByteSize()
        run_metadata = proto.RunMetadata() if run_metadata is None else run_metadata
        how = {} if is_plain else {"options": options, "run_metadata": run_metadata}
        results = super().run(fetches=wanted, feed_dict=feed_dict, **how)
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(results.get(hook), options, run_metadata))
        self._should_stop = self._should_stop or context.stop_requested
        return results["caller"]

    def _ask_hooks(self, context, wanted, user_feeds, options):
        """Adds what hooks want to the fetches and options; returns all feeds."""
        feeds = {}
        for hook in self._hooks:
            request = hook.before_run(context)
            if request is None:
                continue
            if request.fetches is not None:
                wanted[hook] = request.fetches
            if request.feed_dict:
                _check_disjoint(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options:
                _merge_options(options, request.options)
        if not feeds:
            return user_feeds
        if user_feeds:
            _check_disjoint(user_feeds, feeds, "Same tensor is fed by a SessionRunHook and user.")
            feeds.update(user_feeds)
        return feeds


def _check_disjoint(a, b, message):
    both = set(a) & set(b)
    if both:
        raise RuntimeError(f"{message} Conflict(s): {list(both)}")


def _merge_options(options, added):
    """The stronger of each option."""
    for field in ("trace_level", "timeout_in_ms", "inter_op_thread_pool", "output_partition_graphs"):
        setattr(options, field, max(getattr(options, field), getattr(added, field)))
    options.debug_options.debug_tensor_watch_opts.extend(added.debug_options.debug_tensor_watch_opts)
    if added.debug_options.reset_disk_byte_usage:
        options.debug_options.reset_disk_byte_usage = True
    if added.report_tensor_allocations_upon_oom:
        options.report_tensor_allocations_upon_oom = True
