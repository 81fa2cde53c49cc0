"""tf.import_graph_def: adds the nodes of a GraphDef to the default graph."""

from ferroflow._src.framework import errors, stacks
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.text import as_str


def import_graph_def(graph_def, input_map=None, return_elements=None, name=None, op_dict=None, producer_op_list=None):
    """Adds the nodes of `graph_def` to the default graph.

    Args:
      graph_def: a `GraphDef`.
      input_map: {name in `graph_def`: tensor of this graph that takes its place}.
      return_elements: names of operations and tensors of `graph_def` to return.
      name: the scope of the new nodes; None for "import", empty for none.
      op_dict: not used.
      producer_op_list: an `OpList` of the program that wrote it: attributes unknown here with default values are
        left out.

    Returns:
      A list of `Operation`s and `Tensor`s, as `return_elements` names them; None without it.

    Raises:
      TypeError: when an argument is of another kind.
      ValueError: when the GraphDef is wrong, or a name is not in it.
    """
    graph_def = _checked_graph_def(graph_def)
    input_map = _checked_input_map(input_map)
    if return_elements is not None:
        if not all(isinstance(x, (str, bytes)) for x in return_elements):
            raise TypeError("return_elements must be a list of strings.")
        return_elements = [as_str(x) for x in return_elements]
    graph = stacks.get_default_graph()
    with name_scope(name, "import", input_map.values()) as scope:
        input_map = _converted(name, input_map)
    prefix = scope[:-1]
    tensors, controls = {}, {}
    for key, tensor in input_map.items():
        key = as_str(key)
        if key.startswith("^"):
            controls[key[1:]] = tensor._endpoint >> 16
        else:
            operation, index = _parsed(key)
            tensors[f"{operation}:{index}"] = tensor._endpoint
    names = [node.name for node in graph_def.node]
    _check_elements(return_elements, names)
    data = graph_def.SerializeToString()
    producer = None if producer_op_list is None else producer_op_list.SerializeToString()
    try:
        nodes, unused = graph._core.import_graph_def(data, prefix, tensors, controls, False, True, producer)
    except errors.InvalidArgumentError as error:
        raise ValueError(str(error)) from None
    graph._record_new_nodes()
    if unused:
        raise ValueError(f"Attempted to map inputs that were not found in graph_def: [{', '.join(sorted(unused))}]")
    if return_elements is None:
        return None
    by_name = dict(zip(names, nodes, strict=True))
    return [_returned(graph, by_name, element) for element in return_elements]


def _checked_graph_def(graph_def):
    from ferroflow._src import proto

    if isinstance(graph_def, proto.GraphDef):
        return graph_def
    try:
        copy = proto.GraphDef()
        copy.MergeFromString(graph_def.SerializeToString())
    except AttributeError:
        raise TypeError("graph_def must be a GraphDef proto.") from None
    return copy


def _checked_input_map(input_map):
    if input_map is None:
        return {}
    if not isinstance(input_map, dict) or not all(isinstance(k, (str, bytes)) for k in input_map):
        raise TypeError("input_map must be a dictionary mapping strings to Tensor objects.")
    return input_map


def _converted(name, input_map):
    if all(isinstance(v, Tensor) for v in input_map.values()):
        return input_map
    if name == "":
        raise ValueError(
            "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor values. Try calling "
            "tf.convert_to_tensor() on `input_map` values before calling tf.import_graph_def()."
        )
    with name_scope("_inputs"):
        return {k: convert_to_tensor(v) for k, v in input_map.items()}


def _parsed(tensor_name):
    operation, colon, index = tensor_name.partition(":")
    if not colon:
        return operation, 0
    try:
        return operation, int(index)
    except ValueError:
        raise ValueError(f"Cannot convert {tensor_name!r} to a tensor name.") from None


def _check_elements(return_elements, names):
    """Raises ValueError for an element that is not there, before anything is added to the graph."""
    for element in return_elements or ():
        if _parsed(element)[0] not in names:
            kind = "tensor" if ":" in element else "node"
            raise ValueError(f"Requested return {kind} '{element}' not found in graph def")


def _returned(graph, by_name, element):
    operation, index = _parsed(element)
    node = by_name[operation]
    if ":" not in element:
        return graph._operation(node)
    if index >= graph._core.num_outputs(node):
        raise ValueError(
            f"Invalid return output {index} of node '{operation}', which has {graph._core.num_outputs(node)} output(s)"
        )
    return graph._tensor(node << 16 | index)
