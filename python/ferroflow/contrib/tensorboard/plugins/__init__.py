"""tf.contrib.tensorboard.plugins: the embedding projector."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
_contents.end(__name__)
# fmt: on
