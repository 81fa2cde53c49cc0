"""tf.summary.FileWriter: summaries, graphs and logs as the events of a run."""

import threading
import time
import warnings

from absl import logging

from ferroflow._src import proto
from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.meta_graph import create_meta_graph_def
from ferroflow._src.framework.stacks import get_default_graph
from ferroflow._src.summary.event_file_writer import EventFileWriter


class SummaryToEventTransformer:
    """Makes events of summaries, graphs and logs, and hands them to an event writer.

    Args:
      event_writer: has `add_event` and `get_logdir`.
      graph: a `tf.Graph` (or `GraphDef`) to add now, with its `MetaGraphDef`.
      graph_def: the old name for `graph`.
    """

    def __init__(self, event_writer, graph=None, graph_def=None):
        self.event_writer = event_writer
        self._session_run_tags = set()
        self._seen_summary_tags = set()
        if graph is None and graph_def is None:
            return
        self.add_graph(graph=graph, graph_def=graph_def)
        given = graph if graph is not None else graph_def
        message = given.as_graph_def(add_shapes=True) if isinstance(given, Graph) else given
        self.add_meta_graph(create_meta_graph_def(graph_def=message))

    def add_summary(self, summary, global_step=None):
        """Adds a summary: what a summary op gave, or a `tf.Summary`.

        Of the summaries with one tag only the first keeps its metadata.
        """
        if isinstance(summary, bytes):
            summary = proto.Summary.FromString(summary)
        for value in summary.value:
            if value.tag in self._seen_summary_tags:
                value.ClearField("metadata")
            else:
                self._seen_summary_tags.add(value.tag)
        self._add_event(proto.Event(summary=summary), global_step)

    def add_session_log(self, session_log, global_step=None):
        """Adds a `tf.SessionLog`: a session started, ended or saved a checkpoint."""
        self._add_event(proto.Event(session_log=session_log), global_step)

    def add_graph(self, graph, global_step=None, graph_def=None):
        """Adds a graph, which TensorBoard shows.

        Args:
          graph: a `tf.Graph`.
          global_step: the step it stands at.
          graph_def: the old name for `graph`.

        Raises:
          ValueError: when both are given.
          TypeError: when neither is a graph.
        """
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        given = graph if graph is not None else graph_def
        if isinstance(given, Graph):
            if graph is None:
                logging.warning("A `Graph` was passed as `graph_def`; please pass it as `graph`.")
            message = given.as_graph_def(add_shapes=True)
        elif isinstance(given, proto.GraphDef):
            logging.warning("A `GraphDef` for the summary writer is deprecated; please pass a `Graph`, as `sess.graph`.")
            message = given
        else:
            raise TypeError("The passed graph must be an instance of `Graph` or the deprecated `GraphDef`")
        self._add_event(proto.Event(graph_def=message.SerializeToString()), global_step)

    def add_meta_graph(self, meta_graph_def, global_step=None):
        """Adds a `MetaGraphDef`.

        Raises:
          TypeError: when it is something else.
        """
        if not isinstance(meta_graph_def, proto.MetaGraphDef):
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}")
        self._add_event(proto.Event(meta_graph_def=meta_graph_def.SerializeToString()), global_step)

    def add_run_metadata(self, run_metadata, tag, global_step=None):
        """Adds what `Session.run` told of one run.

        Raises:
          ValueError: when the tag was used before.
        """
        if tag in self._session_run_tags:
            raise ValueError("The provided tag was already used for this event type")
        self._session_run_tags.add(tag)
        tagged = proto.TaggedRunMetadata(tag=tag, run_metadata=run_metadata.SerializeToString())
        self._add_event(proto.Event(tagged_run_metadata=tagged), global_step)

    def _add_event(self, event, step):
        event.wall_time = time.time()
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)


class FileWriter(SummaryToEventTransformer):
    """Writes the events of a run to a new file, `events.out.tfevents.<seconds>.<host>`, which TensorBoard reads.

    Args:
      logdir: the folder of the run; made when it is not there.
      graph: a `tf.Graph` to add now.
      max_queue: events that wait to be written before `add_*` waits too.
      flush_secs: seconds after which what was written is given to readers.
      graph_def: the old name for `graph`.
      filename_suffix: the end of the file's name.
      session: for writers shared inside a session, which do not exist here.

    Raises:
      NotImplementedError: when `session` is given.
    """

    def __init__(
        self, logdir, graph=None, max_queue=10, flush_secs=120, graph_def=None, filename_suffix=None, session=None
    ):
        if session is not None:
            raise NotImplementedError("FileWriter: writers shared through a session (tf.contrib.summary)")
        self._closed = False
        super().__init__(EventFileWriter(logdir, max_queue, flush_secs, filename_suffix), graph, graph_def)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def get_logdir(self):
        """Returns the folder of the run."""
        return self.event_writer.get_logdir()

    def add_event(self, event):
        """Adds an `Event` as it is."""
        self._warn_when_closed()
        self.event_writer.add_event(event)

    def flush(self):
        """Waits until all events are in the file."""
        self._warn_when_closed()
        self.event_writer.flush()

    def close(self):
        """Waits until all events are on disk."""
        self.event_writer.close()
        self._closed = True

    def reopen(self):
        """Lets a closed writer take events again; they go to a new file."""
        self.event_writer.reopen()
        self._closed = False

    def _add_event(self, event, step):
        self._warn_when_closed()
        super()._add_event(event, step)

    def _warn_when_closed(self):
        if self._closed:
            warnings.warn(
                "Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is "
                "explicitly reopened.",
                stacklevel=3,
            )


class FileWriterCache:
    """One `FileWriter` a folder, made when it is first asked for."""

    _cache = {}  # noqa: RUF012  (shared on purpose)
    _lock = threading.RLock()

    @staticmethod
    def clear():
        """Closes and forgets all of them."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._cache.values():
                writer.close()
            FileWriterCache._cache = {}

    @staticmethod
    def get(logdir):
        """Returns the folder's writer; a new one is given the default graph."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._cache:
                FileWriterCache._cache[logdir] = FileWriter(logdir, graph=get_default_graph())
            return FileWriterCache._cache[logdir]
