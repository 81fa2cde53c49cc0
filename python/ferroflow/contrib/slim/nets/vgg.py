"""tf.contrib.slim.nets.vgg: the networks of Simonyan and Zisserman."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.nets.vgg import (
    vgg_16 as vgg_16,
    vgg_19 as vgg_19,
    vgg_a as vgg_a,
    vgg_arg_scope as vgg_arg_scope,
    vgg_d as vgg_d,
    vgg_e as vgg_e,
)
_contents.end(__name__)
# fmt: on
