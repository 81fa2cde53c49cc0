"""The step counter of a training program: one scalar integer variable, found through its collection or its name."""

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.collections import add_to_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.initializers import zeros_initializer
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variable_scope import get_variable
from ferroflow._src.framework.variables import Variable, VariableAggregation
from ferroflow._src.ops import state
from ferroflow._src.training.log import logger

_READ = "global_step_read_op_cache"


def global_step(sess, global_step_tensor):
    """Returns the step as an int.

    Args:
      sess: the `Session` in which it is read.
      global_step_tensor: the tensor or variable, or its name.
    """
    return int(sess.run(global_step_tensor))


def get_global_step(graph=None):
    """Returns the graph's step counter, or None without one.

    Raises:
      TypeError: when what is found is no integer scalar.
    """
    graph = graph or stacks.get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        logger.error("Multiple tensors in global_step collection.")
        return None
    if found:
        counter = found[0]
    else:
        try:
            counter = graph.get_tensor_by_name("global_step:0")
        except KeyError:
            return None
    assert_global_step(counter)
    return counter


def create_global_step(graph=None):
    """Makes the variable `global_step`, an int64 scalar of zero that is not trained.

    Raises:
      ValueError: when there is one.
    """
    graph = graph or stacks.get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=zeros_initializer(),
            trainable=False,
            aggregation=VariableAggregation.ONLY_FIRST_REPLICA,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph=None):
    """Returns the graph's step counter, made if there is none."""
    graph = graph or stacks.get_default_graph()
    found = get_global_step(graph)
    return create_global_step(graph) if found is None else found


def assert_global_step(global_step_tensor):
    """Checks that this can be a step counter.

    Raises:
      TypeError: when it is no variable or tensor, not of integers, or no scalar.
    """
    is_known = isinstance(global_step_tensor, (Variable, Tensor)) or is_resource_variable(global_step_tensor)
    if not is_known:
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    shape = global_step_tensor.get_shape()
    if shape.ndims != 0 and shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {shape}')


def get_or_create_global_step_read(graph=None):
    """Returns a tensor of the step that can be read before the variable is initialized; None without a counter."""
    graph = graph or stacks.get_default_graph()
    found = graph.get_collection(_READ)
    if len(found) > 1:
        raise RuntimeError(
            f"There are multiple items in collection {_READ}. There should be only one."
        )
    if found:
        return found[0]
    counter = get_global_step(graph)
    if counter is None:
        return None
    with graph.as_default(), graph.name_scope(None), graph.name_scope(counter.op.name + "/"):
        value = counter.initialized_value() if isinstance(counter, Variable) else counter
        read = value + 0
        add_to_collection(_READ, read)
    return read


def increment_global_step(increment, graph=None):
    """Returns an op that adds to the step after it was read.

    Raises:
      ValueError: without a counter.
    """
    graph = graph or stacks.get_default_graph()
    counter = get_global_step(graph)
    if counter is None:
        raise ValueError(
            "Global step tensor should be created by tf.train.get_or_create_global_step before calling increment."
        )
    read = get_or_create_global_step_read(graph)
    with graph.as_default(), graph.name_scope(None), graph.name_scope(counter.op.name + "/"):
        with control_dependencies([read]):
            return state.assign_add(counter, increment)
