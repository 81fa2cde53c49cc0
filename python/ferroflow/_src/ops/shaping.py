"""Shapes as tensors: what asks for sizes, and what joins or checks them."""

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices, is_sparse
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape


def shape(input, name=None, out_type=dtypes.int32):
    """Returns the shape of a tensor as a tensor.

    Args:
      input: a `Tensor` or `SparseTensor`.
      name: the operation's name.
      out_type: int32 or int64.

    Returns:
      A `Tensor` of rank 1: a constant when the shape is known while the graph is built.
    """
    return shape_internal(input, name, True, out_type)


def shape_v2(input, out_type=dtypes.int32, name=None):
    """`shape` with TensorFlow 2's order of arguments."""
    return shape(input, name, out_type)


def shape_internal(input, name=None, optimize=True, out_type=dtypes.int32):
    """`shape`; without `optimize` always an operation."""
    with name_scope(name, "Shape", [input]) as name:
        if is_sparse(input):
            return apply_op("Cast", input.dense_shape, DstT=out_type)
        input = convert_to_tensor(input)
        known = input.shape
        if optimize and known.is_fully_defined():
            return constant(known.as_list(), out_type, name=name)
        return apply_op("Shape", input, out_type=out_type, name=name)


def shape_n(input, out_type=dtypes.int32, name=None):
    """Returns the shapes of several tensors.

    Args:
      input: a list of `Tensor`s of any type.
      out_type: a `DType`: int32 or int64.
      name: the operation's name.

    Returns:
      A list of `Tensor`s of int32 or int64.
    """
    return apply_op("ShapeN", input, out_type=out_type, name=name)


def size(input, name=None, out_type=dtypes.int32):
    """Returns the number of elements.

    Args:
      input: a `Tensor` or `SparseTensor`.
      name: the operation's name.
      out_type: int32 or int64.

    Returns:
      A scalar: a constant when the shape is known while the graph is built.
    """
    return size_internal(input, name, True, out_type)


def size_v2(input, out_type=dtypes.int32, name=None):
    """`size` with TensorFlow 2's order of arguments."""
    return size(input, name, out_type)


def size_internal(input, name=None, optimize=True, out_type=dtypes.int32):
    """`size`; without `optimize` always an operation."""
    with name_scope(name, "Size", [input]) as name:
        if is_sparse(input):
            return apply_op("Prod", apply_op("Cast", input.dense_shape, DstT=out_type), 0, name=name)
        input = convert_to_tensor(input)
        known = input.shape
        if optimize and known.is_fully_defined():
            return constant(known.num_elements(), out_type, name=name)
        if optimize and known.ndims and 0 in known.as_list():
            return constant(0, out_type, name=name)
        return apply_op("Size", input, out_type=out_type, name=name)


def rank(input, name=None):
    """Returns the number of dimensions.

    Args:
      input: a `Tensor` or `SparseTensor`.
      name: the operation's name.

    Returns:
      An int32 scalar: a constant when the rank is known while the graph is built.
    """
    return rank_internal(input, name, True)


def rank_internal(input, name=None, optimize=True):
    """`rank`; without `optimize` always an operation."""
    with name_scope(name, "Rank", [input]) as name:
        if is_sparse(input):
            return apply_op("Size", input.dense_shape, name=name)
        input = convert_to_tensor(input)
        if optimize and input.shape.ndims is not None:
            return constant(input.shape.ndims, dtypes.int32, name=name)
        return apply_op("Rank", input, name=name)


def broadcast_dynamic_shape(shape_x, shape_y):
    """Returns the shape to which two shapes broadcast, as a tensor.

    Args:
      shape_x: int32 or int64 of rank 1.
      shape_y: one of the same type.
    """
    return apply_op("BroadcastArgs", shape_x, shape_y)


def broadcast_static_shape(shape_x, shape_y):
    """Returns the shape to which two known shapes broadcast.

    Args:
      shape_x: a `TensorShape`.
      shape_y: a `TensorShape`.

    Raises:
      ValueError: when they do not broadcast to one.
    """
    if shape_x.ndims is None or shape_y.ndims is None:
        return TensorShape(None)
    x, y = shape_x.as_list(), shape_y.as_list()
    length = max(len(x), len(y))
    sizes = []
    for a, b in zip([1] * (length - len(x)) + x, [1] * (length - len(y)) + y, strict=True):
        if a == 1 or b == 1:
            sizes.append(b if a == 1 else a)
        elif a is None or b is None:
            # One of them is larger than 1, so the other is 1 or the same.
            sizes.append(a if b is None else b)
        elif a == b:
            sizes.append(a)
        else:
            raise ValueError(f"Incompatible shapes for broadcasting: {shape_x} and {shape_y}")
    return TensorShape(sizes)


def ensure_shape(x, shape, name=None):
    """Returns `x`, whose shape must agree with `shape`, at run time too.

    Args:
      x: a `Tensor`.
      shape: a `TensorShape` or what can become one.
      name: the operation's name.

    Raises:
      ValueError: when the known shape disagrees.
    """
    if not isinstance(shape, TensorShape):
        shape = TensorShape(shape)
    return apply_op("EnsureShape", x, shape=shape, name=name)


def all_dimensions(x):
    """Returns the numbers of all dimensions of `x`, as reductions over all of them take them."""
    if isinstance(x, IndexedSlices):
        x = convert_to_tensor(x)
    if isinstance(x, TensorBase) and x.shape.ndims is not None:
        return constant(np.arange(x.shape.ndims), dtype=dtypes.int32)
    if is_sparse(x) and x.dense_shape.shape.is_fully_defined():
        return constant(np.arange(x.dense_shape.shape.as_list()[0]), dtype=dtypes.int32)
    return apply_op("Range", 0, rank(x), 1)
