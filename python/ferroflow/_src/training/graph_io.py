"""Writing a graph to a file."""

import os

from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.meta_graph import write_message


def write_graph(graph_or_graph_def, logdir, name, as_text=True):
    """Writes a graph, and makes the folder if it is missing.

    Args:
      graph_or_graph_def: a `Graph` or `GraphDef`.
      logdir: the folder.
      name: of the file.
      as_text: whether the file is text.

    Returns:
      The path of the file.
    """
    is_graph = isinstance(graph_or_graph_def, Graph)
    graph_def = graph_or_graph_def.as_graph_def() if is_graph else graph_or_graph_def
    os.makedirs(logdir, exist_ok=True)
    path = os.path.join(logdir, name)
    write_message(graph_def, path, as_text=as_text)
    return path
