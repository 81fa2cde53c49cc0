"""tf.contrib.tensorboard: what TensorBoard is told beside events."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
_contents.end(__name__)
# fmt: on
