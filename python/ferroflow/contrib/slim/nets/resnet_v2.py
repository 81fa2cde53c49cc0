"""tf.contrib.slim.nets.resnet_v2: residual networks."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.nets.resnet_v2 import (
    bottleneck as bottleneck,
    resnet_arg_scope as resnet_arg_scope,
    resnet_v2 as resnet_v2,
    resnet_v2_101 as resnet_v2_101,
    resnet_v2_152 as resnet_v2_152,
    resnet_v2_200 as resnet_v2_200,
    resnet_v2_50 as resnet_v2_50,
    resnet_v2_block as resnet_v2_block,
)
_contents.end(__name__)
# fmt: on
