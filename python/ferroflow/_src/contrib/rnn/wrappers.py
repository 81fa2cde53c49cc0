"""Cells around cells: projections, embeddings, attention to past outputs, highways."""

import math as plain_math

from ferroflow._src.contrib.rnn.linear import Linear
from ferroflow._src.framework import nest, variable_scope as scopes
from ferroflow._src.framework.initializers import Constant, RandomUniform
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import device
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.ops import activations, array, conv, embedding, math, nn, reductions
from ferroflow._src.platform import tf_logging
from ferroflow._src.rnn.cells import RNNCell, check_is_cell, warn_of_joined_state


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
            self._linear = Linear(inputs, self._num_proj)
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
            self._linear = Linear(output, self._output_size)
        projected = self._linear(output)
        return self._activation(projected) if self._activation else projected, state


class AttentionCellWrapper(RNNCell):
    """Lets a cell look back on the last outputs (after Bahdanau et al., 2015).

    State: (the cell's, what was attended to, the last outputs), or all of it joined along columns.
    """

    def __init__(
        self,
        cell,
        attn_length,
        attn_size=None,
        attn_vec_size=None,
        input_size=None,
        state_is_tuple=True,
        reuse=None,
    ):
        """Creates the wrapper.

        Args:
          cell: the cell.
          attn_length: on how many outputs to look back.
          attn_size: the size of the output; None for the cell's.
          attn_vec_size: the size of the hidden layer of attention; None for `attn_size`.
          input_size: the size of the cell's inputs; None for that of the first inputs.
          state_is_tuple: whether the state is a tuple; else it is joined.
          reuse: whether the variables exist already.

        Raises:
          TypeError: when `cell` is no cell.
          ValueError: when the cell's state is a tuple and this one's is not, or the length is not positive.
        """
        super().__init__(_reuse=reuse)
        check_is_cell("cell", cell)
        if nest.is_sequence(cell.state_size) and not state_is_tuple:
            raise ValueError(
                "Cell returns tuple of states, but the flag state_is_tuple is not set. State size is: "
                f"{cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        if not state_is_tuple:
            warn_of_joined_state(self)
        self._cell, self._state_is_tuple, self._input_size = cell, state_is_tuple, input_size
        self._attn_size = cell.output_size if attn_size is None else attn_size
        self._attn_vec_size = self._attn_size if attn_vec_size is None else attn_vec_size
        self._attn_length = attn_length
        self._of_inputs = self._of_output = self._of_query = None

    @property
    def state_size(self):
        sizes = (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._attn_size

    def call(self, inputs, state):
        """Runs the cell on inputs and what was attended to, then attends to the last outputs."""
        state, attended, last = state if self._state_is_tuple else self._split(state)
        last = array.reshape(last, [-1, self._attn_length, self._attn_size])
        size = inputs.get_shape().as_list()[1] if self._input_size is None else self._input_size
        if self._of_inputs is None:
            self._of_inputs = Linear([inputs, attended], size)
        output, state = self._cell(self._of_inputs([inputs, attended]), state)
        query = array.concat(nest.flatten(state), 1) if self._state_is_tuple else state
        attended, last = self._attention(query, last)
        with scopes.variable_scope("attn_output_projection"):
            if self._of_output is None:
                self._of_output = Linear([output, attended], self._attn_size)
            output = self._of_output([output, attended])
        last = array.concat([last, array.expand_dims(output, 1)], 1)
        last = array.reshape(last, [-1, self._attn_length * self._attn_size])
        state = (state, attended, last)
        return output, state if self._state_is_tuple else array.concat(list(state), 1)

    def _split(self, state):
        begin, parts = 0, []
        for size in (self._cell.state_size, self._attn_size, self._attn_size * self._attn_length):
            parts.append(array.slice(state, [0, begin], [-1, size]))
            begin += size
        return parts

    def _attention(self, query, last):
        with scopes.variable_scope("attention"):
            kernel = scopes.get_variable("attn_w", [1, 1, self._attn_size, self._attn_vec_size])
            weights = scopes.get_variable("attn_v", [self._attn_vec_size])
            hidden = array.reshape(last, [-1, self._attn_length, 1, self._attn_size])
            features = conv.conv2d(hidden, kernel, [1, 1, 1, 1], "SAME")
            if self._of_query is None:
                self._of_query = Linear(query, self._attn_vec_size)
            y = array.reshape(self._of_query(query), [-1, 1, 1, self._attn_vec_size])
            scores = reductions.reduce_sum(weights * math.tanh(features + y), [2, 3])
            shares = array.reshape(activations.softmax(scores), [-1, self._attn_length, 1, 1])
            attended = array.reshape(reductions.reduce_sum(shares * hidden, [1, 2]), [-1, self._attn_size])
            return attended, array.slice(last, [0, 1, 0], [-1, -1, -1])


class HighwayWrapper(_Around):
    """Mixes the inputs of a cell into its outputs (Srivastava et al., 2015); both are of one size."""

    def __init__(self, cell, couple_carry_transform_gates=True, carry_bias_init=1.0):
        """Creates the wrapper.

        Args:
          cell: the cell.
          couple_carry_transform_gates: whether one gate opens as the other closes.
          carry_bias_init: the carry gate's first bias; the other's is its negative.
        """
        self._cell = cell
        self._couple_carry_transform_gates = couple_carry_transform_gates
        self._carry_bias_init = carry_bias_init

    def __call__(self, inputs, state, scope=None):
        """Runs the cell and mixes.

        Raises:
          TypeError: when inputs and outputs are of different structure.
          ValueError: when their shapes differ.
        """
        outputs, state = self._cell(inputs, state, scope=scope)
        nest.assert_same_structure(inputs, outputs)
        nest.map_structure(lambda x, y: x.get_shape().assert_is_compatible_with(y.get_shape()), inputs, outputs)
        return nest.map_structure(self._highway, inputs, outputs), state

    def _highway(self, inputs, outputs):
        size = dimension_value(inputs.get_shape().with_rank(2)[1])
        carry = self._gate("carry", inputs, size, self._carry_bias_init)
        if self._couple_carry_transform_gates:
            transform = 1 - carry
        else:
            transform = self._gate("transform", inputs, size, -self._carry_bias_init)
        return inputs * carry + outputs * transform

    def _gate(self, name, inputs, size, bias):
        weights = scopes.get_variable(name + "_w", [size, size])
        biases = scopes.get_variable(name + "_b", [size], initializer=Constant(bias))
        return math.sigmoid(nn.xw_plus_b(inputs, weights, biases))
