"""tf.contrib.crf: linear-chain conditional random fields, their likelihood and their best sequences.

Scores are [batch, time, tags]: of each tag at each step. Transitions are [tags, tags]: the score of going from one to the
next. A sequence's score is the sum of both along it.
"""

import numpy as np

from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import smart_cond
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.ops import array, filling, indexing, math, reductions, shaping
from ferroflow._src.rnn.cells import RNNCell
from ferroflow._src.rnn.dynamic import dynamic_rnn


def _by_length(scores, of_one_step, of_more):
    """Calls the first function when sequences have one step, the second otherwise: now if that is known."""
    steps = dimension_value(scores.shape[1]) or shaping.shape(scores)[1]
    return smart_cond(pred=math.equal(steps, 1), true_fn=of_one_step, false_fn=of_more)


def _one_less(lengths):
    return math.maximum(constant(0, dtype=lengths.dtype), lengths - 1)


def _zero_where_empty(scores, lengths):
    return indexing.where(math.less_equal(lengths, 0), filling.zeros_like(scores), scores)


def crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params):
    """Scores sequences of tags.

    Args:
      inputs: scores [batch, time, tags].
      tag_indices: integers [batch, time], the tags.
      sequence_lengths: integers [batch].
      transition_params: transitions [tags, tags].

    Returns:
      Scores [batch].
    """

    def of_one_step():
        batch_size = shaping.shape(inputs, out_type=tag_indices.dtype)[0]
        rows = array.reshape(math.range(batch_size, dtype=tag_indices.dtype), [-1, 1])
        scores = array.squeeze(inputs, [1])
        where = array.concat([rows, tag_indices], axis=1)
        return _zero_where_empty(indexing.gather_nd(scores, where), sequence_lengths)

    def of_more():
        unary = crf_unary_score(tag_indices, sequence_lengths, inputs)
        return unary + crf_binary_score(tag_indices, sequence_lengths, transition_params)

    return _by_length(inputs, of_one_step, of_more)


def crf_multitag_sequence_score(inputs, tag_bitmap, sequence_lengths, transition_params):
    """Scores all sequences together whose tags `tag_bitmap` allows.

    Args:
      inputs: scores [batch, time, tags].
      tag_bitmap: bools [batch, time, tags]: which tags are allowed at each step.
      sequence_lengths: integers [batch].
      transition_params: transitions [tags, tags].

    Returns:
      Scores [batch].
    """

    def allowed():
        return indexing.where(tag_bitmap, inputs, filling.fill(shaping.shape(inputs), float("-inf")))

    def of_one_step():
        return reductions.reduce_logsumexp(allowed(), axis=[1, 2], keepdims=False)

    def of_more():
        return crf_log_norm(
            inputs=allowed(), sequence_lengths=sequence_lengths, transition_params=transition_params
        )

    return _by_length(inputs, of_one_step, of_more)


def crf_log_norm(inputs, sequence_lengths, transition_params):
    """Returns the logarithm of the sum of what all sequences of tags score, [batch]; arguments as above."""
    first = array.squeeze(array.slice(inputs, [0, 0, 0], [-1, 1, -1]), [1])

    def of_one_step():
        return _zero_where_empty(reductions.reduce_logsumexp(first, [1]), sequence_lengths)

    def of_more():
        rest = array.slice(inputs, [0, 1, 0], [-1, -1, -1])
        _, alphas = dynamic_rnn(
            cell=CrfForwardRnnCell(transition_params),
            inputs=rest,
            sequence_length=_one_less(sequence_lengths),
            initial_state=first,
            dtype=dtypes.float32,
        )
        return _zero_where_empty(reductions.reduce_logsumexp(alphas, [1]), sequence_lengths)

    return _by_length(inputs, of_one_step, of_more)


def crf_log_likelihood(inputs, tag_indices, sequence_lengths, transition_params=None):
    """Returns the log-likelihood of tags.

    Args:
      inputs: scores [batch, time, tags].
      tag_indices: integers [batch, time], the tags.
      sequence_lengths: integers [batch].
      transition_params: transitions [tags, tags]; None for a variable `transitions` of the scope.

    Returns:
      (log-likelihoods [batch], transitions).
    """
    num_tags = dimension_value(inputs.shape[2])
    if transition_params is None:
        transition_params = scopes.get_variable("transitions", [num_tags, num_tags])
    scores = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return scores - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def _mask(sequence_lengths, tag_indices):
    return indexing.sequence_mask(sequence_lengths, maxlen=shaping.shape(tag_indices)[1], dtype=dtypes.float32)


def crf_unary_score(tag_indices, sequence_lengths, inputs):
    """Returns the sums of the tags' own scores, [batch]; arguments as above."""
    batch_size, steps, num_tags = shaping.shape(inputs)[0], shaping.shape(inputs)[1], shaping.shape(inputs)[2]
    flat = array.reshape(inputs, [-1])
    offsets = array.expand_dims(math.range(batch_size) * steps * num_tags, 1)
    offsets += array.expand_dims(math.range(steps) * num_tags, 0)
    if tag_indices.dtype == dtypes.int64:
        offsets = math.cast(offsets, dtypes.int64)
    where = array.reshape(offsets + tag_indices, [-1])
    scores = array.reshape(indexing.gather(flat, where), [batch_size, steps])
    return reductions.reduce_sum(scores * _mask(sequence_lengths, tag_indices), 1)


