"""Pooling: the greatest or the mean of each window."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array
from ferroflow._src.ops.arguments import renamed
from ferroflow._src.ops.conv import per_dimension
from ferroflow._src.ops.convolution import checked_strides_and_rates, with_space_to_batch


def _pool_2d(op, value, ksize, strides, padding, data_format, name):
    data_format = data_format or "NHWC"
    channel_index = 1 if data_format.startswith("NC") else 3
    return apply_op(
        op,
        value,
        ksize=per_dimension(ksize, 2, channel_index, "ksize"),
        strides=per_dimension(strides, 2, channel_index, "strides"),
        padding=padding,
        data_format=data_format,
        name=name,
    )


def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """Takes the greatest element of each window of images.

    Args:
      value: a `Tensor` [batch, height, width, channels], or as `data_format` says.
      ksize: one, two or four integers: the window's size.
      strides: one, two or four integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC', 'NCHW' or 'NCHW_VECT_C'.
      name: the operation's name.
      input: another name of `value`.

    Returns:
      A `Tensor` of the type of `value`.

    Raises:
      ValueError: for a window of size 0.
    """
    value = renamed("input", input, "value", value)
    with name_scope(name, "MaxPool", [value]) as name:
        if np.any(np.equal(ksize, 0)):
            raise ValueError("ksize cannot be zero.")
        return _pool_2d("MaxPool", value, ksize, strides, padding, data_format, name)


def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """`max_pool` of images.

    Args:
      input: a `Tensor` [batch, height, width, channels], or as `data_format` says.
      ksize: one, two or four integers: the window's size.
      strides: one, two or four integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC', 'NCHW' or 'NCHW_VECT_C'.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    with name_scope(name, "MaxPool2d", [input]) as name:
        return _pool_2d("MaxPool", input, ksize, strides, padding, data_format, name)


def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """Averages each window of images.

    Args:
      value: a `Tensor` of floats [batch, height, width, channels], or as `data_format` says.
      ksize: one, two or four integers: the window's size.
      strides: one, two or four integers.
      padding: 'SAME' or 'VALID'; what lies outside does not count.
      data_format: 'NHWC' or 'NCHW'.
      name: the operation's name.
      input: another name of `value`.

    Returns:
      A `Tensor` of the type of `value`.
    """
    with name_scope(name, "AvgPool", [value]) as name:
        value = renamed("input", input, "value", value)
        return _pool_2d("AvgPool", value, ksize, strides, padding, data_format, name)


def _pool_1d(op, scope, input, ksize, strides, padding, data_format, name):
    with name_scope(name, scope, [input]) as name:
        data_format = data_format or "NWC"
        channel_index = 1 if data_format.startswith("NC") else 2
        ksize = [1, *per_dimension(ksize, 1, channel_index, "ksize")]
        strides = [1, *per_dimension(strides, 1, channel_index, "strides")]
        axis, data_format = (1, "NHWC") if data_format == "NWC" else (2, "NCHW")
        input = array.expand_dims(input, axis)
        result = apply_op(op, input, ksize=ksize, strides=strides, padding=padding, data_format=data_format, name=name)
        return array.squeeze(result, axis)


def max_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """Takes the greatest element of each window of sequences.

    Args:
      input: a `Tensor` [batch, width, channels], or as `data_format` says.
      ksize: an integer: the window's size.
      strides: an integer.
      padding: 'SAME' or 'VALID'.
      data_format: 'NWC' or 'NCW'.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return _pool_1d("MaxPool", "MaxPool1d", input, ksize, strides, padding, data_format, name)


def avg_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """Averages each window of sequences.

    Args:
      input: a `Tensor` of floats [batch, width, channels], or as `data_format` says.
      ksize: an integer: the window's size.
      strides: an integer.
      padding: 'SAME' or 'VALID'; what lies outside does not count.
      data_format: 'NWC' or 'NCW'.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return _pool_1d("AvgPool", "AvgPool1D", input, ksize, strides, padding, data_format, name)


def _pool_3d(op, input, ksize, strides, padding, data_format, name, channels_last):
    with name_scope(name, op, [input]) as name:
        data_format = data_format or "NDHWC"
        channel_index = 1 if data_format.startswith("NC") else channels_last
        return apply_op(
            op,
            input,
            ksize=per_dimension(ksize, 3, channel_index, "ksize"),
            strides=per_dimension(strides, 3, channel_index, "strides"),
            padding=padding,
            data_format=data_format,
            name=name,
        )


