"""Attention: which steps of a memory a query looks at, after Bahdanau, Luong and, step by step forwards, Raffel."""

import math as numbers

import numpy as np

from ferroflow._src.framework import dtypes, nest, variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Constant, Ones, Zeros
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import matmul
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.layers.base import Layer
from ferroflow._src.layers.core import Dense
from ferroflow._src.ops import (
    activations,
    array,
    checks,
    clip,
    filling,
    functional,
    indexing,
    math,
    random,
    reductions,
    shaping,
)
from ferroflow._src.rnn.sizes import zero_states


class AttentionMechanism:
    """`alignments, next_state = mechanism(query, state)`: how much each step of the memory counts."""

    @property
    def alignments_size(self):
        """How many steps the memory has."""
        raise NotImplementedError

    @property
    def state_size(self):
        """The size of the state."""
        raise NotImplementedError


def _prepared(memory, lengths, check_inner_dims_defined):
    """Returns the memory as tensors, zero behind the lengths."""
    memory = nest.map_structure(lambda m: convert_to_tensor(m, name="memory"), memory)
    if lengths is not None:
        lengths = convert_to_tensor(lengths, name="memory_sequence_length")
    if check_inner_dims_defined:
        for m in nest.flatten(memory):
            if not m.get_shape()[2:].is_fully_defined():
                raise ValueError(
                    f"Expected memory {m.name} to have fully defined inner dims, but saw shape: {m.get_shape()}"
                )
    if lengths is None:
        return memory
    first = nest.flatten(memory)[0]
    mask = indexing.sequence_mask(lengths, maxlen=shaping.shape(first)[1], dtype=first.dtype)

    def masked(m):
        rank = m.shape.ndims if m.shape.ndims is not None else shaping.rank(m)
        ones = filling.ones(rank - 2, dtype=dtypes.int32)
        return m * array.reshape(mask, array.concat((shaping.shape(mask), ones), 0))

    return nest.map_structure(masked, memory)


def _masked_score(score, lengths, mask_value):
    if lengths is None:
        return score
    message = "All values in memory_sequence_length must be greater than zero."
    with control_dependencies([checks.assert_positive(lengths, message=message)]):
        mask = indexing.sequence_mask(lengths, maxlen=shaping.shape(score)[1])
    return indexing.where(mask, score, mask_value * filling.ones_like(score))


class _MemoryAttention(AttentionMechanism):
    """What the mechanisms have in common: the memory, its keys, and the layers for both sides."""

    def __init__(
        self,
        query_layer,
        memory,
        probability_fn,
        memory_sequence_length=None,
        memory_layer=None,
        check_inner_dims_defined=True,
        score_mask_value=None,
        custom_key_value_fn=None,
        name=None,
    ):
        for label, layer in (("query_layer", query_layer), ("memory_layer", memory_layer)):
            if layer is not None and not isinstance(layer, Layer):
                raise TypeError(f"{label} is not a Layer: {type(layer).__name__}")
        self._query_layer, self._memory_layer = query_layer, memory_layer
        self.dtype = memory_layer.dtype
        if not callable(probability_fn):
            raise TypeError(f"probability_fn must be callable, saw type: {type(probability_fn).__name__}")
        if score_mask_value is None:
            score_mask_value = dtypes.as_dtype(memory_layer.dtype).as_numpy_dtype(-np.inf)
        self._probability_fn = lambda score, previous: probability_fn(
            _masked_score(score, memory_sequence_length, score_mask_value), previous
        )
        with name_scope(name, "BaseAttentionMechanismInit", nest.flatten(memory)):
            self._values = _prepared(memory, memory_sequence_length, check_inner_dims_defined)
            self._keys = memory_layer(self._values) if memory_layer else self._values
            if custom_key_value_fn is not None:
                self._keys, self._values = custom_key_value_fn(self._keys, self._values)
            shape = self._keys.shape
            self._batch_size = dimension_value(shape[0]) or shaping.shape(self._keys)[0]
            self._alignments_size = dimension_value(shape[1]) or shaping.shape(self._keys)[1]

    @property
    def memory_layer(self):
        """The layer that makes keys of the memory."""
        return self._memory_layer

    @property
    def query_layer(self):
        """The layer for queries, or None."""
        return self._query_layer

    @property
    def values(self):
        """The memory, zero behind the ends of its sequences."""
        return self._values

    @property
    def keys(self):
        """What queries are compared with."""
        return self._keys

    @property
    def batch_size(self):
        """The number of sequences in the memory."""
        return self._batch_size

    @property
    def alignments_size(self):
        return self._alignments_size

    @property
    def state_size(self):
        return self._alignments_size

    def initial_alignments(self, batch_size, dtype):
        """Returns the alignments before the first step: zeros."""
        return zero_states(self._alignments_size, batch_size, dtype)

    def initial_state(self, batch_size, dtype):
        """Returns the first state: the first alignments."""
        return self.initial_alignments(batch_size, dtype)


