"""tf.train.summary_iterator: the events of an event file."""

from ferroflow._src import proto
from ferroflow._src.platform.record_io import tf_record_iterator


def summary_iterator(path):
    """Yields the `Event` messages of an event file.

    A file that is being written ends before the event that is not whole yet.

    Args:
      path: the file, as `tf.summary.FileWriter` makes them.

    Raises:
      tf.errors.NotFoundError: when there is no such file.
      tf.errors.DataLossError: at an event that was changed.

    Example:
      for event in tf.train.summary_iterator(path):
          for value in event.summary.value:
              print(event.step, value.tag, value.simple_value)
    """
    for record in tf_record_iterator(path):
        yield proto.Event.FromString(record)
