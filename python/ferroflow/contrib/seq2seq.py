"""tf.contrib.seq2seq: the loss of sequences."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.sequence_loss import sequence_loss as sequence_loss
_contents.end(__name__)
# fmt: on
