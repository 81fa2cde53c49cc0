"""dynamic_rnn, bidirectional_dynamic_rnn and raw_rnn: cells in a loop over time."""

from ferroflow._src.framework import control_flow, dtypes, nest, tensor_util, variable_scope as scopes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.packing import stack
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape, dimension_at_index, dimension_value
from ferroflow._src.framework.while_loops import while_loop
from ferroflow._src.ops import array, filling, indexing, math, reductions, shaping
from ferroflow._src.ops.tensor_array import TensorArray
from ferroflow._src.rnn.cells import check_is_cell
from ferroflow._src.rnn.sizes import join_known_sizes, join_sizes, state_dtype
from ferroflow._src.rnn.steps import batch_size_of, cache_variables, copy_where, first_state, is_keras_cell, step


def swap_batch_and_time(x):
    """Transposes the first two dimensions; what has fewer stays as it is."""
    known = x.shape
    if known.ndims is not None and known.ndims < 2:
        return x
    rank = shaping.rank(x)
    swapped = array.transpose(x, array.concat(([1, 0], math.range(2, rank)), axis=0))
    swapped.set_shape(TensorShape([dimension_value(known[1]), dimension_value(known[0])]).concatenate(known[2:]))
    return swapped


def dynamic_rnn(
    cell,
    inputs,
    sequence_length=None,
    initial_state=None,
    dtype=None,
    parallel_iterations=None,
    swap_memory=False,
    time_major=False,
    scope=None,
):
    """Runs a cell over time, in a loop as long as the inputs are in a run.

    Args:
      cell: an `RNNCell`.
      inputs: a `Tensor` [batch, time, ...], or a structure of them; [time, batch, ...] when `time_major`.
      sequence_length: an integer vector [batch]: behind it, outputs are zeros and the state stays.
      initial_state: the first state, in the structure of `cell.state_size`; None for zeros.
      dtype: the type of states and outputs; needed without `initial_state`.
      parallel_iterations: how many steps may run at once; None for 32.
      swap_memory: whether what gradients need may move off the device.
      time_major: whether time is the first dimension of inputs and outputs.
      scope: the variable scope or its name; None for "rnn".

    Returns:
      (outputs, state): outputs [batch, time, ...] (or time first) in the structure of `cell.output_size`, and the
      last state.

    Raises:
      TypeError: when `cell` is no cell.
      ValueError: when sizes are not known or do not fit each other, or a type is missing.
    """
    check_is_cell("cell", cell)
    with scopes.variable_scope(scope or "rnn") as variable_scope:
        cache_variables(variable_scope)
        flat = nest.flatten(inputs)
        if not time_major:
            flat = [convert_to_tensor(value) for value in flat]
            flat = [swap_batch_and_time(value) for value in flat]
        if sequence_length is not None:
            sequence_length = math.cast(sequence_length, dtypes.int32)
            if sequence_length.shape.ndims not in (None, 1):
                raise ValueError(
                    f"sequence_length must be a vector of length batch_size, but saw shape: {sequence_length.shape}"
                )
            sequence_length = array.identity(sequence_length, name="sequence_length")
        batch_size = batch_size_of(flat)
        state = initial_state
        if state is None:
            if not dtype:
                raise ValueError("If there is no initial_state, you must give a dtype.")
            state = first_state(cell, batch_size, dtype)
        if sequence_length is not None:
            with control_dependencies([_check_shape(sequence_length, [batch_size])]):
                sequence_length = array.identity(sequence_length, name="CheckSeqLen")
        outputs, state = _loop(
            cell,
            nest.pack_sequence_as(inputs, flat),
            state,
            parallel_iterations or 32,
            swap_memory,
            sequence_length,
            dtype,
        )
        if not time_major:
            outputs = nest.map_structure(swap_batch_and_time, outputs)
        return outputs, state


def _check_shape(x, shape):
    actual, expected = shaping.shape(x), stack(shape)
    return control_flow.Assert(
        reductions.reduce_all(math.equal(actual, expected)),
        [f"Expected shape for Tensor {x.name} is ", expected, " but saw shape: ", actual],
    )


def _checked_sizes(flat):
    """The shapes of the inputs, which must agree in time and batch and be known behind these."""
    shapes = [value.shape.with_rank_at_least(3) for value in flat]
    time_steps, batch_size = shapes[0].as_list()[:2]
    for shape in shapes:
        if not shape[2:].is_fully_defined():
            raise ValueError("Input size (depth of inputs) must be accessible via shape inference, but saw value None.")
        got = shape.as_list()[:2]
        if got[0] != time_steps:
            raise ValueError("Time steps is not the same for all the elements in the input in a batch.")
        if got[1] != batch_size:
            raise ValueError("Batch_size is not the same for all the elements in the input.")
    return shapes


