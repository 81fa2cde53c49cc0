"""tf.contrib.slim.nets.resnet_v1: residual networks."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.nets.resnet_v1 import (
    bottleneck as bottleneck,
    resnet_arg_scope as resnet_arg_scope,
    resnet_v1 as resnet_v1,
    resnet_v1_101 as resnet_v1_101,
    resnet_v1_152 as resnet_v1_152,
    resnet_v1_200 as resnet_v1_200,
    resnet_v1_50 as resnet_v1_50,
    resnet_v1_block as resnet_v1_block,
)
_contents.end(__name__)
# fmt: on
