"""Batch, space and depth moved into one another; patches; quantized and fake-quantized numbers."""

import numpy as np

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, filling
from ferroflow._src.ops.arguments import renamed


def space_to_batch_nd(input, block_shape, paddings, name=None):
    """Moves blocks of the spatial dimensions into the batch, after padding.

    Args:
      input: a `Tensor` of any type.
      block_shape: a `Tensor` of int32 or int64.
      paddings: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("SpaceToBatchND", input, block_shape, paddings, name=name)


def batch_to_space_nd(input, block_shape, crops, name=None):
    """Moves the batch into blocks of the spatial dimensions, and crops.

    Args:
      input: a `Tensor` of any type.
      block_shape: a `Tensor` of int32 or int64.
      crops: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("BatchToSpaceND", input, block_shape, crops, name=name)


def _square(block_size):
    return np.array([block_size, block_size], dtype=np.int64)


def space_to_batch(input, paddings, block_size=None, name=None, block_shape=None):
    """Moves square blocks of height and width into the batch, after padding.

    Args:
      input: a `Tensor` [batch, height, width, depth].
      paddings: int32 or int64 [2, 2]: before and after height and width.
      block_size: an integer.
      name: the operation's name.
      block_shape: another name of `block_size`.

    Returns:
      A `Tensor` of the type of `input`.
    """
    block_size = renamed("block_shape", block_shape, "block_size", block_size)
    result = space_to_batch_nd(input, paddings=paddings, block_shape=_square(block_size), name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


def batch_to_space(input, crops, block_size, name=None, block_shape=None):
    """Moves the batch into square blocks of height and width, and crops.

    Args:
      input: a `Tensor` [batch, height, width, depth].
      crops: int32 or int64 [2, 2]: from the beginning and end of height and width.
      block_size: an integer.
      name: the operation's name.
      block_shape: another name of `block_size`.

    Returns:
      A `Tensor` of the type of `input`.
    """
    block_size = renamed("block_shape", block_shape, "block_size", block_size)
    result = batch_to_space_nd(input, crops=crops, block_shape=_square(block_size), name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


def required_space_to_batch_paddings(input_shape, block_shape, base_paddings=None, name=None):
    """Finds the paddings that make each dimension a multiple of its block.

    Args:
      input_shape: int32 [N].
      block_shape: int32 [N], of known shape.
      base_paddings: int32 [N, 2], the least paddings; None for zeros.
      name: the name scope.

    Returns:
      (paddings, crops), each int32 [N, 2].

    Raises:
      ValueError: when the shapes do not fit.
    """
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        input_shape = convert_to_tensor(input_shape, dtype=dtypes.int32, name="input_shape")
        block_shape = convert_to_tensor(block_shape, dtype=dtypes.int32, name="block_shape")
        block_shape.shape.assert_is_fully_defined()
        block_shape.shape.assert_has_rank(1)
        count = block_shape.shape.as_list()[0]
        if count == 0:
            return filling.zeros([0, 2], dtypes.int32), filling.zeros([0, 2], dtypes.int32)
        input_shape.shape.assert_is_compatible_with([count])
        if base_paddings is not None:
            base_paddings = convert_to_tensor(base_paddings, dtype=dtypes.int32, name="base_paddings")
            base_paddings.shape.assert_is_compatible_with([count, 2])
        else:
            base_paddings = filling.zeros([count, 2], dtypes.int32)
        known = [tensor_util.constant_value(t) for t in (block_shape, input_shape, base_paddings)]
        if all(value is not None for value in known):
            block_shape, input_shape, base_paddings = known
        start, end = base_paddings[:, 0], base_paddings[:, 1]
        full = input_shape + start + end
        extra = (block_shape - full % block_shape) % block_shape
        end = end + extra
        paddings = array.stack([[start[i], end[i]] for i in range(count)], name="paddings")
        crops = array.stack([[0, extra[i]] for i in range(count)], name="crops")
        return paddings, crops


def space_to_depth(input, block_size, name=None, data_format="NHWC"):
    """Moves blocks of height and width into depth.

    Args:
      input: a `Tensor` of rank 4.
      block_size: an integer of 2 or more.
      name: the operation's name.
      data_format: 'NHWC', 'NCHW' or 'NCHW_VECT_C'.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("SpaceToDepth", input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(input, block_size, name=None, data_format="NHWC"):
    """Moves depth into blocks of height and width.

    Args:
      input: a `Tensor` of rank 4.
      block_size: an integer of 2 or more.
      name: the operation's name.
      data_format: 'NHWC', 'NCHW' or 'NCHW_VECT_C'.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("DepthToSpace", input, block_size=block_size, data_format=data_format, name=name)


def extract_image_patches(images, ksizes=None, strides=None, rates=None, padding=None, name=None, sizes=None):
    """Lays patches of images out in depth.

    Args:
      images: a `Tensor` [batch, rows, columns, depth].
      ksizes: four integers: the size of the patches, the first and the last 1.
      strides: four integers: how far apart they lie.
      rates: four integers: how far apart their elements lie.
      padding: 'SAME' or 'VALID'.
      name: the operation's name.
      sizes: another name of `ksizes`.

    Returns:
      A `Tensor` of the type of `images`.
    """
    ksizes = renamed("sizes", sizes, "ksizes", ksizes)
    return extract_patches(images, ksizes, strides, rates, padding, name)


def extract_patches(images, sizes, strides, rates, padding, name=None):
    """`extract_image_patches` with TensorFlow 2's arguments."""
    return apply_op(
        "ExtractImagePatches", images, ksizes=sizes, strides=strides, rates=rates, padding=padding, name=name
    )


def extract_volume_patches(input, ksizes, strides, padding, name=None):
    """Lays patches of volumes out in depth.

    Args:
      input: a `Tensor` of real numbers.
      ksizes: integers.
      strides: integers.
      padding: one of 'SAME', 'VALID'.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("ExtractVolumePatches", input, ksizes=ksizes, strides=strides, padding=padding, name=name)


def quantize(
    input,
    min_range,
    max_range,
    T,
    mode="MIN_COMBINED",
    round_mode="HALF_AWAY_FROM_ZERO",
    name=None,
):
    """Turns floats of a range into small integers.

    Args:
      input: float32.
      min_range: a float32 scalar: the range's lower end.
      max_range: a float32 scalar: the range's upper end.
      T: a quantized type.
      mode: 'MIN_COMBINED', 'MIN_FIRST' or 'SCALED'.
      round_mode: 'HALF_AWAY_FROM_ZERO' or 'HALF_TO_EVEN'.
      name: the operation's name.

    Returns:
      A named tuple: `output`, `output_min`, `output_max`.
    """
    return apply_op("QuantizeV2", input, min_range, max_range, T=T, mode=mode, round_mode=round_mode, name=name)


def quantize_v2(
    input,
    min_range,
    max_range,
    T,
    mode="MIN_COMBINED",
    name=None,
    round_mode="HALF_AWAY_FROM_ZERO",
):
    """`quantize` with its arguments in another order."""
    return quantize(input, min_range, max_range, T, mode, round_mode, name)


def quantize_and_dequantize(
    input,
    input_min,
    input_max,
    signed_input=True,
    num_bits=8,
    range_given=False,
    round_mode="HALF_TO_EVEN",
    name=None,
    narrow_range=False,
):
    """Rounds floats to what so many bits can hold.

    Args:
      input: floats.
      input_min: a scalar of the same type: the range's lower end.
      input_max: a scalar of the same type: the range's upper end.
      signed_input: whether negative numbers are to be kept.
      num_bits: an integer.
      range_given: whether the range is used; else it is found from `input`.
      round_mode: 'HALF_TO_EVEN' or 'HALF_UP'.
      name: the operation's name.
      narrow_range: whether the lowest integer is left out.

    Returns:
      A `Tensor` of the type and shape of `input`.
    """
    return apply_op(
        "QuantizeAndDequantizeV2",
        input,
        input_min,
        input_max,
        signed_input=signed_input,
        num_bits=num_bits,
        range_given=range_given,
        round_mode=round_mode,
        narrow_range=narrow_range,
        name=name,
    )


def dequantize(input, min_range, max_range, mode="MIN_COMBINED", name=None):
    """Turns quantized integers of a range back into floats.

    Args:
      input: a `Tensor` of .
      min_range: a `Tensor` of float32.
      max_range: a `Tensor` of float32.
      mode: one of 'MIN_COMBINED', 'MIN_FIRST', 'SCALED'.
      name: the operation's name.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op("Dequantize", input, min_range, max_range, mode=mode, name=name)


def quantized_concat(concat_dim, values, input_mins, input_maxes, name=None):
    """Joins quantized tensors along a dimension.

    Args:
      concat_dim: a `Tensor` of int32.
      values: a list of `Tensor`s of any type.
      input_mins: a list of `Tensor`s of float32.
      input_maxes: a list of `Tensor`s of float32.
      name: the operation's name.

    Returns:
      A named tuple of `Tensor`s: output, output_min, output_max.
    """
    return apply_op("QuantizedConcat", concat_dim, values, input_mins, input_maxes, name=name)


def fake_quant_with_min_max_args(inputs, min=-6, max=6, num_bits=8, narrow_range=False, name=None):
    """Rounds floats as quantizing them to a fixed range would.

    Args:
      inputs: a `Tensor` of float32.
      min: a float.
      max: a float.
      num_bits: an integer.
      narrow_range: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of float32 with the shape of `inputs`.
    """
    return apply_op(
        "FakeQuantWithMinMaxArgs", inputs, min=min, max=max, num_bits=num_bits, narrow_range=narrow_range, name=name
    )


def fake_quant_with_min_max_args_gradient(gradients, inputs, min=-6, max=6, num_bits=8, narrow_range=False, name=None):
    """The gradient of `fake_quant_with_min_max_args`.

    Args:
      gradients: a `Tensor` of float32.
      inputs: a `Tensor` of float32.
      min: a float.
      max: a float.
      num_bits: an integer.
      narrow_range: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op(
        "FakeQuantWithMinMaxArgsGradient",
        gradients,
        inputs,
        min=min,
        max=max,
        num_bits=num_bits,
        narrow_range=narrow_range,
        name=name,
    )


def fake_quant_with_min_max_vars(inputs, min, max, num_bits=8, narrow_range=False, name=None):
    """Rounds floats as quantizing them to a given range would.

    Args:
      inputs: a `Tensor` of float32.
      min: a `Tensor` of float32.
      max: a `Tensor` of float32.
      num_bits: an integer.
      narrow_range: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op(
        "FakeQuantWithMinMaxVars", inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name
    )


def fake_quant_with_min_max_vars_gradient(gradients, inputs, min, max, num_bits=8, narrow_range=False, name=None):
    """The gradients of `fake_quant_with_min_max_vars`.

    Args:
      gradients: a `Tensor` of float32.
      inputs: a `Tensor` of float32.
      min: a `Tensor` of float32.
      max: a `Tensor` of float32.
      num_bits: an integer.
      narrow_range: a bool.
      name: the operation's name.

    Returns:
      A named tuple of `Tensor`s: backprops_wrt_input, backprop_wrt_min, backprop_wrt_max.
    """
    return apply_op(
        "FakeQuantWithMinMaxVarsGradient",
        gradients,
        inputs,
        min,
        max,
        num_bits=num_bits,
        narrow_range=narrow_range,
        name=name,
    )


def fake_quant_with_min_max_vars_per_channel(inputs, min, max, num_bits=8, narrow_range=False, name=None):
    """Rounds floats as quantizing each channel to its range would.

    Args:
      inputs: a `Tensor` of float32.
      min: a `Tensor` of float32.
      max: a `Tensor` of float32.
      num_bits: an integer.
      narrow_range: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op(
        "FakeQuantWithMinMaxVarsPerChannel", inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name
    )


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients, inputs, min, max, num_bits=8, narrow_range=False, name=None
):
    """The gradients of `fake_quant_with_min_max_vars_per_channel`.

    Args:
      gradients: a `Tensor` of float32.
      inputs: a `Tensor` of float32.
      min: a `Tensor` of float32.
      max: a `Tensor` of float32.
      num_bits: an integer.
      narrow_range: a bool.
      name: the operation's name.

    Returns:
      A named tuple of `Tensor`s: backprops_wrt_input, backprop_wrt_min, backprop_wrt_max.
    """
    return apply_op(
        "FakeQuantWithMinMaxVarsPerChannelGradient",
        gradients,
        inputs,
        min,
        max,
        num_bits=num_bits,
        narrow_range=narrow_range,
        name=name,
    )
