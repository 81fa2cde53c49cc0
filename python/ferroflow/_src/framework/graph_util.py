"""tf.graph_util: GraphDefs cut out, frozen and cleaned for use without training."""

import logging

from ferroflow._src import proto
from ferroflow._src.framework import dtypes, tensor_proto
from ferroflow._src.framework.importer import import_graph_def
from ferroflow._src.framework.operation import Operation

_logger = logging.getLogger("tensorflow")
_VARIABLE_OPS = frozenset(
    "Assign AssignAdd AssignSub Queue ScatterAdd ScatterSub ScatterUpdate TruncatedNormal Variable VariableV2".split()
)
_PASSING_OPS = frozenset("Switch Enter Exit Identity Merge NextIteration".split())


def must_run_on_cpu(node, pin_variables_on_cpu=False):
    """Whether a node has no kernel on a GPU in TensorFlow: small integers and strings.

    Args:
      node: an `Operation` or a `NodeDef`.
      pin_variables_on_cpu: whether variables count too.
    """
    node = node.node_def if isinstance(node, Operation) else node
    if pin_variables_on_cpu and node.op in _VARIABLE_OPS:
        return True
    key = {"Const": "dtype", "DynamicStitch": "T", "ParallelDynamicStitch": "T", "Cast": "SrcT"}.get(node.op)
    if key is None:
        return False
    kind = node.attr[key].type
    return kind == dtypes.int32.as_datatype_enum or (node.op == "Const" and kind == dtypes.string.as_datatype_enum)


def _node_name(name):
    return name[1:] if name.startswith("^") else name.split(":")[0]


def extract_sub_graph(graph_def, dest_nodes):
    """Returns the part of a GraphDef that some nodes need, in its order.

    Args:
      graph_def: a `GraphDef`.
      dest_nodes: a list of names.

    Raises:
      TypeError: when an argument is of another kind.
      AssertionError: when a name is not in the graph.
    """
    if not isinstance(graph_def, proto.GraphDef):
        raise TypeError("graph_def must be a graph_pb2.GraphDef proto.")
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    sources = {node.name: _sources(node) for node in graph_def.node}
    for name in dest_nodes:
        if name not in sources:
            raise AssertionError(f"{name} is not in graph")
    kept, todo = set(), list(dest_nodes)
    while todo:
        name = todo.pop()
        if name not in kept:
            kept.add(name)
            todo.extend(sources.get(name, ()))
    return proto.GraphDef(
        node=[node for node in graph_def.node if node.name in kept],
        library=graph_def.library,
        versions=graph_def.versions,
    )


def _sources(node):
    """Names of the nodes that a node needs: its inputs, and what it is colocated with."""
    names = [_node_name(name) for name in node.input]
    if "_class" in node.attr:
        groups = [group.decode() for group in node.attr["_class"].list.s]
        names += [group[len("loc:@") :] for group in groups if group.startswith("loc:@")]
    return names


def tensor_shape_from_node_def_name(graph, input_name):
    """Returns the shape of the tensor that a name in a `NodeDef`'s inputs means."""
    return graph.get_tensor_by_name(input_name if ":" in input_name else input_name + ":0").get_shape()


def convert_variables_to_constants(
    sess, input_graph_def, output_node_names, variable_names_whitelist=None, variable_names_blacklist=None
):
    """Returns the part of a GraphDef that some nodes need, with the values of variables as constants.

    Args:
      sess: a `Session` that holds the values.
      input_graph_def: a `GraphDef`.
      output_node_names: a list of names.
      variable_names_whitelist: names of variables to convert; None for all.
      variable_names_blacklist: names of variables to leave.

    Raises:
      ValueError: when a read is of no variable that can be found.
    """
    part = extract_sub_graph(input_graph_def, output_node_names)
    by_name = {node.name: node for node in part.node}
    fetches = {}
    handle_types = {}
    for node in part.node:
        if node.op in ("Variable", "VariableV2", "VarHandleOp"):
            if _is_wanted(node.name, variable_names_whitelist, variable_names_blacklist):
                fetches[node.name] = node.name + ("/Read/ReadVariableOp:0" if node.op == "VarHandleOp" else ":0")
        elif node.op in ("ReadVariableOp", "ResourceGather"):
            _follow_handle(node, by_name, handle_types)
    values = dict(zip(fetches, sess.run(list(fetches.values())) if fetches else [], strict=True))
    _logger.info("Froze %d variables.", len(values))
    frozen = proto.GraphDef(library=part.library)
    for node in part.node:
        if node.name in values:
            frozen.node.append(_constant(node.name, node.attr["dtype"], values[node.name]))
        elif node.name in handle_types:
            copy = frozen.node.add()
            copy.CopyFrom(node)
            copy.attr.pop("_output_shapes", None)
            copy.attr["T"].CopyFrom(handle_types[node.name])
        elif node.op == "ReadVariableOp" and _node_name(node.input[0]) in values.keys() | handle_types.keys():
            frozen.node.append(_renamed(node, "Identity", node.input[:1], {"T": "dtype"}))
        elif node.op == "ResourceGather" and _node_name(node.input[0]) in values.keys() | handle_types.keys():
            frozen.node.extend(_gather(node))
        else:
            frozen.node.add().CopyFrom(node)
    _logger.info("Converted %d variables to const ops.", len(values))
    return frozen


