"""Convolutions of any number of dimensions, dilated ones, and those of each channel by itself."""

from collections.abc import Sized

import numpy as np

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import TensorShape, as_shape, dimension_at_index
from ferroflow._src.ops import array, indexing, math, shaping, spaces
from ferroflow._src.ops.arguments import renamed
from ferroflow._src.ops.conv import (
    conv1d,
    conv1d_transpose,
    conv2d,
    conv2d_transpose,
    conv2d_transpose_v2,
    conv3d_transpose_v2,
    per_dimension,
)

_TRANSPOSES = (conv1d_transpose, conv2d_transpose_v2, conv3d_transpose_v2)


def conv_transpose(input, filters, output_shape, strides, padding="SAME", data_format=None, dilations=None, name=None):
    """The transpose of `convolution`, of one, two or three dimensions.

    Args:
      input: a `Tensor` of floats [batch, *space, channels], or as `data_format` says.
      filters: one of the same type [*space, output channels, channels].
      output_shape: the shape of the result.
      strides: one integer, or one a spatial dimension.
      padding: 'SAME' or 'VALID'.
      data_format: 'NWC', 'NHWC', 'NDHWC' or the same with the channels second.
      dilations: one integer, or one a spatial dimension.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: when the number of dimensions is not known, or not 1 to 3.
    """
    with name_scope(name, "conv_transpose", [input, output_shape]) as name:
        if tensor_util.is_tensor(output_shape):
            n = output_shape.shape[0] - 2
        elif isinstance(output_shape, Sized):
            n = len(output_shape) - 2
        else:
            raise ValueError("output_shape must be a tensor or sized collection.")
        if not 1 <= n <= 3:
            raise ValueError(f"output_shape must be of length 3, 4 or 5 but was {n + 2}.")
        transpose = _TRANSPOSES[int(n) - 1]
        return transpose(input, filters, output_shape, strides, padding, data_format, dilations, name)


def convolution(
    input,
    filter,
    padding,
    strides=None,
    dilation_rate=None,
    name=None,
    data_format=None,
    filters=None,
    dilations=None,
):
    """Convolves in one, two or three dimensions.

    Args:
      input: a `Tensor` of floats [batch, *space, channels], or as `data_format` says.
      filter: one of the same type [*space, channels, output channels].
      padding: 'SAME' or 'VALID'.
      strides: one integer, or one a spatial dimension.
      dilation_rate: one integer, or one a spatial dimension; not together with strides.
      name: the name scope.
      data_format: 'NWC', 'NHWC', 'NDHWC' or the same with the channels second.
      filters: another name of `filter`.
      dilations: another name of `dilation_rate`.

    Returns:
      A `Tensor` of the type of `input`.

    Raises:
      ValueError: when the shapes, strides or rates do not fit.
    """
    filter = renamed("filters", filters, "filter", filter)
    dilation_rate = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    return convolution_v2(input, filter, strides, padding, data_format, dilation_rate, name)


def _spatial_dimensions(input, filters):
    for shape in (input.shape, filters.shape):
        ndims = as_shape(shape).ndims
        if ndims is not None:
            if not 1 <= ndims - 2 <= 3:
                raise ValueError(f"Input tensor must be of rank 3, 4 or 5 but was {ndims}.")
            return ndims - 2
    raise ValueError("rank of input or filter must be known")


def convolution_v2(input, filters, strides=None, padding="VALID", data_format=None, dilations=None, name=None):
    """`convolution` with TensorFlow 2's arguments."""
    n = _spatial_dimensions(input, filters)
    channel_index = 1 if data_format is not None and data_format.startswith("NC") else n + 1
    strides = per_dimension(strides, n, channel_index, "strides")
    dilations = per_dimension(dilations, n, channel_index, "dilations")
    with name_scope(name, "convolution", [input, filters]) as name:
        if all(rate == 1 for rate in dilations):
            if n == 1:
                return conv1d(input, filters, strides, padding, data_format=data_format, dilations=dilations, name=name)
            return apply_op(
                "Conv2D" if n == 2 else "Conv3D",
                input,
                filters,
                strides=strides,
                padding=padding,
                data_format=data_format,
                dilations=dilations,
                name=name,
            )
        space = slice(2, None) if channel_index == 1 else slice(1, -1)
        convolve = Convolution(
            as_shape(input.shape), as_shape(filters.shape), padding, strides[space], dilations[space], name, data_format
        )
        return convolve(input, filters)


