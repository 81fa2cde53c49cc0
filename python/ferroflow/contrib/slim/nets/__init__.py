"""tf.contrib.slim.nets: networks that won prizes."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
_contents.end(__name__)
# fmt: on
