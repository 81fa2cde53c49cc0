"""Helpers: where a decoder's next inputs come from: from the data, or from what it made itself."""

import abc

from ferroflow._src.contrib.seq2seq.sampling import bernoulli_sample, categorical_sample
from ferroflow._src.framework import control_flow, dtypes, nest
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.ops import array, embedding, filling, indexing, math, reductions, shaping
from ferroflow._src.ops.tensor_array import TensorArray
from ferroflow._src.rnn.dynamic import swap_batch_and_time


def _steps_of(x):
    made = TensorArray(dtype=x.dtype, size=shaping.shape(x)[0], element_shape=x.get_shape()[1:])
    return made.unstack(x)


def _lookup(table):
    if callable(table):
        return table
    return lambda ids: embedding.embedding_lookup(table, ids)


class Helper(abc.ABC):
    """What a `BasicDecoder` asks for samples of its outputs and for its next inputs."""

    @property
    @abc.abstractmethod
    def batch_size(self):
        """The number of sequences, an int32 scalar."""
        raise NotImplementedError("batch_size has not been implemented")

    @property
    @abc.abstractmethod
    def sample_ids_shape(self):
        """The shape of a sample, without the batch."""
        raise NotImplementedError("sample_ids_shape has not been implemented")

    @property
    @abc.abstractmethod
    def sample_ids_dtype(self):
        """The type of samples."""
        raise NotImplementedError("sample_ids_dtype has not been implemented")

    @abc.abstractmethod
    def initialize(self, name=None):
        """Returns (finished [batch], first inputs)."""

    @abc.abstractmethod
    def sample(self, time, outputs, state, name=None):
        """Returns samples of the outputs."""

    @abc.abstractmethod
    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        """Returns (finished [batch], next inputs, next state)."""


class CustomHelper(Helper):
    """A helper made of functions."""

    def __init__(self, initialize_fn, sample_fn, next_inputs_fn, sample_ids_shape=None, sample_ids_dtype=None):
        """Creates the helper.

        Args:
          initialize_fn: returns (finished, first inputs).
          sample_fn: of `time`, `outputs` and `state`; returns samples.
          next_inputs_fn: of `time`, `outputs`, `state` and `sample_ids`; returns (finished, next inputs, next state).
          sample_ids_shape: the shape of a sample; None for a scalar.
          sample_ids_dtype: the type of samples; None for int32.
        """
        self._initialize_fn, self._sample_fn, self._next_inputs_fn = initialize_fn, sample_fn, next_inputs_fn
        self._batch_size = None
        self._sample_ids_shape = TensorShape(sample_ids_shape or [])
        self._sample_ids_dtype = sample_ids_dtype or dtypes.int32

    @property
    def batch_size(self):
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self):
        return self._sample_ids_shape

    @property
    def sample_ids_dtype(self):
        return self._sample_ids_dtype

    def initialize(self, name=None):
        with name_scope(name, f"{type(self).__name__}Initialize"):
            finished, inputs = self._initialize_fn()
            if self._batch_size is None:
                self._batch_size = shaping.size(finished)
        return finished, inputs

    def sample(self, time, outputs, state, name=None):
        with name_scope(name, f"{type(self).__name__}Sample", (time, outputs, state)):
            return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        with name_scope(name, f"{type(self).__name__}NextInputs", (time, outputs, state)):
            return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class _IdsHelper(Helper):
    """A helper whose samples are one int32 a sequence."""

    @property
    def batch_size(self):
        return self._batch_size

    @property
    def sample_ids_shape(self):
        return TensorShape([])

    @property
    def sample_ids_dtype(self):
        return dtypes.int32


class TrainingHelper(_IdsHelper):
    """The next inputs are those of the data."""

    def __init__(self, inputs, sequence_length, time_major=False, name=None):
        """Creates the helper.

        Args:
          inputs: a `Tensor` [batch, time, ...].
          sequence_length: integers [batch].
          time_major: whether time is the inputs' first dimension.
          name: the name scope.

        Raises:
          ValueError: when the lengths are no vector.
        """
        with name_scope(name, "TrainingHelper", [inputs, sequence_length]):
            inputs = convert_to_tensor(inputs, name="inputs")
            self._inputs = inputs
            if not time_major:
                inputs = nest.map_structure(swap_batch_and_time, inputs)
            self._steps = nest.map_structure(_steps_of, inputs)
            self._sequence_length = convert_to_tensor(sequence_length, name="sequence_length")
            if self._sequence_length.shape.ndims != 1:
                raise ValueError(
                    f"Expected sequence_length to be a vector, but received shape: {self._sequence_length.get_shape()}"
                )
            self._zero_inputs = nest.map_structure(lambda x: filling.zeros_like(x[0, :]), inputs)
            self._batch_size = shaping.size(sequence_length)

    @property
    def inputs(self):
        """The data."""
        return self._inputs

    @property
    def sequence_length(self):
        """Its lengths."""
        return self._sequence_length

    def _inputs_at(self, time, finished):
        all_finished = reductions.reduce_all(finished)
        return control_flow.cond(
            all_finished,
            lambda: self._zero_inputs,
            lambda: nest.map_structure(lambda x: x.read(time), self._steps),
        )

    def initialize(self, name=None):
        with name_scope(name, "TrainingHelperInitialize"):
            finished = math.equal(0, self._sequence_length)
            return finished, self._inputs_at(0, finished)

    def sample(self, time, outputs, name=None, **unused_kwargs):
        with name_scope(name, "TrainingHelperSample", [time, outputs]):
            return math.cast(reductions.argmax(outputs, axis=-1), dtypes.int32)

    def next_inputs(self, time, outputs, state, name=None, **unused_kwargs):
        with name_scope(name, "TrainingHelperNextInputs", [time, outputs, state]):
            time = time + 1
            finished = time >= self._sequence_length
            return finished, self._inputs_at(time, finished), state


