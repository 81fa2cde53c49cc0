"""tf.contrib.slim.nets.resnet_utils: what residual networks are made of."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.nets.resnet_utils import (
    Block as Block,
    conv2d_same as conv2d_same,
    resnet_arg_scope as resnet_arg_scope,
    stack_blocks_dense as stack_blocks_dense,
    subsample as subsample,
)
_contents.end(__name__)
# fmt: on
