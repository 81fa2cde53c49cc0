"""Cells made of cells: stacked, with dropout, with a residual connection, on a device."""

import hashlib
import numbers

from ferroflow._src.framework import nest, scopes as placement, tensor_util, variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.layers.base import Layer
from ferroflow._src.ops import array, math, nn, random
from ferroflow._src.ops.tensor_array import TensorArray
from ferroflow._src.platform import tf_logging
from ferroflow._src.rnn.cells import LSTMStateTuple, RNNCell, check_is_cell


class MultiRNNCell(RNNCell):
    """Cells one after the other: each takes the output of the one before."""

    def __init__(self, cells, state_is_tuple=True):
        """Creates the cell.

        Args:
          cells: a list of cells.
          state_is_tuple: whether states are tuples, an entry a cell; else they are joined along columns.

        Raises:
          ValueError: without cells, or when states of cells are tuples and the whole is not.
          TypeError: when `cells` is no list.
        """
        super().__init__()
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        if not nest.is_sequence(cells):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        if len({id(cell) for cell in cells}) < len(cells):
            tf_logging.log_first_n(
                tf_logging.WARN,
                "At least two cells provided to MultiRNNCell are the same object and will share weights.",
                1,
            )
        self._cells = cells
        self._state_is_tuple = state_is_tuple
        if not state_is_tuple and any(nest.is_sequence(c.state_size) for c in cells):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set.  State sizes are: "
                f"{[c.state_size for c in cells]}"
            )

    @property
    def state_size(self):
        sizes = [cell.state_size for cell in self._cells]
        return tuple(sizes) if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._cells[-1].output_size

    def zero_state(self, batch_size, dtype):
        """Returns zeros as the first state."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            if self._state_is_tuple:
                return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)
            return super().zero_state(batch_size, dtype)

    @property
    def trainable_weights(self):
        """The variables of all cells that are trained."""
        return self._weights_of_cells("trainable_weights") if self.trainable else []

    @property
    def non_trainable_weights(self):
        """The other variables of all cells."""
        weights = self._weights_of_cells("non_trainable_weights")
        return weights if self.trainable else self._weights_of_cells("trainable_weights") + weights

    @property
    def weights(self):
        """All variables of all cells."""
        return self.trainable_weights + self.non_trainable_weights

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def _weights_of_cells(self, which):
        return [weight for cell in self._cells if isinstance(cell, Layer) for weight in getattr(cell, which)]

    def call(self, inputs, state):
        """Runs one step of all cells.

        Raises:
          ValueError: when the state is no tuple and should be.
        """
        place, following = 0, []
        for i, cell in enumerate(self._cells):
            with scopes.variable_scope(f"cell_{i}"):
                if self._state_is_tuple:
                    if not nest.is_sequence(state):
                        raise ValueError(
                            f"Expected state to be a tuple of length {len(self.state_size)}, but received: {state}"
                        )
                    its = state[i]
                else:
                    its = array.slice(state, [0, place], [-1, cell.state_size])
                    place += cell.state_size
                inputs, new = cell(inputs, its)
                following.append(new)
        return inputs, tuple(following) if self._state_is_tuple else array.concat(following, 1)


class _Wrapper(RNNCell):
    """A cell around a cell, with its sizes. As in TensorFlow the variables are the inner cell's alone."""

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        check_is_cell("cell", cell)
        self.cell = cell

    @property
    def wrapped_cell(self):
        """The cell inside."""
        return self.cell

    @property
    def state_size(self):
        return self.cell.state_size

    @property
    def output_size(self):
        return self.cell.output_size

    def zero_state(self, batch_size, dtype):
        """Returns the cell's first state."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs, state, scope=None):
        """Runs one step; see `RNNCell`."""
        return self._run(inputs, state, self.cell.__call__, scope=scope)

    def call(self, inputs, state, **kwargs):
        """Runs one step with the cell's `call`."""
        return self._run(inputs, state, self.cell.call, **kwargs)