def checked_strides_and_rates(num_spatial_dims, strides, dilation_rate):
    """Returns strides and dilation rates as arrays.

    Raises:
      ValueError: when there are not as many as dimensions, or both are greater than 1.
    """
    if dilation_rate is None:
        dilation_rate = [1] * num_spatial_dims
    elif len(dilation_rate) != num_spatial_dims:
        raise ValueError(f"len(dilation_rate)={len(dilation_rate)} but should be {num_spatial_dims}")
    dilation_rate = np.array(dilation_rate, dtype=np.int32)
    if np.any(dilation_rate < 1):
        raise ValueError("all values of dilation_rate must be positive")
    if strides is None:
        strides = [1] * num_spatial_dims
    elif len(strides) != num_spatial_dims:
        raise ValueError(f"len(strides)={len(strides)} but should be {num_spatial_dims}")
    strides = np.array(strides, dtype=np.int32)
    if np.any(strides < 1):
        raise ValueError("all values of strides must be positive")
    if np.any(strides > 1) and np.any(dilation_rate > 1):
        raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
    return strides, dilation_rate


class Convolution:
    """A convolution whose shapes and strides are checked once; called with an input and a filter."""

    def __init__(
        self, input_shape, filter_shape, padding, strides=None, dilation_rate=None, name=None, data_format=None
    ):
        """Checks the arguments of `convolution`.

        Raises:
          ValueError: when they do not fit each other.
        """
        total = filter_shape.ndims if filter_shape.ndims is not None else input_shape.ndims
        if total is None:
            raise ValueError("rank of input or filter must be known")
        n = total - 2
        for label, shape in (("input", input_shape), ("filter", filter_shape)):
            try:
                shape.with_rank(n + 2)
            except ValueError:
                raise ValueError(f"{label} tensor must have rank {n + 2}") from None
        is_last = data_format is None or not data_format.startswith("NC")
        channels = dimension_at_index(input_shape, n + 1 if is_last else 1)
        if not channels.is_compatible_with(filter_shape[n]):
            raise ValueError(
                "number of input channels does not match corresponding dimension of filter, "
                f"{channels} != {filter_shape[n]}"
            )
        self._strides, rates = checked_strides_and_rates(n, strides, dilation_rate)
        self._input_shape, self._filter_shape = input_shape, filter_shape
        self._name, self._data_format, self._n = name, data_format, n
        first = 1 if is_last else 2
        self._dilated = _Dilated(
            input_shape, rates, padding, self._convolve, filter_shape, range(first, first + n), data_format
        )

    def __call__(self, inp, filter):
        return self._dilated(inp, filter)

    def _convolve(self, inp, filter, padding):
        return undilated(inp, filter, padding, self._data_format, self._strides, self._name, self._n)


def undilated(input, filter, padding, data_format, strides, name, n):
    """A convolution without dilation: one op of `n` dimensions.

    Raises:
      ValueError: for another format.
    """
    strides = list(strides)
    if n == 1:
        return conv1d(input, filter, strides[0], padding, data_format=data_format or "NWC", name=name)
    last, first = ("NHWC", "NCHW") if n == 2 else ("NDHWC", "NCDHW")
    if data_format not in (None, last, first):
        raise ValueError(f'data_format must be "{last}" or "{first}".')
    strides = [1, 1, *strides] if data_format == first else [1, *strides, 1]
    if n == 2:
        return conv2d(input, filter, strides, padding, data_format=data_format or last, name=name)
    return apply_op("Conv3D", input, filter, strides=strides, padding=padding, data_format=data_format, name=name)


def with_space_to_batch(input, dilation_rate, padding, op, filter_shape=None, spatial_dims=None, data_format=None):
    """Makes an op dilated: it runs on interleaved parts of its input, which stand in the batch.

    Args:
      input: a `Tensor`.
      dilation_rate: int32 of rank 1: the rate for each spatial dimension.
      padding: 'SAME' or 'VALID'.
      op: called with (input, number of spatial dimensions, padding).
      filter_shape: the filter's shape, for 'SAME'.
      spatial_dims: which dimensions; None for those after the batch (and the channels, if they come first).
      data_format: says whether the channels come first.

    Returns:
      What `op` returns, put together again.

    Raises:
      ValueError: when the arguments do not fit each other.
    """
    input = convert_to_tensor(input, name="input")
    count = []

    def run(inp, _, padding):
        return op(inp, count[0], padding)

    dilated = _Dilated(input.shape, dilation_rate, padding, run, filter_shape, spatial_dims, data_format)
    count.append(dilated.num_spatial_dims)
    return dilated(input, None)


