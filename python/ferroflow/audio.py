"""tf.audio: sound."""

# fmt: off
from ferroflow._src.ops.io import (
    decode_wav as decode_wav,
    encode_wav as encode_wav,
)
# fmt: on