def _known_shape(size):
    return as_shape(tensor_util.constant_value(size)) if isinstance(size, TensorBase) else as_shape(size)


def _loop(cell, inputs, state, parallel_iterations, swap_memory, lengths, dtype):
    """The loop of `dynamic_rnn` over time-major inputs."""
    flat, sizes = nest.flatten(inputs), nest.flatten(cell.output_size)
    time_steps = shaping.shape(flat[0])[0]
    batch_size = batch_size_of(flat)
    shapes = _checked_sizes(flat)
    known_steps, known_batch = shapes[0].as_list()[:2]
    of_output = state_dtype(dtype, state)
    zeros = [filling.zeros(join_sizes(batch_size, size), of_output) for size in sizes]
    zero_output = nest.pack_sequence_as(cell.output_size, zeros)
    if lengths is not None:
        reductions.reduce_min(lengths)  # as TensorFlow, which does not use it here
        longest = reductions.reduce_max(lengths)
    else:
        longest = time_steps
    time = constant(0, dtype=dtypes.int32, name="time")
    with name_scope("dynamic_rnn") as base_name:
        pass

    def make_array(name, element_shape, dtype):
        return TensorArray(
            dtype=dtype, size=time_steps, element_shape=element_shape, tensor_array_name=base_name + name
        )

    results = tuple(
        make_array(f"output_{i}", TensorShape([known_batch]).concatenate(_known_shape(size)), of_output)
        for i, size in enumerate(sizes)
    )
    arrays = [make_array(f"input_{i}", value.shape[1:], value.dtype) for i, value in enumerate(flat)]
    arrays = [a.unstack(value) for a, value in zip(arrays, flat, strict=True)]
    takes_list = is_keras_cell(cell)

    def time_step(time, results, state):
        parts = [a.read(time) for a in arrays]
        for part, shape in zip(parts, shapes, strict=True):
            part.set_shape(shape[1:])
        part = nest.pack_sequence_as(inputs, parts)
        if takes_list and not nest.is_sequence(state):
            state = [state]
        if lengths is not None:
            output, new_state = step(time, lengths, zero_output, state, lambda: cell(part, state))
        else:
            output, new_state = cell(part, state)
        if takes_list and len(new_state) == 1:
            new_state = new_state[0]
        written = zip(results, nest.flatten(output), strict=False)
        results = tuple(r.write(time, value) for r, value in written)
        return time + 1, results, new_state

    bound = math.minimum(time_steps, math.maximum(1, longest))
    _, results, state = while_loop(
        cond=lambda time, *_: time < bound,
        body=time_step,
        loop_vars=(time, results, state),
        parallel_iterations=parallel_iterations,
        maximum_iterations=time_steps,
        swap_memory=swap_memory,
    )
    outputs = [r.stack() for r in results]
    for output, size in zip(outputs, sizes, strict=True):
        output.set_shape(join_known_sizes([known_steps, known_batch], size))
    return nest.pack_sequence_as(cell.output_size, outputs), state


def bidirectional_dynamic_rnn(
    cell_fw,
    cell_bw,
    inputs,
    sequence_length=None,
    initial_state_fw=None,
    initial_state_bw=None,
    dtype=None,
    parallel_iterations=None,
    swap_memory=False,
    time_major=False,
    scope=None,
):
    """Runs one cell forward and another backward over time; see `dynamic_rnn`.

    Args:
      cell_fw: the cell that runs forward.
      cell_bw: the cell that runs backward.
      inputs: as for `dynamic_rnn`.
      sequence_length: as for `dynamic_rnn`.
      initial_state_fw: the forward cell's first state; None for zeros.
      initial_state_bw: the backward cell's first state; None for zeros.
      dtype: as for `dynamic_rnn`.
      parallel_iterations: as for `dynamic_rnn`.
      swap_memory: as for `dynamic_rnn`.
      time_major: as for `dynamic_rnn`.
      scope: the variable scope or its name; None for "bidirectional_rnn".

    Returns:
      ((outputs forward, outputs backward), (state forward, state backward)).

    Raises:
      TypeError: when a cell is none.
    """
    check_is_cell("cell_fw", cell_fw)
    check_is_cell("cell_bw", cell_bw)
    time_axis, batch_axis = (0, 1) if time_major else (1, 0)

    def reversed_in_time(value):
        if sequence_length is None:
            return indexing.reverse(value, axis=[time_axis])
        return indexing.reverse_sequence(
            input=value, seq_lengths=sequence_length, seq_axis=time_axis, batch_axis=batch_axis
        )

    def run(cell, inputs, state, scope):
        return dynamic_rnn(
            cell, inputs, sequence_length, state, dtype, parallel_iterations, swap_memory, time_major, scope
        )

    with scopes.variable_scope(scope or "bidirectional_rnn"):
        with scopes.variable_scope("fw") as fw_scope:
            output_fw, state_fw = run(cell_fw, inputs, initial_state_fw, fw_scope)
        with scopes.variable_scope("bw") as bw_scope:
            backward = nest.map_structure(reversed_in_time, inputs)
            output_bw, state_bw = run(cell_bw, backward, initial_state_bw, bw_scope)
    return (output_fw, reversed_in_time(output_bw)), (state_fw, state_bw)