def crf_binary_score(tag_indices, sequence_lengths, transition_params):
    """Returns the sums of the transitions' scores, [batch]; arguments as above."""
    num_tags = transition_params.get_shape()[0]
    count = shaping.shape(tag_indices)[1] - 1
    starts = array.slice(tag_indices, [0, 0], [-1, count])
    ends = array.slice(tag_indices, [0, 1], [-1, count])
    where = starts * num_tags + ends
    scores = indexing.gather(array.reshape(transition_params, [-1]), where)
    mask = array.slice(_mask(sequence_lengths, tag_indices), [0, 1], [-1, -1])
    return reductions.reduce_sum(scores * mask, 1)


class _TagsCell(RNNCell):
    """A cell without variables whose state is a number for each tag."""

    def __init__(self, transition_params):
        """Keeps the transitions [tags, tags]."""
        self._transition_params = array.expand_dims(transition_params, 0)
        self._num_tags = dimension_value(transition_params.shape[0])

    @property
    def state_size(self):
        return self._num_tags

    @property
    def output_size(self):
        return self._num_tags


class CrfForwardRnnCell(_TagsCell):
    """One step of the forward algorithm: output and state are the alphas."""

    def __call__(self, inputs, state, scope=None):
        """Takes scores [batch, tags] and alphas, returns the next ones twice."""
        scores = array.expand_dims(state, 2) + self._transition_params
        alphas = inputs + reductions.reduce_logsumexp(scores, [1])
        return alphas, alphas


class CrfDecodeForwardRnnCell(_TagsCell):
    """One step of Viterbi's algorithm forwards: the output is from which tag each was best reached."""

    def __call__(self, inputs, state, scope=None):
        """Takes scores [batch, tags] and the best so far, returns (the tags before, int32, the best now)."""
        scores = array.expand_dims(state, 2) + self._transition_params
        best = inputs + reductions.reduce_max(scores, [1])
        before = math.cast(reductions.argmax(scores, 1), dtype=dtypes.int32)
        return before, best


class CrfDecodeBackwardRnnCell(RNNCell):
    """One step of Viterbi's algorithm backwards: from a tag to the one before."""

    def __init__(self, num_tags):
        """Keeps the number of tags."""
        self._num_tags = num_tags

    @property
    def state_size(self):
        return 1

    @property
    def output_size(self):
        return 1

    def __call__(self, inputs, state, scope=None):
        """Takes the tags before [batch, tags] and tags [batch, 1], returns those before twice."""
        state = array.squeeze(state, axis=[1])
        rows = math.range(shaping.shape(inputs)[0])
        where = array.stack([rows, state], axis=1)
        tags = array.expand_dims(apply_op("GatherNd", inputs, where), axis=-1)
        return tags, tags


def crf_decode(potentials, transition_params, sequence_length):
    """Finds the best sequences.

    Args:
      potentials: scores [batch, time, tags].
      transition_params: transitions [tags, tags].
      sequence_length: integers [batch].

    Returns:
      (tags [batch, time], int32, their scores [batch]).
    """

    def of_one_step():
        scores = array.squeeze(potentials, [1])
        tags = array.expand_dims(reductions.argmax(scores, axis=1), 1)
        best = reductions.reduce_max(scores, axis=1)
        return math.cast(tags, dtype=dtypes.int32), best

    def of_more():
        num_tags = dimension_value(potentials.shape[2])
        forward = CrfDecodeForwardRnnCell(transition_params)
        first = array.squeeze(array.slice(potentials, [0, 0, 0], [-1, 1, -1]), axis=[1])
        rest = array.slice(potentials, [0, 1, 0], [-1, -1, -1])
        lengths = _one_less(sequence_length)

        def run(cell, inputs, state):
            return dynamic_rnn(
                cell,
                inputs=inputs,
                sequence_length=lengths,
                initial_state=state,
                time_major=False,
                dtype=dtypes.int32,
            )

        before, last = run(forward, rest, first)
        before = apply_op("ReverseSequence", before, lengths, seq_dim=1)
        backward = CrfDecodeBackwardRnnCell(num_tags)
        end = array.expand_dims(math.cast(reductions.argmax(last, axis=1), dtype=dtypes.int32), axis=-1)
        tags, _ = run(backward, before, end)
        tags = array.concat([end, array.squeeze(tags, axis=[2])], axis=1)
        tags = apply_op("ReverseSequence", tags, sequence_length, seq_dim=1)
        return tags, reductions.reduce_max(last, axis=1)

    return _by_length(potentials, of_one_step, of_more)


def viterbi_decode(score, transition_params):
    """Finds the best sequence of one matrix of scores, with NumPy.

    Args:
      score: an array [time, tags].
      transition_params: an array [tags, tags].

    Returns:
      (a list of tags, their score).
    """
    best = np.zeros_like(score)
    before = np.zeros_like(score, dtype=np.int32)
    best[0] = score[0]
    for step in range(1, score.shape[0]):
        reached = np.expand_dims(best[step - 1], 1) + transition_params
        best[step] = score[step] + np.max(reached, 0)
        before[step] = np.argmax(reached, 0)
    tags = [np.argmax(best[-1])]
    for row in reversed(before[1:]):
        tags.append(row[tags[-1]])
    tags.reverse()
    return tags, np.max(best[-1])
