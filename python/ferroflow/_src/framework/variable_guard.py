"""Initial values that are made from other variables use those variables' initial values while they have none."""

from ferroflow._src.framework.graph_keys import GraphKeys

# Reads that ask for no value, or are a choice between two already.
_SAFE = ("IsVariableInitialized", "VarIsInitializedOp", "ReadVariableOp", "If")
_VARIABLES = ("Variable", "VariableV2", "VarHandleOp")


def guarded(name, value):
    """Returns `value` in a form that can be computed before other variables have values.

    Operations between a variable and `value` are made again, on `Variable.initialized_value`, as `OLD_<name>`.

    Args:
      name: the scope of the variable that is being made, with a slash at the end.
      value: its initial value, a `Tensor`.
    """
    graph = value._graph
    root = value._endpoint >> 16
    order = _order(root, lambda node: _data_sources(graph._core, node))
    if order is None or not any(graph._core.op(node) in _VARIABLES for node in order):
        return value
    if _order(root, lambda node: _all_sources(graph._core, node)) is None:
        return value
    replaced = {}
    for node in order:
        _replace(graph, node, name, replaced)
    return graph._tensor(_moved(replaced, value._endpoint))


def _data_sources(core, node):
    """What a node is computed from, as far as it matters: reads that are safe end the walk."""
    return () if core.op(node) in _SAFE or core.op(node) in _VARIABLES else [e >> 16 for e in core.inputs(node)]


def _all_sources(core, node):
    return [e >> 16 for e in core.inputs(node)] + list(core.control_inputs(node))


def _order(root, sources):
    """The nodes that lead to `root`, each after its sources, depth first; None when there is a cycle."""
    finished, path, order = set(), set(), []
    todo = [(root, False)]
    while todo:
        node, is_left = todo.pop()
        if is_left:
            path.discard(node)
            finished.add(node)
            order.append(node)
        elif node in path:
            return None
        elif node not in finished:
            path.add(node)
            todo.append((node, True))
            todo.extend((source, False) for source in reversed(sources(node)))
    return order


def _moved(replaced, endpoint):
    return replaced.get(endpoint >> 16, endpoint >> 16) << 16 | endpoint & 0xFFFF


def _replace(graph, node, name, replaced):
    core = graph._core
    op = core.op(node)
    if op in _SAFE:
        return
    if op in _VARIABLES:
        value = _initialized_value(graph, core.name(node))
        if value is not None:
            replaced[node] = value._endpoint >> 16
        return
    inputs = core.inputs(node)
    moved = [_moved(replaced, e) for e in inputs]
    if moved == inputs:
        return
    attrs = {key: core.get_attr(node, key) for key in core.attr_names(node)}
    new_name = f"{core.name(node)}_{name}".replace(":", "_")
    replaced[node] = graph._create("Switch" if op == "RefSwitch" else op, new_name, moved, attrs)


def _initialized_value(graph, name):
    for collection in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES):
        for variable in graph.get_collection(collection):
            if getattr(variable, "name", None) in (name, name + ":0") and hasattr(variable, "initialized_value"):
                return variable.initialized_value()
    return None
