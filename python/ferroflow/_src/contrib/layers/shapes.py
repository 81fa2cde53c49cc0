"""Pools in three dimensions, the largest of groups of units, images as sequences, and layers with one activation."""

import functools

from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.contrib.layers.layers import fully_connected
from ferroflow._src.contrib.layers.outputs import check_format, collect_named_outputs
from ferroflow._src.framework import variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.layers import pooling
from ferroflow._src.ops import activations, array, reductions, shaping

relu = functools.partial(fully_connected, activation_fn=activations.relu)
relu6 = functools.partial(fully_connected, activation_fn=activations.relu6)
elu = functools.partial(fully_connected, activation_fn=activations.elu)
linear = functools.partial(fully_connected, activation_fn=None)


def _pool3d(kind, label, inputs, kernel_size, stride, padding, data_format, outputs_collections, scope):
    if data_format not in ("NCDHW", "NDHWC"):
        raise ValueError("data_format has to be either NCDHW or NDHWC.")
    with name_scope(scope, label, [inputs]) as sc:
        layer = kind(
            pool_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format="channels_first" if data_format.startswith("NC") else "channels_last",
            _scope=sc,
        )
        return collect_named_outputs(outputs_collections, sc, layer.apply(convert_to_tensor(inputs)))


@add_arg_scope
def max_pool3d(
    inputs, kernel_size, stride=2, padding="VALID", data_format="NDHWC", outputs_collections=None, scope=None
):
    """Takes the greatest of each window of volumes.

    Args:
      inputs: a `Tensor` [batch, depth, height, width, channels].
      kernel_size: one or three integers: the window's size.
      stride: one or three integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format.
    """
    rest = (inputs, kernel_size, stride, padding, data_format, outputs_collections, scope)
    return _pool3d(pooling.MaxPooling3D, "MaxPool3D", *rest)


@add_arg_scope
def avg_pool3d(
    inputs, kernel_size, stride=2, padding="VALID", data_format="NDHWC", outputs_collections=None, scope=None
):
    """Takes the mean of each window of volumes.

    Args:
      inputs: a `Tensor` of floats [batch, depth, height, width, channels].
      kernel_size: one or three integers: the window's size.
      stride: one or three integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format.
    """
    rest = (inputs, kernel_size, stride, padding, data_format, outputs_collections, scope)
    return _pool3d(pooling.AveragePooling3D, "AvgPool3D", *rest)


@add_arg_scope
def maxout(inputs, num_units, axis=-1, scope=None):
    """Takes the greatest of each group of units (Goodfellow and others, 2013).

    Args:
      inputs: a `Tensor`.
      num_units: how many groups.
      axis: the dimension of the units.
      scope: the variable scope.

    Returns:
      A `Tensor` with `num_units` in that dimension.

    Raises:
      ValueError: when the units do not make that many groups.
    """
    with scopes.variable_scope(scope, "MaxOut", [inputs]):
        inputs = convert_to_tensor(inputs)
        shape = inputs.shape.as_list()
        channels = shape[axis]
        if channels % num_units:
            raise ValueError(f"number of features({channels}) is not a multiple of num_units({num_units})")
        shape[axis] = num_units
        shape.append(channels // num_units)
        shape = [shaping.shape(inputs)[i] if size is None else size for i, size in enumerate(shape)]
        return reductions.reduce_max(array.reshape(inputs, shape), -1, keepdims=False)


@add_arg_scope
def images_to_sequence(inputs, data_format="NHWC", outputs_collections=None, scope=None):
    """Turns images into sequences of columns.

    Args:
      inputs: a `Tensor` [batch, height, width, channels].
      data_format: 'NHWC' or 'NCHW'.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` [width, batch * height, channels].

    Raises:
      ValueError: for another format.
    """
    check_format(data_format)
    with name_scope(scope, "ImagesToSequence", [inputs]) as sc:
        inputs = convert_to_tensor(inputs)
        if data_format == "NCHW":
            inputs = array.transpose(inputs, [0, 2, 3, 1])
        _, _, width, depth = inputs.shape.as_list()
        now = shaping.shape(inputs)
        batch, height = now[0], now[1]
        columns = array.transpose(inputs, [2, 0, 1, 3])
        outputs = array.reshape(columns, [width, batch * height, depth])
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def sequence_to_images(inputs, height, output_data_format="channels_last", outputs_collections=None, scope=None):
    """Turns sequences of columns into images.

    Args:
      inputs: a `Tensor` [width, batch * height, channels].
      height: the images' height.
      output_data_format: 'channels_last' or 'channels_first'.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` [batch, height, width, channels].
    """
    with name_scope(scope, "SequenceToImages", [inputs]) as sc:
        inputs = convert_to_tensor(inputs)
        width, rows, depth = inputs.shape.as_list()
        batch = -1 if rows is None else rows // height
        columns = array.reshape(inputs, [width, batch, height, depth])
        perm = [1, 3, 2, 0] if output_data_format == "channels_first" else [1, 2, 0, 3]
        return collect_named_outputs(outputs_collections, sc, array.transpose(columns, perm))
