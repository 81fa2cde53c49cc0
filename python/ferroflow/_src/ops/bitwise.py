"""Integers as bits."""

from ferroflow._src.framework.apply import apply_op


def bitwise_and(x, y, name=None):
    """Sets the bits that both have.

    Args:
      x: a `Tensor` of integers.
      y: a `Tensor` of integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("BitwiseAnd", x, y, name=name)


def bitwise_or(x, y, name=None):
    """Sets the bits that one has.

    Args:
      x: a `Tensor` of integers.
      y: a `Tensor` of integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("BitwiseOr", x, y, name=name)


def bitwise_xor(x, y, name=None):
    """Sets the bits that exactly one has.

    Args:
      x: a `Tensor` of integers.
      y: a `Tensor` of integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("BitwiseXor", x, y, name=name)


def invert(x, name=None):
    """Turns all bits over.

    Args:
      x: a `Tensor` of integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Invert", x, name=name)


def left_shift(x, y, name=None):
    """Moves bits to the left.

    Args:
      x: a `Tensor` of integers.
      y: a `Tensor` of integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("LeftShift", x, y, name=name)


def right_shift(x, y, name=None):
    """Moves bits to the right, keeping the sign.

    Args:
      x: a `Tensor` of integers.
      y: a `Tensor` of integers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("RightShift", x, y, name=name)
