"""What a run's error says besides its text: the node, where the program made it, and where its inputs were made."""

from ferroflow._src.framework import errors, frames

_MOST_INPUTS = 8


def explained(error, graph):
    """Returns an error of the same class with its operation, and a message that points into the program.

    Args:
      error: an `OpError` as the core raised it.
      graph: the session's graph.
    """
    node = None if error._node_name is None else graph._core.find(error._node_name)
    if node is None:
        return error
    op = graph._operation(node)
    mention = f"{{{{node {op.name}}}}}"
    if mention in error.message:  # said once more below, by its name alone
        message = f"{error.message.replace(mention, _described(graph, node))}\n\t [[{op.name}]]"
    else:
        message = f"{error.message}\n\t [[{_described(graph, node)}]]"
    sources = _sources(graph, node)
    if sources:
        lines = "\n".join(f" {_located(graph, source)}" for source in sources)
        message += (
            "\n\nErrors may have originated from an input operation.\n"
            f"Input Source operations connected to node {op.name}:\n{lines}"
        )
    stack = frames.formatted(graph._stack_of(node))
    if stack:
        message += f"\n\nOriginal stack trace for {op.name!r}:\n{stack}\n"
    cls = type(error)
    made = cls(None, op, message) if cls is not errors.OpError else cls(None, op, message, error.error_code)
    made._node_name = error._node_name
    return made


def _described(graph, node):
    return f"node {_located(graph, node)} "


def _located(graph, node):
    name = graph._core.name(node)
    where = frames.definition(graph._stack_of(node))
    return f"{name} (defined at {where})" if where else name


def _sources(graph, node):
    found = []
    for endpoint in graph._core.inputs(node):
        source = endpoint >> 16
        if source not in found:
            found.append(source)
    return found[:_MOST_INPUTS]
