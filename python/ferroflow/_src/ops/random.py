"""Random numbers: TensorFlow's streams, seed for seed."""

import numpy as np

from ferroflow._src.framework import dtypes, random_seed
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import Assert, with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_util import shape_tensor
from ferroflow._src.ops import array, filling, math, reductions, shaping


def _scaled_normal(op, scope, shape, mean, stddev, dtype, seed, name):
    with name_scope(name, scope, [shape, mean, stddev]) as name:
        shape = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        seed1, seed2 = random_seed.get_seed(seed)
        drawn = apply_op(op, shape, dtype=dtype, seed=seed1, seed2=seed2)
        return math.add(drawn * stddev, mean, name=name)


def random_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Draws from a normal distribution.

    Args:
      shape: the result's shape: integers, or an int32 or int64 `Tensor` of rank 1.
      mean: a `Tensor` of `dtype`.
      stddev: a `Tensor` of `dtype`.
      dtype: a type of floats.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.
    """
    return _scaled_normal("RandomStandardNormal", "random_normal", shape, mean, stddev, dtype, seed, name)


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, seed=None, name=None):
    """Draws from a normal distribution; what is farther from the mean than two deviations is drawn again.

    Args:
      shape: the result's shape: integers, or an int32 or int64 `Tensor` of rank 1.
      mean: a `Tensor` of `dtype`.
      stddev: a `Tensor` of `dtype`.
      dtype: a type of floats.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.
    """
    return _scaled_normal("TruncatedNormal", "truncated_normal", shape, mean, stddev, dtype, seed, name)


def parameterized_truncated_normal(
    shape, means=0.0, stddevs=1.0, minvals=-2.0, maxvals=2.0, dtype=dtypes.float32, seed=None, name=None
):
    """Draws from normal distributions cut off at bounds of their own.

    Args:
      shape: the result's shape.
      means: the means, one a row.
      stddevs: the deviations.
      minvals: the least values.
      maxvals: the greatest values.
      dtype: a type of floats.
      seed: a Python integer.
      name: the name scope.

    Returns:
      A `Tensor` of `dtype`.
    """
    parameters = [means, stddevs, minvals, maxvals]
    with name_scope(name, "parameterized_truncated_normal", [shape, *parameters]) as name:
        shape = shape_tensor(shape)
        labels = ("means", "stddevs", "minvals", "maxvals")
        given = [convert_to_tensor(p, dtype=dtype, name=n) for p, n in zip(parameters, labels, strict=True)]
        seed1, seed2 = random_seed.get_seed(seed)
        return apply_op("ParameterizedTruncatedNormal", shape, *given, seed=seed1, seed2=seed2)


_UNIFORM_TYPES = (
    dtypes.float16,
    dtypes.bfloat16,
    dtypes.float32,
    dtypes.float64,
    dtypes.int32,
    dtypes.int64,
)


def random_uniform(shape, minval=0, maxval=None, dtype=dtypes.float32, seed=None, name=None):
    """Draws from a uniform distribution over `[minval, maxval)`.

    Args:
      shape: the result's shape: integers, or an int32 or int64 `Tensor` of rank 1.
      minval: a scalar of `dtype`.
      maxval: a scalar of `dtype`; None for 1, if `dtype` is a type of floats.
      dtype: a type of floats, int32 or int64.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.

    Raises:
      ValueError: for another type, or integers without `maxval`.
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in _UNIFORM_TYPES:
        raise ValueError(f"Invalid dtype {dtype!r}")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as name:
        shape = shape_tensor(shape)
        minval = convert_to_tensor(minval, dtype=dtype, name="min")
        maxval = convert_to_tensor(maxval, dtype=dtype, name="max")
        seed1, seed2 = random_seed.get_seed(seed)
        if dtype.is_integer:
            return apply_op("RandomUniformInt", shape, minval, maxval, seed=seed1, seed2=seed2, name=name)
        drawn = apply_op("RandomUniform", shape, dtype=dtype, seed=seed1, seed2=seed2)
        return math.add(drawn * (maxval - minval), minval, name=name)


def random_shuffle(value, seed=None, name=None):
    """Puts the slices along the first dimension in a random order.

    Args:
      value: a `Tensor`.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `value`.
    """
    seed1, seed2 = random_seed.get_seed(seed)
    return apply_op("RandomShuffle", value, seed=seed1, seed2=seed2, name=name)


def random_crop(value, size, seed=None, name=None):
    """Takes a block of a given size from a random place.

    Args:
      value: a `Tensor`.
      size: int32 of rank 1: the block's shape, not larger than that of `value`.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `value`.
    """
    with name_scope(name, "random_crop", [value, size]) as name:
        value = convert_to_tensor(value, name="value")
        size = convert_to_tensor(size, dtype=dtypes.int32, name="size")
        shape = shaping.shape(value)
        is_large = reductions.reduce_all(shape >= size)
        check = Assert(is_large, ["Need value.shape >= size, got ", shape, size], summarize=1000)
        shape = with_dependencies([check], shape)
        limit = shape - size + 1
        offset = random_uniform(shaping.shape(shape), dtype=size.dtype, maxval=size.dtype.max, seed=seed) % limit
        return array.slice(value, offset, size, name=name)


def _draw_classes(logits, num_samples, dtype, seed):
    logits = convert_to_tensor(logits, name="logits")
    seed1, seed2 = random_seed.get_seed(seed)
    return apply_op("Multinomial", logits, num_samples, seed=seed1, seed2=seed2, output_dtype=dtype)


