"""Arguments of layers put into form: known values, conditions, sizes of dimensions, pairs and tuples."""

from ferroflow._src.framework import tensor_util
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.framework.variables import Variable


def constant_value(value_or_tensor_or_var, dtype=None):
    """Returns what a value, tensor or variable is known to be while the graph is built, or None.

    Args:
      value_or_tensor_or_var: a value, a `Tensor` or a `Variable`.
      dtype: the type that a tensor or variable must have; None for any.

    Raises:
      ValueError: for None and for another type.
    """
    value = value_or_tensor_or_var
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not isinstance(value, (TensorBase, Variable)):
        return value
    if dtype and value.dtype != dtype:
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    return None if isinstance(value, Variable) else tensor_util.constant_value(value)


def static_cond(pred, fn1, fn2):
    """Returns `fn1()` or, when the Python value `pred` is false, `fn2()`.

    Raises:
      TypeError: when either is no function.
    """
    for name, function in (("fn1", fn1), ("fn2", fn2)):
        if not callable(function):
            raise TypeError(f"{name} must be callable.")
    return fn1() if pred else fn2()


def smart_cond(pred, fn1, fn2, name=None):
    """Returns `tf.cond(pred, fn1, fn2)`, or what one of the functions makes when `pred` is known.

    Args:
      pred: a bool, scalar bool `Tensor` or `Variable`.
      fn1: what makes the result when it is true.
      fn2: what makes it otherwise.
      name: given to `tf.cond`, whose fourth argument, `strict`, it becomes as in TensorFlow.

    Raises:
      TypeError: when either is no function.
    """
    known = constant_value(pred)
    return cond(pred, fn1, fn2, name) if known is None else static_cond(known, fn1, fn2)


def _dimension(shape, axis, min_rank):
    dims = shape.dims
    if dims is None:
        raise ValueError("dims of shape must be known but is None")
    if len(dims) < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {len(dims)}")
    if dims[axis].value is None:
        raise ValueError(f"dimension {axis} of shape must be known but is None: {shape}")
    return dims[axis].value


def channel_dimension(shape, data_format, min_rank=1):
    """Returns the number of channels in a `TensorShape`.

    Args:
      shape: a `TensorShape`.
      data_format: 'channels_first' or 'channels_last'.
      min_rank: how many dimensions it must have at least.

    Raises:
      ValueError: when it has fewer, or the number is not known.
    """
    return _dimension(shape, 1 if data_format == "channels_first" else -1, min_rank)


def last_dimension(shape, min_rank=1):
    """Returns the last dimension of a `TensorShape`.

    Args:
      shape: a `TensorShape`.
      min_rank: how many dimensions it must have at least.

    Raises:
      ValueError: when it has fewer, or the last is not known.
    """
    return _dimension(shape, -1, min_rank)


def two_element_tuple(int_or_tuple):
    """Returns one integer twice, or the two of a list, tuple or `TensorShape`.

    Raises:
      ValueError: for anything else.
    """
    if isinstance(int_or_tuple, (list, tuple)):
        if len(int_or_tuple) != 2:
            raise ValueError(f"Must be a list with 2 elements: {int_or_tuple}")
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    if isinstance(int_or_tuple, int):
        return int(int_or_tuple), int(int_or_tuple)
    if isinstance(int_or_tuple, TensorShape) and len(int_or_tuple) == 2:
        return int_or_tuple[0], int_or_tuple[1]
    raise ValueError("Must be an int, a list with 2 elements or a TensorShape of length 2")


def n_positive_integers(n, value):
    """Returns `n` positive integers: one repeated, or those of a sequence of `n`.

    Raises:
      ValueError: when `n` or one of them is less than 1, or there are not `n`.
    """
    wanted, n = n, int(n)
    if n < 1 or n != wanted:
        raise ValueError("n must be a positive integer")
    try:
        values = (int(value),) * n
    except (TypeError, ValueError):
        values = _integers(n, value)
    for x in values:
        if x < 1:
            raise ValueError(f"expected positive integer, but received {x}")
    return values


def _integers(n, value):
    try:
        values = tuple(int(x) for x in value) if len(value) == n else ()
    except ValueError:
        values = ()
    if len(values) != n:
        raise ValueError(f"Expected sequence of {n} positive integers, but received {value!r}")
    return values
