"""Windows for signals: raised cosines."""

import numpy as np

from ferroflow._src.framework import control_flow, dtypes, tensor_util
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import filling, math


def hann_window(window_length, periodic=True, dtype=dtypes.float32, name=None):
    """Returns a Hann window.

    Args:
      window_length: how many samples, an int32 scalar.
      periodic: whether it goes on where it ends; else it is symmetric.
      dtype: the type, floats.
      name: the name scope.

    Returns:
      A `Tensor` of rank 1.

    Raises:
      ValueError: for a type that is no float.
    """
    return _raised_cosine(name, "hann_window", window_length, periodic, dtype, 0.5, 0.5)


def hamming_window(window_length, periodic=True, dtype=dtypes.float32, name=None):
    """Returns a Hamming window; arguments as of `hann_window`."""
    return _raised_cosine(name, "hamming_window", window_length, periodic, dtype, 0.54, 0.46)


def _raised_cosine(name, default_name, window_length, periodic, dtype, a, b):
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype}")
    with name_scope(name, default_name, [window_length, periodic]):
        length = convert_to_tensor(window_length, dtype=dtypes.int32, name="window_length")
        length.shape.assert_has_rank(0)
        known = tensor_util.constant_value(length)
        if known == 1:
            return filling.ones([1], dtype=dtype)
        periodic = math.cast(convert_to_tensor(periodic, dtype=dtypes.bool, name="periodic"), dtypes.int32)
        periodic.shape.assert_has_rank(0)
        is_even = 1 - math.mod(length, 2)
        period = math.cast(length + periodic * is_even - 1, dtype=dtype)
        samples = math.cast(math.range(length), dtype)
        angle = constant(2 * np.pi, dtype=dtype) * samples / period

        def window():
            return math.cast(a - b * math.cos(angle), dtype=dtype)

        if known is not None:
            return window()
        return control_flow.cond(math.equal(length, 1), lambda: filling.ones([1], dtype=dtype), window)