def multinomial(logits, num_samples, seed=None, name=None, output_dtype=None):
    """Draws classes by their logits.

    Args:
      logits: a `Tensor` of floats [batch, classes].
      num_samples: an int32 scalar.
      seed: a Python integer.
      name: the name scope.
      output_dtype: int32 or int64; None for int64.

    Returns:
      A `Tensor` [batch, num_samples].
    """
    with name_scope(name, "multinomial", [logits]):
        return _draw_classes(logits, num_samples, output_dtype, seed)


def categorical(logits, num_samples, dtype=None, seed=None, name=None):
    """Draws classes by their logits.

    Args:
      logits: a `Tensor` of floats [batch, classes].
      num_samples: an int32 scalar.
      dtype: int32 or int64; None for int64.
      seed: a Python integer.
      name: the name scope.

    Returns:
      A `Tensor` [batch, num_samples].
    """
    with name_scope(name, "categorical", [logits]):
        return _draw_classes(logits, num_samples, dtype, seed)


def random_gamma(shape, alpha, beta=None, dtype=dtypes.float32, seed=None, name=None):
    """Draws from gamma distributions.

    Args:
      shape: how much is drawn for each pair of parameters: int32 of rank 1.
      alpha: a `Tensor` of `dtype`.
      beta: one that broadcasts with it; None for 1.
      dtype: a type of floats.
      seed: a Python integer.
      name: the name scope.

    Returns:
      A `Tensor` of `dtype` [*shape, *shape of the parameters].
    """
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        shape = convert_to_tensor(shape, dtype=dtypes.int32, name="shape")
        alpha = convert_to_tensor(alpha, dtype=dtype, name="alpha")
        beta = convert_to_tensor(1 if beta is None else beta, dtype=dtype, name="beta")
        alpha_everywhere = alpha + filling.zeros_like(beta)
        seed1, seed2 = random_seed.get_seed(seed)
        drawn = apply_op("RandomGamma", shape, alpha_everywhere, seed=seed1, seed2=seed2)
        return math.maximum(np.finfo(alpha.dtype.as_numpy_dtype).tiny, drawn / beta)


def random_poisson(lam, shape, dtype=dtypes.float32, seed=None, name=None):
    """Draws from Poisson distributions.

    Args:
      lam: a `Tensor`: the means.
      shape: how much is drawn for each: int32 of rank 1.
      dtype: the type of the result.
      seed: a Python integer.
      name: the name scope.

    Returns:
      A `Tensor` of `dtype` [*shape, *shape of `lam`].
    """
    return random_poisson_v2(shape, lam, dtype, seed, name)


def random_poisson_v2(shape, lam, dtype=dtypes.float32, seed=None, name=None):
    """`random_poisson` with TensorFlow 2's order of arguments."""
    with name_scope(name, "random_poisson", [lam, shape]):
        shape = convert_to_tensor(shape, dtype=dtypes.int32, name="shape")
        seed1, seed2 = random_seed.get_seed(seed)
        return apply_op("RandomPoissonV2", shape, lam, dtype=dtype, seed=seed1, seed2=seed2)


def stateless_random_uniform(shape, seed, minval=0, maxval=None, dtype=dtypes.float32, name=None):
    """Draws from a uniform distribution; the same seed always gives the same numbers.

    Args:
      shape: the result's shape: int32 or int64 of rank 1.
      seed: two integers, int32 or int64.
      minval: a scalar of `dtype`.
      maxval: a scalar of `dtype`; None for 1, if `dtype` is a type of floats.
      dtype: a type of floats, int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.

    Raises:
      ValueError: for another type, or integers without `maxval`.
    """
    dtype = dtypes.as_dtype(dtype)
    if dtype not in _UNIFORM_TYPES:
        raise ValueError(f"Invalid dtype {dtype!r}")
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    with name_scope(name, "stateless_random_uniform", [shape, seed, minval, maxval]) as name:
        shape = shape_tensor(shape)
        minval = convert_to_tensor(minval, dtype=dtype, name="min")
        maxval = convert_to_tensor(maxval, dtype=dtype, name="max")
        if dtype.is_integer:
            return apply_op("StatelessRandomUniformInt", shape, seed=seed, minval=minval, maxval=maxval, name=name)
        drawn = apply_op("StatelessRandomUniform", shape, seed=seed, dtype=dtype)
        return math.add(drawn * (maxval - minval), minval, name=name)


def _stateless_normal(op, scope, shape, seed, mean, stddev, dtype, name):
    with name_scope(name, scope, [shape, seed, mean, stddev]) as name:
        shape = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        drawn = apply_op(op, shape, seed=seed, dtype=dtype)
        return math.add(drawn * stddev, mean, name=name)


def stateless_random_normal(shape, seed, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None):
    """Draws from a normal distribution; the same seed always gives the same numbers.

    Args:
      shape: the result's shape: int32 or int64 of rank 1.
      seed: two integers, int32 or int64.
      mean: a `Tensor` of `dtype`.
      stddev: a `Tensor` of `dtype`.
      dtype: a type of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.
    """
    op, scope = "StatelessRandomNormal", "stateless_random_normal"
    return _stateless_normal(op, scope, shape, seed, mean, stddev, dtype, name)


def stateless_truncated_normal(shape, seed, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None):
    """Draws from a truncated normal distribution; the same seed always gives the same numbers.

    Args:
      shape: the result's shape: int32 or int64 of rank 1.
      seed: two integers, int32 or int64.
      mean: a `Tensor` of `dtype`.
      stddev: a `Tensor` of `dtype`.
      dtype: a type of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of `dtype`.
    """
    op, scope = "StatelessTruncatedNormal", "stateless_truncated_normal"
    return _stateless_normal(op, scope, shape, seed, mean, stddev, dtype, name)