def _default_filter(state):
    if isinstance(state, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(state, TensorArray)


def _map_numbered(shallow, function, *structures):
    """As `nest.map_structure_up_to`; `function` takes the leaf's number first."""
    count = iter(range(1 << 30))
    return nest.map_structure_up_to(shallow, lambda *leaves: function(next(count), *leaves), *structures)


class DropoutWrapper(_Wrapper):
    """Drops parts of a cell's inputs, outputs and states at random."""

    def __init__(
        self,
        cell,
        input_keep_prob=1.0,
        output_keep_prob=1.0,
        state_keep_prob=1.0,
        variational_recurrent=False,
        input_size=None,
        dtype=None,
        seed=None,
        dropout_state_filter_visitor=None,
        **kwargs,
    ):
        """Creates the wrapper.

        Args:
          cell: the cell.
          input_keep_prob: the probability that an element of the input stays, a float or scalar `Tensor`.
          output_keep_prob: that for the output.
          state_keep_prob: that for the next state.
          variational_recurrent: whether one pattern serves all steps of a run (Gal and Ghahramani, 2015).
          input_size: the size of the input, a structure of `TensorShape`s; needed when variational.
          dtype: the type of inputs, states and outputs; needed when variational.
          seed: a Python integer.
          dropout_state_filter_visitor: called with (parts of) the state; says which of it may be dropped. None: all
            but the `c` of an `LSTMStateTuple`.
          **kwargs: see `Layer`.

        Raises:
          TypeError: when the cell is none, or the visitor cannot be called.
          ValueError: for a probability outside [0, 1], or when an argument is missing.
        """
        super().__init__(cell, dtype=dtype, **kwargs)
        if dropout_state_filter_visitor is not None and not callable(dropout_state_filter_visitor):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._filter = dropout_state_filter_visitor or _default_filter
        with name_scope("DropoutWrapperInit"):
            self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
            self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
            self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
        self._variational_recurrent = variational_recurrent
        self._input_size, self._seed = input_size, seed
        self._input_noise = self._state_noise = self._output_noise = None
        if variational_recurrent:
            self._make_noise(input_size, dtype)

    def _make_noise(self, input_size, dtype):
        if dtype is None:
            raise ValueError("When variational_recurrent=True, dtype must be provided")

        def noise(salt, sizes):
            def make(i, size):
                shape = array.concat(([1], TensorShape(size).as_list()), 0)
                return random.random_uniform(shape, seed=self._seed_for(salt, i), dtype=dtype)

            return _map_numbered(sizes, make, sizes)

        if not isinstance(self._input_keep_prob, numbers.Real) or self._input_keep_prob < 1.0:
            if input_size is None:
                raise ValueError(
                    "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size must be "
                    "provided"
                )
            self._input_noise = noise("input", input_size)
        self._state_noise = noise("state", self.cell.state_size)
        self._output_noise = noise("output", self.cell.output_size)

    def _seed_for(self, salt, index):
        if self._seed is None:
            return None
        text = f"{self._seed}{salt}_{index}".encode()
        return int(hashlib.md5(text).hexdigest()[:8], 16) & 0x7FFFFFFF

    def _dropped(self, values, salt, noise, keep_prob, wanted=None):
        if wanted is None:
            wanted = values

        def drop(i, is_wanted, value):
            if is_wanted is False:
                return value
            return nn.dropout(value, rate=1.0 - keep_prob, seed=self._seed_for(salt, i))

        def mask(i, is_wanted, value, noise):
            if is_wanted is False:
                return value
            kept = math.floor(keep_prob + noise)
            made = math.div(value, keep_prob) * kept
            made.set_shape(value.shape)
            return made

        if self._variational_recurrent:
            return _map_numbered(wanted, mask, wanted, values, noise)
        return _map_numbered(wanted, drop, wanted, values)

    def _run(self, inputs, state, function, **kwargs):
        if _drops(self._input_keep_prob):
            inputs = self._dropped(inputs, "input", self._input_noise, self._input_keep_prob)
        output, new_state = function(inputs, state, **kwargs)
        if _drops(self._state_keep_prob):
            wanted = nest.get_traverse_shallow_structure(self._filter, new_state)
            new_state = self._dropped(new_state, "state", self._state_noise, self._state_keep_prob, wanted)
        if _drops(self._output_keep_prob):
            output = self._dropped(output, "output", self._output_noise, self._output_keep_prob)
        return output, new_state


def _probability(name, value):
    tensor = convert_to_tensor(value)
    known = tensor_util.constant_value(tensor)
    if known is None:
        return tensor
    if known < 0 or known > 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {int(known)}")
    return float(known)


def _drops(probability):
    return not isinstance(probability, float) or probability < 1


class ResidualWrapper(_Wrapper):
    """Adds a cell's inputs to its outputs."""

    def __init__(self, cell, residual_fn=None, **kwargs):
        """Creates the wrapper.

        Args:
          cell: the cell.
          residual_fn: called with (inputs, outputs), returns the outputs; None: their sum.
          **kwargs: see `Layer`.
        """
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn

    def _run(self, inputs, state, function, **kwargs):
        outputs, new_state = function(inputs, state, **kwargs)
        return (self._residual_fn or _add)(inputs, outputs), new_state


def _add(inputs, outputs):
    nest.assert_same_structure(inputs, outputs)
    nest.map_structure(lambda i, o: i.shape.assert_is_compatible_with(o.shape), inputs, outputs)
    return nest.map_structure(lambda i, o: i + o, inputs, outputs)


class DeviceWrapper(_Wrapper):
    """Runs a cell on a device."""

    def __init__(self, cell, device, **kwargs):
        """Creates the wrapper.

        Args:
          cell: the cell.
          device: what `tf.device` takes.
          **kwargs: see `Layer`.
        """
        super().__init__(cell, **kwargs)
        self._device = device

    def zero_state(self, batch_size, dtype):
        """Returns the cell's first state."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]), placement.device(self._device):
            return self.cell.zero_state(batch_size, dtype)

    def _run(self, inputs, state, function, **kwargs):
        with placement.device(self._device):
            return function(inputs, state, **kwargs)
