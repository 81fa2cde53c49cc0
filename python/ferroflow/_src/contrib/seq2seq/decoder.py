"""Decoders: what makes a sequence step by step, and the loop that runs them."""

import abc
import collections

from ferroflow._src.contrib.seq2seq.helpers import Helper
from ferroflow._src.framework import dtypes, nest, tensor_util, variable_scope as scopes
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.framework.while_loops import while_loop
from ferroflow._src.layers.base import Layer
from ferroflow._src.ops import filling, indexing, math, reductions, shaping
from ferroflow._src.ops.tensor_array import TensorArray
from ferroflow._src.rnn.cells import check_is_cell
from ferroflow._src.rnn.dynamic import swap_batch_and_time
from ferroflow._src.rnn.sizes import zero_states
from ferroflow._src.rnn.steps import cache_variables


class Decoder(abc.ABC):
    """What `dynamic_decode` runs: `initialize` gives the first inputs, `step` an output and the next ones."""

    @property
    def batch_size(self):
        """The number of sequences, an int32 scalar."""
        raise NotImplementedError

    @property
    def output_size(self):
        """The sizes of an output, without the batch, in its structure."""
        raise NotImplementedError

    @property
    def output_dtype(self):
        """The types of an output, in its structure."""
        raise NotImplementedError

    @abc.abstractmethod
    def initialize(self, name=None):
        """Returns (finished [batch], first inputs, first state)."""
        raise NotImplementedError

    @abc.abstractmethod
    def step(self, time, inputs, state, name=None):
        """Returns (outputs, next state, next inputs, finished [batch])."""
        raise NotImplementedError

    def finalize(self, outputs, final_state, sequence_lengths):
        """Returns (outputs, state) as the caller of `dynamic_decode` gets them; time is their first dimension."""
        raise NotImplementedError

    @property
    def tracks_own_finished(self):
        """Whether `finished` of a step is the whole truth; else what was finished stays so."""
        return False


class BasicDecoderOutput(collections.namedtuple("BasicDecoderOutput", ("rnn_output", "sample_id"))):
    """What a `BasicDecoder` makes: the cell's outputs and what was sampled of them."""


class BasicDecoder(Decoder):
    """A cell whose next inputs come from a helper."""

    def __init__(self, cell, helper, initial_state, output_layer=None):
        """Creates the decoder.

        Args:
          cell: an `RNNCell`.
          helper: a `Helper`.
          initial_state: the cell's first state.
          output_layer: a `tf.layers` layer for the cell's outputs, as a rule `tf.layers.Dense`; None for none.

        Raises:
          TypeError: when one is of another kind.
        """
        check_is_cell("cell", cell)
        if not isinstance(helper, Helper):
            raise TypeError(f"helper must be a Helper, received: {type(helper)}")
        if output_layer is not None and not isinstance(output_layer, Layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._helper = cell, helper
        self._initial_state, self._output_layer = initial_state, output_layer

    @property
    def batch_size(self):
        return self._helper.batch_size

    def _rnn_output_size(self):
        size = self._cell.output_size
        if self._output_layer is None:
            return size
        with_batch = nest.map_structure(lambda s: TensorShape([None]).concatenate(s), size)
        return nest.map_structure(lambda s: s[1:], self._output_layer.compute_output_shape(with_batch))

    @property
    def output_size(self):
        return BasicDecoderOutput(rnn_output=self._rnn_output_size(), sample_id=self._helper.sample_ids_shape)

    @property
    def output_dtype(self):
        dtype = nest.flatten(self._initial_state)[0].dtype
        of_cell = nest.map_structure(lambda _: dtype, self._rnn_output_size())
        return BasicDecoderOutput(of_cell, self._helper.sample_ids_dtype)

    def initialize(self, name=None):
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time, inputs, state, name=None):
        with name_scope(name, "BasicDecoderStep", (time, inputs, state)):
            outputs, state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            sample_ids = self._helper.sample(time=time, outputs=outputs, state=state)
            finished, inputs, state = self._helper.next_inputs(
                time=time, outputs=outputs, state=state, sample_ids=sample_ids
            )
        return BasicDecoderOutput(outputs, sample_ids), state, inputs, finished


