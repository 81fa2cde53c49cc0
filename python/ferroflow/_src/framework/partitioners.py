"""Partitioners: how many parts a variable has in each dimension. Given to `tf.get_variable` or a variable scope."""

import math

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.tensor_shape import TensorShape, dimension_value


def fixed_size_partitioner(num_shards, axis=0):
    """Returns a partitioner that makes `num_shards` parts along `axis`."""

    def partitioner(shape, **unused_kwargs):
        parts = [1] * len(shape)
        parts[axis] = min(num_shards, dimension_value(shape[axis]))
        return parts

    return partitioner


def variable_axis_size_partitioner(max_shard_bytes, axis=0, bytes_per_string_element=16, max_shards=None):
    """Returns a partitioner whose parts are of `max_shard_bytes` at most.

    Args:
      max_shard_bytes: a positive int.
      axis: the dimension that is divided.
      bytes_per_string_element: how large a string is taken to be.
      max_shards: the most parts, or None.

    Raises:
      ValueError: when a number is below 1.
    """
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive.")
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape, dtype):
        shape = _checked(shape)
        dtype = dtypes.as_dtype(dtype)
        sizes = shape.as_list()
        element = bytes_per_string_element if dtype is dtypes.string else dtype.size
        parts = [1] * len(sizes)
        slice_bytes = math.prod(sizes) / sizes[axis] * element
        wanted = math.ceil(sizes[axis] / max(1, math.floor(max_shard_bytes / slice_bytes)))
        if max_shards:
            wanted = min(max_shards, wanted)
        parts[axis] = wanted
        return parts

    return partitioner


def min_max_variable_partitioner(max_partitions=1, axis=0, min_slice_size=256 << 10, bytes_per_string_element=16):
    """Returns a partitioner whose parts are of `min_slice_size` bytes at least, and no more than `max_partitions`.

    Args:
      max_partitions: the most parts.
      axis: the dimension that is divided.
      min_slice_size: bytes.
      bytes_per_string_element: how large a string is taken to be.
    """

    def partitioner(shape, dtype):
        if axis >= len(shape):
            raise ValueError(f"Can not partition variable along axis {axis} when shape is only {shape}")
        element = bytes_per_string_element if dtype.base_dtype is dtypes.string else dtype.size
        wanted = math.ceil(shape.num_elements() * element / min_slice_size)
        parts = [1] * len(shape)
        parts[axis] = max(1, min(dimension_value(shape[axis]), max_partitions, wanted))
        return parts

    return partitioner


def _checked(shape):
    if not isinstance(shape, TensorShape):
        raise ValueError(f"shape is not a TensorShape: {shape}")
    if not shape.is_fully_defined():
        raise ValueError(f"shape is not fully defined: {shape}")
    return shape
