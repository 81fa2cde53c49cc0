"""Layers in contrib's manner: functions with an activation, a normalizer and collections for what they make."""

import numbers

from ferroflow._src.contrib.framework import variables
from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.contrib.layers.initializers import xavier_initializer
from ferroflow._src.contrib.layers.outputs import (
    add_variable_to_collections,
    check_format,
    collect_named_outputs,
    get_variable_collections,
    model_variable_getter,
)
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.initializers import Zeros
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.layers import convolutional, core, functional, pooling
from ferroflow._src.ops import activations, array, filling, math, nn, shaping

_NAMES = {"bias": "biases", "kernel": "weights"}


def _finished(
    outputs, layer, scope, normalizer_fn, normalizer_params, activation_fn, variables_collections, outputs_collections
):
    add_variable_to_collections(layer.kernel, variables_collections, "weights")
    if layer.bias is not None:
        add_variable_to_collections(layer.bias, variables_collections, "biases")
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, scope.name, outputs)


@add_arg_scope
def fully_connected(
    inputs,
    num_outputs,
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
    """Computes `activation_fn(normalizer_fn(matmul(inputs, weights)))`, or with biases in place of a normalizer.

    Args:
      inputs: a `Tensor` of floats [*batch, channels].
      num_outputs: an integer.
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
      A `Tensor` [*batch, num_outputs].

    Raises:
      ValueError: when `num_outputs` is no integer.
    """
    if not isinstance(num_outputs, numbers.Integral):
        raise ValueError(f"num_outputs type should be one of {[int]}, got {type(num_outputs)}.")
    with scopes.variable_scope(
        scope, "fully_connected", [inputs], reuse=reuse, custom_getter=model_variable_getter(_NAMES)
    ) as sc:
        inputs = convert_to_tensor(inputs)
        layer = core.Dense(
            units=num_outputs,
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
        return _finished(
            layer.apply(inputs),
            layer,
            sc,
            normalizer_fn,
            normalizer_params,
            activation_fn,
            variables_collections,
            outputs_collections,
        )


def _channels(data_format):
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


_CONVOLUTIONS = {3: convolutional.Conv1D, 4: convolutional.Conv2D, 5: convolutional.Conv3D}


@add_arg_scope
def convolution(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format=None,
    rate=1,
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
    conv_dims=None,
):
    """Convolves in one, two or three dimensions, with an activation, a normalizer and biases.

    Args:
      inputs: a `Tensor` of floats [batch, *space, channels].
      num_outputs: the number of output channels.
      kernel_size: an integer, or one a spatial dimension.
      stride: an integer, or one a spatial dimension.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC' and the like, or with the channels second.
      rate: an integer, or one a spatial dimension: the dilation.
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
      conv_dims: the number of spatial dimensions, if it is to be checked.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format or rank.
    """
    if data_format not in (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW"):
        raise ValueError(f"Invalid data_format: {data_format!r}")
    with scopes.variable_scope(scope, "Conv", [inputs], reuse=reuse, custom_getter=model_variable_getter(_NAMES)) as sc:
        inputs = convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if conv_dims is not None and conv_dims + 2 != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank}")
        if rank not in _CONVOLUTIONS:
            raise ValueError("Convolution not supported for input with rank", rank)
        layer = _CONVOLUTIONS[rank](
            filters=num_outputs,
            kernel_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format=_channels(data_format),
            dilation_rate=rate,
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
        return _finished(
            layer.apply(inputs),
            layer,
            sc,
            normalizer_fn,
            normalizer_params,
            activation_fn,
            variables_collections,
            outputs_collections,
        )


@add_arg_scope
def convolution1d(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format=None,
    rate=1,
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
    """Convolves in one dimension; see `convolution`.

    Raises:
      ValueError: for another format or rank.
    """
    return convolution(
        inputs,
        num_outputs,
        kernel_size,
        stride=stride,
        padding=padding,
        data_format=data_format,
        rate=rate,
        activation_fn=activation_fn,
        normalizer_fn=normalizer_fn,
        normalizer_params=normalizer_params,
        weights_initializer=weights_initializer,
        weights_regularizer=weights_regularizer,
        biases_initializer=biases_initializer,
        biases_regularizer=biases_regularizer,
        reuse=reuse,
        variables_collections=variables_collections,
        outputs_collections=outputs_collections,
        trainable=trainable,
        scope=scope,
        conv_dims=1,
    )


@add_arg_scope
def convolution2d(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format=None,
    rate=1,
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
    """Convolves in two dimensions; see `convolution`.

    Raises:
      ValueError: for another format or rank.
    """
    return convolution(
        inputs,
        num_outputs,
        kernel_size,
        stride=stride,
        padding=padding,
        data_format=data_format,
        rate=rate,
        activation_fn=activation_fn,
        normalizer_fn=normalizer_fn,
        normalizer_params=normalizer_params,
        weights_initializer=weights_initializer,
        weights_regularizer=weights_regularizer,
        biases_initializer=biases_initializer,
        biases_regularizer=biases_regularizer,
        reuse=reuse,
        variables_collections=variables_collections,
        outputs_collections=outputs_collections,
        trainable=trainable,
        scope=scope,
        conv_dims=2,
    )


@add_arg_scope
def convolution3d(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format=None,
    rate=1,
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
    """Convolves in three dimensions; see `convolution`.

    Raises:
      ValueError: for another format or rank.
    """
    return convolution(
        inputs,
        num_outputs,
        kernel_size,
        stride=stride,
        padding=padding,
        data_format=data_format,
        rate=rate,
        activation_fn=activation_fn,
        normalizer_fn=normalizer_fn,
        normalizer_params=normalizer_params,
        weights_initializer=weights_initializer,
        weights_regularizer=weights_regularizer,
        biases_initializer=biases_initializer,
        biases_regularizer=biases_regularizer,
        reuse=reuse,
        variables_collections=variables_collections,
        outputs_collections=outputs_collections,
        trainable=trainable,
        scope=scope,
        conv_dims=3,
    )


conv1d = convolution1d
conv2d = convolution2d
conv3d = convolution3d


@add_arg_scope
def convolution2d_transpose(
    inputs,
    num_outputs,
    kernel_size,
    stride=1,
    padding="SAME",
    data_format="NHWC",
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
    """The transpose of `conv2d`, with an activation, a normalizer and biases.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      num_outputs: the number of output channels.
      kernel_size: one or two integers.
      stride: one or two integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC' or 'NCHW'.
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
    with scopes.variable_scope(
        scope, "Conv2d_transpose", [inputs], reuse=reuse, custom_getter=model_variable_getter(_NAMES)
    ) as sc:
        check_format(data_format)
        inputs = convert_to_tensor(inputs)
        layer = convolutional.Conv2DTranspose(
            filters=num_outputs,
            kernel_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format=_channels(data_format),
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
        return _finished(
            layer.apply(inputs),
            layer,
            sc,
            normalizer_fn,
            normalizer_params,
            activation_fn,
            variables_collections,
            outputs_collections,
        )


conv2d_transpose = convolution2d_transpose


def _pool2d(kind, scope_name, inputs, kernel_size, stride, padding, data_format, outputs_collections, scope):
    check_format(data_format)
    with name_scope(scope, scope_name, [inputs]) as sc:
        inputs = convert_to_tensor(inputs)
        layer = kind(
            pool_size=kernel_size,
            strides=stride,
            padding=padding,
            data_format=_channels(data_format),
            _scope=sc,
        )
        return collect_named_outputs(outputs_collections, sc, layer.apply(inputs))


@add_arg_scope
def max_pool2d(
    inputs, kernel_size, stride=2, padding="VALID", data_format="NHWC", outputs_collections=None, scope=None
):
    """Takes the greatest of each window of images.

    Args:
      inputs: a `Tensor` [batch, height, width, channels].
      kernel_size: one or two integers: the window's size.
      stride: one or two integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC' or 'NCHW'.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format.
    """
    layer, label = pooling.MaxPooling2D, "MaxPool2D"
    return _pool2d(layer, label, inputs, kernel_size, stride, padding, data_format, outputs_collections, scope)


@add_arg_scope
def avg_pool2d(
    inputs, kernel_size, stride=2, padding="VALID", data_format="NHWC", outputs_collections=None, scope=None
):
    """Takes the mean of each window of images.

    Args:
      inputs: a `Tensor` of floats [batch, height, width, channels].
      kernel_size: one or two integers: the window's size.
      stride: one or two integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC' or 'NCHW'.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` of the type of `inputs`.

    Raises:
      ValueError: for another format.
    """
    layer, label = pooling.AveragePooling2D, "AvgPool2D"
    return _pool2d(layer, label, inputs, kernel_size, stride, padding, data_format, outputs_collections, scope)


@add_arg_scope
def dropout(inputs, keep_prob=0.5, noise_shape=None, is_training=True, outputs_collections=None, scope=None, seed=None):
    """Sets inputs to zero at random while training, and scales the others up.

    Args:
      inputs: a `Tensor` of floats.
      keep_prob: the probability of an element to stay.
      noise_shape: dimensions of size 1 in it are kept or dropped as a whole.
      is_training: a bool, or a scalar tensor.
      outputs_collections: collections for the output.
      scope: the variable scope.
      seed: a Python integer.

    Returns:
      A `Tensor` of the type and shape of `inputs`.
    """
    with scopes.variable_scope(scope, "Dropout", [inputs], custom_getter=model_variable_getter()) as sc:
        inputs = convert_to_tensor(inputs)
        layer = core.Dropout(rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=sc.name, _scope=sc)
        outputs = layer.apply(inputs, training=is_training)
        return collect_named_outputs(outputs_collections, sc.name, outputs)


@add_arg_scope
def flatten(inputs, outputs_collections=None, scope=None):
    """Flattens all dimensions but the first.

    Args:
      inputs: a `Tensor`.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` [batch, everything else].
    """
    with name_scope(scope, "Flatten", [inputs]) as sc:
        outputs = functional.flatten(convert_to_tensor(inputs))
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def bias_add(
    inputs,
    activation_fn=None,
    initializer=Zeros(),
    regularizer=None,
    reuse=None,
    variables_collections=None,
    outputs_collections=None,
    trainable=True,
    data_format="NHWC",
    scope=None,
):
    """Adds a new variable to each channel.

    Args:
      inputs: a `Tensor` of floats [*batch, channels].
      activation_fn: a function; None for none.
      initializer: makes the biases' first value.
      regularizer: a function that makes a loss of them.
      reuse: whether variables of this scope are used again.
      variables_collections: collections for the variable.
      outputs_collections: collections for the output.
      trainable: whether the variable is trained.
      data_format: 'NHWC' or 'NCHW'.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type and shape of `inputs`.

    Raises:
      ValueError: for another format, or an unknown number of channels.
    """
    check_format(data_format)
    with scopes.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as sc:
        inputs = convert_to_tensor(inputs)
        ndims = inputs.shape.ndims
        if ndims is None:
            raise ValueError("Dims of shape must be known but is None")
        if ndims != 4 and data_format == "NCHW":
            raise ValueError("Data format NCHW only supports 4D Tensor")
        channels = inputs.shape.dims[1 if data_format == "NCHW" else -1].value
        if channels is None:
            raise ValueError("`C` dimension must be known but is None")
        biases = variables.model_variable(
            "biases",
            shape=[channels],
            dtype=inputs.dtype.base_dtype,
            initializer=initializer,
            regularizer=regularizer,
            collections=get_variable_collections(variables_collections, "biases"),
            trainable=trainable,
        )
        outputs = nn.bias_add(inputs, biases, data_format=data_format)
        if activation_fn is not None:
            outputs = activation_fn(outputs)
        return collect_named_outputs(outputs_collections, sc.name, outputs)


@add_arg_scope
def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None):
    """`tf.one_hot` in contrib's manner.

    Args:
      labels: integers of rank 1.
      num_classes: how many classes.
      on_value: the value at the label.
      off_value: the value elsewhere.
      outputs_collections: collections for the output.
      scope: the name scope.

    Returns:
      A `Tensor` [batch, num_classes].
    """
    with name_scope(scope, "OneHotEncoding", [labels, num_classes]) as sc:
        labels = convert_to_tensor(labels)
        if labels.dtype == dtypes.int32:
            labels = math.to_int64(labels)
        outputs = filling.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def softmax(logits, scope=None):
    """Computes softmax along the last dimension.

    Args:
      logits: a `Tensor` of floats of rank 2 or more.
      scope: the variable scope.

    Returns:
      A `Tensor` of the type and shape of `logits`.
    """
    with scopes.variable_scope(scope, "softmax", [logits]):
        flat = array.reshape(logits, [-1, logits.shape.dims[-1].value])
        outputs = array.reshape(activations.softmax(flat), shaping.shape(logits))
        outputs.set_shape(logits.shape)
        return outputs


def repeat(inputs, repetitions, layer, *args, **kwargs):
    """Applies a layer several times, each in a scope of its own.

    Args:
      inputs: a `Tensor`.
      repetitions: how often.
      layer: a function of (inputs, *args, scope=..., **kwargs).
      *args: its further arguments.
      **kwargs: its further arguments by name; `scope`, the variable scope.

    Returns:
      The last output.
    """
    scope = kwargs.pop("scope", None)
    with scopes.variable_scope(scope, "Repeat", [inputs]):
        outputs = convert_to_tensor(inputs)
        if scope is None:
            scope = getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", "repeat")
        for i in range(repetitions):
            outputs = layer(outputs, *args, **{**kwargs, "scope": f"{scope}_{i + 1}"})
        return outputs


def stack(inputs, layer, stack_args, **kwargs):
    """Applies a layer once for each of several arguments.

    Args:
      inputs: a `Tensor`.
      layer: a function of (inputs, *argument, scope=..., **kwargs).
      stack_args: the arguments: values, or tuples of them.
      **kwargs: further arguments by name; `scope`, the variable scope.

    Returns:
      The last output.
    """
    scope = kwargs.pop("scope", None)
    with scopes.variable_scope(scope, "Stack", [inputs]):
        outputs = convert_to_tensor(inputs)
        if scope is None:
            scope = getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", "stack")
        for i, arguments in enumerate(stack_args):
            if not isinstance(arguments, (list, tuple)):
                arguments = [arguments]
            outputs = layer(outputs, *arguments, **{**kwargs, "scope": f"{scope}_{i + 1}"})
        return outputs