class _Luong(_MemoryAttention):
    """Scores by a product of query and keys."""

    _scope = None

    def __init__(self, num_units, memory, lengths, scale, probability_fn, dtype, name, **options):
        layer = Dense(num_units, name="memory_layer", use_bias=False, dtype=dtype or dtypes.float32)
        super().__init__(
            query_layer=None,
            memory_layer=layer,
            memory=memory,
            probability_fn=probability_fn,
            memory_sequence_length=lengths,
            name=name,
            **options,
        )
        self._num_units, self._scale, self._name = num_units, scale, name

    def _score(self, query):
        gain = None
        if self._scale:
            gain = scopes.get_variable("attention_g", dtype=query.dtype, initializer=Ones, shape=())
        depth, key_units = query.get_shape()[-1], self._keys.get_shape()[-1]
        if depth != key_units:
            raise ValueError(
                f"Incompatible or unknown inner dimensions between query and keys.  Query ({query}) has units: {depth}."
                f"  Keys ({self._keys}) have units: {key_units}.  Perhaps you need to set num_units to the keys' "
                f"dimension ({key_units})?"
            )
        score = matmul(array.expand_dims(query, 1), self._keys, transpose_b=True)
        score = array.squeeze(score, [1])
        return score if gain is None else gain * score

    def __call__(self, query, state):
        with scopes.variable_scope(None, self._scope, [query]):
            score = self._score(query)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class LuongAttention(_Luong):
    """Multiplicative attention (Luong et al., EMNLP 2015)."""

    _scope = "luong_attention"

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        scale=False,
        probability_fn=None,
        score_mask_value=None,
        dtype=None,
        custom_key_value_fn=None,
        name="LuongAttention",
    ):
        """Creates the mechanism.

        Args:
          num_units: the size of the keys, which is that of queries.
          memory: a `Tensor` [batch, time, size], as a rule an encoder's outputs.
          memory_sequence_length: integers [batch]; None for all steps.
          scale: whether scores have a gain that is trained.
          probability_fn: makes alignments of scores; None for softmax.
          score_mask_value: the score behind the end of a sequence; None for minus infinity.
          dtype: the type of the layer; None for float32.
          custom_key_value_fn: changes (keys, values); None for nothing.
          name: the name scope.
        """
        probability_fn = probability_fn or activations.softmax
        super().__init__(
            num_units,
            memory,
            memory_sequence_length,
            scale,
            lambda score, _: probability_fn(score),
            dtype,
            name,
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
        )