def raw_rnn(cell, loop_fn, parallel_iterations=None, swap_memory=False, scope=None):
    """Runs a cell in a loop whose inputs, states and end a function decides at each step.

    Args:
      cell: an `RNNCell`.
      loop_fn: called with (time, output, state, loop state), at first with (0, None, None, None); returns
        (finished [batch] bool, next input, next state, what to emit, next loop state). What it emits at first tells
        the structure, sizes and types; None for those of `cell.output_size`.
      parallel_iterations: how many steps may run at once; None for 32.
      swap_memory: whether what gradients need may move off the device.
      scope: the variable scope or its name; None for "rnn".

    Returns:
      (emitted, state, loop state): `TensorArray`s, the last state, and the last loop state.

    Raises:
      TypeError: when `cell` is no cell or `loop_fn` cannot be called.
    """
    check_is_cell("cell", cell)
    if not callable(loop_fn):
        raise TypeError("loop_fn must be a callable")
    with scopes.variable_scope(scope or "rnn") as variable_scope:
        cache_variables(variable_scope)
        time = constant(0, dtype=dtypes.int32)
        finished, next_input, state, emit_structure, first_loop_state = loop_fn(time, None, None, None)
        flat = nest.flatten(next_input)
        loop_state = constant(0, dtype=dtypes.int32) if first_loop_state is None else first_loop_state
        static = dimension_at_index(flat[0].shape, 0)
        for value in flat:
            static.merge_with(dimension_at_index(value.shape, 0))
        known_batch = dimension_value(static)
        batch_size = shaping.shape(flat[0])[0] if known_batch is None else known_batch
        nest.assert_same_structure(state, cell.state_size)
        state = nest.pack_sequence_as(state, [convert_to_tensor(s) for s in nest.flatten(state)])
        emitted, zeros = _emitted(cell, emit_structure, state, batch_size, known_batch)

        def body(time, finished, part, emitted, state, loop_state):
            output, cell_state = cell(part, state)
            nest.assert_same_structure(state, cell_state)
            nest.assert_same_structure(cell.output_size, output)
            following = time + 1
            next_finished, next_input, next_state, emit, next_loop_state = loop_fn(
                following, output, cell_state, loop_state
            )
            nest.assert_same_structure(state, next_state)
            nest.assert_same_structure(part, next_input)
            nest.assert_same_structure(emitted, emit)
            loop_state = loop_state if next_loop_state is None else next_loop_state
            emit = nest.map_structure(lambda old, new: copy_where(finished, old, new), zeros, emit)
            next_state = nest.map_structure(lambda old, new: copy_where(finished, old, new), state, next_state)
            emitted = nest.map_structure(lambda a, value: a.write(time, value), emitted, emit)
            finished = math.logical_or(finished, next_finished)
            return following, finished, next_input, emitted, next_state, loop_state

        returned = while_loop(
            lambda _, finished, *__: math.logical_not(reductions.reduce_all(finished)),
            body,
            loop_vars=[time, finished, next_input, emitted, state, loop_state],
            parallel_iterations=parallel_iterations or 32,
            swap_memory=swap_memory,
        )
        emitted, state, loop_state = returned[-3:]
        return emitted, state, None if first_loop_state is None else loop_state


def _emitted(cell, structure, state, batch_size, known_batch):
    """Empty arrays for what `raw_rnn` emits, and zeros for rows that have ended."""
    if structure is not None:
        flat = nest.flatten(structure)
        sizes = [value.shape if value.shape.is_fully_defined() else shaping.shape(value) for value in flat]
        types = [value.dtype for value in flat]
    else:
        structure = cell.output_size
        sizes = nest.flatten(structure)
        types = [nest.flatten(state)[0].dtype] * len(sizes)
    arrays = [
        TensorArray(
            dtype=dtype,
            dynamic_size=True,
            element_shape=TensorShape([known_batch]).concatenate(_known_shape(size)),
            size=0,
            name=f"rnn_output_{i}",
        )
        for i, (dtype, size) in enumerate(zip(types, sizes, strict=True))
    ]
    zeros = [filling.zeros(join_sizes(batch_size, size), dtype) for size, dtype in zip(sizes, types, strict=True)]
    return nest.pack_sequence_as(structure, arrays), nest.pack_sequence_as(structure, zeros)
