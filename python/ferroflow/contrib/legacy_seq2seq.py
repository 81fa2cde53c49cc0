"""tf.contrib.legacy_seq2seq: decoders and losses over lists of steps."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.legacy_decoders import (
    basic_rnn_seq2seq as basic_rnn_seq2seq,
    rnn_decoder as rnn_decoder,
)
from ferroflow._src.contrib.seq2seq.loss import (
    legacy_sequence_loss as sequence_loss,
    sequence_loss_by_example as sequence_loss_by_example,
)
_contents.end(__name__)
# fmt: on