def max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """Takes the greatest element of each window of volumes.

    Args:
      input: a `Tensor` of floats [batch, depth, height, width, channels], or as `data_format` says.
      ksize: one, three or five integers: the window's size.
      strides: one, three or five integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NDHWC' or 'NCDHW'.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return _pool_3d("MaxPool3D", input, ksize, strides, padding, data_format, name, 4)


def avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """Averages each window of volumes.

    Args:
      input: a `Tensor` of floats [batch, depth, height, width, channels], or as `data_format` says.
      ksize: one, three or five integers: the window's size.
      strides: one, three or five integers.
      padding: 'SAME' or 'VALID'; what lies outside does not count.
      data_format: 'NDHWC' or 'NCDHW'.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return _pool_3d("AvgPool3D", input, ksize, strides, padding, data_format, name, 3)


def _pool_by_rank(kind, input, ksize, strides, padding, data_format, name):
    if input.shape is not None:
        n = len(input.shape) - 2
    elif data_format is not None:
        n = len(data_format) - 2
    else:
        raise ValueError("The input must have a rank or a data format must be given.")
    if not 1 <= n <= 3:
        raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {n + 2}.")
    is_first = data_format is not None and data_format.startswith("NC")
    channel_index = 1 if is_first else n + 1
    ksize = per_dimension(ksize, n, channel_index, "ksize")
    strides = per_dimension(strides, n, channel_index, "strides")
    if n == 1:
        pool_1d = max_pool1d if kind == "MaxPool" else avg_pool1d
        return pool_1d(input, ksize, strides, padding, data_format, name)
    return apply_op(
        kind if n == 2 else kind + "3D",
        input,
        ksize=ksize,
        strides=strides,
        padding=padding,
        data_format=data_format,
        name=name,
    )


def max_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """Takes the greatest element of each window in one, two or three dimensions.

    Args:
      input: a `Tensor` [batch, *space, channels], or as `data_format` says.
      ksize: one integer, or one a dimension: the window's size.
      strides: one integer, or one a dimension.
      padding: 'SAME' or 'VALID'.
      data_format: 'NWC', 'NHWC', 'NDHWC' or the same with the channels second.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: when the number of dimensions is not 1 to 3.
    """
    return _pool_by_rank("MaxPool", input, ksize, strides, padding, data_format, name)


def avg_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """Averages each window in one, two or three dimensions.

    Args:
      input: a `Tensor` of floats [batch, *space, channels], or as `data_format` says.
      ksize: one integer, or one a dimension: the window's size.
      strides: one integer, or one a dimension.
      padding: 'SAME' or 'VALID'; what lies outside does not count.
      data_format: 'NWC', 'NHWC', 'NDHWC' or the same with the channels second.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: when the number of dimensions is not 1 to 3.
    """
    return _pool_by_rank("AvgPool", input, ksize, strides, padding, data_format, name)


def max_pool_with_argmax(
    input,
    ksize,
    strides,
    padding,
    data_format="NHWC",
    Targmax=None,  # noqa: N803
    name=None,
    output_dtype=None,
    include_batch_in_index=False,
):
    """`max_pool` that also tells where the greatest elements are.

    Args:
      input: a `Tensor` of real numbers [batch, height, width, channels].
      ksize: four integers: the window's size.
      strides: four integers.
      padding: 'SAME' or 'VALID'.
      data_format: 'NHWC'.
      Targmax: int32 or int64; None for int64.
      name: the operation's name.
      output_dtype: another name of `Targmax`.
      include_batch_in_index: whether places are counted through the batch.

    Returns:
      A named tuple: `output`; `argmax`, places in the flattened images.

    Raises:
      ValueError: for another format.
    """
    if data_format != "NHWC":
        raise ValueError("Data formats other than 'NHWC' are not yet supported")
    found = renamed("output_dtype", output_dtype, "Targmax", Targmax)
    return apply_op(
        "MaxPoolWithArgmax",
        input,
        ksize=ksize,
        strides=strides,
        padding=padding,
        Targmax=found or dtypes.int64,
        include_batch_in_index=include_batch_in_index,
        name=name,
    )


