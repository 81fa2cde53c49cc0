"""Tensors of a given shape: tf.zeros, tf.ones, tf.fill, tf.random_uniform, tf.random_normal, tf.truncated_normal."""

import functools
import operator

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import _convert_shape, constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.random_seed import get_seed
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.framework.tensor_util import shape_tensor

# Above this a Fill keeps the graph small.
_SMALL = 1000


def fill(dims, value, name=None):
    """Returns a tensor of shape `dims` (int32 or int64 vector), all of it `value`."""
    return apply_op("Fill", dims, value, name=name)


def product(shape):
    """How many elements a shape gives. With a tensor among its sizes it multiplies them, as TensorFlow's nodes tell."""
    if isinstance(shape, (list, tuple)) and any(isinstance(size, TensorBase) for size in shape):
        return functools.reduce(operator.mul, shape)
    return np.prod(shape)


def _filled(shape, value, dtype, name, scope):
    with name_scope(name, scope, [shape]) as name:
        if not isinstance(shape, TensorBase):
            try:
                sizes = shape.as_list() if isinstance(shape, TensorShape) else shape
                if product(sizes) < _SMALL:
                    return constant(value, dtype, sizes, name)
            except TypeError:
                pass  # it holds tensors or unknown dimensions
            try:
                shape = _convert_shape(TensorShape(shape))
            except (TypeError, ValueError):
                shape = convert_to_tensor(shape, dtype=dtypes.int32)
        if not shape._shape_tuple():
            shape = apply_op("Reshape", shape, [-1])
        return fill(shape, constant(value, dtype), name)


def zeros(shape, dtype=dtypes.float32, name=None):
    """Returns zeros: False for bool, empty strings.

    Args:
      shape: sizes, or an int vector.
      dtype: the type.
      name: the operation's name.
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    value = False if dtype is dtypes.bool else "" if dtype is dtypes.string else 0
    return _filled(shape, value, dtype, name, "zeros")


def ones(shape, dtype=dtypes.float32, name=None):
    """Returns ones: True for bool.

    Args:
      shape: sizes, or an int vector.
      dtype: the type.
      name: the operation's name.
    """
    dtype = dtypes.as_dtype(dtype).base_dtype
    return _filled(shape, dtype is dtypes.bool or 1, dtype, name, "ones")


def random_uniform(shape, minval=0, maxval=None, dtype=dtypes.float32, seed=None, name=None):
    """Returns values spread evenly over [minval, maxval).

    Args:
      shape: sizes, or an int vector.
      minval: the lowest value, a scalar of the type.
      maxval: the end of the range, not included; None for 1, for floats alone.
      dtype: float16, bfloat16, float32, float64, int32 or int64.
      seed: an int, or None; see `tf.set_random_seed`.
      name: the operation's name.

    Raises:
      ValueError: for another type, or integers without `maxval`.
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64):
        raise ValueError(f"Invalid dtype {dtype!r}")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as name:
        shape = shape_tensor(shape)
        low = convert_to_tensor(minval, dtype=dtype, name="min")
        high = convert_to_tensor(maxval, dtype=dtype, name="max")
        seed, seed2 = get_seed(seed)
        if dtype.is_integer:
            return apply_op("RandomUniformInt", shape, low, high, seed=seed, seed2=seed2, name=name)
        random = apply_op("RandomUniform", shape, dtype=dtype, seed=seed, seed2=seed2)
        return apply_op("Add", random * (high - low), low, name=name)


def _bell(op, scope, shape, mean, stddev, dtype, seed, name):
    with name_scope(name, scope, [shape, mean, stddev]) as name:
        shape = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        seed, seed2 = get_seed(seed)
        random = apply_op(op, shape, dtype=dtype, seed=seed, seed2=seed2)
        return apply_op("Add", random * stddev, mean, name=name)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Returns values of a normal distribution.

    Args:
      shape: sizes, or an int vector.
      mean: a scalar of the type.
      stddev: the standard deviation, a scalar of the type.
      dtype: a floating type.
      seed: an int, or None; see `tf.set_random_seed`.
      name: the operation's name.
    """
    return _bell("RandomStandardNormal", "random_normal", shape, mean, stddev, dtype, seed, name)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """As `random_normal`, without values that are more than two standard deviations from the mean."""
    return _bell("TruncatedNormal", "truncated_normal", shape, mean, stddev, dtype, seed, name)
