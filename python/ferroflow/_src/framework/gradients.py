"""tf.gradients: the core walks the graph backwards; here are its arguments, and gradients in Python."""

import enum

from ferroflow import _core
from ferroflow._src.framework import gradient_registry, stacks
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.convert import convert_n_to_tensor, convert_to_tensor, to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.tensor_like import TensorLike


class AggregationMethod:
    """How gradients that meet are added up."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


class UnconnectedGradients(enum.Enum):
    """What the gradient of an x that no y depends on is: None, or zeros."""

    NONE = "none"
    ZERO = "zero"


def gradients(
    ys,
    xs,
    grad_ys=None,
    name="gradients",
    colocate_gradients_with_ops=False,
    gate_gradients=False,
    aggregation_method=None,
    stop_gradients=None,
    unconnected_gradients=UnconnectedGradients.NONE,
):
    """Makes the derivatives of the sum of `ys` with respect to each of `xs`.

    Args:
      ys: a tensor or a list of tensors.
      xs: a tensor or variable, or a list of them.
      grad_ys: the gradient of each y itself; None for ones.
      name: the scope of the new operations.
      colocate_gradients_with_ops: whether each goes to the device of its forward operation.
      gate_gradients: whether all gradients of an operation wait for each other.
      aggregation_method: one of `tf.AggregationMethod`; None for AddN.
      stop_gradients: tensors that count as constants.
      unconnected_gradients: whether an x that no y depends on has None or zeros.

    Returns:
      A list, an entry an x: a `Tensor`, `IndexedSlices` or None.

    Raises:
      LookupError: when an operation on the way has no gradient.
      ValueError: when arguments do not fit each other.
      TypeError: when a y is not numeric.
    """
    ys, xs, stops = as_list(ys), as_list(xs), [] if stop_gradients is None else as_list(stop_gradients)
    grad_ys = [None] * len(ys) if grad_ys is None else as_list(grad_ys)
    try:
        unconnected = UnconnectedGradients(unconnected_gradients)
    except ValueError:
        raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}") from None
    with name_scope(name, "gradients", [*ys, *xs, *stops, *grad_ys]):
        graph = stacks.get_default_graph()
        graph.unique_name("uid")  # TensorFlow takes this name too
        ys = [_dense(y) for y in convert_all(ys, "y")]
        xs = convert_all([x.handle if is_resource_variable(x) else x for x in xs], "x", as_ref=True)
        if len(grad_ys) != len(ys):
            raise ValueError(f"Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
        grad_ys = [
            None if g is None else _dense(to_tensor(g, name=f"grad_y_{i}", accepted=TensorLike))
            for i, g in enumerate(grad_ys)
        ]
        walk = _core.Gradients(
            graph._core,
            [y._endpoint for y in ys],
            [_dense(x)._endpoint for x in xs],
            [None if g is None else g._endpoint for g in grad_ys],
            [t._endpoint for t in convert_n_to_tensor(stops)],
            bool(colocate_gradients_with_ops),
            bool(gate_gradients),
            AggregationMethod.DEFAULT if aggregation_method is None else aggregation_method,
            unconnected is UnconnectedGradients.ZERO,
            gradient_registry.names(),
        )
        _walk(graph, walk)
    # Zeros of what nothing depends on stand outside of the scope.
    found = [_to_program(graph, gradient) for gradient in walk.results()]
    graph._record_new_nodes()
    return found


def gradients_v2(
    ys,
    xs,
    grad_ys=None,
    name="gradients",
    gate_gradients=False,
    aggregation_method=None,
    stop_gradients=None,
    unconnected_gradients=UnconnectedGradients.NONE,
):
    """`gradients`, each on the device of its forward operation."""
    return gradients(
        ys, xs, grad_ys, name, True, gate_gradients, aggregation_method, stop_gradients, unconnected_gradients
    )


def as_list(values):
    return list(values) if isinstance(values, (list, tuple)) else [values]


def convert_all(values, name, as_ref=False):
    """Returns tensors and slices of `values`, made under `name_0`, `name_1`, ..."""
    return [
        to_tensor(value, name=f"{name}_{i}", as_ref=as_ref, accepted=TensorLike)
        if not isinstance(value, TensorLike)
        else value
        for i, value in enumerate(values)
    ]


def _dense(value):
    return value if isinstance(value, Tensor) else value.values if _is_slices(value) else convert_to_tensor(value)


def _is_slices(value):
    return isinstance(value, IndexedSlices)


def _to_program(graph, gradient):
    if gradient is None:
        return None
    if isinstance(gradient, tuple):
        values, indices, shape = gradient
        return IndexedSlices(
            graph._tensor(values), graph._tensor(indices), None if shape is None else graph._tensor(shape)
        )
    return graph._tensor(gradient)


def _to_core(gradient):
    if gradient is None:
        return None
    if isinstance(gradient, IndexedSlices):
        shape = gradient.dense_shape
        return (
            convert_to_tensor(gradient.values)._endpoint,
            convert_to_tensor(gradient.indices)._endpoint,
            None if shape is None else convert_to_tensor(shape)._endpoint,
        )
    return convert_to_tensor(gradient)._endpoint


def _walk(graph, walk):
    """Goes on until the core needs no more gradients from Python."""
    question = walk.step()
    while question is not None:
        node, name, incoming = question
        graph._record_new_nodes()
        try:
            answer = _call(graph, graph._operation(node), name, incoming)
        except BaseException:
            walk.abandon()
            raise
        question = walk.step(answer)


def _call(graph, op, name, incoming):
    function = gradient_registry.function_of(name)
    count = len(op.inputs)
    if function is None:
        return [None] * count
    found = function(op, *[_to_program(graph, gradient) for gradient in incoming])
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    if len(found) != count:
        raise ValueError(f"Num gradients {len(found)} generated for op {op.node_def} do not match num inputs {count}")
    return [_to_core(gradient) for gradient in found]
