"""Initializers in contrib's manner: functions of a shape and a type."""

import math

from ferroflow._src.framework import dtypes
from ferroflow._src.ops import random


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=dtypes.float32):
    """Makes an initializer whose variance is `factor` divided by a number of inputs or outputs.

    Args:
      factor: a float.
      mode: 'FAN_IN' (inputs), 'FAN_OUT' (outputs) or 'FAN_AVG' (their mean).
      uniform: whether the distribution is uniform, else truncated normal.
      seed: a Python integer.
      dtype: a type of floats.

    Returns:
      A function of (shape, dtype, partition_info).

    Raises:
      TypeError: for another mode, or a type of no floats.
    """
    message = "Cannot create initializer for non-floating point type."
    if not dtypes.as_dtype(dtype).is_floating:
        raise TypeError(message)
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError("Unknown mode %s [FAN_IN, FAN_OUT, FAN_AVG]", mode)

    def initializer(shape, dtype=dtype, partition_info=None):
        if not dtypes.as_dtype(dtype).is_floating:
            raise TypeError(message)
        fan_in = fan_out = 1.0
        if shape:
            fan_in = float(shape[-2]) if len(shape) > 1 else float(shape[-1])
            fan_out = float(shape[-1])
        for size in shape[:-2]:
            fan_in *= float(size)
            fan_out *= float(size)
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return random.random_uniform(shape, -limit, limit, dtype, seed=seed)
        # 1.3: what cutting the distribution off at two deviations takes from its variance, about.
        return random.truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / n), dtype, seed=seed)

    return initializer


def xavier_initializer(uniform=True, seed=None, dtype=dtypes.float32):
    """Makes Glorot's initializer, which keeps the scale of values and gradients.

    Args:
      uniform: whether the distribution is uniform, else truncated normal.
      seed: a Python integer.
      dtype: a type of floats.

    Returns:
      A function of (shape, dtype, partition_info).
    """
    return variance_scaling_initializer(factor=1.0, mode="FAN_AVG", uniform=uniform, seed=seed, dtype=dtype)


xavier_initializer_conv2d = xavier_initializer
