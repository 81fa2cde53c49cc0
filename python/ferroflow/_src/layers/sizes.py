"""Strides, paddings and formats as layers take them, and the lengths of what convolutions make."""

_FORMATS = {"channels_last": ("NWC", "NHWC", "NDHWC"), "channels_first": ("NCW", "NCHW", "NCDHW")}


def data_format_name(data_format, ndim):
    """Returns TensorFlow's name of a format: 'NHWC' for 'channels_last' and 4 dimensions.

    Raises:
      ValueError: for another format or rank.
    """
    if data_format not in _FORMATS:
        raise ValueError("Invalid data_format:", data_format)
    if not 3 <= ndim <= 5:
        raise ValueError("Input rank not supported:", ndim)
    return _FORMATS[data_format][ndim - 3]


def normalize_tuple(value, n, name):
    """Returns `n` integers, of one or as many.

    Raises:
      ValueError: for others; it tells the argument's `name`.
    """
    if isinstance(value, int):
        return (value,) * n
    message = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    try:
        values = tuple(value)
    except TypeError:
        raise ValueError(message) from None
    if len(values) != n:
        raise ValueError(message)
    for single in values:
        try:
            int(single)
        except (ValueError, TypeError):
            raise ValueError(f"{message} including element {single} of type {type(single)}") from None
    return values


def normalize_data_format(value):
    """Returns 'channels_first' or 'channels_last'; None is the latter.

    Raises:
      ValueError: for another format.
    """
    name = "channels_last" if value is None else value.lower()
    if name not in _FORMATS:
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return name


def normalize_padding(value):
    """Returns 'valid', 'same' or 'causal', or the list that was given.

    Raises:
      ValueError: for another padding.
    """
    if isinstance(value, (list, tuple)):
        return value
    padding = value.lower()
    if padding not in ("valid", "same", "causal"):
        raise ValueError(
            'The `padding` argument must be a list/tuple or one of "valid", "same" (or "causal", only for `Conv1D). '
            f"Received: {padding}"
        )
    return padding


def conv_output_length(length, filter_size, padding, stride, dilation=1):
    """Returns the length of what a convolution or pooling makes; None for None."""
    if length is None:
        return None
    size = filter_size + (filter_size - 1) * (dilation - 1)
    if padding == "valid":
        length = length - size + 1
    return (length + stride - 1) // stride


def deconv_output_length(length, filter_size, padding, output_padding=None, stride=0, dilation=1):
    """Returns the length of what a transposed convolution makes, of a number or a scalar tensor; None for None."""
    if length is None:
        return None
    size = filter_size + (filter_size - 1) * (dilation - 1)
    if output_padding is None:
        if padding == "valid":
            return length * stride + max(size - stride, 0)
        return length * stride
    pad = size // 2 if padding == "same" else 0
    return (length - 1) * stride + size - 2 * pad + output_padding
