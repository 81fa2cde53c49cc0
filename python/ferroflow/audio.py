"""tf.audio: sound."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.ops.io import (
    decode_wav as decode_wav,
    encode_wav as encode_wav,
)
_contents.end(__name__)
# fmt: on
