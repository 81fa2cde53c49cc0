"""tf.lookup: tables from keys to values."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.ops.lookup import (
    KeyValueTensorInitializer as KeyValueTensorInitializer,
    StaticHashTable as StaticHashTable,
    TextFileIndex as TextFileIndex,
    TextFileInitializer as TextFileInitializer,
)
_contents.end(__name__)
# fmt: on
