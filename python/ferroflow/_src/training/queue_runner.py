"""tf.train.QueueRunner: threads that keep a queue filled while a program trains."""

import threading
import weakref

from ferroflow._src import proto
from ferroflow._src.framework import stacks
from ferroflow._src.framework.collections import add_to_collection, get_collection, register_proto_function
from ferroflow._src.framework.errors import (
    OpError,
    OutOfRangeError,
    error_code_from_exception_type,
    exception_type_from_error_code,
)
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.scopes import prepend_name_scope, strip_name_scope
from ferroflow._src.framework.session import SessionInterface
from ferroflow._src.training.log import logger


class QueueRunner:
    """Runs operations that enqueue, each in a thread of its own, until the input ends or a coordinator stops them."""

    def __init__(
        self,
        queue=None,
        enqueue_ops=None,
        close_op=None,
        cancel_op=None,
        queue_closed_exception_types=None,
        queue_runner_def=None,
        import_scope=None,
    ):
        """Creates a runner.

        Args:
          queue: a queue.
          enqueue_ops: operations that fill it; an operation that stands twice gets two threads.
          close_op: the operation that closes it; None to make one.
          cancel_op: the operation that closes it and ends pending enqueues; None to make one.
          queue_closed_exception_types: a tuple of `tf.errors` that say that the queue was closed or the input ended;
            None for `(tf.errors.OutOfRangeError,)`.
          queue_runner_def: a `QueueRunnerDef` to read instead.
          import_scope: stands before the names in it.

        Raises:
          ValueError: when both a queue and a message are given, or there is no queue or no operation.
          TypeError: when the exceptions are none of `tf.errors`.
        """
        if queue_runner_def:
            if queue or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._read(queue_runner_def, import_scope)
        else:
            self._take(queue, enqueue_ops, close_op, cancel_op, queue_closed_exception_types)
        self._lock = threading.Lock()
        # How many threads still enqueue, for each session.
        self._runs_per_session = weakref.WeakKeyDictionary()
        self._exceptions_raised = []

    def _take(self, queue, enqueue_ops, close_op, cancel_op, closed_types):
        if not queue or not enqueue_ops:
            raise ValueError("Must provide queue and enqueue_ops.")
        self._queue = queue
        self._enqueue_ops = enqueue_ops
        if closed_types is not None and (
            not isinstance(closed_types, tuple)
            or not closed_types
            or not all(issubclass(t, OpError) for t in closed_types)
        ):
            shown = closed_types[0] if isinstance(closed_types, tuple) and len(closed_types) == 1 else closed_types
            raise TypeError(
                f"queue_closed_exception_types, when provided, must be a tuple of tf.error types, but saw: {shown}"
            )
        self._close_op = queue.close() if close_op is None else close_op
        self._cancel_op = queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op
        self._queue_closed_exception_types = closed_types or (OutOfRangeError,)

    def _read(self, message, import_scope):
        def element(name):
            return stacks.get_default_graph().as_graph_element(prepend_name_scope(name, import_scope))

        self._queue = element(message.queue_name)
        self._enqueue_ops = [element(name) for name in message.enqueue_op_name]
        self._close_op = element(message.close_op_name)
        self._cancel_op = element(message.cancel_op_name)
        types = tuple(exception_type_from_error_code(code) for code in message.queue_closed_exception_types)
        self._queue_closed_exception_types = types or (OutOfRangeError,)

    @property
    def queue(self):
        """The queue; its resource when it was read from a message."""
        return self._queue

    @property
    def enqueue_ops(self):
        """The operations that fill it."""
        return self._enqueue_ops

    @property
    def close_op(self):
        """The operation that closes it."""
        return self._close_op

    @property
    def cancel_op(self):
        """The operation that closes it and ends pending enqueues."""
        return self._cancel_op

    @property
    def queue_closed_exception_types(self):
        """The exceptions that say that the queue was closed."""
        return self._queue_closed_exception_types

    @property
    def exceptions_raised(self):
        """What threads without a coordinator raised since they were last made."""
        return self._exceptions_raised

    @property
    def name(self):
        """The queue's name."""
        return self._queue.name

    def _run(self, sess, enqueue_op, coord=None):
        is_counted = True
        try:
            enqueue = sess.make_callable(enqueue_op)
            while not (coord and coord.should_stop()):
                try:
                    enqueue()
                except self._queue_closed_exception_types:
                    with self._lock:
                        is_counted = False
                        self._runs_per_session[sess] -= 1
                        if self._runs_per_session[sess] == 0:
                            # The last one closes the queue for those who dequeue.
                            _run_quietly(sess, self._close_op)
                    return
        except Exception as error:
            if coord:
                coord.request_stop(error)
            else:
                logger.error("Exception in QueueRunner: %s", error)
                with self._lock:
                    self._exceptions_raised.append(error)
                raise
        finally:
            if is_counted:
                with self._lock:
                    self._runs_per_session[sess] -= 1

    def _close_on_stop(self, sess, cancel_op, coord):
        """Ends what waits at the queue when the coordinator stops."""
        coord.wait_for_stop()
        _run_quietly(sess, cancel_op)

    def create_threads(self, sess, coord=None, daemon=False, start=False):
        """Makes the threads for a session; none when they run already.

        Args:
          sess: a `Session`.
          coord: a `Coordinator` that stops them and hears of their exceptions, or None.
          daemon: whether the program may end while they run.
          start: whether they are started.

        Returns:
          A list of threads.
        """
        with self._lock:
            if self._runs_per_session.get(sess, 0) > 0:
                return []
            self._runs_per_session[sess] = len(self._enqueue_ops)
            self._exceptions_raised = []
        threads = [
            threading.Thread(target=self._run, args=(sess, op, coord), name=f"QueueRunnerThread-{self.name}-{op.name}")
            for op in self._enqueue_ops
        ]
        if coord:
            name = f"QueueRunnerThread-{self.name}-close_on_stop"
            threads.append(threading.Thread(target=self._close_on_stop, args=(sess, self._cancel_op, coord), name=name))
        for thread in threads:
            if coord:
                coord.register_thread(thread)
            if daemon:
                thread.daemon = True
            if start:
                thread.start()
        return threads

    def to_proto(self, export_scope=None):
        """Returns a `QueueRunnerDef`; None when the queue is not in `export_scope`."""
        if export_scope is not None and not self.queue.name.startswith(export_scope):
            return None
        return proto.QueueRunnerDef(
            queue_name=strip_name_scope(self.queue.name, export_scope),
            enqueue_op_name=[strip_name_scope(op.name, export_scope) for op in self.enqueue_ops],
            close_op_name=strip_name_scope(self.close_op.name, export_scope),
            cancel_op_name=strip_name_scope(self.cancel_op.name, export_scope),
            queue_closed_exception_types=[
                error_code_from_exception_type(t) for t in self._queue_closed_exception_types
            ],
        )

    @staticmethod
    def from_proto(queue_runner_def, import_scope=None):
        """Returns the runner that a `QueueRunnerDef` describes, of the default graph's operations."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


def _run_quietly(sess, op):
    """Runs an operation that may well fail: the queue may be closed, or the session."""
    try:
        sess.run(op)
    except Exception as error:  # noqa: BLE001
        logger.debug("Ignored exception: %s", error)


def add_queue_runner(qr, collection=GraphKeys.QUEUE_RUNNERS):
    """Adds a runner to a collection of the default graph, for `start_queue_runners`.

    Args:
      qr: a `QueueRunner`.
      collection: the collection.
    """
    add_to_collection(collection, qr)


def start_queue_runners(sess=None, coord=None, daemon=True, start=True, collection=GraphKeys.QUEUE_RUNNERS):
    """Makes and starts the threads of all runners in a collection of the default graph.

    Args:
      sess: a `Session`; None for the default one.
      coord: a `Coordinator` that stops them, or None.
      daemon: whether the program may end while they run.
      start: whether they are started.
      collection: the collection.

    Returns:
      A list of threads.

    Raises:
      ValueError: when there is no session.
      TypeError: when `sess` is none.
    """
    if sess is None:
        sess = stacks.get_default_session()
        if not sess:
            raise ValueError(
                "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an "
                "explicit session to tf.start_queue_runners(sess=sess)"
            )
    if not isinstance(sess, SessionInterface):
        if type(sess).__name__ in ("MonitoredSession", "SingularMonitoredSession"):
            # They start the threads themselves.
            return []
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {type(sess)}")
    runners = get_collection(collection)
    if not runners:
        logger.warning("`tf.train.start_queue_runners()` found no queue runners: this call can be removed.")
    threads = []
    with sess.graph.as_default():
        for runner in runners:
            threads.extend(runner.create_threads(sess, coord=coord, daemon=daemon, start=start))
    return threads


register_proto_function(
    GraphKeys.QUEUE_RUNNERS,
    proto_type=proto.QueueRunnerDef,
    to_proto=QueueRunner.to_proto,
    from_proto=QueueRunner.from_proto,
)
