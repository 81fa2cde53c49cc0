"""tf.name_scope, and which graph the inputs of an op belong to."""

import re

from ferroflow._src.framework import stacks
from ferroflow._src.framework.tensor_like import GraphElement
from ferroflow._src.framework.text import as_str

_TOP_SCOPE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\\-/]*$").match
_INNER_SCOPE = re.compile(r"[A-Za-z0-9_.\\\-/]*$").match


def graph_element(value):
    """Returns the tensor or operation that `value` is or stands for (a variable's), or None."""
    if isinstance(value, GraphElement):
        return value
    convert = getattr(value, "_as_graph_element", None)
    return convert() if callable(convert) else None


def graph_from_inputs(inputs, graph=None):
    """Returns the graph of the inputs, or the default graph when none of them lies in a graph.

    Args:
      inputs: what an op is to be made from: tensors, variables, and Python values, which do not count.
      graph: a graph that they must lie in, or None.

    Raises:
      ValueError: when they lie in different graphs.
    """
    default = stacks.get_default_graph()
    if default.building_function:
        return default
    first = None
    for value in inputs:
        element = graph_element(value)
        if element is None:
            continue
        its = element.graph
        if graph is None:
            first, graph = element, its
        elif its is not graph:
            if first is not None:
                raise ValueError(f"{element} must be from the same graph as {first}.")
            raise ValueError(f"{element} is not from the passed-in graph.")
    return graph or default


def open_scope(graph, name):
    """Enters the name scope `name` of `graph`, by TensorFlow's rules.

    Args:
      graph: a `Graph`.
      name: made unique under the current scope; with a slash at the end it means exactly that scope; empty or None
        means the root.

    Returns:
      The scope's name without a slash, and that of the scope outside, for `close_scope`.

    Raises:
      ValueError: for a name that cannot be a scope's.
    """
    core = graph._core
    outer = core.scope
    if not name:
        inner = ""
    else:
        if name.__class__ is not str:
            name = as_str(name)
        if not (_INNER_SCOPE(name) if outer else _TOP_SCOPE(name)):
            raise ValueError(f"'{name}' is not a valid scope name")
        inner = name[:-1] if name[-1] == "/" else core.unique_name(name)
    core.scope = inner
    return inner, outer


def close_scope(graph, outer):
    """Leaves a scope that `open_scope` entered."""
    graph._core.scope = outer


class name_scope:
    """A block whose operations' names begin with the scope's name.

    Example:

        with tf.name_scope("layer") as scope:      # 'layer/', or 'layer_1/' the second time
            x = tf.constant(1, name="x")           # 'layer/x'
    """

    __slots__ = ("_graph", "_has_default", "_name", "_outer", "_values")

    def __init__(self, name, default_name=None, values=None):
        """Creates the block.

        Args:
          name: a string, with a slash at the end to enter a scope again; None for `default_name`.
          default_name: the name when `name` is None.
          values: tensors whose graph the block works in; None for the default graph.

        Raises:
          TypeError: when `default_name` is no string.
        """
        if default_name is not None and not isinstance(default_name, (str, bytes)):
            raise TypeError(
                f"`default_name` type ({type(default_name)}) is not a string type. You likely meant to pass this "
                "into the `values` kwarg."
            )
        self._name = default_name if name is None else name
        self._has_default = default_name is not None
        self._values = values

    @property
    def name(self):
        return self._name

    def __enter__(self):
        if self._values is None:
            graph = stacks.get_default_graph()
        else:
            if self._name is None:
                raise ValueError("At least one of name (None) and default_name (None) should be provided.")
            graph = graph_from_inputs(self._values)
        inner, self._outer = open_scope(graph, self._name)
        self._graph = graph
        stacks.graph_stack.items.append(graph)
        return inner + "/" if inner else ""

    def __exit__(self, kind, value, trace):
        stacks.graph_stack.items.pop()
        close_scope(self._graph, self._outer)
        return False
