"""A cell that attends to memories; and sequences repeated for beams."""

import collections

from ferroflow._src.contrib.framework.shapes import with_same_shape
from ferroflow._src.contrib.seq2seq.attention import AttentionMechanism
from ferroflow._src.framework import dtypes, nest
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape, dimension_value
from ferroflow._src.layers.core import Dense
from ferroflow._src.ops import array, checks, filling, shaping
from ferroflow._src.ops.tensor_array import TensorArray
from ferroflow._src.rnn.cells import RNNCell, check_is_cell
from ferroflow._src.rnn.sizes import zero_states

_TILE_HINT = "Are you using the BeamSearchDecoder?  You may need to tile your "
_TILE_BY = " via the tf.contrib.seq2seq.tile_batch function with argument multiple=beam_width."


class AttentionWrapperState(
    collections.namedtuple(
        "AttentionWrapperState",
        ("cell_state", "attention", "time", "alignments", "alignment_history", "attention_state"),
    )
):
    """The state of an `AttentionWrapper`."""

    def clone(self, **kwargs):
        """Returns a state with some parts replaced, whose shapes must not contradict the old ones'.

        Example:

            initial = cell.zero_state(batch_size, tf.float32).clone(cell_state=encoder_state)
        """

        def of_same_shape(old, new):
            are_tensors = isinstance(old, TensorBase) and isinstance(new, TensorBase)
            return with_same_shape(old, new) if are_tensors else new

        return nest.map_structure(of_same_shape, self, super()._replace(**kwargs))


def _attend(mechanism, output, state, layer):
    alignments, state = mechanism(output, state=state)
    context = array.squeeze(matmul(array.expand_dims(alignments, 1), mechanism.values), [1])
    if layer is not None:
        context = layer(array.concat([output, context], 1))
    return context, alignments, state


