"""The default graph and the default session: thread-local stacks over one global default graph."""

import contextlib
import importlib
import threading


class _Stack(threading.local):
    def __init__(self):
        self.items = []
        self.enforces_nesting = True

    @contextlib.contextmanager
    def entered(self, item):
        """Makes `item` the default within the block."""
        items = self.items
        items.append(item)
        try:
            yield item
        finally:
            if self.enforces_nesting:
                if items[-1] is not item:
                    raise AssertionError(f"Nesting violated for default stack of {type(item)} objects")
                items.pop()
            elif item in items:
                items.remove(item)


graph_stack = _Stack()
session_stack = _Stack()
_graph_class = None
_global_graph = None
_lock = threading.Lock()


def register_graph_class(cls):
    """Called once by `graph`, which stands above this module: how the global default graph is made."""
    global _graph_class
    _graph_class = cls


def get_default_graph():
    """Returns the graph of the innermost `as_default` block of this thread, else the global default graph."""
    items = graph_stack.items
    if items:
        return items[-1]
    return _global_graph or _make_global_graph()


def _make_global_graph():
    global _global_graph
    with _lock:
        if _global_graph is None:
            if _graph_class is None:  # whoever asks first may have loaded nothing that makes nodes
                importlib.import_module("ferroflow._src.framework.graph")
            _global_graph = _graph_class()
        return _global_graph


def has_default_graph():
    """Whether this thread is inside an `as_default` block of a graph."""
    return bool(graph_stack.items)


def reset_default_graph():
    """Replaces the global default graph by a new, empty one.

    Raises:
      AssertionError: inside an `as_default` block.
    """
    global _global_graph
    if graph_stack.items:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, "
            "exit the nesting and create a new graph."
        )
    with _lock:
        _global_graph = None


def get_default_session():
    """Returns the session of the innermost `as_default` block of this thread, or None."""
    items = session_stack.items
    return items[-1] if items else None


def default_session(session):
    """Returns a context manager that makes `session` the default."""
    return session_stack.entered(session)


def session_for(graph, session, what, hint):
    """Returns the session to run something of `graph` in.

    Args:
      graph: the graph of the tensor or operation.
      session: a session, or None for the default one.
      what: for errors: "evaluate tensor using `eval()`" or "execute operation using `run()`".
      hint: for errors: how to give a session.

    Raises:
      ValueError: without a session, or when its graph is another.
    """
    if session is None:
        session = get_default_session()
        if session is None:
            raise ValueError(f"Cannot {what}: No default session is registered. Use {hint}")
        if session.graph is not graph:
            verb, thing = ("evaluate", "tensor") if "tensor" in what else ("execute", "operation")
            raise ValueError(
                f"Cannot use the default session to {verb} {thing}: the {thing}'s graph is different from "
                f"the session's graph. Pass an explicit session to {'`eval(session=sess)`' if thing == 'tensor' else 'run(session=sess)'}."
            )
    elif session.graph is not graph:
        verb, thing = ("evaluate", "tensor") if "tensor" in what else ("execute", "operation")
        raise ValueError(
            f"Cannot use the given session to {verb} {thing}: the {thing}'s graph is different from the session's graph."
        )
    return session
