"""tf.train.SessionRunHook: what is called around the runs of a monitored session."""

import collections


class SessionRunHook:
    """A hook into the life of a monitored session; derived classes override what they need."""

    def begin(self):
        """Called once before the session is made: the last time the graph may be changed."""

    def after_create_session(self, session, coord):
        """Called after each session that is made, also when one is made anew after a failure.

        Args:
          session: the `Session`.
          coord: the `Coordinator` of its threads.
        """

    def before_run(self, run_context):
        """Called before each run.

        Args:
          run_context: a `SessionRunContext`.

        Returns:
          None, or `SessionRunArgs`: what is to be fetched and fed in the same run.
        """
        return

    def after_run(self, run_context, run_values):
        """Called after each run that did not fail.

        Args:
          run_context: the `SessionRunContext` that `before_run` got.
          run_values: `SessionRunValues`: what was fetched for this hook.
        """

    def end(self, session):
        """Called at the end, unless an exception ended the session.

        Args:
          session: the `Session`, not closed yet.
        """


class SessionRunArgs(collections.namedtuple("SessionRunArgs", ["fetches", "feed_dict", "options"])):
    """What a hook adds to a run: `fetches`, `feed_dict` and `options`, as `tf.Session.run` takes them."""

    def __new__(cls, fetches, feed_dict=None, options=None):
        """Creates the arguments; see `tf.Session.run`."""
        return super().__new__(cls, fetches, feed_dict, options)


class SessionRunContext:
    """What hooks hear about a run, and how they ask for the end."""

    def __init__(self, original_args, session):
        """Creates the context of a run.

        Args:
          original_args: `SessionRunArgs`: what the program asked for.
          session: the `Session`.
        """
        self._original_args = original_args
        self._session = session
        self._stop_requested = False

    @property
    def original_args(self):
        """What the program asked for, without what hooks add."""
        return self._original_args

    @property
    def session(self):
        """The `Session` of the run."""
        return self._session

    @property
    def stop_requested(self):
        """Whether a hook asked for the end."""
        return self._stop_requested

    def request_stop(self):
        """Asks for the end: the monitored session's `should_stop()` becomes true."""
        self._stop_requested = True


class SessionRunValues(collections.namedtuple("SessionRunValues", ["results", "options", "run_metadata"])):
    """What a run gave: `results` in the form of the hook's fetches, the `options`, and the `run_metadata`."""
