"""tf.sets: sets in the last dimension."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.ops.array import size as size
_contents.end(__name__)
# fmt: on
