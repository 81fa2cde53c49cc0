"""Convolutions of single planes, separable ones, and the transpose in three dimensions."""

from ferroflow._src.contrib.framework import variables
from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.contrib.layers.arguments import channel_dimension, last_dimension, two_element_tuple
from ferroflow._src.contrib.layers.initializers import xavier_initializer
from ferroflow._src.contrib.layers.outputs import (
    add_variable_to_collections,
    check_format,
    collect_named_outputs,
    get_variable_collections,
    model_variable_getter,
)
from ferroflow._src.framework import variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Zeros
from ferroflow._src.layers import convolutional
from ferroflow._src.ops import activations, array, convolution, nn


def _normalized(
    outputs,
    normalizer_fn,
    normalizer_params,
    biases_initializer,
    biases_regularizer,
    channels,
    dtype,
    variables_collections,
    trainable,
    **options,
):
    """Applies the normalizer, or else adds biases where there is an initializer for them."""
    if normalizer_fn is not None:
        return normalizer_fn(outputs, **(normalizer_params or {}))
    if biases_initializer is None:
        return outputs
    biases = variables.model_variable(
        "biases",
        shape=[channels],
        dtype=dtype,
        initializer=biases_initializer,
        regularizer=biases_regularizer,
        collections=get_variable_collections(variables_collections, "biases"),
        trainable=trainable,
    )
    return nn.bias_add(outputs, biases, **options)


def _finished(outputs, activation_fn, outputs_collections, scope):
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, scope.name, outputs)


@add_arg_scope
def convolution2d_in_plane(
    inputs,
    kernel_size,
    stride=1,
    padding="SAME",
    activation_fn=activations.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=xavier_initializer(),
    weights_regularizer=None,
    biases_initializer=Zeros(),
    biases_regularizer=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    scope=None,
):
    """Convolves each channel on its own with one filter for all.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      kernel_size: one or two integers.
      stride: one or two integers.
      padding: 'SAME' or 'VALID'.
      activation_fn: a function; None for none.
      normalizer_fn: a function in place of the biases; None for none.
      normalizer_params: its arguments.
      weights_initializer: makes the weights' first value.
      weights_regularizer: a function that makes a loss of the weights.
      biases_initializer: makes the biases' first value; None for no biases.
      biases_regularizer: a function that makes a loss of the biases.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by 'weights' and 'biases'.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type of `inputs`, with its channels.

    Raises:
      ValueError: for an unknown number of channels.
    """
    with scopes.variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as sc:
        dtype = inputs.dtype.base_dtype
        height, width = two_element_tuple(kernel_size)
        stride_height, stride_width = two_element_tuple(stride)
        channels = last_dimension(inputs.shape, min_rank=4)
        weights = variables.model_variable(
            "weights",
            shape=[height, width, 1, 1],
            dtype=dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            collections=get_variable_collections(variables_collections, "weights"),
            trainable=trainable,
        )
        filters = array.tile(weights, [1, 1, channels, 1])
        outputs = convolution.depthwise_conv2d(inputs, filters, [1, stride_height, stride_width, 1], padding)
        outputs = _normalized(
            outputs,
            normalizer_fn,
            normalizer_params,
            biases_initializer,
            biases_regularizer,
            channels,
            dtype,
            variables_collections,
            trainable,
        )
        return _finished(outputs, activation_fn, outputs_collections, sc)


conv2d_in_plane = convolution2d_in_plane