def dynamic_decode(
    decoder,
    output_time_major=False,
    impute_finished=False,
    maximum_iterations=None,
    parallel_iterations=32,
    swap_memory=False,
    scope=None,
    **kwargs,
):
    """Runs a decoder until all sequences are finished.

    Args:
      decoder: a `Decoder`.
      output_time_major: whether time is the first dimension of the outputs; else the batch.
      impute_finished: whether outputs of finished sequences are zeros and their states stay.
      maximum_iterations: how many steps at most; None for no limit.
      parallel_iterations: has no effect.
      swap_memory: has no effect.
      scope: the variable scope; None for one called `decoder`.
      **kwargs: has no effect.

    Returns:
      (outputs, last state, lengths of the sequences, int32 [batch]).

    Raises:
      TypeError: when `decoder` is none.
      ValueError: when `maximum_iterations` is no scalar.
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with scopes.variable_scope(scope, "decoder") as scope:
        cache_variables(scope)
        if maximum_iterations is not None:
            maximum_iterations = convert_to_tensor(maximum_iterations, dtype=dtypes.int32, name="maximum_iterations")
            if maximum_iterations.shape.ndims != 0:
                raise ValueError("maximum_iterations must be a scalar")
        finished, inputs, state = decoder.initialize()
        zeros = nest.map_structure(
            lambda size, dtype: zero_states(size, decoder.batch_size, dtype), decoder.output_size, decoder.output_dtype
        )
        if maximum_iterations is not None:
            finished = math.logical_or(finished, 0 >= maximum_iterations)
        lengths = filling.zeros_like(finished, dtype=dtypes.int32)
        time = constant(0, dtype=dtypes.int32)
        arrays = nest.map_structure(
            lambda size, dtype: _output_array(decoder, size, dtype), decoder.output_size, decoder.output_dtype
        )
        _, arrays, state, _, _, lengths = while_loop(
            lambda time, arrays, state, inputs, finished, lengths: math.logical_not(reductions.reduce_all(finished)),
            _step_of(decoder, impute_finished, zeros),
            loop_vars=(time, arrays, state, inputs, finished, lengths),
            parallel_iterations=parallel_iterations,
            maximum_iterations=maximum_iterations,
            swap_memory=swap_memory,
        )
        outputs = nest.map_structure(lambda outputs: outputs.stack(), arrays)
        try:
            outputs, state = decoder.finalize(outputs, state, lengths)
        except NotImplementedError:
            pass  # not every decoder has something left to do
        if not output_time_major:
            outputs = nest.map_structure(swap_batch_and_time, outputs)
    return outputs, state, lengths


def _output_array(decoder, size, dtype):
    shape = None
    if isinstance(size, TensorShape) and size.ndims != 0:
        batch_size = tensor_util.constant_value(convert_to_tensor(decoder.batch_size, name="batch_size"))
        shape = TensorShape([batch_size]).concatenate(size)
    return TensorArray(dtype=dtype, size=0, dynamic_size=True, element_shape=shape)


def _step_of(decoder, impute_finished, zeros):
    """Returns the body of the loop."""

    def body(time, arrays, state, inputs, finished, lengths):
        outputs, next_state, next_inputs, next_finished = decoder.step(time, inputs, state)
        if not decoder.tracks_own_finished:
            next_finished = math.logical_or(next_finished, finished)
        lengths = indexing.where(math.logical_not(finished), filling.fill(shaping.shape(lengths), time + 1), lengths)
        nest.assert_same_structure(state, next_state)
        nest.assert_same_structure(arrays, outputs)
        nest.assert_same_structure(inputs, next_inputs)

        def kept(new, old):
            if isinstance(old, TensorArray):
                return new
            new.set_shape(old.shape)
            return new if new.shape.ndims == 0 else indexing.where(finished, old, new)

        if impute_finished:
            outputs = nest.map_structure(lambda out, zero: indexing.where(finished, zero, out), outputs, zeros)
            next_state = nest.map_structure(kept, next_state, state)
        arrays = nest.map_structure(lambda written, out: written.write(time, out), arrays, outputs)
        return time + 1, arrays, next_state, next_inputs, next_finished, lengths

    return body
