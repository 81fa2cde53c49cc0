"""tf.contrib.slim.nets.alexnet: the network of Krizhevsky et al."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.nets.alexnet import (
    alexnet_v2 as alexnet_v2,
    alexnet_v2_arg_scope as alexnet_v2_arg_scope,
    trunc_normal as trunc_normal,
)
_contents.end(__name__)
# fmt: on
