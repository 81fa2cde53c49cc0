"""Convolutions of one, two and three dimensions, and their transposes."""

from collections.abc import Sized

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array
from ferroflow._src.ops.arguments import renamed


def per_dimension(value, n, channel_index, name):
    """Returns a number for each dimension, those of batch and channels included.

    Args:
      value: one number, `n` numbers, all `n + 2`, or None for ones.
      n: how many spatial dimensions there are.
      channel_index: 1 when the channels come before them.
      name: the argument's name, for the error.

    Raises:
      ValueError: for another number of numbers.
    """
    if value is None:
        value = [1]
    elif not isinstance(value, Sized):
        value = [value]
    if len(value) == n + 2:
        return value
    if len(value) == 1:
        value = [value[0]] * n
    elif len(value) != n:
        raise ValueError(f"{name} should be of length 1, {n} or {n + 2} but was {len(value)}")
    return [1, 1, *value] if channel_index == 1 else [1, *value, 1]


def _explicit(padding):
    """Splits padding into the attributes `padding` and `explicit_paddings`."""
    if padding == "EXPLICIT":
        raise ValueError(
            '"EXPLICIT" is not a valid value for the padding parameter. To use explicit padding, the padding parameter '
            "must be a list."
        )
    if not isinstance(padding, (list, tuple)):
        return padding, []
    found = []
    for i, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)):
            raise ValueError(
                "When padding is a list, each element of padding must be a list/tuple of size 2. Element with index "
                f"{i} of padding is not a list/tuple"
            )
        if len(pair) != 2:
            raise ValueError(
                "When padding is a list, each element of padding must be a list/tuple of size 2. Element with index "
                f"{i} of padding has size {len(pair)}"
            )
        found.extend(pair)
    if len(padding) != 4:
        raise ValueError(f"When padding is a list, it must be of size 4. Got padding of size: {len(padding)}")
    return "EXPLICIT", found


