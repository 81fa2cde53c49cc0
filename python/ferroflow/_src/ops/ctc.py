"""Label sequences without alignment: the loss of connectionist temporal classification, and its greedy decoder."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.ops import array
from ferroflow._src.ops.arguments import renamed


def ctc_loss(
    labels,
    inputs=None,
    sequence_length=None,
    preprocess_collapse_repeated=False,
    ctc_merge_repeated=True,
    ignore_longer_outputs_than_inputs=False,
    time_major=True,
    logits=None,
):
    """Computes how unlikely label sequences are, over all alignments.

    Args:
      labels: an int32 `SparseTensor` [batch, longest]: the classes in order; the last class is the blank.
      inputs: a `Tensor` of float32 or float64 [time, batch, classes]: logits.
      sequence_length: int32 [batch]: how much of `inputs` counts.
      preprocess_collapse_repeated: whether repeated labels become one first.
      ctc_merge_repeated: whether repeated classes of an alignment stand for one label.
      ignore_longer_outputs_than_inputs: whether sequences too short for their labels have the loss 0.
      time_major: whether time is the first dimension of `inputs`, else the second.
      logits: another name of `inputs`.

    Returns:
      A `Tensor` [batch] of the type of `inputs`.

    Raises:
      TypeError: for labels that are no `SparseTensor`.
      InvalidArgumentError: when run, for sequences too short for their labels.
    """
    if not isinstance(labels, SparseTensor):
        raise TypeError("Expected labels (first argument) to be a SparseTensor")
    inputs = renamed("logits", logits, "inputs", inputs)
    if not time_major:
        inputs = array.transpose(inputs, [1, 0, 2])
    made = apply_op(
        "CTCLoss",
        inputs,
        labels.indices,
        labels.values,
        sequence_length,
        preprocess_collapse_repeated=preprocess_collapse_repeated,
        ctc_merge_repeated=ctc_merge_repeated,
        ignore_longer_outputs_than_inputs=ignore_longer_outputs_than_inputs,
    )
    return made.loss


def ctc_greedy_decoder(inputs, sequence_length, merge_repeated=True):
    """Decodes by the likeliest class of each time.

    Args:
      inputs: a `Tensor` of float32 or float64 [time, batch, classes]: logits; the last class is the blank.
      sequence_length: int32 [batch]: how much of `inputs` counts.
      merge_repeated: whether classes that follow themselves become one.

    Returns:
      ([an int64 `SparseTensor` [batch, longest]], the negated sums of the logits taken [batch, 1]).
    """
    made = apply_op("CTCGreedyDecoder", inputs, sequence_length, merge_repeated=merge_repeated)
    decoded = SparseTensor(made.decoded_indices, made.decoded_values, made.decoded_shape)
    return [decoded], made.log_probability
