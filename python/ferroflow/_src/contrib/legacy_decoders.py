"""Decoders of tf.contrib.legacy_seq2seq: cells unrolled over lists of steps."""

import copy

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.variable_scope import get_variable_scope, variable_scope
from ferroflow._src.rnn.static import static_rnn


def rnn_decoder(decoder_inputs, initial_state, cell, loop_function=None, scope=None):
    """Runs a cell over the steps of a sequence, which may be made from the outputs before.

    Args:
      decoder_inputs: a list of tensors [batch, size].
      initial_state: the cell's state at first.
      cell: an `RNNCell`.
      loop_function: a function of (the last output, the step's number) that makes the next input; None to take
        `decoder_inputs`.
      scope: the variable scope.

    Returns:
      The list of outputs, and the last state.
    """
    with variable_scope(scope or "rnn_decoder"):
        state, outputs, last = initial_state, [], None
        for i, step in enumerate(decoder_inputs):
            if loop_function is not None and last is not None:
                with variable_scope("loop_function", reuse=True):
                    step = loop_function(last, i)
            if i > 0:
                get_variable_scope().reuse_variables()
            output, state = cell(step, state)
            outputs.append(output)
            if loop_function is not None:
                last = output
    return outputs, state


def basic_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, dtype=dtypes.float32, scope=None):
    """Encodes a sequence into a state and decodes another from it; the two cells share no variables.

    Args:
      encoder_inputs: a list of tensors [batch, size].
      decoder_inputs: a list of tensors [batch, size].
      cell: an `RNNCell`.
      dtype: the `DType` of the state.
      scope: the variable scope.

    Returns:
      The list of outputs, and the last state.
    """
    with variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)
