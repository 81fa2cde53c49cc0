"""static_rnn and its kin: cells over a list of inputs, each step with nodes of its own."""

from ferroflow._src.framework import dtypes, nest, variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.packing import stack
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_shape import dimension_value, unknown_shape
from ferroflow._src.ops import array, filling, indexing, math, reductions, shaping
from ferroflow._src.rnn.cells import check_is_cell
from ferroflow._src.rnn.sizes import join_known_sizes, join_sizes, state_dtype
from ferroflow._src.rnn.steps import cache_variables, first_state, is_keras_cell, step


def static_rnn(cell, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
    """Runs a cell over a list of inputs.

    Args:
      cell: an `RNNCell`.
      inputs: a list of `Tensor`s [batch, size], one a step, or of structures of them.
      initial_state: the first state, in the structure of `cell.state_size`; None for zeros.
      dtype: the type of states and outputs; needed without `initial_state`.
      sequence_length: an integer vector [batch]: behind it, outputs are zeros and the state stays.
      scope: the variable scope or its name; None for "rnn".

    Returns:
      (outputs, state): a list with an entry a step, and the last state.

    Raises:
      TypeError: when `cell` is no cell, or `inputs` no list.
      ValueError: when the list is empty, or sizes are not known or do not fit each other.
    """
    check_is_cell("cell", cell)
    _check_list(inputs)
    outputs = []
    with scopes.variable_scope(scope or "rnn") as variable_scope:
        cache_variables(variable_scope)
        batch_size, known_batch = _batch_size(inputs)
        state = initial_state
        if state is None:
            if not dtype:
                raise ValueError("If no initial_state is provided, dtype must be specified")
            state = first_state(cell, batch_size, dtype)
        if sequence_length is not None:
            sequence_length = convert_to_tensor(sequence_length, name="sequence_length")
            if sequence_length.shape.ndims not in (None, 1):
                raise ValueError("sequence_length must be a vector of length batch_size")
            of_output = state_dtype(dtype, state)

            def zeros(size):
                made = filling.zeros(join_sizes(batch_size, size), of_output)
                made.set_shape(join_known_sizes(known_batch, size))
                return made

            zero_output = nest.pack_sequence_as(cell.output_size, [zeros(s) for s in nest.flatten(cell.output_size)])
            sequence_length = math.cast(sequence_length, dtypes.int32)
            shortest, longest = reductions.reduce_min(sequence_length), reductions.reduce_max(sequence_length)
        takes_list = is_keras_cell(cell)
        if takes_list and not nest.is_sequence(state):
            state = [state]
        for time, value in enumerate(inputs):
            if time > 0:
                variable_scope.reuse_variables()
            if sequence_length is not None:
                output, state = step(
                    time,
                    sequence_length,
                    zero_output,
                    state,
                    lambda value=value, state=state: cell(value, state),
                    shortest,
                    longest,
                )
            else:
                output, state = cell(value, state)
            outputs.append(output)
        if takes_list and len(state) == 1:
            state = state[0]
        return outputs, state


def _check_list(inputs):
    if not nest.is_sequence(inputs):
        raise TypeError("inputs must be a sequence")
    if not inputs:
        raise ValueError("inputs must not be empty")


def _batch_size(inputs):
    """(batch size as an int or scalar tensor, batch size or None) of all inputs."""
    first = inputs
    while nest.is_sequence(first):
        first = first[0]
    if first.shape.ndims == 1:
        batch = first.shape.with_rank_at_least(1)[0]
    else:
        batch = _common_batch_size(first, inputs)
    known = dimension_value(batch)
    return known or shaping.shape(first)[0], known


def _common_batch_size(first, inputs):
    batch = first.shape.with_rank_at_least(2).dims[0]
    for value in nest.flatten(inputs):
        shape = value.shape.with_rank_at_least(2)
        batch.merge_with(shape.dims[0])
        for i, size in enumerate(shape[1:].dims):
            if dimension_value(size) is None:
                raise ValueError(
                    f"Input size (dimension {i} of inputs) must be accessible via shape inference, but saw value None."
                )
    return batch


def static_state_saving_rnn(cell, inputs, state_saver, state_name, sequence_length=None, scope=None):
    """Runs a cell over a list of inputs, from a saved state, and saves the last one.

    Args:
      cell: an `RNNCell`.
      inputs: as for `static_rnn`.
      state_saver: an object with methods `state(name)` and `save_state(name, value)`.
      state_name: the names of the states, in the structure of `cell.state_size`.
      sequence_length: as for `static_rnn`.
      scope: as for `static_rnn`.

    Returns:
      (outputs, state): as `static_rnn`; the last output and the state wait for the saving.

    Raises:
      ValueError: when `state_name` has another structure.
    """
    size = cell.state_size
    is_tuple = nest.is_sequence(size)
    if is_tuple != nest.is_sequence(state_name):
        raise ValueError(
            f"state_name should be the same type as cell.state_size.  state_name: {state_name}, cell.state_size: {size}"
        )
    names = nest.flatten(state_name)
    if is_tuple:
        count = len(nest.flatten(size))
        if len(names) != count:
            raise ValueError(f"#elems(state_name) != #elems(state_size): {len(names)} vs. {count}")
        first = nest.pack_sequence_as(size, [state_saver.state(name) for name in names])
    else:
        first = state_saver.state(state_name)
    outputs, state = static_rnn(cell, inputs, initial_state=first, sequence_length=sequence_length, scope=scope)
    flat = nest.flatten(state)
    saved = [state_saver.save_state(name, value) for name, value in zip(names, flat, strict=True)]
    with control_dependencies(saved):
        last = outputs[-1]
        outputs[-1] = nest.pack_sequence_as(last, [array.identity(value) for value in nest.flatten(last)])
        state = nest.pack_sequence_as(state, [array.identity(value) for value in flat])
    return outputs, state


def static_bidirectional_rnn(
    cell_fw,
    cell_bw,
    inputs,
    initial_state_fw=None,
    initial_state_bw=None,
    dtype=None,
    sequence_length=None,
    scope=None,
):
    """Runs one cell forward and another backward over a list of inputs.

    Args:
      cell_fw: the cell that runs forward.
      cell_bw: the cell that runs backward.
      inputs: as for `static_rnn`.
      initial_state_fw: the forward cell's first state; None for zeros.
      initial_state_bw: the backward cell's first state; None for zeros.
      dtype: as for `static_rnn`.
      sequence_length: as for `static_rnn`.
      scope: the variable scope or its name; None for "bidirectional_rnn".

    Returns:
      (outputs, state forward, state backward): outputs of both joined along columns, an entry a step.

    Raises:
      TypeError: when a cell is none, or `inputs` no list.
      ValueError: when the list is empty.
    """
    check_is_cell("cell_fw", cell_fw)
    check_is_cell("cell_bw", cell_bw)
    _check_list(inputs)
    with scopes.variable_scope(scope or "bidirectional_rnn"):
        with scopes.variable_scope("fw") as fw_scope:
            output_fw, state_fw = static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, scope=fw_scope)
        with scopes.variable_scope("bw") as bw_scope:
            backward = _reversed(inputs, sequence_length)
            output_bw, state_bw = static_rnn(
                cell_bw, backward, initial_state_bw, dtype, sequence_length, scope=bw_scope
            )
    output_bw = _reversed(output_bw, sequence_length)
    pairs = zip(nest.flatten(output_fw), nest.flatten(output_bw), strict=True)
    joined = [array.concat([fw, bw], 1) for fw, bw in pairs]
    return nest.pack_sequence_as(output_fw, joined), state_fw, state_bw


def _reversed(sequence, lengths):
    """The list from its end on; each row only up to its length, when lengths are given."""
    if lengths is None:
        return list(reversed(sequence))
    columns = zip(*[nest.flatten(value) for value in sequence], strict=True)
    flat = [[] for _ in sequence]
    for column in columns:
        shape = unknown_shape(rank=column[0].shape.ndims)
        for value in column:
            shape.merge_with(value.shape)
            value.set_shape(shape)
        turned = indexing.reverse_sequence(stack(column), lengths, 0, 1)
        for part, row in zip(array.unstack(turned), flat, strict=True):
            part.set_shape(shape)
            row.append(part)
    return [nest.pack_sequence_as(value, row) for value, row in zip(sequence, flat, strict=True)]
