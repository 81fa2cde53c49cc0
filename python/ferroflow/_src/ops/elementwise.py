"""Functions of each element that are one op: arithmetic, comparison, transcendental and special functions."""

from ferroflow._src.framework.apply import apply_op


def add(x, y, name=None):
    """Adds, with broadcasting; strings are joined.

    Args:
      x: a `Tensor` of numbers, string.
      y: a `Tensor` of numbers, string.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Add", x, y, name=name)


def subtract(x, y, name=None):
    """Subtracts, with broadcasting.

    Args:
      x: a `Tensor` of numbers.
      y: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Sub", x, y, name=name)


def multiply(x, y, name=None):
    """Multiplies, with broadcasting.

    Args:
      x: a `Tensor` of numbers.
      y: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Mul", x, y, name=name)


def realdiv(x, y, name=None):
    """Divides, with broadcasting.

    Args:
      x: a `Tensor` of numbers.
      y: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("RealDiv", x, y, name=name)


def floor_div(x, y, name=None):
    """Divides and rounds down.

    Args:
      x: a `Tensor` of numbers.
      y: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("FloorDiv", x, y, name=name)


def floormod(x, y, name=None):
    """The remainder of a division that rounds down: its sign is that of `y`.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("FloorMod", x, y, name=name)


def truncatediv(x, y, name=None):
    """Divides integers and rounds towards zero.

    Args:
      x: a `Tensor` of numbers.
      y: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("TruncateDiv", x, y, name=name)


def truncatemod(x, y, name=None):
    """The remainder of a division that rounds towards zero: its sign is that of `x`.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("TruncateMod", x, y, name=name)


def negative(x, name=None):
    """Returns `-x`.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Neg", x, name=name)


def sign(x, name=None):
    """Returns -1, 0 or 1, or for complex numbers `x / abs(x)`.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Sign", x, name=name)


def square(x, name=None):
    """Returns `x * x`.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Square", x, name=name)


def squared_difference(x, y, name=None):
    """Returns `(x - y) * (x - y)`.

    Args:
      x: a `Tensor` of numbers.
      y: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("SquaredDifference", x, y, name=name)


def sqrt(x, name=None):
    """Returns the square root.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Sqrt", x, name=name)


def rsqrt(x, name=None):
    """Returns `1 / sqrt(x)`.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Rsqrt", x, name=name)


def reciprocal(x, name=None):
    """Returns `1 / x`.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Reciprocal", x, name=name)


def exp(x, name=None):
    """Returns e to the power `x`.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Exp", x, name=name)


def expm1(x, name=None):
    """Returns `exp(x) - 1`, exact near zero.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Expm1", x, name=name)


def log(x, name=None):
    """Returns the natural logarithm.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Log", x, name=name)


def log1p(x, name=None):
    """Returns `log(1 + x)`, exact near zero.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Log1p", x, name=name)


def sin(x, name=None):
    """Returns the sine.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Sin", x, name=name)


def cos(x, name=None):
    """Returns the cosine.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Cos", x, name=name)


def tan(x, name=None):
    """Returns the tangent.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Tan", x, name=name)


def asin(x, name=None):
    """Returns the inverse sine.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Asin", x, name=name)


def acos(x, name=None):
    """Returns the inverse cosine.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Acos", x, name=name)


def atan(x, name=None):
    """Returns the inverse tangent.

    Args:
      x: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Atan", x, name=name)


def atan2(y, x, name=None):
    """Returns the angle of the point (x, y), from -pi to pi.

    Args:
      y: a `Tensor` of floats.
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `y` with the broadcast shape.
    """
    return apply_op("Atan2", y, x, name=name)


def sinh(x, name=None):
    """Returns the hyperbolic sine.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Sinh", x, name=name)


def cosh(x, name=None):
    """Returns the hyperbolic cosine.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Cosh", x, name=name)


def tanh(x, name=None):
    """Returns the hyperbolic tangent.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Tanh", x, name=name)


def asinh(x, name=None):
    """Returns the inverse hyperbolic sine.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Asinh", x, name=name)


def acosh(x, name=None):
    """Returns the inverse hyperbolic cosine.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Acosh", x, name=name)


def atanh(x, name=None):
    """Returns the inverse hyperbolic tangent.

    Args:
      x: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Atanh", x, name=name)


def ceil(x, name=None):
    """Rounds up.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Ceil", x, name=name)


def floor(x, name=None):
    """Rounds down.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Floor", x, name=name)


def rint(x, name=None):
    """Rounds to the nearest integer, halves to even ones.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Rint", x, name=name)


def nextafter(x1, x2, name=None):
    """Returns the next number after `x1` in the direction of `x2`.

    Args:
      x1: a `Tensor` of float32 or float64.
      x2: a `Tensor` of float32 or float64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x1` with the broadcast shape.
    """
    return apply_op("NextAfter", x1, x2, name=name)


def maximum(x, y, name=None):
    """Returns the greater of two.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Maximum", x, y, name=name)


def minimum(x, y, name=None):
    """Returns the lesser of two.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Minimum", x, y, name=name)


def cross(a, b, name=None):
    """Returns the cross product of vectors of three.

    Args:
      a: a `Tensor` of real numbers.
      b: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `a`.
    """
    return apply_op("Cross", a, b, name=name)


def is_finite(x, name=None):
    """Finds which elements are finite.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the shape of `x`.
    """
    return apply_op("IsFinite", x, name=name)


def is_inf(x, name=None):
    """Finds which elements are infinite.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the shape of `x`.
    """
    return apply_op("IsInf", x, name=name)


def is_nan(x, name=None):
    """Finds which elements are not a number.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the shape of `x`.
    """
    return apply_op("IsNan", x, name=name)


def less(x, y, name=None):
    """Returns whether `x < y`.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("Less", x, y, name=name)


def less_equal(x, y, name=None):
    """Returns whether `x <= y`.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("LessEqual", x, y, name=name)


def greater(x, y, name=None):
    """Returns whether `x > y`.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("Greater", x, y, name=name)


def greater_equal(x, y, name=None):
    """Returns whether `x >= y`.

    Args:
      x: a `Tensor` of real numbers.
      y: a `Tensor` of real numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("GreaterEqual", x, y, name=name)


def logical_and(x, y, name=None):
    """Returns whether both are True.

    Args:
      x: a `Tensor` of bool.
      y: a `Tensor` of bool.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("LogicalAnd", x, y, name=name)


def logical_or(x, y, name=None):
    """Returns whether one is True.

    Args:
      x: a `Tensor` of bool.
      y: a `Tensor` of bool.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the broadcast shape.
    """
    return apply_op("LogicalOr", x, y, name=name)


def logical_not(x, name=None):
    """Returns whether it is False.

    Args:
      x: a `Tensor` of bool.
      name: the operation's name.

    Returns:
      A `Tensor` of bool with the shape of `x`.
    """
    return apply_op("LogicalNot", x, name=name)