def _probability(value):
    value = convert_to_tensor(value, name="sampling_probability")
    if value.shape.ndims not in (0, 1):
        raise ValueError(f"sampling_probability must be either a scalar or a vector. saw shape: {value.get_shape()}")
    return value


def _indices(condition):
    return math.cast(indexing.where(condition), dtypes.int32)


def _joined_rows(shape, parts):
    """Adds up rows that were chosen: `parts` are (their indices, they themselves)."""
    first, second = [indexing.scatter_nd(indices=where, updates=rows, shape=shape) for where, rows in parts]
    return first + second


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """The next inputs are those of the data or, at random, embeddings of samples (Bengio et al., NIPS 2015)."""

    def __init__(
        self,
        inputs,
        sequence_length,
        embedding,
        sampling_probability,
        time_major=False,
        seed=None,
        scheduling_seed=None,
        name=None,
    ):
        """Creates the helper.

        Args:
          inputs: a `Tensor` [batch, time, ...].
          sequence_length: integers [batch].
          embedding: a table, or a function of ids.
          sampling_probability: how often to sample, a scalar or a vector [batch].
          time_major: whether time is the inputs' first dimension.
          seed: for the samples.
          scheduling_seed: for whether to sample.
          name: the name scope.

        Raises:
          ValueError: when the probability is neither scalar nor vector.
        """
        with name_scope(name, "ScheduledEmbeddingSamplingWrapper", [embedding, sampling_probability]):
            self._embedding_fn = _lookup(embedding)
            self._sampling_probability = _probability(sampling_probability)
            self._seed, self._scheduling_seed = seed, scheduling_seed
            super().__init__(inputs=inputs, sequence_length=sequence_length, time_major=time_major, name=name)

    def sample(self, time, outputs, state, name=None):
        with name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs, state]):
            is_sampled = bernoulli_sample(
                self._sampling_probability, dtypes.bool, self.batch_size, self._scheduling_seed
            )
            ids = categorical_sample(outputs, self._seed)
            return indexing.where(is_sampled, ids, apply_op("Fill", [self.batch_size], -1))

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        with name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, inputs, state = super().next_inputs(
                time=time, outputs=outputs, state=state, sample_ids=sample_ids, name=name
            )

            def mixed():
                sampled, given = _indices(sample_ids > -1), _indices(sample_ids <= -1)
                ids = indexing.gather_nd(sample_ids, sampled)
                rows = indexing.gather_nd(inputs, given)
                made = self._embedding_fn(ids)
                return _joined_rows(shaping.shape(inputs), ((sampled, made), (given, rows)))

            all_finished = reductions.reduce_all(finished)
            return finished, control_flow.cond(all_finished, lambda: inputs, mixed), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """The next inputs are those of the data or, at random, the outputs themselves."""

    def __init__(
        self,
        inputs,
        sequence_length,
        sampling_probability,
        time_major=False,
        seed=None,
        next_inputs_fn=None,
        auxiliary_inputs=None,
        name=None,
    ):
        """Creates the helper.

        Args:
          inputs: a `Tensor` [batch, time, ...].
          sequence_length: integers [batch].
          sampling_probability: how often to take outputs, a scalar or a vector [batch].
          time_major: whether time is the inputs' first dimension.
          seed: for whether to take them.
          next_inputs_fn: applied to outputs; None for nothing.
          auxiliary_inputs: joined to inputs and outputs alike; None for nothing.
          name: the name scope.

        Raises:
          ValueError: when the probability is neither scalar nor vector.
        """
        with name_scope(name, "ScheduledOutputTrainingHelper", [inputs, auxiliary_inputs, sampling_probability]):
            self._sampling_probability = _probability(sampling_probability)
            joined = inputs
            self._auxiliary = None
            if auxiliary_inputs is not None:
                inputs = convert_to_tensor(inputs, name="inputs")
                auxiliary_inputs = convert_to_tensor(auxiliary_inputs, name="auxiliary_inputs")
                joined = array.concat((inputs, auxiliary_inputs), -1)
                if not time_major:
                    auxiliary_inputs = swap_batch_and_time(auxiliary_inputs)
                self._auxiliary = _steps_of(auxiliary_inputs)
            self._seed, self._next_inputs_fn = seed, next_inputs_fn
            super().__init__(inputs=joined, sequence_length=sequence_length, time_major=time_major, name=name)

    def sample(self, time, outputs, state, name=None):
        with name_scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs, state]):
            return bernoulli_sample(self._sampling_probability, dtypes.int32, self.batch_size, self._seed)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        with name_scope(name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, inputs, state = super().next_inputs(
                time=time, outputs=outputs, state=state, sample_ids=sample_ids, name=name
            )
            is_sampled = math.cast(sample_ids, dtypes.bool)

            def with_auxiliary(values, where=None):
                if self._auxiliary is None:
                    return values
                beside = self._auxiliary.read(time + 1)
                if where is not None:
                    beside = indexing.gather_nd(beside, where)
                return array.concat((values, beside), -1)

            def mixed():
                if self._next_inputs_fn is None:
                    return indexing.where(is_sampled, with_auxiliary(outputs), inputs)
                sampled, given = _indices(is_sampled), _indices(math.logical_not(is_sampled))
                values = indexing.gather_nd(outputs, sampled)
                rows = indexing.gather_nd(inputs, given)
                made = with_auxiliary(self._next_inputs_fn(values), sampled)
                return _joined_rows(shaping.shape(inputs), ((sampled, made), (given, rows)))

            all_finished = reductions.reduce_all(finished)
            none_sampled = math.logical_not(reductions.reduce_any(is_sampled))
            is_plain = math.logical_or(all_finished, none_sampled)
            return finished, control_flow.cond(is_plain, lambda: inputs, mixed), state


class GreedyEmbeddingHelper(_IdsHelper):
    """The next inputs are embeddings of the likeliest ids."""

    def __init__(self, embedding, start_tokens, end_token):
        """Creates the helper.

        Args:
          embedding: a table, or a function of ids.
          start_tokens: int32 [batch], the first ids.
          end_token: an int32 scalar, the id that ends a sequence.

        Raises:
          ValueError: when they are no vector and no scalar.
        """
        self._embedding_fn = _lookup(embedding)
        self._start_tokens = convert_to_tensor(start_tokens, dtype=dtypes.int32, name="start_tokens")
        self._end_token = convert_to_tensor(end_token, dtype=dtypes.int32, name="end_token")
        if self._start_tokens.shape.ndims != 1:
            raise ValueError("start_tokens must be a vector")
        self._batch_size = shaping.size(start_tokens)
        if self._end_token.shape.ndims != 0:
            raise ValueError("end_token must be a scalar")
        self._start_inputs = self._embedding_fn(self._start_tokens)

    def initialize(self, name=None):
        return array.tile([False], [self._batch_size]), self._start_inputs

    def _check_outputs(self, outputs):
        if not isinstance(outputs, TensorBase):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")

    def sample(self, time, outputs, state, name=None):
        self._check_outputs(outputs)
        return reductions.argmax(outputs, axis=-1, output_type=dtypes.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        finished = math.equal(sample_ids, self._end_token)
        all_finished = reductions.reduce_all(finished)
        inputs = control_flow.cond(all_finished, lambda: self._start_inputs, lambda: self._embedding_fn(sample_ids))
        return finished, inputs, state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """The next inputs are embeddings of ids drawn by their probabilities."""

    def __init__(self, embedding, start_tokens, end_token, softmax_temperature=None, seed=None):
        """Creates the helper.

        Args:
          embedding: a table, or a function of ids.
          start_tokens: int32 [batch], the first ids.
          end_token: an int32 scalar, the id that ends a sequence.
          softmax_temperature: what outputs are divided by; None for 1.
          seed: for the samples.
        """
        super().__init__(embedding, start_tokens, end_token)
        self._softmax_temperature, self._seed = softmax_temperature, seed

    def sample(self, time, outputs, state, name=None):
        self._check_outputs(outputs)
        if self._softmax_temperature is not None:
            outputs = outputs / self._softmax_temperature
        return categorical_sample(outputs, self._seed)


class InferenceHelper(Helper):
    """The next inputs are made of samples by functions."""

    def __init__(self, sample_fn, sample_shape, sample_dtype, start_inputs, end_fn, next_inputs_fn=None):
        """Creates the helper.

        Args:
          sample_fn: of outputs; returns samples.
          sample_shape: the shape of a sample.
          sample_dtype: the type of samples.
          start_inputs: the first inputs [batch, ...].
          end_fn: of samples; returns which sequences end, bools [batch].
          next_inputs_fn: of samples; returns the next inputs. None for the samples themselves.
        """
        self._sample_fn, self._end_fn, self._next_inputs_fn = sample_fn, end_fn, next_inputs_fn
        self._sample_shape, self._sample_dtype = TensorShape(sample_shape), sample_dtype
        self._batch_size = shaping.shape(start_inputs)[0]
        self._start_inputs = convert_to_tensor(start_inputs, name="start_inputs")

    @property
    def batch_size(self):
        return self._batch_size

    @property
    def sample_ids_shape(self):
        return self._sample_shape

    @property
    def sample_ids_dtype(self):
        return self._sample_dtype

    def initialize(self, name=None):
        return array.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time, outputs, state, name=None):
        return self._sample_fn(outputs)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        inputs = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), inputs, state
