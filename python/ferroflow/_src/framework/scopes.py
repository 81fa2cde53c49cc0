"""Blocks of the default graph: tf.device, tf.control_dependencies, tf.colocate_with, tf.container, tf.init_scope."""

import contextlib

from ferroflow._src.framework import stacks
from ferroflow._src.framework.name_scopes import name_scope


def device(device_name_or_function):
    """`Graph.device` of the default graph."""
    return stacks.get_default_graph().device(device_name_or_function)


def control_dependencies(control_inputs):
    """`Graph.control_dependencies` of the default graph."""
    return stacks.get_default_graph().control_dependencies(control_inputs)


def colocate_with(op, ignore_existing=False):
    """`Graph.colocate_with` of the default graph."""
    return stacks.get_default_graph().colocate_with(op, ignore_existing)


def container(container_name):
    """`Graph.container` of the default graph."""
    return stacks.get_default_graph().container(container_name)


def get_name_scope():
    """Returns the current name scope of the default graph."""
    return stacks.get_default_graph().get_name_scope()


@contextlib.contextmanager
def init_scope():
    """A block for initial values: outside control flow and control dependencies, in the name scope in force."""
    graph = stacks.get_default_graph()
    scope = graph.get_name_scope()
    with name_scope(scope + "/" if scope else None), graph.control_dependencies(None):
        yield


@contextlib.contextmanager
def op_scope(values, name, default_name=None):
    """`tf.name_scope` with its arguments in the order of older programs."""
    with name_scope(name, default_name=default_name, values=values) as scope:
        yield scope


def strip_name_scope(name, export_scope):
    """Returns a name without a scope in front: of a node, an input or a `loc:@` group.

    Args:
      name: a string.
      export_scope: the scope; None or empty for none.
    """
    if not export_scope:
        return name
    scope = export_scope.rstrip("/") + "/"
    for mark in ("^", "loc:@", ""):
        if name.startswith(mark + scope):
            return mark + name[len(mark) + len(scope) :]
    return name


def prepend_name_scope(name, import_scope):
    """Returns a name below a scope: of a node, an input or a `loc:@` group.

    Args:
      name: a string.
      import_scope: the scope; None or empty for none.
    """
    if not import_scope:
        return name
    scope = import_scope.rstrip("/") + "/"
    for mark in ("^", "loc:@"):
        if name.startswith(mark):
            return mark + scope + name[len(mark) :]
    return scope + name


__all__ = [
    "colocate_with",
    "container",
    "control_dependencies",
    "device",
    "get_name_scope",
    "init_scope",
    "name_scope",
    "op_scope",
    "prepend_name_scope",
    "strip_name_scope",
]