class _Bahdanau(_MemoryAttention):
    """Scores by a small network of query and keys."""

    _scope = None

    def __init__(self, num_units, memory, lengths, normalize, probability_fn, dtype, name, **options):
        dtype = dtype or dtypes.float32
        super().__init__(
            query_layer=Dense(num_units, name="query_layer", use_bias=False, dtype=dtype),
            memory_layer=Dense(num_units, name="memory_layer", use_bias=False, dtype=dtype),
            memory=memory,
            probability_fn=probability_fn,
            memory_sequence_length=lengths,
            name=name,
            **options,
        )
        self._num_units, self._normalize, self._name = num_units, normalize, name

    def _score(self, query):
        dtype, units = query.dtype, self._num_units
        made = self.query_layer(query) if self.query_layer else query
        v = scopes.get_variable("attention_v", [units], dtype=dtype)
        if not self._normalize:
            return reductions.reduce_sum(v * math.tanh(self._keys + array.expand_dims(made, 1)), [2])
        gain = Constant(numbers.sqrt(1.0 / units))
        g = scopes.get_variable("attention_g", dtype=dtype, initializer=gain, shape=())
        b = scopes.get_variable("attention_b", [units], dtype=dtype, initializer=Zeros())
        made = array.expand_dims(made, 1)
        v = g * v * math.rsqrt(reductions.reduce_sum(math.square(v)))
        return reductions.reduce_sum(v * math.tanh(self._keys + made + b), [2])

    def __call__(self, query, state):
        with scopes.variable_scope(None, self._scope, [query]):
            score = self._score(query)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class BahdanauAttention(_Bahdanau):
    """Additive attention (Bahdanau et al., ICLR 2015), its weights normalized on request."""

    _scope = "bahdanau_attention"

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        normalize=False,
        probability_fn=None,
        score_mask_value=None,
        dtype=None,
        custom_key_value_fn=None,
        name="BahdanauAttention",
    ):
        """Creates the mechanism.

        Args:
          num_units: the size of the hidden layer.
          memory: a `Tensor` [batch, time, size], as a rule an encoder's outputs.
          memory_sequence_length: integers [batch]; None for all steps.
          normalize: whether the weights are normalized (Salimans and Kingma, 2016).
          probability_fn: makes alignments of scores; None for softmax.
          score_mask_value: the score behind the end of a sequence; None for minus infinity.
          dtype: the type of the layers; None for float32.
          custom_key_value_fn: changes (keys, values); None for nothing.
          name: the name scope.
        """
        probability_fn = probability_fn or activations.softmax
        super().__init__(
            num_units,
            memory,
            memory_sequence_length,
            normalize,
            lambda score, _: probability_fn(score),
            dtype,
            name,
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
        )


