"""tf.train.write_graph: a graph to a file."""

import os

from ferroflow._src.framework.meta_graph import write_message


def write_graph(graph_or_graph_def, logdir, name, as_text=True):
    """Writes a graph to a file.

    Args:
      graph_or_graph_def: a `Graph`, or a message.
      logdir: the directory, made when it is not there.
      name: the file's name.
      as_text: whether it is text.

    Returns:
      The file's path.
    """
    message = graph_or_graph_def
    if hasattr(message, "as_graph_def"):
        message = message.as_graph_def()
    path = os.path.join(logdir, name)
    write_message(message, path, as_text)
    return path
