"""Convolutional layers made and used at once: `tf.layers.conv2d(images, 8, 3)`."""

from ferroflow._src.framework.initializers import Zeros
from ferroflow._src.layers.convolutional import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    SeparableConv1D,
    SeparableConv2D,
)


def conv1d(
    inputs,
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    data_format="channels_last",
    dilation_rate=1,
    activation=None,
    use_bias=True,
    kernel_initializer=None,
    bias_initializer=Zeros(),
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """Convolves sequences with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, length, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      dilation_rate: an integer, or one a spatial dimension.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      kernel_initializer: makes the kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      kernel_regularizer: a function that makes a loss of the kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      kernel_constraint: a function that an optimizer applies to the kernel after each update.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Conv1D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        kernel_regularizer=kernel_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        kernel_constraint=kernel_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)


def conv2d(
    inputs,
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    data_format="channels_last",
    dilation_rate=(1, 1),
    activation=None,
    use_bias=True,
    kernel_initializer=None,
    bias_initializer=Zeros(),
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """Convolves images with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      dilation_rate: an integer, or one a spatial dimension.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      kernel_initializer: makes the kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      kernel_regularizer: a function that makes a loss of the kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      kernel_constraint: a function that an optimizer applies to the kernel after each update.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Conv2D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        kernel_regularizer=kernel_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        kernel_constraint=kernel_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)


def conv3d(
    inputs,
    filters,
    kernel_size,
    strides=(1, 1, 1),
    padding="valid",
    data_format="channels_last",
    dilation_rate=(1, 1, 1),
    activation=None,
    use_bias=True,
    kernel_initializer=None,
    bias_initializer=Zeros(),
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """Convolves volumes with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, depth, height, width, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      dilation_rate: an integer, or one a spatial dimension.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      kernel_initializer: makes the kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      kernel_regularizer: a function that makes a loss of the kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      kernel_constraint: a function that an optimizer applies to the kernel after each update.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Conv3D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        kernel_regularizer=kernel_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        kernel_constraint=kernel_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)


def conv2d_transpose(
    inputs,
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    data_format="channels_last",
    activation=None,
    use_bias=True,
    kernel_initializer=None,
    bias_initializer=Zeros(),
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """The transpose of `conv2d`, with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      kernel_initializer: makes the kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      kernel_regularizer: a function that makes a loss of the kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      kernel_constraint: a function that an optimizer applies to the kernel after each update.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Conv2DTranspose(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        kernel_regularizer=kernel_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        kernel_constraint=kernel_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)


def conv3d_transpose(
    inputs,
    filters,
    kernel_size,
    strides=(1, 1, 1),
    padding="valid",
    data_format="channels_last",
    activation=None,
    use_bias=True,
    kernel_initializer=None,
    bias_initializer=Zeros(),
    kernel_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """The transpose of `conv3d`, with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, depth, height, width, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      kernel_initializer: makes the kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      kernel_regularizer: a function that makes a loss of the kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      kernel_constraint: a function that an optimizer applies to the kernel after each update.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Conv3DTranspose(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        activation=activation,
        use_bias=use_bias,
        kernel_initializer=kernel_initializer,
        bias_initializer=bias_initializer,
        kernel_regularizer=kernel_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        kernel_constraint=kernel_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)


def separable_conv1d(
    inputs,
    filters,
    kernel_size,
    strides=1,
    padding="valid",
    data_format="channels_last",
    dilation_rate=1,
    depth_multiplier=1,
    activation=None,
    use_bias=True,
    depthwise_initializer=None,
    pointwise_initializer=None,
    bias_initializer=Zeros(),
    depthwise_regularizer=None,
    pointwise_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    depthwise_constraint=None,
    pointwise_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """Convolves each channel of sequences, then mixes the channels of each point, with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, length, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      dilation_rate: an integer, or one a spatial dimension.
      depth_multiplier: how many channels the first part makes of each.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      depthwise_initializer: makes the first kernel's first value; None for the scope's.
      pointwise_initializer: makes the second kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      depthwise_regularizer: a function that makes a loss of the first kernel.
      pointwise_regularizer: a function that makes a loss of the second kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      depthwise_constraint: a function that an optimizer applies to the first kernel after each update.
      pointwise_constraint: the same for the second kernel.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = SeparableConv1D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        depth_multiplier=depth_multiplier,
        activation=activation,
        use_bias=use_bias,
        depthwise_initializer=depthwise_initializer,
        pointwise_initializer=pointwise_initializer,
        bias_initializer=bias_initializer,
        depthwise_regularizer=depthwise_regularizer,
        pointwise_regularizer=pointwise_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        depthwise_constraint=depthwise_constraint,
        pointwise_constraint=pointwise_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)


def separable_conv2d(
    inputs,
    filters,
    kernel_size,
    strides=(1, 1),
    padding="valid",
    data_format="channels_last",
    dilation_rate=(1, 1),
    depth_multiplier=1,
    activation=None,
    use_bias=True,
    depthwise_initializer=None,
    pointwise_initializer=None,
    bias_initializer=Zeros(),
    depthwise_regularizer=None,
    pointwise_regularizer=None,
    bias_regularizer=None,
    activity_regularizer=None,
    depthwise_constraint=None,
    pointwise_constraint=None,
    bias_constraint=None,
    trainable=True,
    name=None,
    reuse=None,
):
    """Convolves each channel of images, then mixes the channels of each point, with new variables.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      filters: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      dilation_rate: an integer, or one a spatial dimension.
      depth_multiplier: how many channels the first part makes of each.
      activation: a function, or its name; None for none.
      use_bias: whether there is a bias.
      depthwise_initializer: makes the first kernel's first value; None for the scope's.
      pointwise_initializer: makes the second kernel's first value; None for the scope's.
      bias_initializer: makes the bias's first value.
      depthwise_regularizer: a function that makes a loss of the first kernel.
      pointwise_regularizer: a function that makes a loss of the second kernel.
      bias_regularizer: a function that makes a loss of the bias.
      activity_regularizer: a function that makes a loss of the output.
      depthwise_constraint: a function that an optimizer applies to the first kernel after each update.
      pointwise_constraint: the same for the second kernel.
      bias_constraint: the same for the bias.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = SeparableConv2D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
        depth_multiplier=depth_multiplier,
        activation=activation,
        use_bias=use_bias,
        depthwise_initializer=depthwise_initializer,
        pointwise_initializer=pointwise_initializer,
        bias_initializer=bias_initializer,
        depthwise_regularizer=depthwise_regularizer,
        pointwise_regularizer=pointwise_regularizer,
        bias_regularizer=bias_regularizer,
        activity_regularizer=activity_regularizer,
        depthwise_constraint=depthwise_constraint,
        pointwise_constraint=pointwise_constraint,
        bias_constraint=bias_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
    )
    return layer.apply(inputs)