class _Dilated:
    """An op between a SpaceToBatchND and a BatchToSpaceND, or alone when all rates are 1."""

    def __init__(self, input_shape, dilation_rate, padding, op, filter_shape, spatial_dims, data_format):
        rates = convert_to_tensor(dilation_rate, dtypes.int32, name="dilation_rate")
        if rates.shape.ndims not in (None, 1):
            raise ValueError("rate must be rank 1")
        if not rates.shape.is_fully_defined():
            raise ValueError("rate must have known shape")
        n = self.num_spatial_dims = rates.shape.as_list()[0]
        first = 2 if data_format is not None and data_format.startswith("NC") else 1
        given = list(range(first, first + n)) if spatial_dims is None else list(spatial_dims)
        dims = sorted({int(d) for d in given})
        if dims != given or any(d < 1 for d in dims):
            raise ValueError("spatial_dims must be a montonically increasing sequence of positive integers")
        least = dims[-1] if first == 2 else dims[-1] + 1
        try:
            input_shape.with_rank_at_least(least)
        except ValueError:
            raise ValueError(f"input tensor must have rank {least} at least") from None
        self._input_shape, self._rates, self._dims = input_shape, rates, dims
        self._op, self._padding, self._data_format = op, padding, data_format
        known = tensor_util.constant_value(rates)
        if known is not None and np.any(known < 1):
            raise ValueError("dilation_rate must be positive")
        self._is_plain = known is not None and np.all(known == 1)
        self._known_rates = rates if known is None else known
        if not self._is_plain:
            self._base = self._base_paddings(filter_shape)

    def _base_paddings(self, filter_shape):
        if self._padding == "VALID":
            return np.zeros([self.num_spatial_dims, 2], np.int32)
        if self._padding != "SAME":
            raise ValueError(f"Invalid padding method {self._padding!r}")
        if filter_shape is None:
            raise ValueError("filter_shape must be specified for SAME padding")
        known = tensor_util.constant_value(convert_to_tensor(filter_shape, name="filter_shape"))
        return None if known is None else self._paddings_for(known)

    def _paddings_for(self, filter_shape):
        space = filter_shape[: self.num_spatial_dims]
        extra = space + (space - 1) * (self._known_rates - 1) - 1
        start = extra // 2
        end = extra - start
        return array.stack([[start[i], end[i]] for i in range(self.num_spatial_dims)])

    def __call__(self, inp, filter):
        if self._is_plain:
            return self._op(inp, filter, self._padding)
        sizes = None
        if self._input_shape.ndims is not None:
            known = self._input_shape.as_list()
            sizes = [known[d] for d in self._dims]
        if sizes is None or None in sizes:
            shape = shaping.shape(inp)
            sizes = array.stack([shape[d] for d in self._dims])
        base = self._paddings_for(shaping.shape(filter)) if self._base is None else self._base
        paddings, crops = spaces.required_space_to_batch_paddings(
            input_shape=sizes, base_paddings=base, block_shape=self._rates
        )
        rates = self._spread(self._rates, 1)
        paddings, crops = self._spread(paddings, 0), self._spread(crops, 0)
        parts = spaces.space_to_batch_nd(input=inp, block_shape=rates, paddings=paddings)
        result = self._op(parts, filter, "VALID")
        joined = spaces.batch_to_space_nd(input=result, block_shape=rates, crops=crops)
        if self._data_format is not None and self._data_format.startswith("NC") and filter is not None:
            shape = joined.shape.as_list()
            if not shape[1]:
                shape[1] = filter.shape[-1]
                joined.set_shape(shape)
        return joined

    def _spread(self, values, fill):
        """One row for each dimension up to the last spatial one: `fill` for those between."""
        known = tensor_util.constant_value(values)
        row = values.shape.as_list()[1:]
        dtype = values.dtype.as_numpy_dtype
        source = values if known is None else known
        parts, done, i = [], 0, 0
        while i < len(self._dims):
            begin = i
            if self._dims[i] > 1:
                parts.append(np.full([self._dims[i] - 1 - done, *row], fill, dtype=dtype))
            while i + 1 < len(self._dims) and self._dims[i + 1] == self._dims[i] + 1:
                i += 1
            parts.append(source[begin : i + 1])
            done = self._dims[i]
            i += 1
        return array.concat(parts, 0) if known is None else np.concatenate(parts)


def atrous_conv2d(value, filters, rate, padding, name=None):
    """Convolves images with dilated filters.

    Args:
      value: a `Tensor` of floats [batch, height, width, channels].
      filters: one of the same type [height, width, channels, output channels].
      rate: an integer: how far apart the filter's elements lie.
      padding: 'SAME' or 'VALID'.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `value`.
    """
    return convolution(
        input=value, filter=filters, padding=padding, dilation_rate=np.broadcast_to(rate, (2,)), name=name
    )


def atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    """The transpose of `atrous_conv2d`.

    Args:
      value: a `Tensor` of floats [batch, height, width, channels].
      filters: one of the same type [height, width, output channels, channels].
      output_shape: the shape of the result: int32 [4].
      rate: an integer: how far apart the filter's elements lie.
      padding: 'SAME' or 'VALID'.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `value`.

    Raises:
      ValueError: when the arguments do not fit each other.
    """
    with name_scope(name, "atrous_conv2d_transpose", [value, filters, output_shape]) as name:
        value = convert_to_tensor(value, name="value")
        filters = convert_to_tensor(filters, name="filters")
        if not value.shape.dims[3].is_compatible_with(filters.shape[3]):
            raise ValueError(
                f"value's input channels does not match filters' input channels, {value.shape[3]} != {filters.shape[3]}"
            )
        if rate < 1:
            raise ValueError(f"rate {rate} cannot be less than one")
        if rate == 1:
            return conv2d_transpose(value, filters, output_shape, [1, 1, 1, 1], padding, "NHWC")
        shape = convert_to_tensor(output_shape, name="output_shape")
        if not shape.shape.is_compatible_with(TensorShape([4])):
            raise ValueError(f"output_shape must have shape (4,), got {shape.shape}")
        if isinstance(output_shape, tuple):
            output_shape = list(output_shape)
        if isinstance(output_shape, (list, np.ndarray)) and not filters.shape.dims[2].is_compatible_with(
            output_shape[3]
        ):
            raise ValueError(
                f"output_shape does not match filter's output channels, {output_shape[3]} != {filters.shape[2]}"
            )
        top, bottom, left, right = _transposed_padding(filters, rate, padding)
        height = output_shape[1] + top + bottom
        width = output_shape[2] + left + right
        extra_height = (rate - height % rate) % rate
        extra_width = (rate - width % rate) % rate
        value = spaces.space_to_batch(input=value, paddings=[[0, extra_height], [0, extra_width]], block_size=rate)
        sizes = [
            rate * rate * output_shape[0],
            (height + extra_height) // rate,
            (width + extra_width) // rate,
            output_shape[3],
        ]
        value = apply_op(
            "Conv2DBackpropInput", sizes, filters, value, strides=[1, 1, 1, 1], padding="VALID", data_format="NHWC"
        )
        crops = [[top, bottom + extra_height], [left, right + extra_width]]
        return spaces.batch_to_space(input=value, crops=crops, block_size=rate)


def _transposed_padding(filters, rate, padding):
    if padding == "VALID":
        return 0, 0, 0, 0
    if padding != "SAME":
        raise ValueError(f"padding must be either VALID or SAME: {padding}")
    shape = filters.shape.as_list() if filters.shape.is_fully_defined() else shaping.shape(filters)
    height, width = shape[0], shape[1]
    height = height + (height - 1) * (rate - 1) - 1
    width = width + (width - 1) * (rate - 1) - 1
    top, left = height // 2, width // 2
    return top, height - top, left, width - left


def depthwise_conv2d(input, filter, strides, padding, rate=None, name=None, data_format=None, dilations=None):
    """Convolves each channel with filters of its own.

    Args:
      input: a `Tensor` of floats [batch, height, width, channels], or as `data_format` says.
      filter: one of the same type [height, width, channels, multiplier].
      strides: four integers.
      padding: 'SAME' or 'VALID'.
      rate: two integers: how far apart the filter's elements lie; None for 1.
      name: the name scope.
      data_format: 'NHWC' or 'NCHW'.
      dilations: another name of `rate`.

    Returns:
      A `Tensor` with `channels * multiplier` channels.
    """
    rate = renamed("dilations", dilations, "rate", rate)
    with name_scope(name, "depthwise", [input, filter]) as name:
        input = convert_to_tensor(input, name="tensor_in")
        filter = convert_to_tensor(filter, name="filter_in")
        return _depthwise(input, filter, strides, padding, rate, data_format, name)


def _depthwise(input, filter, strides, padding, rate, data_format, name):
    def convolve(parts, _, padding):
        return apply_op(
            "DepthwiseConv2dNative",
            parts,
            filter,
            strides=strides,
            padding=padding,
            data_format=data_format,
            name=name,
        )

    return with_space_to_batch(
        input=input,
        dilation_rate=[1, 1] if rate is None else rate,
        padding=padding,
        op=convolve,
        filter_shape=shaping.shape(filter),
        data_format=data_format,
    )


