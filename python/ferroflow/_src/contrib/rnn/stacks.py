"""Stacked bidirectional networks: each layer takes the joined outputs of the one before."""


from ferroflow._src.framework import variable_scope as scopes
from ferroflow._src.ops import array
from ferroflow._src.rnn.dynamic import bidirectional_dynamic_rnn
from ferroflow._src.rnn.static import static_bidirectional_rnn


def _check_stacks(cells_fw, cells_bw, states_fw, states_bw):
    if not cells_fw:
        raise ValueError("Must specify at least one fw cell for BidirectionalRNN.")
    if not cells_bw:
        raise ValueError("Must specify at least one bw cell for BidirectionalRNN.")
    if not isinstance(cells_fw, list):
        raise ValueError("cells_fw must be a list of RNNCells (one per layer).")
    if not isinstance(cells_bw, list):
        raise ValueError("cells_bw must be a list of RNNCells (one per layer).")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for name, states in (("initial_states_fw", states_fw), ("initial_states_bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"{name} must be a list of state tensors (one per layer).")


def stack_bidirectional_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    scope=None,
):
    """Stacks `tf.nn.static_bidirectional_rnn`s: each layer takes the joined outputs of the one before.

    Args:
      cells_fw: a list of forward cells, one a layer.
      cells_bw: a list of backward cells.
      inputs: a list of `Tensor`s [batch, size], one a step.
      initial_states_fw: a list of first states; None for zeros.
      initial_states_bw: the same for the backward cells.
      dtype: the type of states; needed without initial states.
      sequence_length: an integer vector [batch].
      scope: the variable scope or its name; None for "stack_bidirectional_rnn".

    Returns:
      (outputs, states forward, states backward): a list, an entry a step, and a tuple, an entry a layer.

    Raises:
      ValueError: when lists are empty or of different lengths.
    """
    _check_stacks(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states_fw, states_bw = [], []
    with scopes.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (cell_fw, cell_bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with scopes.variable_scope(f"cell_{i}") as cell_scope:
                inputs, state_fw, state_bw = static_bidirectional_rnn(
                    cell_fw,
                    cell_bw,
                    inputs,
                    initial_state_fw=initial_states_fw[i] if initial_states_fw else None,
                    initial_state_bw=initial_states_bw[i] if initial_states_bw else None,
                    sequence_length=sequence_length,
                    dtype=dtype,
                    scope=cell_scope,
                )
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)


def stack_bidirectional_dynamic_rnn(
    cells_fw,
    cells_bw,
    inputs,
    initial_states_fw=None,
    initial_states_bw=None,
    dtype=None,
    sequence_length=None,
    parallel_iterations=None,
    time_major=False,
    scope=None,
    swap_memory=False,
):
    """Stacks `tf.nn.bidirectional_dynamic_rnn`s: each layer takes the joined outputs of the one before.

    Args:
      cells_fw: a list of forward cells, one a layer.
      cells_bw: a list of backward cells.
      inputs: a `Tensor` [batch, time, size]; [time, batch, size] when `time_major`.
      initial_states_fw: a list of first states; None for zeros.
      initial_states_bw: the same for the backward cells.
      dtype: the type of states; needed without initial states.
      sequence_length: an integer vector [batch].
      parallel_iterations: as for `tf.nn.dynamic_rnn`.
      time_major: whether time is the first dimension.
      scope: the variable scope or its name; None for "stack_bidirectional_rnn".
      swap_memory: as for `tf.nn.dynamic_rnn`.

    Returns:
      (outputs, states forward, states backward): a `Tensor`, and a tuple, an entry a layer.

    Raises:
      ValueError: when lists are empty or of different lengths.
    """
    _check_stacks(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states_fw, states_bw = [], []
    with scopes.variable_scope(scope or "stack_bidirectional_rnn"):
        for i, (cell_fw, cell_bw) in enumerate(zip(cells_fw, cells_bw, strict=True)):
            with scopes.variable_scope(f"cell_{i}"):
                outputs, (state_fw, state_bw) = bidirectional_dynamic_rnn(
                    cell_fw,
                    cell_bw,
                    inputs,
                    initial_state_fw=initial_states_fw[i] if initial_states_fw else None,
                    initial_state_bw=initial_states_bw[i] if initial_states_bw else None,
                    sequence_length=sequence_length,
                    parallel_iterations=parallel_iterations,
                    dtype=dtype,
                    swap_memory=swap_memory,
                    time_major=time_major,
                )
                inputs = array.concat(outputs, 2)
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)
