"""What tf.contrib.rnn has beyond tf.nn: stacked bidirectional networks, cells with projections and embeddings."""

import math as plain_math

from ferroflow._src.framework import nest
from ferroflow._src.framework import variable_scope as scopes
from ferroflow._src.framework.initializers import Constant, RandomUniform
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.scopes import device
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.ops import array, embedding, nn
from ferroflow._src.platform import tf_logging
from ferroflow._src.rnn.cells import RNNCell, check_is_cell
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


class _Linear:
    """`inputs * kernel + bias`, with variables of the current scope."""

    def __init__(self, inputs, output_size):
        size = dimension_value(inputs.shape.with_rank(2)[1])
        if size is None:
            raise ValueError(f"linear expects shape[1] to be provided for shape {inputs.shape}, but saw {size}")
        dtype = inputs.dtype
        with scopes.variable_scope(scopes.get_variable_scope()) as outer:
            self._weights = scopes.get_variable("kernel", [size, output_size], dtype=dtype)
            with scopes.variable_scope(outer) as inner:
                inner.set_partitioner(None)
                zeros = Constant(0.0, dtype=dtype)
                self._biases = scopes.get_variable("bias", [output_size], dtype=dtype, initializer=zeros)

    def __call__(self, inputs):
        return nn.bias_add(matmul(inputs, self._weights), self._biases)


class _Around(RNNCell):
    """A cell around a cell, with its state."""

    def __init__(self, cell, reuse):
        super().__init__(_reuse=reuse)
        check_is_cell("cell", cell)
        self._cell = cell

    @property
    def state_size(self):
        return self._cell.state_size

    @property
    def output_size(self):
        return self._cell.output_size

    def zero_state(self, batch_size, dtype):
        """Returns the cell's first state."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)


class EmbeddingWrapper(_Around):
    """Gives a cell rows of a table in place of the integers that come in."""

    def __init__(self, cell, embedding_classes, embedding_size, initializer=None, reuse=None):
        """Creates the wrapper.

        Args:
          cell: the cell.
          embedding_classes: the number of rows.
          embedding_size: the length of a row.
          initializer: makes the table; None for the scope's, or uniform numbers of variance 1.
          reuse: whether the table exists already.

        Raises:
          TypeError: when `cell` is no cell.
          ValueError: for sizes that are not positive.
        """
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                f"Both embedding_classes and embedding_size must be > 0: {embedding_classes}, {embedding_size}."
            )
        self._shape, self._initializer = [embedding_classes, embedding_size], initializer

    def call(self, inputs, state):
        """Runs the cell on rows of the table."""
        with device("/cpu:0"):
            limit = plain_math.sqrt(3)
            initializer = self._initializer or scopes.get_variable_scope().initializer or RandomUniform(-limit, limit)
            dtype = nest.flatten(state)[0].dtype
            table = scopes.get_variable("embedding", self._shape, initializer=initializer, dtype=dtype)
            rows = embedding.embedding_lookup(table, array.reshape(inputs, [-1]))
            return self._cell(rows, state)


class InputProjectionWrapper(_Around):
    """Gives a cell a linear projection of its inputs."""

    def __init__(self, cell, num_proj, activation=None, input_size=None, reuse=None):
        """Creates the wrapper.

        Args:
          cell: the cell.
          num_proj: the size to project to.
          activation: a function applied to the projection; None for none.
          input_size: has no effect.
          reuse: whether the variables exist already.

        Raises:
          TypeError: when `cell` is no cell.
        """
        super().__init__(cell, reuse)
        if input_size is not None:
            tf_logging.warn("%s: The input_size parameter is deprecated.", self)
        self._num_proj, self._activation, self._linear = num_proj, activation, None

    def call(self, inputs, state):
        """Projects the inputs and runs the cell."""
        if self._linear is None:
            self._linear = _Linear(inputs, self._num_proj)
        projected = self._linear(inputs)
        return self._cell(self._activation(projected) if self._activation else projected, state)


class OutputProjectionWrapper(_Around):
    """Projects the outputs of a cell."""

    def __init__(self, cell, output_size, activation=None, reuse=None):
        """Creates the wrapper.

        Args:
          cell: the cell.
          output_size: the size to project to.
          activation: a function applied to the projection; None for none.
          reuse: whether the variables exist already.

        Raises:
          TypeError: when `cell` is no cell.
          ValueError: for a size that is not positive.
        """
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size, self._activation, self._linear = output_size, activation, None

    @property
    def output_size(self):
        return self._output_size

    def call(self, inputs, state):
        """Runs the cell and projects its outputs."""
        output, state = self._cell(inputs, state)
        if self._linear is None:
            self._linear = _Linear(output, self._output_size)
        projected = self._linear(output)
        return self._activation(projected) if self._activation else projected, state