def separable_conv2d(
    input,
    depthwise_filter,
    pointwise_filter,
    strides,
    padding,
    rate=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """Convolves each channel, then mixes the channels of each point.

    Args:
      input: a `Tensor` of floats [batch, height, width, channels], or as `data_format` says.
      depthwise_filter: one of the same type [height, width, channels, multiplier].
      pointwise_filter: one of the same type [1, 1, channels * multiplier, output channels].
      strides: four integers.
      padding: 'SAME' or 'VALID'.
      rate: two integers: how far apart the filter's elements lie; None for 1.
      name: the name scope.
      data_format: 'NHWC' or 'NCHW'.
      dilations: another name of `rate`.

    Returns:
      A `Tensor` of the type of `input`.
    """
    rate = renamed("dilations", dilations, "rate", rate)
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as name:
        input = convert_to_tensor(input, name="tensor_in")
        depthwise_filter = convert_to_tensor(depthwise_filter, name="depthwise_filter")
        pointwise_filter = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        shape = pointwise_filter.shape.with_rank(4)
        shape.dims[0].assert_is_compatible_with(1)
        shape.dims[1].assert_is_compatible_with(1)
        depthwise = _depthwise(input, depthwise_filter, strides, padding, rate, data_format, "depthwise")
        return conv2d(depthwise, pointwise_filter, [1, 1, 1, 1], "VALID", data_format=data_format, name=name)


def depthwise_conv2d_native(input, filter, strides, padding, data_format="NHWC", dilations=[1, 1, 1, 1], name=None):
    """`depthwise_conv2d` without a dilation in between.

    Args:
      input: a `Tensor` of floats.
      filter: a `Tensor` of floats.
      strides: integers.
      padding: one of 'SAME', 'VALID'.
      data_format: one of 'NHWC', 'NCHW'.
      dilations: integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op(
        "DepthwiseConv2dNative",
        input,
        filter,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def depthwise_conv2d_native_backprop_filter(
    input, filter_sizes, out_backprop, strides, padding, data_format="NHWC", dilations=[1, 1, 1, 1], name=None
):
    """The gradient of `depthwise_conv2d_native` for the filter.

    Args:
      input: a `Tensor` of floats.
      filter_sizes: a `Tensor` of int32.
      out_backprop: a `Tensor` of floats.
      strides: integers.
      padding: one of 'SAME', 'VALID'.
      data_format: one of 'NHWC', 'NCHW'.
      dilations: integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op(
        "DepthwiseConv2dNativeBackpropFilter",
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def depthwise_conv2d_native_backprop_input(
    input_sizes, filter, out_backprop, strides, padding, data_format="NHWC", dilations=[1, 1, 1, 1], name=None
):
    """The gradient of `depthwise_conv2d_native` for what is convolved.

    Args:
      input_sizes: a `Tensor` of int32.
      filter: a `Tensor` of floats.
      out_backprop: a `Tensor` of floats.
      strides: integers.
      padding: one of 'SAME', 'VALID'.
      data_format: one of 'NHWC', 'NCHW'.
      dilations: integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `filter`.
    """
    return apply_op(
        "DepthwiseConv2dNativeBackpropInput",
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def dilation2d(input, filter=None, strides=None, rates=None, padding=None, name=None, filters=None, dilations=None):
    """The greatest sum of image and filter in each window: grayscale dilation.

    Args:
      input: a `Tensor` of real numbers [batch, height, width, depth].
      filter: one of the same type [height, width, depth].
      strides: four integers.
      rates: four integers: how far apart the filter's elements lie.
      padding: 'SAME' or 'VALID'.
      name: the operation's name.
      filters: another name of `filter`.
      dilations: another name of `rates`.

    Returns:
      A `Tensor` of the type of `input`.
    """
    filter = renamed("filters", filters, "filter", filter)
    rates = renamed("dilations", dilations, "rates", rates)
    return apply_op("Dilation2D", input, filter, strides=strides, rates=rates, padding=padding, name=name)


def erosion2d(value, kernel, strides, rates, padding, name=None):
    """The least difference of image and filter in each window: grayscale erosion.

    Args:
      value: a `Tensor` of real numbers [batch, height, width, depth].
      kernel: one of the same type [height, width, depth].
      strides: four integers.
      rates: four integers: how far apart the kernel's elements lie.
      padding: 'SAME' or 'VALID'.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `value`.
    """
    with name_scope(name, "erosion2d", [value, kernel]) as name:
        value = math.negative(value)
        kernel = indexing.reverse(kernel, [0, 1])
        return math.negative(
            apply_op("Dilation2D", value, kernel, strides=strides, rates=rates, padding=padding, name=name)
        )
