"""tf.nest: structures of lists, tuples and dicts."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.nest import (
    assert_same_structure as assert_same_structure,
    flatten as flatten,
    is_nested as is_nested,
    map_structure as map_structure,
    pack_sequence_as as pack_sequence_as,
)
_contents.end(__name__)
