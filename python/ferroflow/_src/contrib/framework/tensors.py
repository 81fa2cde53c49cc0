"""Sums of many tensors, shapes that are asserted, and scopes."""

from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import graph_from_inputs, name_scope
from ferroflow._src.ops import math, reductions
from ferroflow._src.ops.checks import assert_scalar


def reduce_sum_n(tensors, name=None):
    """Sums up all elements of all tensors.

    Args:
      tensors: a list of `Tensor`s of one type.
      name: the name scope.

    Returns:
      A scalar.

    Raises:
      ValueError: for an empty list.
    """
    if not tensors:
        raise ValueError("No tensors provided.")
    with name_scope(name, "reduce_sum_n", tensors) as scope:
        sums = [reductions.reduce_sum(t, name=f"{t.op.name}/sum") for t in tensors]
        return sums[0] if len(sums) == 1 else math.add_n(sums, name=scope)


def assert_scalar_int(tensor, name=None):
    """Checks that a tensor is a scalar integer, as far as that is known.

    Args:
      tensor: a `Tensor`.
      name: the name scope.

    Returns:
      The tensor.

    Raises:
      ValueError: when it is not.
    """
    with name_scope(name, "assert_scalar_int", [tensor]) as scope:
        tensor = convert_to_tensor(tensor)
        if not tensor.dtype.base_dtype.is_integer:
            raise ValueError(f"Expected integer type for {tensor.name}, received type: {tensor.dtype}.")
        return assert_scalar(tensor, name=scope)


def get_graph_from_inputs(op_input_list, graph=None):
    """Returns the graph of tensors and operations.

    Args:
      op_input_list: they.
      graph: the graph they must be of; None for the first one's.

    Raises:
      ValueError: when they are of several graphs.
    """
    return graph_from_inputs(op_input_list, graph)


def get_placeholders(graph):
    """Returns the tensors of all placeholders of a graph."""
    return [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
