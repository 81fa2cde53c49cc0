"""Layers made and used at once: `tf.layers.dense(x, 10)`."""

from ferroflow._src.framework.initializers import Ones, Zeros
from ferroflow._src.layers.core import Dense, Dropout, Flatten
from ferroflow._src.layers.normalization import BatchNormalization
from ferroflow._src.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)


def dense(
    inputs,
    units,
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
    """Computes `activation(matmul(inputs, kernel) + bias)` with new variables.

    Args:
      inputs: a `Tensor` of floats [*batch, channels].
      units: the number of outputs.
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
    layer = Dense(
        units=units,
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


def dropout(inputs, rate=0.5, noise_shape=None, seed=None, training=False, name=None):
    """Sets inputs to zero at random while training, and scales the others up.

    Args:
      inputs: a `Tensor` of floats.
      rate: the probability of an element to be dropped.
      noise_shape: dimensions of size 1 in it are kept or dropped as a whole; None stands for an input's own size.
      seed: a Python integer.
      training: whether this is training: a bool, or a scalar tensor.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Dropout(rate=rate, noise_shape=noise_shape, seed=seed, name=name)
    return layer.apply(inputs, training=training)


def flatten(inputs, name=None, data_format="channels_last"):
    """Flattens all dimensions but the first.

    Args:
      inputs: a `Tensor`.
      name: the layer's name and variable scope.
      data_format: 'channels_last' or 'channels_first'.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = Flatten(name=name, data_format=data_format)
    return layer.apply(inputs)


def max_pooling1d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """Takes the greatest of each window of sequences.

    Args:
      inputs: a `Tensor` [batch, length, channels].
      pool_size: an integer, or one a spatial dimension: the window's size.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = MaxPooling1D(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name)
    return layer.apply(inputs)


def max_pooling2d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """Takes the greatest of each window of images.

    Args:
      inputs: a `Tensor` [batch, height, width, channels].
      pool_size: an integer, or one a spatial dimension: the window's size.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = MaxPooling2D(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name)
    return layer.apply(inputs)


def max_pooling3d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """Takes the greatest of each window of volumes.

    Args:
      inputs: a `Tensor` [batch, depth, height, width, channels].
      pool_size: an integer, or one a spatial dimension: the window's size.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = MaxPooling3D(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name)
    return layer.apply(inputs)


def average_pooling1d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """Takes the mean of each window of sequences.

    Args:
      inputs: a `Tensor` [batch, length, channels].
      pool_size: an integer, or one a spatial dimension: the window's size.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = AveragePooling1D(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name)
    return layer.apply(inputs)


def average_pooling2d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """Takes the mean of each window of images.

    Args:
      inputs: a `Tensor` [batch, height, width, channels].
      pool_size: an integer, or one a spatial dimension: the window's size.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = AveragePooling2D(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name)
    return layer.apply(inputs)


def average_pooling3d(inputs, pool_size, strides, padding="valid", data_format="channels_last", name=None):
    """Takes the mean of each window of volumes.

    Args:
      inputs: a `Tensor` [batch, depth, height, width, channels].
      pool_size: an integer, or one a spatial dimension: the window's size.
      strides: an integer, or one a spatial dimension.
      padding: 'valid' or 'same'.
      data_format: 'channels_last' or 'channels_first'.
      name: the layer's name and variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = AveragePooling3D(pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name)
    return layer.apply(inputs)


def batch_normalization(
    inputs,
    axis=-1,
    momentum=0.99,
    epsilon=0.001,
    center=True,
    scale=True,
    beta_initializer=Zeros(),
    gamma_initializer=Ones(),
    moving_mean_initializer=Zeros(),
    moving_variance_initializer=Ones(),
    beta_regularizer=None,
    gamma_regularizer=None,
    beta_constraint=None,
    gamma_constraint=None,
    training=False,
    trainable=True,
    name=None,
    reuse=None,
    renorm=False,
    renorm_clipping=None,
    renorm_momentum=0.99,
    fused=None,
    virtual_batch_size=None,
    adjustment=None,
):
    """Normalizes each channel with new variables; see `BatchNormalization`.

    Args:
      inputs: a `Tensor` of floats.
      axis: the dimension of the channels, or a list of dimensions.
      momentum: how much of a moving average stays in each update.
      epsilon: added to the variance.
      center: whether there is a shift `beta`.
      scale: whether there is a factor `gamma`.
      beta_initializer: makes the first value of `beta`.
      gamma_initializer: makes the first value of `gamma`.
      moving_mean_initializer: makes the first value of the mean's average.
      moving_variance_initializer: makes the first value of the variance's average.
      beta_regularizer: a function that makes a loss of `beta`.
      gamma_regularizer: a function that makes a loss of `gamma`.
      beta_constraint: a function that an optimizer applies to `beta` after each update.
      gamma_constraint: the same for `gamma`.
      training: whether this is training: a bool, or a scalar tensor.
      trainable: whether the variables are trained.
      name: the layer's name and variable scope.
      reuse: whether the variables of a layer of this name are used again.
      renorm: whether batches are corrected towards the averages while training.
      renorm_clipping: 'rmax', 'rmin' and 'dmax', the limits of that correction.
      renorm_momentum: how much of a moving average stays, for the correction.
      fused: whether one op does it where it can; None for True.
      virtual_batch_size: how many examples are normalized together; None for all.
      adjustment: a function of the inputs' shape that makes a random (scale, bias) while training.

    Returns:
      A `Tensor` of the type of `inputs`.
    """
    layer = BatchNormalization(
        axis=axis,
        momentum=momentum,
        epsilon=epsilon,
        center=center,
        scale=scale,
        beta_initializer=beta_initializer,
        gamma_initializer=gamma_initializer,
        moving_mean_initializer=moving_mean_initializer,
        moving_variance_initializer=moving_variance_initializer,
        beta_regularizer=beta_regularizer,
        gamma_regularizer=gamma_regularizer,
        beta_constraint=beta_constraint,
        gamma_constraint=gamma_constraint,
        trainable=trainable,
        name=name,
        _reuse=reuse,
        _scope=name,
        renorm=renorm,
        renorm_clipping=renorm_clipping,
        renorm_momentum=renorm_momentum,
        fused=fused,
        virtual_batch_size=virtual_batch_size,
        adjustment=adjustment,
    )
    return layer.apply(inputs, training=training)