class AttentionWrapper(RNNCell):
    """A cell around a cell: with its inputs goes what was attended to last, and its output is the query."""

    def __init__(
        self,
        cell,
        attention_mechanism,
        attention_layer_size=None,
        alignment_history=False,
        cell_input_fn=None,
        output_attention=True,
        initial_cell_state=None,
        name=None,
        attention_layer=None,
        attention_fn=None,
        dtype=None,
    ):
        """Creates the wrapper.

        Args:
          cell: the cell.
          attention_mechanism: one, or a list of them.
          attention_layer_size: the size of a layer that joins query and context, one for each mechanism; None for none.
          alignment_history: whether the state keeps the alignments of all steps.
          cell_input_fn: makes the cell's inputs of inputs and attention; None for one after the other.
          output_attention: whether the output is the attention; else the cell's output.
          initial_cell_state: the cell's part of `zero_state`; None for zeros.
          name: the layer's name.
          attention_layer: layers to use in place of those of `attention_layer_size`.
          attention_fn: of mechanism, query, state and layer; returns (attention, alignments, state). None for the usual.
          dtype: the type of the layer.

        Raises:
          TypeError: when an argument is of another kind.
          ValueError: when sizes or layers are not as many as mechanisms, or both are given.
        """
        super().__init__(name=name, dtype=dtype)
        check_is_cell("cell", cell)
        self._is_multi = isinstance(attention_mechanism, (list, tuple))
        mechanisms = attention_mechanism if self._is_multi else (attention_mechanism,)
        _check_mechanisms(mechanisms, self._is_multi)
        if cell_input_fn is None:
            cell_input_fn = lambda inputs, attention: array.concat([inputs, attention], -1)  # noqa: E731
        elif not callable(cell_input_fn):
            raise TypeError(f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}")
        self._cell, self._attention_mechanisms = cell, mechanisms
        self._attention_layers, self._attention_layer_size = self._layers(attention_layer_size, attention_layer)
        self._attention_fn = attention_fn or _attend
        self._cell_input_fn, self._output_attention = cell_input_fn, output_attention
        self._alignment_history = alignment_history
        self._initial_cell_state = None
        with name_scope(name, "AttentionWrapperInit"):
            if initial_cell_state is not None:
                last = nest.flatten(initial_cell_state)[-1]
                message = (
                    f"When constructing AttentionWrapper {self._base_name}: Non-matching batch sizes between the "
                    f"memory (encoder output) and initial_cell_state.  {_TILE_HINT}initial state{_TILE_BY}"
                )
                self._initial_cell_state = self._checked(
                    initial_cell_state, _batch_size(last), message, "check_initial_cell_state"
                )

    def _layers(self, sizes, layers):
        """Returns the layers, or None, and the size of the attention."""
        mechanisms = self._attention_mechanisms
        if sizes is not None and layers is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        if sizes is not None:
            sizes = tuple(sizes) if isinstance(sizes, (list, tuple)) else (sizes,)
            if len(sizes) != len(mechanisms):
                raise ValueError(
                    "If provided, attention_layer_size must contain exactly one integer per attention_mechanism, saw: "
                    f"{len(sizes)} vs {len(mechanisms)}"
                )
            made = tuple(
                Dense(size, name="attention_layer", use_bias=False, dtype=mechanism.dtype)
                for size, mechanism in zip(sizes, mechanisms, strict=True)
            )
            return made, sum(sizes)
        widths = [dimension_value(mechanism.values.shape[-1]) for mechanism in mechanisms]
        if layers is None:
            return None, sum(widths)
        layers = tuple(layers) if isinstance(layers, (list, tuple)) else (layers,)
        if len(layers) != len(mechanisms):
            raise ValueError(
                "If provided, attention_layer must contain exactly one layer per attention_mechanism, saw: "
                f"{len(layers)} vs {len(mechanisms)}"
            )
        return layers, sum(
            dimension_value(layer.compute_output_shape([None, self._cell.output_size + width])[-1])
            for layer, width in zip(layers, widths, strict=True)
        )

    def _checked(self, values, batch_size, message, name):
        """Returns `values` behind checks that the batch is that of the memories."""
        equal = [
            checks.assert_equal(batch_size, mechanism.batch_size, message=message)
            for mechanism in self._attention_mechanisms
        ]
        with control_dependencies(equal):
            return nest.map_structure(lambda x: array.identity(x, name=name), values)

    def _item_or_tuple(self, values):
        values = tuple(values)
        return values if self._is_multi else values[0]

    @property
    def output_size(self):
        return self._attention_layer_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self):
        mechanisms = self._attention_mechanisms
        keeps = self._alignment_history
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            time=TensorShape([]),
            attention=self._attention_layer_size,
            alignments=self._item_or_tuple(a.alignments_size for a in mechanisms),
            attention_state=self._item_or_tuple(a.state_size for a in mechanisms),
            alignment_history=self._item_or_tuple(a.alignments_size if keeps else () for a in mechanisms),
        )

    def zero_state(self, batch_size, dtype):
        """Returns the first state: zeros, or the cell's as it was given."""
        with name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            cell_state = self._initial_cell_state
            if cell_state is None:
                cell_state = self._cell.get_initial_state(batch_size=batch_size, dtype=dtype)
            message = (
                f"When calling zero_state of AttentionWrapper {self._base_name}: Non-matching batch sizes between the "
                "memory (encoder output) and the requested batch size.  Are you using the BeamSearchDecoder?  If so, "
                "make sure your encoder output has been tiled to beam_width via tf.contrib.seq2seq.tile_batch, and the "
                "batch_size= argument passed to zero_state is batch_size * beam_width."
            )
            cell_state = self._checked(cell_state, batch_size, message, "checked_cell_state")
            alignments = [m.initial_alignments(batch_size, dtype) for m in self._attention_mechanisms]
            return AttentionWrapperState(
                cell_state=cell_state,
                time=filling.zeros([], dtype=dtypes.int32),
                attention=zero_states(self._attention_layer_size, batch_size, dtype),
                alignments=self._item_or_tuple(alignments),
                attention_state=self._item_or_tuple(
                    m.initial_state(batch_size, dtype) for m in self._attention_mechanisms
                ),
                alignment_history=self._item_or_tuple(
                    TensorArray(dtype, size=0, dynamic_size=True, element_shape=alignment.shape)
                    if self._alignment_history
                    else ()
                    for alignment in alignments
                ),
            )

    def call(self, inputs, state):
        """Runs the cell and attends.

        Raises:
          TypeError: when the state is no `AttentionWrapperState`.
        """
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                f"Expected state to be instance of AttentionWrapperState. Received type {type(state)} instead."
            )
        output, cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        message = (
            f"When applying AttentionWrapper {self.name}: Non-matching batch sizes between the memory (encoder output) "
            f"and the query (decoder output).  {_TILE_HINT}memory input{_TILE_BY}"
        )
        output = self._checked(output, _batch_size(output), message, "checked_cell_output")
        states, histories = state.attention_state, state.alignment_history
        if not self._is_multi:
            states, histories = [states], [histories]
        found = []
        for i, mechanism in enumerate(self._attention_mechanisms):
            layer = self._attention_layers[i] if self._attention_layers else None
            attention, alignments, next_state = self._attention_fn(mechanism, output, states[i], layer)
            history = histories[i].write(state.time, alignments) if self._alignment_history else ()
            found.append((attention, alignments, next_state, history))
        attentions, alignments, states, histories = zip(*found, strict=True)
        attention = array.concat(list(attentions), 1)
        state = AttentionWrapperState(
            time=state.time + 1,
            cell_state=cell_state,
            attention=attention,
            attention_state=self._item_or_tuple(states),
            alignments=self._item_or_tuple(alignments),
            alignment_history=self._item_or_tuple(histories),
        )
        return attention if self._output_attention else output, state


def _check_mechanisms(mechanisms, is_list):
    for mechanism in mechanisms:
        if not isinstance(mechanism, AttentionMechanism):
            wanted = "contain only instances of AttentionMechanism"
            if not is_list:
                wanted = "be an AttentionMechanism or list of multiple AttentionMechanism instances"
            raise TypeError(f"attention_mechanism must {wanted}, saw type: {type(mechanism).__name__}")


def _batch_size(x):
    return dimension_value(x.shape[0]) or shaping.shape(x)[0]


def tile_batch(t, multiplier, name=None):
    """Repeats each sequence of a batch.

    Args:
      t: `Tensor`s [batch, ...] in any structure.
      multiplier: how often.
      name: the name scope.

    Returns:
      `Tensor`s [batch * multiplier, ...]: the repeats of a sequence stand beside each other.

    Raises:
      ValueError: for tensors of unknown rank, or scalars.
    """
    with name_scope(name, "tile_batch", [*nest.flatten(t), multiplier]):
        return nest.map_structure(lambda x: _tiled(x, multiplier), t)


def _tiled(t, multiplier):
    t = convert_to_tensor(t, name="t")
    sizes = shaping.shape(t)
    if not t.shape.ndims:
        raise ValueError("t must have statically known rank")
    multiples = [1] * (t.shape.ndims + 1)
    multiples[1] = multiplier
    known = dimension_value(t.shape[0])
    static = None if known is None else known * multiplier
    tiled = array.tile(array.expand_dims(t, 1), multiples)
    tiled = array.reshape(tiled, array.concat(([sizes[0] * multiplier], sizes[1:]), 0))
    tiled.set_shape(TensorShape([static]).concatenate(t.shape[1:]))
    return tiled
