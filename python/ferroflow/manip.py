"""tf.manip: layout of tensors."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.ops.array import (
    reshape as reshape,
    tile as tile,
)
from ferroflow._src.ops.indexing import (
    gather_nd as gather_nd,
    reverse as reverse,
    roll as roll,
    scatter_nd as scatter_nd,
)
from ferroflow._src.ops.spaces import (
    batch_to_space_nd as batch_to_space_nd,
    space_to_batch_nd as space_to_batch_nd,
)
_contents.end(__name__)
# fmt: on
