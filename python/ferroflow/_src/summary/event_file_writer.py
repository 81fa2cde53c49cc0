"""The writer of an event file and its thread."""

import os
import queue
import socket
import threading
import time

from absl import logging

from ferroflow import _core
from ferroflow._src.framework.text import as_str, path_to_str

_END = object()


class EventFileWriter:
    """Writes events to a new file in a folder, on a thread of its own, so that training does not wait for the disk.

    The file is made with the first event, or at once where its name has a suffix.

    Args:
      logdir: the folder; made when it is not there.
      max_queue: events that wait to be written before `add_event` waits too.
      flush_secs: seconds after which what was written is given to readers.
      filename_suffix: the end of the file's name.
    """

    def __init__(self, logdir, max_queue=10, flush_secs=120, filename_suffix=None):
        self._logdir = str(path_to_str(logdir))
        os.makedirs(self._logdir or ".", exist_ok=True)
        self._queue = queue.Queue(max_queue)
        self._flush_secs = flush_secs
        # The file is made later, on the thread: the program may work in another folder by then.
        self._writer = _core.EventWriter(os.path.join(os.path.abspath(self._logdir), "events"), socket.gethostname())
        self._error = None
        self._has_warned = False
        if filename_suffix:
            self._writer.open_with_suffix(as_str(filename_suffix))
        self._start()

    def _start(self):
        self._closed = False
        self._thread = threading.Thread(target=self._write_events, name="EventFileWriter", daemon=True)
        self._thread.start()

    def get_logdir(self):
        """Returns the folder."""
        return self._logdir

    def reopen(self):
        """Lets a closed writer take events again; they go to a new file."""
        if self._closed:
            self._start()

    def add_event(self, event):
        """Takes an `Event` message. A closed writer drops it."""
        if not self._closed:
            self._queue.put(event)

    def flush(self):
        """Waits until all events are in the file.

        Raises:
          tf.errors.OpError: what went wrong while events were written, once.
        """
        self._queue.join()
        self._flush_file()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self):
        """Waits until all events are on disk, and ends the thread."""
        if self._closed:
            return
        self._queue.put(_END)
        self._closed = True
        self._thread.join()
        try:
            self.flush()
        finally:
            self._writer.close()

    def _flush_file(self):
        if not self._writer.flush() and not self._has_warned:
            self._has_warned = True
            logging.warning("The event file %s was removed while it is written.", self._writer.path())

    def _write_events(self):
        # The first event is given to readers at once: they see that there is a run.
        next_flush = 0.0
        while (event := self._queue.get()) is not _END:
            try:
                self._writer.write(event.SerializeToString())
                if time.time() > next_flush:
                    self._flush_file()
                    next_flush = time.time() + self._flush_secs
            except Exception as error:  # noqa: BLE001  (the thread goes on, and `flush` raises it)
                self._error = error
            finally:
                self._queue.task_done()
        self._queue.task_done()
