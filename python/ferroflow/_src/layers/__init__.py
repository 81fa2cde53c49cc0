"""tf.layers: layers that make their variables on first use, with TensorFlow's scopes and names.

It may import `framework` and `ops`. From the bottom up:

    sizes           strides, paddings and formats as layers take them; lengths of outputs
    base            Layer, InputSpec
    core            Dense, Dropout, Flatten
    convolutional   Conv1D ... Conv3D, their transposes, separable ones
    pooling         MaxPooling1D ... AveragePooling3D
    normalization   BatchNormalization
    functional      dense, conv2d, ...: a layer made and used at once
"""