def pool(
    input,
    window_shape,
    pooling_type,
    padding,
    dilation_rate=None,
    strides=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """Pools in one, two or three dimensions.

    Args:
      input: a `Tensor` [batch, *space, channels], or as `data_format` says.
      window_shape: an integer a spatial dimension.
      pooling_type: 'MAX' or 'AVG'.
      padding: 'SAME' or 'VALID'.
      dilation_rate: an integer a spatial dimension; None for 1.
      strides: an integer a spatial dimension; None for 1.
      name: the operation's name.
      data_format: 'NWC', 'NHWC', 'NDHWC' or the same with the channels second.
      dilations: another name of `dilation_rate`.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: when the arguments do not fit each other.
    """
    dilation_rate = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    with name_scope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        n = len(window_shape)
        if not 1 <= n <= 3:
            raise ValueError("It is required that 1 <= num_spatial_dims <= 3.")
        input.shape.with_rank(n + 2)
        strides, rates = checked_strides_and_rates(n, strides, dilation_rate)
        if padding == "SAME" and np.any(rates > 1):
            raise ValueError("pooling with SAME padding is not implemented for dilation_rate > 1")
        if np.any(strides > window_shape):
            raise ValueError(
                "strides > window_shape not supported due to inconsistency between CPU and GPU implementations"
            )
        pools = {"MAX": (max_pool, max_pool, max_pool3d), "AVG": (avg_pool, avg_pool, avg_pool3d)}
        if pooling_type not in pools:
            raise ValueError(f"{n}-D {pooling_type} pooling is not supported.")
        run = pools[pooling_type][n - 1]
        is_first = data_format is not None and data_format.startswith("NC")
        first = 2 if is_first else 1
        ksize = [1, 1, *window_shape] if is_first else [1, *window_shape, 1]
        steps = [1, 1, *strides] if is_first else [1, *strides, 1]
        if n == 1:
            if data_format not in (None, "NWC", "NCW"):
                raise ValueError('data_format must be either "NWC" or "NCW".')
            data_format = "NCHW" if data_format == "NCW" else "NHWC"
            ksize, steps = [1, *ksize], [1, *steps]

        def op(value, _, its_padding):
            if n == 1:
                value = array.expand_dims(value, first)
            result = run(value, ksize, steps, its_padding, name=scope, data_format=data_format)
            return array.squeeze(result, [first]) if n == 1 else result

        return with_space_to_batch(
            input=input,
            dilation_rate=rates,
            padding=padding,
            op=op,
            spatial_dims=range(first, first + n),
            filter_shape=window_shape,
        )


def fractional_max_pool(
    value,
    pooling_ratio,
    pseudo_random=False,
    overlapping=False,
    deterministic=False,
    seed=0,
    seed2=0,
    name=None,
):
    """Takes the greatest elements of windows whose sizes vary at random.

    Args:
      value: a `Tensor` of real numbers [batch, height, width, channels].
      pooling_ratio: four floats of 1 or more: how much smaller each dimension becomes.
      pseudo_random: whether sizes come in a pseudorandom order.
      overlapping: whether windows share their borders.
      deterministic: whether every run uses the same windows.
      seed: the graph's part of the seed.
      seed2: the op's part of the seed.
      name: the operation's name.

    Returns:
      A named tuple: `output`, `row_pooling_sequence`, `col_pooling_sequence`.
    """
    return _fractional(
        "FractionalMaxPool", value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name
    )


def fractional_avg_pool(
    value,
    pooling_ratio,
    pseudo_random=False,
    overlapping=False,
    deterministic=False,
    seed=0,
    seed2=0,
    name=None,
):
    """Averages windows whose sizes vary at random.

    Args:
      value: a `Tensor` of real numbers [batch, height, width, channels].
      pooling_ratio: four floats of 1 or more: how much smaller each dimension becomes.
      pseudo_random: whether sizes come in a pseudorandom order.
      overlapping: whether windows share their borders.
      deterministic: whether every run uses the same windows.
      seed: the graph's part of the seed.
      seed2: the op's part of the seed.
      name: the operation's name.

    Returns:
      A named tuple: `output`, `row_pooling_sequence`, `col_pooling_sequence`.
    """
    return _fractional(
        "FractionalAvgPool", value, pooling_ratio, pseudo_random, overlapping, deterministic, seed, seed2, name
    )


def _fractional(op, value, ratio, pseudo_random, overlapping, deterministic, seed, seed2, name):
    return apply_op(
        op,
        value,
        pooling_ratio=ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )
