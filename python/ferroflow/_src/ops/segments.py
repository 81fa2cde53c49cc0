"""Segments: slices that share a number are added, averaged, multiplied or compared."""

from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, filling, shaping


def segment_sum(data, segment_ids, name=None):
    """Adds up slices with equal numbers, which must not fall.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("SegmentSum", data, segment_ids, name=name)


def segment_mean(data, segment_ids, name=None):
    """Averages slices with equal numbers, which must not fall.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("SegmentMean", data, segment_ids, name=name)


def segment_prod(data, segment_ids, name=None):
    """Multiplies slices with equal numbers, which must not fall.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("SegmentProd", data, segment_ids, name=name)


def segment_min(data, segment_ids, name=None):
    """Takes the least of slices with equal numbers, which must not fall.

    Args:
      data: a `Tensor` of real numbers.
      segment_ids: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("SegmentMin", data, segment_ids, name=name)


def segment_max(data, segment_ids, name=None):
    """Takes the greatest of slices with equal numbers, which must not fall.

    Args:
      data: a `Tensor` of real numbers.
      segment_ids: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("SegmentMax", data, segment_ids, name=name)


def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    """Adds up slices with equal numbers, in any order.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: a `Tensor` of int32 or int64.
      num_segments: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("UnsortedSegmentSum", data, segment_ids, num_segments, name=name)


def unsorted_segment_prod(data, segment_ids, num_segments, name=None):
    """Multiplies slices with equal numbers, in any order.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: a `Tensor` of int32 or int64.
      num_segments: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("UnsortedSegmentProd", data, segment_ids, num_segments, name=name)


def unsorted_segment_min(data, segment_ids, num_segments, name=None):
    """Takes the least of slices with equal numbers, in any order.

    Args:
      data: a `Tensor` of real numbers.
      segment_ids: a `Tensor` of int32 or int64.
      num_segments: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("UnsortedSegmentMin", data, segment_ids, num_segments, name=name)


def unsorted_segment_max(data, segment_ids, num_segments, name=None):
    """Takes the greatest of slices with equal numbers, in any order.

    Args:
      data: a `Tensor` of real numbers.
      segment_ids: a `Tensor` of int32 or int64.
      num_segments: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return apply_op("UnsortedSegmentMax", data, segment_ids, num_segments, name=name)


def _segment_counts(data, segment_ids, num_segments):
    ones = filling.ones(shaping.shape_internal(segment_ids), dtype=data.dtype)
    counts = unsorted_segment_sum(ones, segment_ids, num_segments)
    counts = array.reshape(counts, [num_segments] + [1] * (data.shape.ndims - segment_ids.shape.ndims))
    return apply_op("Maximum", counts, 1)


def unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    """Averages slices with equal numbers, in any order.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: int32 or int64; its shape is the first dimensions of that of `data`.
      num_segments: an int32 or int64 scalar.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `data`, its first dimension `num_segments`.
    """
    with name_scope(name, "UnsortedSegmentMean"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        counts = _segment_counts(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / counts


def unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    """Adds up slices with equal numbers and divides by the square root of how many they are.

    Args:
      data: a `Tensor` of numbers.
      segment_ids: int32 or int64; its shape is the first dimensions of that of `data`.
      num_segments: an int32 or int64 scalar.
      name: the name scope.

    Returns:
      A `Tensor` of the type of `data`, its first dimension `num_segments`.
    """
    with name_scope(name, "UnsortedSegmentSqrtN"):
        data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        counts = _segment_counts(data, segment_ids, num_segments)
        return unsorted_segment_sum(data, segment_ids, num_segments) / apply_op("Sqrt", counts)


def _sparse_segment(op, data, indices, segment_ids, name, num_segments):
    if num_segments is None:
        return apply_op(op, data, indices, segment_ids, name=name)
    return apply_op(op + "WithNumSegments", data, indices, segment_ids, num_segments, name=name)


def sparse_segment_sum(data, indices, segment_ids, name=None, num_segments=None):
    """Adds up chosen slices with equal numbers.

    Args:
      data: a `Tensor` of real numbers.
      indices: int32 or int64: which slices.
      segment_ids: int32: the number of each, which must not fall.
      name: the operation's name.
      num_segments: an int32 or int64 scalar; None for as many as there are.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return _sparse_segment("SparseSegmentSum", data, indices, segment_ids, name, num_segments)


def sparse_segment_mean(data, indices, segment_ids, name=None, num_segments=None):
    """Averages chosen slices with equal numbers.

    Args:
      data: float32 or float64.
      indices: int32 or int64: which slices.
      segment_ids: int32: the number of each, which must not fall.
      name: the operation's name.
      num_segments: an int32 or int64 scalar; None for as many as there are.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return _sparse_segment("SparseSegmentMean", data, indices, segment_ids, name, num_segments)


def sparse_segment_sqrt_n(data, indices, segment_ids, name=None, num_segments=None):
    """Adds up chosen slices with equal numbers and divides by the square root of how many they are.

    Args:
      data: float32 or float64.
      indices: int32 or int64: which slices.
      segment_ids: int32: the number of each, which must not fall.
      name: the operation's name.
      num_segments: an int32 or int64 scalar; None for as many as there are.

    Returns:
      A `Tensor` of the type of `data`.
    """
    return _sparse_segment("SparseSegmentSqrtN", data, indices, segment_ids, name, num_segments)