@add_arg_scope
def separable_convolution2d(
    inputs,
    num_outputs,
    kernel_size,
    depth_multiplier=1,
    stride=1,
    padding="SAME",
    data_format="NHWC",
    rate=1,
    activation_fn=activations.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=xavier_initializer(),
    pointwise_initializer=None,
    weights_regularizer=None,
    biases_initializer=Zeros(),
    biases_regularizer=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    scope=None,
):
    """Convolves each channel on its own, then mixes the channels at each point.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      num_outputs: the number of output channels; None to leave out the mixing.
      kernel_size: one or two integers.
      depth_multiplier: how many channels come of each.
      stride: one or two integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC' or 'NCHW'.
      rate: one or two integers: the dilation.
      activation_fn: a function; None for none.
      normalizer_fn: a function in place of the biases; None for none.
      normalizer_params: its arguments.
      weights_initializer: makes the first value of the channels' filters.
      pointwise_initializer: makes the first value of the mixing weights; None for the same.
      weights_regularizer: a function that makes a loss of the weights.
      biases_initializer: makes the biases' first value; None for no biases.
      biases_regularizer: a function that makes a loss of the biases.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by 'weights' and 'biases'.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format.
    """
    check_format(data_format)
    names = {"bias": "biases", "depthwise_kernel": "depthwise_weights", "pointwise_kernel": "pointwise_weights"}
    getter = model_variable_getter(names)
    layout = "channels_first" if data_format.startswith("NC") else "channels_last"
    with scopes.variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse, custom_getter=getter) as sc:
        inputs = convert_to_tensor(inputs)
        dtype = inputs.dtype.base_dtype
        if num_outputs is not None:
            layer = convolutional.SeparableConv2D(
                filters=num_outputs,
                kernel_size=kernel_size,
                strides=stride,
                padding=padding,
                data_format=layout,
                dilation_rate=two_element_tuple(rate),
                depth_multiplier=depth_multiplier,
                use_bias=not normalizer_fn and biases_initializer,
                depthwise_initializer=weights_initializer,
                pointwise_initializer=weights_initializer if pointwise_initializer is None else pointwise_initializer,
                bias_initializer=biases_initializer,
                depthwise_regularizer=weights_regularizer,
                pointwise_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer,
                trainable=trainable,
                name=sc.name,
                dtype=dtype,
                _scope=sc,
                _reuse=reuse,
            )
            outputs = layer.apply(inputs)
            add_variable_to_collections(layer.depthwise_kernel, variables_collections, "weights")
            add_variable_to_collections(layer.pointwise_kernel, variables_collections, "weights")
            if layer.bias is not None:
                add_variable_to_collections(layer.bias, variables_collections, "biases")
            if normalizer_fn is not None:
                outputs = normalizer_fn(outputs, **(normalizer_params or {}))
            return _finished(outputs, activation_fn, outputs_collections, sc)
        height, width = two_element_tuple(kernel_size)
        strides = list(two_element_tuple(stride))
        channels = channel_dimension(inputs.shape, layout, min_rank=4)
        weights = variables.model_variable(
            "depthwise_weights",
            shape=[height, width, channels, depth_multiplier],
            dtype=dtype,
            initializer=weights_initializer,
            regularizer=weights_regularizer,
            trainable=trainable,
            collections=get_variable_collections(variables_collections, "weights"),
        )
        outputs = convolution.depthwise_conv2d(
            inputs,
            weights,
            [1, 1, *strides] if layout == "channels_first" else [1, *strides, 1],
            padding,
            rate=two_element_tuple(rate),
            data_format=data_format,
        )
        outputs = _normalized(
            outputs,
            normalizer_fn,
            normalizer_params,
            biases_initializer,
            biases_regularizer,
            depth_multiplier * channels,
            dtype,
            variables_collections,
            trainable,
            data_format=data_format,
        )
        return _finished(outputs, activation_fn, outputs_collections, sc)


separable_conv2d = separable_convolution2d


@add_arg_scope
def convolution3d_transpose(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format="NDHWC",
    activation_fn=activations.relu,
    normalizer_fn=None,
    normalizer_params=None,
    weights_initializer=xavier_initializer(),
    weights_regularizer=None,
    biases_initializer=Zeros(),
    biases_regularizer=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    scope=None,
):
    """The transpose of `conv3d`, with an activation, a normalizer and biases.

    Args:
      inputs: a `Tensor` of floats [batch, depth, height, width, channels].
      num_outputs: the number of output channels.
      kernel_size: one or three integers.
      stride: one or three integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      activation_fn: a function; None for none.
      normalizer_fn: a function in place of the biases; None for none.
      normalizer_params: its arguments.
      weights_initializer: makes the weights' first value.
      weights_regularizer: a function that makes a loss of the weights.
      biases_initializer: makes the biases' first value; None for no biases.
      biases_regularizer: a function that makes a loss of the biases.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variables, or a dict of them by 'weights' and 'biases'.
      outputs_collections: collections for the output.
      trainable: whether the variables are trained.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format.
    """
    getter = model_variable_getter({"bias": "biases", "kernel": "weights"})
    with scopes.variable_scope(scope, "Conv3d_transpose", [inputs], reuse=reuse, custom_getter=getter) as sc:
        if data_format not in ("NCDHW", "NDHWC"):
            raise ValueError("data_format has to be either NCDHW or NDHWC.")
        inputs = convert_to_tensor(inputs)
        layer = convolutional.Conv3DTranspose(
            filters=num_outputs,
            kernel_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format="channels_first" if data_format.startswith("NC") else "channels_last",
            use_bias=not normalizer_fn and biases_initializer,
            kernel_initializer=weights_initializer,
            bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer,
            trainable=trainable,
            name=sc.name,
            dtype=inputs.dtype.base_dtype,
            _scope=sc,
            _reuse=reuse,
        )
        outputs = layer.apply(inputs)
        add_variable_to_collections(layer.kernel, variables_collections, "weights")
        if layer.bias is not None:
            add_variable_to_collections(layer.bias, variables_collections, "biases")
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        return _finished(outputs, activation_fn, outputs_collections, sc)


conv3d_transpose = convolution3d_transpose
