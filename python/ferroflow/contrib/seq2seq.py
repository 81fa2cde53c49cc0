"""tf.contrib.seq2seq: decoders, helpers, attention, and the loss of sequences."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.seq2seq.attention import (
    AttentionMechanism as AttentionMechanism,
    BahdanauAttention as BahdanauAttention,
    BahdanauMonotonicAttention as BahdanauMonotonicAttention,
    LuongAttention as LuongAttention,
    LuongMonotonicAttention as LuongMonotonicAttention,
    hardmax as hardmax,
    monotonic_attention as monotonic_attention,
    safe_cumprod as safe_cumprod,
)
from ferroflow._src.contrib.seq2seq.attention_wrapper import (
    AttentionWrapper as AttentionWrapper,
    AttentionWrapperState as AttentionWrapperState,
    tile_batch as tile_batch,
)
from ferroflow._src.contrib.seq2seq.decoder import (
    BasicDecoder as BasicDecoder,
    BasicDecoderOutput as BasicDecoderOutput,
    Decoder as Decoder,
    dynamic_decode as dynamic_decode,
)
from ferroflow._src.contrib.seq2seq.helpers import (
    CustomHelper as CustomHelper,
    GreedyEmbeddingHelper as GreedyEmbeddingHelper,
    Helper as Helper,
    InferenceHelper as InferenceHelper,
    SampleEmbeddingHelper as SampleEmbeddingHelper,
    ScheduledEmbeddingTrainingHelper as ScheduledEmbeddingTrainingHelper,
    ScheduledOutputTrainingHelper as ScheduledOutputTrainingHelper,
    TrainingHelper as TrainingHelper,
)
from ferroflow._src.contrib.seq2seq.loss import (
    sequence_loss as sequence_loss,
)
_contents.end(__name__)
# fmt: on