def _is_wanted(name, whitelist, blacklist):
    return (whitelist is None or name in whitelist) and (blacklist is None or name not in blacklist)


def _follow_handle(node, by_name, handle_types):
    """Notes the type that nodes between a variable's handle and a read of it pass on."""
    todo = [_node_name(node.input[0])]
    while todo:
        name = todo.pop()
        source = by_name[name]
        if source.op == "VarHandleOp" or name in handle_types:
            continue
        if source.op not in _PASSING_OPS:
            raise ValueError("Cannot find the variable that is an input to the ReadVariableOp.")
        handle_types[name] = node.attr["dtype"]
        todo += [_node_name(i) for i in source.input[: 2 if source.op == "Merge" else 1]]


def _constant(name, dtype, value):
    message = tensor_proto.make_tensor_proto(value, dtype=dtype.type, shape=getattr(value, "shape", None))
    return proto.NodeDef(op="Const", name=name, attr={"dtype": dtype, "value": proto.AttrValue(tensor=message)})


def _renamed(node, op, inputs, attrs):
    made = proto.NodeDef(op=op, name=node.name, input=inputs, attr={new: node.attr[old] for new, old in attrs.items()})
    if "_class" in node.attr:
        made.attr["_class"].CopyFrom(node.attr["_class"])
    return made


def _gather(node):
    if node.attr["batch_dims"].i != 0:
        raise ValueError("batch_dims != 0 is not supported by freeze_graph.")
    axis = _constant(node.name + "/axis", node.attr["Tindices"], 0)
    attrs = {"Tparams": "dtype", "Tindices": "Tindices", "Taxis": "Tindices"}
    return [axis, _renamed(node, "GatherV2", [*node.input[:2], axis.name], attrs)]


def remove_training_nodes(input_graph, protected_nodes=None):
    """Returns a GraphDef without CheckNumerics and Identity nodes, as far as nothing waits for them.

    Args:
      input_graph: a `GraphDef`.
      protected_nodes: names to keep.
    """
    protected = set(protected_nodes or ())
    checks = {n.name for n in input_graph.node if n.op == "CheckNumerics" and n.name not in protected}
    kept = []
    for node in input_graph.node:
        if node.name not in checks:
            copy = proto.NodeDef()
            copy.CopyFrom(node)
            copy.input[:] = [name for name in node.input if name.lstrip("^") not in checks]
            kept.append(copy)
    awaited = {name[1:] for node in kept for name in node.input if name.startswith("^")}
    passed = {
        node.name: node.input[0]
        for node in kept
        if node.op == "Identity"
        and node.name not in protected | awaited
        and not any(name.startswith("^") for name in node.input)
    }
    made = proto.GraphDef()
    for node in kept:
        if node.name not in passed:
            node.input[:] = [_origin(name, passed) for name in node.input]
            made.node.append(node)
    return made


def _origin(name, passed):
    while name.lstrip("^") in passed:
        name = passed[name.lstrip("^")]
    return name


__all__ = [
    "convert_variables_to_constants",
    "extract_sub_graph",
    "import_graph_def",
    "must_run_on_cpu",
    "remove_training_nodes",
    "tensor_shape_from_node_def_name",
]