def conv2d(
    input,
    filter=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=[1, 1, 1, 1],
    name=None,
    filters=None,
):
    """Convolves images with filters.

    Args:
      input: a `Tensor` of floats [batch, height, width, channels], or as `data_format` says.
      filter: one of the same type [height, width, channels, output channels].
      strides: one, two or four integers.
      padding: 'SAME', 'VALID', or four pairs of numbers, one a dimension.
      use_cudnn_on_gpu: has no effect.
      data_format: 'NHWC' or 'NCHW'.
      dilations: one, two or four integers: how far apart the filter's elements lie.
      name: the operation's name.
      filters: another name of `filter`.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: for paddings or strides that make no sense.
    """
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = _explicit(padding)
    data_format = data_format or "NHWC"
    channel_index = 1 if data_format.startswith("NC") else 3
    return apply_op(
        "Conv2D",
        input,
        filter,
        strides=per_dimension(strides, 2, channel_index, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=per_dimension(dilations, 2, channel_index, "dilations"),
        name=name,
    )


def conv2d_v2(input, filters, strides, padding, data_format="NHWC", dilations=None, name=None):
    """`conv2d` with TensorFlow 2's arguments."""
    return conv2d(input, filters, strides, padding, True, data_format, dilations, name)


def conv2d_backprop_filter(
    input,
    filter_sizes,
    out_backprop,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=[1, 1, 1, 1],
    name=None,
):
    """The gradient of `conv2d` for the filter.

    Args:
      input: what was convolved.
      filter_sizes: int32 [4]: the filter's shape.
      out_backprop: the gradient for the result.
      strides: four integers.
      padding: as for `conv2d`.
      use_cudnn_on_gpu: has no effect.
      data_format: 'NHWC' or 'NCHW'.
      dilations: four integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the shape `filter_sizes`.
    """
    padding, explicit = _explicit(padding)
    return apply_op(
        "Conv2DBackpropFilter",
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv2d_backprop_input(
    input_sizes,
    filter=None,
    out_backprop=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=[1, 1, 1, 1],
    name=None,
    filters=None,
):
    """The gradient of `conv2d` for what is convolved.

    Args:
      input_sizes: int32 [4]: its shape.
      filter: the filter.
      out_backprop: the gradient for the result.
      strides: four integers.
      padding: as for `conv2d`.
      use_cudnn_on_gpu: has no effect.
      data_format: 'NHWC' or 'NCHW'.
      dilations: four integers.
      name: the operation's name.
      filters: another name of `filter`.

    Returns:
      A `Tensor` of the shape `input_sizes`.
    """
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = _explicit(padding)
    return apply_op(
        "Conv2DBackpropInput",
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv2d_transpose(
    value=None,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transpose of `conv2d`, often called deconvolution.

    Args:
      value: a `Tensor` of floats [batch, height, width, channels], or as `data_format` says.
      filter: one of the same type [height, width, output channels, channels].
      output_shape: the shape of the result: int32 [4].
      strides: one, two or four integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC' or 'NCHW'.
      name: the operation's name.
      input: another name of `value`.
      filters: another name of `filter`.
      dilations: one, two or four integers.

    Returns:
      A `Tensor` of the type of `value`.
    """
    value = renamed("input", input, "value", value)
    filter = renamed("filters", filters, "filter", filter)
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as name:
        return conv2d_transpose_v2(value, filter, output_shape, strides, padding, data_format, dilations, name)


def conv2d_transpose_v2(
    input, filters, output_shape, strides, padding="SAME", data_format="NHWC", dilations=None, name=None
):
    """`conv2d_transpose` with TensorFlow 2's arguments."""
    with name_scope(name, "conv2d_transpose", [input, output_shape]) as name:
        data_format = data_format or "NHWC"
        channel_index = 1 if data_format.startswith("NC") else 3
        return apply_op(
            "Conv2DBackpropInput",
            output_shape,
            filters,
            input,
            strides=per_dimension(strides, 2, channel_index, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=per_dimension(dilations, 2, channel_index, "dilations"),
            name=name,
        )


_FORMATS_1D = {None: "NHWC", "NWC": "NHWC", "NHWC": "NHWC", "NCW": "NCHW", "NCHW": "NCHW"}


def _format_1d(data_format):
    """Returns the two-dimensional format, the first spatial dimension and the channels' in one-dimensional data."""
    if data_format not in _FORMATS_1D:
        raise ValueError('data_format must be "NWC" or "NCW".')
    wide = _FORMATS_1D[data_format]
    return (wide, 1, 2) if wide == "NHWC" else (wide, 2, 1)


def conv1d(
    value=None,
    filters=None,
    stride=None,
    padding=None,
    use_cudnn_on_gpu=None,
    data_format=None,
    name=None,
    input=None,
    dilations=None,
):
    """Convolves sequences with filters.

    Args:
      value: a `Tensor` of floats [batch, width, channels], or as `data_format` says.
      filters: one of the same type [width, channels, output channels].
      stride: an integer.
      padding: 'SAME' or 'VALID'.
      use_cudnn_on_gpu: has no effect.
      data_format: 'NWC' or 'NCW'; None for 'NWC'.
      name: the name scope.
      input: another name of `value`.
      dilations: an integer.

    Returns:
      A `Tensor` of the type of `value`.

    Raises:
      ValueError: for another format.
    """
    value = renamed("input", input, "value", value)
    with name_scope(name, "conv1d", [value, filters]) as name:
        data_format, spatial, channel_index = _format_1d(data_format)
        strides = [1, *per_dimension(stride, 1, channel_index, "stride")]
        dilations = [1, *per_dimension(dilations, 1, channel_index, "dilations")]
        value = array.expand_dims(value, spatial)
        filters = array.expand_dims(filters, 0)
        result = apply_op(
            "Conv2D",
            value,
            filters,
            strides=strides,
            padding=padding,
            use_cudnn_on_gpu=use_cudnn_on_gpu,
            data_format=data_format,
            dilations=dilations,
            name=name,
        )
        return array.squeeze(result, [spatial])


def conv1d_transpose(
    input, filters, output_shape, strides, padding="SAME", data_format="NWC", dilations=None, name=None
):
    """The transpose of `conv1d`.

    Args:
      input: a `Tensor` of floats [batch, width, channels], or as `data_format` says.
      filters: one of the same type [width, output channels, channels].
      output_shape: the shape of the result.
      strides: an integer.
      padding: 'SAME' or 'VALID'.
      data_format: 'NWC' or 'NCW'.
      dilations: an integer.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: for another format.
    """
    with name_scope(name, "conv1d_transpose", [input, filters, output_shape]) as name:
        data_format, spatial, channel_index = _format_1d(data_format)
        strides = [1, *per_dimension(strides, 1, channel_index, "stride")]
        dilations = [1, *per_dimension(dilations, 1, channel_index, "dilations")]
        input = array.expand_dims(input, spatial)
        filters = array.expand_dims(filters, 0)
        if not isinstance(output_shape, TensorBase):
            output_shape = list(output_shape)
        output_shape = array.concat([output_shape[:spatial], [1], output_shape[spatial:]], 0)
        result = apply_op(
            "Conv2DBackpropInput",
            output_shape,
            filters,
            input,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilations=dilations,
            name=name,
        )
        return array.squeeze(result, spatial)


def conv3d(
    input,
    filter=None,
    strides=None,
    padding=None,
    data_format="NDHWC",
    dilations=[1, 1, 1, 1, 1],
    name=None,
    filters=None,
):
    """Convolves volumes with filters.

    Args:
      input: a `Tensor` of floats [batch, depth, height, width, channels], or as `data_format` says.
      filter: one of the same type [depth, height, width, channels, output channels].
      strides: five integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      dilations: five integers.
      name: the operation's name.
      filters: another name of `filter`.

    Returns:
      A `Tensor` of the type of `input`.
    """
    filter = renamed("filters", filters, "filter", filter)
    return apply_op(
        "Conv3D",
        input,
        filter,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def conv3d_transpose(
    value,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NDHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transpose of `conv3d`.

    Args:
      value: a `Tensor` of floats [batch, depth, height, width, channels], or as `data_format` says.
      filter: one of the same type [depth, height, width, output channels, channels].
      output_shape: the shape of the result: int32 [5].
      strides: one, three or five integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      name: the operation's name.
      input: another name of `value`.
      filters: another name of `filter`.
      dilations: one, three or five integers.

    Returns:
      A `Tensor` of the type of `value`.
    """
    filter = renamed("filters", filters, "filter", filter)
    value = renamed("input", input, "value", value)
    return conv3d_transpose_v2(value, filter, output_shape, strides, padding, data_format, dilations, name)


def conv3d_transpose_v2(
    input, filters, output_shape, strides, padding="SAME", data_format="NDHWC", dilations=None, name=None
):
    """`conv3d_transpose` with TensorFlow 2's arguments."""
    with name_scope(name, "conv3d_transpose", [input, output_shape]) as name:
        data_format = data_format or "NDHWC"
        channel_index = 1 if data_format.startswith("NC") else 4
        return apply_op(
            "Conv3DBackpropInputV2",
            output_shape,
            filters,
            input,
            strides=per_dimension(strides, 3, channel_index, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=per_dimension(dilations, 3, channel_index, "dilations"),
            name=name,
        )


def conv3d_backprop_filter_v2(
    input,
    filter_sizes,
    out_backprop,
    strides,
    padding,
    data_format="NDHWC",
    dilations=[1, 1, 1, 1, 1],
    name=None,
):
    """The gradient of `conv3d` for the filter.

    Args:
      input: what was convolved.
      filter_sizes: int32 [5]: the filter's shape.
      out_backprop: the gradient for the result.
      strides: five integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      dilations: five integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the shape `filter_sizes`.
    """
    return apply_op(
        "Conv3DBackpropFilterV2",
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )
