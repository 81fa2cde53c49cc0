"""What the loops over time share: batch sizes, and steps behind the end of a sequence."""

from ferroflow._src.framework import control_flow, nest, stacks
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.layers.base import Layer
from ferroflow._src.ops import indexing, shaping
from ferroflow._src.ops.tensor_array import TensorArray
from ferroflow._src.rnn.cells import RNNCell


def cache_variables(scope):
    """Outside of loops: variables made in the scope are read where they are used, once."""
    context = stacks.get_default_graph()._get_control_flow_context()
    is_in_loop = context is not None and context.GetWhileContext() is not None
    if not is_in_loop and scope.caching_device is None:
        scope.set_caching_device(lambda op: op.device)


def batch_size_of(flat_input):
    """Returns the batch size of time-major inputs: an int, or a scalar `Tensor` when it is not known.

    Raises:
      ValueError: for an input of rank below 2.
    """
    for value in flat_input:
        if value.shape.ndims is None:
            continue
        if value.shape.ndims < 2:
            raise ValueError(f"Expected input tensor {value} to have rank at least 2")
        size = dimension_value(value.shape[1])
        if size is not None:
            return size
    return shaping.shape(flat_input[0])[1]


def is_keras_cell(cell):
    """Whether the cell takes a list of states even when there is one."""
    return not isinstance(cell, RNNCell) and isinstance(cell, Layer) and getattr(cell, "zero_state", None) is None


def first_state(cell, batch_size, dtype):
    """Returns the state that the cell begins with."""
    if getattr(cell, "get_initial_state", None) is not None:
        return cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    return cell.zero_state(batch_size, dtype)


def copy_where(is_done, old, new):
    """Returns `old` in rows that are done and `new` in others; arrays and scalars are always new."""
    if isinstance(old, TensorArray) or old.shape.ndims == 0:
        return new
    with colocate_with(new):
        return indexing.where(is_done, old, new)


def step(time, lengths, zero_output, state, call_cell, shortest=None, longest=None):
    """One step in which rows whose sequence has ended keep their state and give zeros.

    Args:
      time: the step, an int or int32 scalar.
      lengths: int32 [batch]: how long each sequence is.
      zero_output: zeros in the structure of the output.
      state: the state before the step.
      call_cell: called without arguments, returns (output, next state).
      shortest: the least length. With it and `longest`, the cell does not run where no row needs it.
      longest: the greatest length.

    Returns:
      (output, next state).
    """
    flat_state, flat_zeros = nest.flatten(state), nest.flatten(zero_output)
    is_done = time >= lengths

    def called():
        output, new_state = call_cell()
        nest.assert_same_structure(zero_output, output)
        nest.assert_same_structure(state, new_state)
        return output, new_state

    def mixed(outputs, states):
        outputs = [copy_where(is_done, old, new) for old, new in zip(flat_zeros, outputs, strict=True)]
        states = [copy_where(is_done, old, new) for old, new in zip(flat_state, states, strict=True)]
        return outputs + states

    def run():
        output, new_state = called()
        states, outputs = nest.flatten(new_state), nest.flatten(output)
        return control_flow.cond(time < shortest, lambda: outputs + states, lambda: mixed(outputs, states))

    if longest is None:
        output, new_state = called()
        made = mixed(nest.flatten(output), nest.flatten(new_state))
    else:
        made = control_flow.cond(time >= longest, lambda: flat_zeros + flat_state, run)
    outputs, states = made[: len(flat_zeros)], made[len(flat_zeros) :]
    for value, like in zip(outputs, flat_zeros, strict=True):
        value.set_shape(like.shape)
    for value, like in zip(states, flat_state, strict=True):
        if not isinstance(value, TensorArray):
            value.set_shape(like.shape)
    return nest.pack_sequence_as(zero_output, outputs), nest.pack_sequence_as(state, states)
