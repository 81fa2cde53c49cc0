"""tf.sets: sets in the last dimension."""

# fmt: off
from ferroflow._src.ops.array import size as size
# fmt: on
