"""tf.saved_model.tag_constants: tags of graphs."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.training.saved_model import (
    EVAL as EVAL,
    GPU as GPU,
    SERVING as SERVING,
    TPU as TPU,
    TRAINING as TRAINING,
)
_contents.end(__name__)
# fmt: on
