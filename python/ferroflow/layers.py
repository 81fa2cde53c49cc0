"""tf.layers: layers that make their variables."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.layers.base import (
    InputSpec as InputSpec,
    Layer as Layer,
)
from ferroflow._src.layers.convolutional import (
    Conv1D as Conv1D,
    Conv2D as Conv2D,
    Conv2DTranspose as Conv2DTranspose,
    Conv3D as Conv3D,
    Conv3DTranspose as Conv3DTranspose,
    SeparableConv1D as SeparableConv1D,
    SeparableConv2D as SeparableConv2D,
)
from ferroflow._src.layers.core import (
    Dense as Dense,
    Dropout as Dropout,
    Flatten as Flatten,
)
from ferroflow._src.layers.functional import (
    average_pooling1d as average_pooling1d,
    average_pooling2d as average_pooling2d,
    average_pooling3d as average_pooling3d,
    batch_normalization as batch_normalization,
    dense as dense,
    dropout as dropout,
    flatten as flatten,
    max_pooling1d as max_pooling1d,
    max_pooling2d as max_pooling2d,
    max_pooling3d as max_pooling3d,
)
from ferroflow._src.layers.functional_convolutions import (
    conv1d as conv1d,
    conv2d as conv2d,
    conv2d_transpose as conv2d_transpose,
    conv3d as conv3d,
    conv3d_transpose as conv3d_transpose,
    separable_conv1d as separable_conv1d,
    separable_conv2d as separable_conv2d,
)
from ferroflow._src.layers.normalization import BatchNormalization as BatchNormalization
from ferroflow._src.layers.pooling import (
    AveragePooling1D as AveragePooling1D,
    AveragePooling2D as AveragePooling2D,
    AveragePooling3D as AveragePooling3D,
    MaxPooling1D as MaxPooling1D,
    MaxPooling2D as MaxPooling2D,
    MaxPooling3D as MaxPooling3D,
)
_contents.end(__name__)
# fmt: on