def safe_cumprod(x, *args, **kwargs):
    """Returns `tf.cumprod(x)` by way of logarithms, whose gradient has no division by zero.

    Args:
      x: a `Tensor` of numbers from 0 to 1.
      *args: of `tf.cumsum`.
      **kwargs: of `tf.cumsum`.
    """
    with name_scope(None, "SafeCumprod", [x]):
        x = convert_to_tensor(x, name="x")
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return math.exp(reductions.cumsum(math.log(clip.clip_by_value(x, tiny, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i, previous_attention, mode):
    """Moves attention forwards (Raffel et al., ICML 2017).

    Args:
      p_choose_i: the probability of stopping at each step [batch, time].
      previous_attention: where attention was [batch, time].
      mode: 'recursive' (exact), 'parallel' (fast, less exact) or 'hard' (for probabilities of 0 and 1).

    Returns:
      Where attention is, [batch, time].

    Raises:
      ValueError: for another mode.
    """
    p = convert_to_tensor(p_choose_i, name="p_choose_i")
    previous = convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        batch_size = dimension_value(p.shape[0]) or shaping.shape(p)[0]
        passed = array.concat([filling.ones((batch_size, 1)), 1 - p[:, :-1]], 1)
        steps = functional.scan(
            lambda x, yz: array.reshape(yz[0] * x + yz[1], (batch_size,)),
            [array.transpose(passed), array.transpose(previous)],
            filling.zeros((batch_size,)),
        )
        return p * array.transpose(steps)
    if mode == "parallel":
        passed = safe_cumprod(1 - p, axis=1, exclusive=True)
        return p * passed * reductions.cumsum(previous / clip.clip_by_value(passed, 1e-10, 1.0), axis=1)
    if mode == "hard":
        p *= reductions.cumsum(previous, axis=1)
        return p * reductions.cumprod(1 - p, axis=1, exclusive=True)
    raise ValueError("mode must be 'recursive', 'parallel', or 'hard'.")


def _monotonic(sigmoid_noise, mode, seed):
    """Returns the function of scores and the alignments before that the monotonic mechanisms use."""

    def probability_fn(score, previous):
        if sigmoid_noise > 0:
            noise = random.random_normal(shaping.shape(score), dtype=score.dtype, seed=seed)
            score += sigmoid_noise * noise
        p = math.cast(score > 0, score.dtype) if mode == "hard" else math.sigmoid(score)
        return monotonic_attention(p, previous, mode)

    return probability_fn


class _Forwards:
    """A mechanism whose attention begins at the first step."""

    def initial_alignments(self, batch_size, dtype):
        """Returns the alignments before the first step: one at the first."""
        zeros = filling.zeros((batch_size,), dtype=dtypes.int32)
        return filling.one_hot(zeros, self._alignments_size, dtype=dtype)

    def _score(self, query):
        score = super()._score(query)
        return score + scopes.get_variable("attention_score_bias", dtype=query.dtype, initializer=self._score_bias_init)


class BahdanauMonotonicAttention(_Forwards, _Bahdanau):
    """`BahdanauAttention` that moves forwards only."""

    _scope = "bahdanau_monotonic_attention"

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        normalize=False,
        score_mask_value=None,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name="BahdanauMonotonicAttention",
    ):
        """Creates the mechanism; see `BahdanauAttention`.

        Args:
          num_units: the size of the hidden layer.
          memory: a `Tensor` [batch, time, size].
          memory_sequence_length: integers [batch]; None for all steps.
          normalize: whether the weights are normalized.
          score_mask_value: the score behind the end of a sequence; None for minus infinity.
          sigmoid_noise: how much noise is added to scores.
          sigmoid_noise_seed: for the noise.
          score_bias_init: the first bias of scores.
          mode: as for `monotonic_attention`.
          dtype: the type of the layers; None for float32.
          name: the name scope.
        """
        self._score_bias_init = score_bias_init
        probability_fn = _monotonic(sigmoid_noise, mode, sigmoid_noise_seed)
        super().__init__(
            num_units,
            memory,
            memory_sequence_length,
            normalize,
            probability_fn,
            dtype,
            name,
            score_mask_value=score_mask_value,
        )


class LuongMonotonicAttention(_Forwards, _Luong):
    """`LuongAttention` that moves forwards only."""

    _scope = "luong_monotonic_attention"

    def __init__(
        self,
        num_units,
        memory,
        memory_sequence_length=None,
        scale=False,
        score_mask_value=None,
        sigmoid_noise=0.0,
        sigmoid_noise_seed=None,
        score_bias_init=0.0,
        mode="parallel",
        dtype=None,
        name="LuongMonotonicAttention",
    ):
        """Creates the mechanism; see `LuongAttention` and `BahdanauMonotonicAttention`."""
        self._score_bias_init = score_bias_init
        probability_fn = _monotonic(sigmoid_noise, mode, sigmoid_noise_seed)
        super().__init__(
            num_units,
            memory,
            memory_sequence_length,
            scale,
            probability_fn,
            dtype,
            name,
            score_mask_value=score_mask_value,
        )


def hardmax(logits, name=None):
    """Returns one where the last dimension is greatest, and zeros."""
    with name_scope(name, "Hardmax", [logits]):
        logits = convert_to_tensor(logits, name="logits")
        depth = dimension_value(logits.shape[-1])
        if depth is None:
            depth = shaping.shape(logits)[-1]
        return filling.one_hot(reductions.argmax(logits, -1), depth, dtype=logits.dtype)
