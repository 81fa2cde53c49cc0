"""tf.placeholder and its kin: tensors whose values are fed."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import as_shape, dimension_value


def placeholder(dtype, shape=None, name=None):
    """Makes a tensor that must be fed.

    Args:
      dtype: its type.
      shape: its shape, with None for unknown dimensions; None when nothing is known.
      name: the operation's name.
    """
    return apply_op("Placeholder", dtype=dtype, shape=shape, name=name)


def placeholder_with_default(input, shape, name=None):
    """Makes a tensor that may be fed and else is `input`.

    Args:
      input: what it is by default.
      shape: its shape, which that of `input` must fit.
      name: the operation's name.
    """
    return apply_op("PlaceholderWithDefault", input, shape=as_shape(shape), name=name)


def sparse_placeholder(dtype, shape=None, name=None):
    """Makes a sparse tensor that must be fed, with a `SparseTensorValue`.

    Args:
      dtype: the type of its values.
      shape: its shape as a whole; None when nothing is known.
      name: a prefix for the names of its parts.
    """

    def part(suffix):
        return None if name is None else f"{name}/{suffix}"

    rank = None
    if shape is None:
        dense_shape = placeholder(dtypes.int64, shape=[None], name=part("shape"))
    elif isinstance(shape, TensorBase):
        rank = dimension_value(shape.shape[0])
        dense_shape = shape
    else:
        sizes = tuple(-1 if d is None else d for d in map(dimension_value, shape))
        rank = len(sizes)
        dense_shape = convert_to_tensor(sizes, dtype=dtypes.int64, name=part("shape"))
    return SparseTensor(
        values=placeholder(dtype, shape=[None], name=part("values")),
        indices=placeholder(dtypes.int64, shape=[None, rank], name=part("indices")),
        dense_shape=dense_shape,
    )
