"""tf.contrib.layers: regularizers, initializers, layers."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.layers.initializers import (
    variance_scaling_initializer as variance_scaling_initializer,
    xavier_initializer as xavier_initializer,
    xavier_initializer_conv2d as xavier_initializer_conv2d,
)
from ferroflow._src.contrib.layers.layers import (
    avg_pool2d as avg_pool2d,
    batch_norm as batch_norm,
    bias_add as bias_add,
    conv1d as conv1d,
    conv2d as conv2d,
    conv2d_transpose as conv2d_transpose,
    conv3d as conv3d,
    convolution as convolution,
    convolution1d as convolution1d,
    convolution2d as convolution2d,
    convolution2d_transpose as convolution2d_transpose,
    convolution3d as convolution3d,
    dropout as dropout,
    flatten as flatten,
    fully_connected as fully_connected,
    max_pool2d as max_pool2d,
    one_hot_encoding as one_hot_encoding,
    repeat as repeat,
    softmax as softmax,
    stack as stack,
)
from ferroflow._src.contrib.layers.regularizers import (
    apply_regularization as apply_regularization,
    l1_l2_regularizer as l1_l2_regularizer,
    l1_regularizer as l1_regularizer,
    l2_regularizer as l2_regularizer,
    sum_regularizer as sum_regularizer,
)
_contents.end(__name__)
# fmt: on
