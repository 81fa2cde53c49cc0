"""tf.train.Coordinator: threads that stop together, and threads that repeat something until they are told to stop."""

import contextlib
import sys
import threading
import time

from ferroflow._src.framework.errors import OutOfRangeError
from ferroflow._src.training.log import logger

# While threads are waited for after a stop, the pauses between two looks double from this.
_SHORTEST_PAUSE_SECS = 0.001


class Coordinator:
    """Lets several threads stop together and hands an exception of one of them to whoever waits for all.

    Threads ask `should_stop()` now and then; any of them may call `request_stop()`.

    Example:
      coord = tf.train.Coordinator()
      threads = [threading.Thread(target=work, args=(coord,)) for _ in range(4)]
      for thread in threads:
          thread.start()
      coord.join(threads)
    """

    def __init__(self, clean_stop_exception_types=None):
        """Creates a coordinator.

        Args:
          clean_stop_exception_types: a tuple of exceptions that are no faults: when one is reported, threads stop and
            `join` raises nothing. None for `(tf.errors.OutOfRangeError,)`, the end of the input.
        """
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (OutOfRangeError,)
        self._clean_stop_exception_types = tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop_event = threading.Event()
        # What `sys.exc_info()` was for the first exception reported.
        self._exc_info_to_raise = None
        self._joined = False
        self._registered_threads = set()

    def request_stop(self, ex=None):
        """Asks all threads to stop.

        Args:
          ex: the exception that is the reason, or its `sys.exc_info()`; `join` raises the first one reported. After
            `join` it is raised here.
        """
        with self._lock:
            if isinstance(ex[1] if isinstance(ex, tuple) else ex, self._clean_stop_exception_types):
                ex = None
            if self._joined and ex is not None:
                # Nobody would hear of it any more.
                if isinstance(ex, tuple):
                    _reraise(ex)
                raise ex
            if self._stop_event.is_set():
                return
            if ex and self._exc_info_to_raise is None:
                self._exc_info_to_raise = _reported(ex)
            self._stop_event.set()

    def clear_stop(self):
        """Forgets that a stop was requested, and why."""
        with self._lock:
            self._joined = False
            self._exc_info_to_raise = None
            self._stop_event.clear()

    def should_stop(self):
        """Returns whether a stop was requested."""
        return self._stop_event.is_set()

    @contextlib.contextmanager
    def stop_on_exception(self):
        """A block in which an exception requests a stop; it is reported and does not leave the block."""
        try:
            yield
        except:  # noqa: E722  (whatever ends a thread must stop the others)
            self.request_stop(ex=sys.exc_info())

    def wait_for_stop(self, timeout=None):
        """Waits until a stop is requested.

        Args:
          timeout: seconds to wait at most; None for no limit.

        Returns:
          Whether it was requested.
        """
        return self._stop_event.wait(timeout)

    def register_thread(self, thread):
        """Adds a thread to those that `join` waits for."""
        with self._lock:
            self._registered_threads.add(thread)

    def join(self, threads=None, stop_grace_period_secs=120, ignore_live_threads=False):
        """Waits for threads to end.

        Args:
          threads: started threads, besides the registered ones.
          stop_grace_period_secs: how long threads may go on after a stop was requested.
          ignore_live_threads: whether it is no error that some go on for longer.

        Raises:
          RuntimeError: when threads go on after that time.
          Exception: what was reported to `request_stop`.
        """
        with self._lock:
            waited_for = list(self._registered_threads.union(threads or ()))

        def is_any_alive():
            return any(thread.is_alive() for thread in waited_for)

        while is_any_alive() and not self.wait_for_stop(1.0):
            pass
        left_secs, pause_secs = stop_grace_period_secs, _SHORTEST_PAUSE_SECS
        while is_any_alive() and left_secs >= 0.0:
            time.sleep(pause_secs)
            left_secs -= pause_secs
            pause_secs = max(min(2 * pause_secs, left_secs), _SHORTEST_PAUSE_SECS)
        alive = [thread.name for thread in waited_for if thread.is_alive()]
        with self._lock:
            self._joined = True
            self._registered_threads = set()
            if self._exc_info_to_raise:
                _reraise(self._exc_info_to_raise)
            if alive:
                message = "Coordinator stopped with threads still running: " + " ".join(alive)
                if not ignore_live_threads:
                    raise RuntimeError(message)
                logger.info("%s", message)

    @property
    def joined(self):
        """Whether `join` was called since the last `clear_stop`."""
        return self._joined

    def raise_requested_exception(self):
        """Raises what was reported to `request_stop`, if anything."""
        with self._lock:
            if self._exc_info_to_raise:
                _reraise(self._exc_info_to_raise)


def _reraise(exc_info):
    raise exc_info[1].with_traceback(exc_info[2])


def _reported(ex):
    """The `sys.exc_info()` of a reported exception, which must be the one that is handled now."""
    if isinstance(ex, tuple):
        logger.info("Error reported to Coordinator: %s", ex[1], exc_info=ex)
        found = ex
    else:
        logger.info("Error reported to Coordinator: %s, %s", type(ex), ex)
        found = sys.exc_info()
    if len(found) == 3 and found[0] and found[1]:
        return found
    try:
        raise ValueError(f"ex must be a tuple or sys.exc_info must return the current exception: {found}")
    except ValueError:
        return sys.exc_info()


class LooperThread(threading.Thread):
    """A thread that repeats a function, or `run_loop()` of a class derived from it, until its coordinator stops."""

    def __init__(self, coord, timer_interval_secs, target=None, args=None, kwargs=None):
        """Creates a daemon thread and registers it.

        Args:
          coord: a `Coordinator`.
          timer_interval_secs: seconds from one call to the next; None to call again at once.
          target: the function; None when `run_loop` is overridden.
          args: its arguments.
          kwargs: its keyword arguments.

        Raises:
          ValueError: for arguments without a function, or when `coord` is no coordinator.
        """
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        super().__init__()
        self.daemon = True
        self._coord = coord
        self._timer_interval_secs = timer_interval_secs
        self._target = target
        if target:
            self._args, self._kwargs = args or (), kwargs or {}
        elif args or kwargs:
            raise ValueError("'args' and 'kwargs' argument require that you also pass 'target'")
        coord.register_thread(self)

    @staticmethod
    def loop(coord, timer_interval_secs, target, args=None, kwargs=None):
        """Creates such a thread, starts it and returns it; the arguments are those of the constructor."""
        looper = LooperThread(coord, timer_interval_secs, target=target, args=args, kwargs=kwargs)
        looper.start()
        return looper

    def run(self):
        """What the thread does."""
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._timer_interval_secs is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                due = time.time()
                while not self._coord.wait_for_stop(due - time.time()):
                    due += self._timer_interval_secs
                    self.run_loop()
            self.stop_loop()

    # The name that older programs use.
    isAlive = threading.Thread.is_alive

    def start_loop(self):
        """Called when the thread starts."""

    def stop_loop(self):
        """Called when it stops; not after an exception."""

    def run_loop(self):
        """Called again and again."""
        if self._target:
            self._target(*self._args, **self._kwargs)
