"""Special functions of each element: error functions, gammas, betas, Bessel functions."""

from ferroflow._src.framework.apply import apply_op


def erf(x, name=None):
    """Returns the error function.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Erf", x, name=name)


def erfc(x, name=None):
    """Returns `1 - erf(x)`.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Erfc", x, name=name)


def lgamma(x, name=None):
    """Returns the logarithm of the absolute value of the gamma function.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Lgamma", x, name=name)


def digamma(x, name=None):
    """Returns the derivative of `lgamma`.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("Digamma", x, name=name)


def polygamma(a, x, name=None):
    """Returns the derivative of order `a` of `digamma`.

    Args:
      a: a `Tensor` of float32 or float64.
      x: a `Tensor` of float32 or float64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `a` with the broadcast shape.
    """
    return apply_op("Polygamma", a, x, name=name)


def igamma(a, x, name=None):
    """Returns the lower regularized incomplete gamma function.

    Args:
      a: a `Tensor` of float32 or float64.
      x: a `Tensor` of float32 or float64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `a` with the broadcast shape.
    """
    return apply_op("Igamma", a, x, name=name)


def igammac(a, x, name=None):
    """Returns the upper regularized incomplete gamma function.

    Args:
      a: a `Tensor` of float32 or float64.
      x: a `Tensor` of float32 or float64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `a` with the broadcast shape.
    """
    return apply_op("Igammac", a, x, name=name)


def betainc(a, b, x, name=None):
    """Returns the regularized incomplete beta function.

    Args:
      a: a `Tensor` of float32 or float64.
      b: a `Tensor` of float32 or float64.
      x: a `Tensor` of float32 or float64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `a` with the broadcast shape.
    """
    return apply_op("Betainc", a, b, x, name=name)


def zeta(x, q, name=None):
    """Returns the Hurwitz zeta function.

    Args:
      x: a `Tensor` of float32 or float64.
      q: a `Tensor` of float32 or float64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Zeta", x, q, name=name)


def bessel_i0e(x, name=None):
    """Returns the modified Bessel function of order 0, scaled by `exp(-abs(x))`.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("BesselI0e", x, name=name)


def bessel_i1e(x, name=None):
    """Returns the modified Bessel function of order 1, scaled by `exp(-abs(x))`.

    Args:
      x: a `Tensor` of floats.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` and its shape.
    """
    return apply_op("BesselI1e", x, name=name)


def xdivy(x, y, name=None):
    """Returns `x / y`, and zero where `x` is zero.

    Args:
      x: a `Tensor` of floats or complex numbers.
      y: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Xdivy", x, y, name=name)


def xlogy(x, y, name=None):
    """Returns `x * log(y)`, and zero where `x` is zero.

    Args:
      x: a `Tensor` of floats or complex numbers.
      y: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `x` with the broadcast shape.
    """
    return apply_op("Xlogy", x, y, name=name)
