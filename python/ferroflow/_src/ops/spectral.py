"""Fourier transforms."""

from ferroflow._src.framework.apply import apply_op


def fft(input, name=None):
    """Computes the discrete Fourier transform along the last dimension.

    Args:
      input: a `Tensor` of complex128 or complex64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("FFT", input, name=name)


def ifft(input, name=None):
    """Computes the inverse of `fft`.

    Args:
      input: a `Tensor` of complex128 or complex64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("IFFT", input, name=name)


def fft2d(input, name=None):
    """Computes the discrete Fourier transform along the last two dimensions.

    Args:
      input: a `Tensor` of complex128 or complex64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("FFT2D", input, name=name)


def ifft2d(input, name=None):
    """Computes the inverse of `fft2d`.

    Args:
      input: a `Tensor` of complex128 or complex64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("IFFT2D", input, name=name)


def fft3d(input, name=None):
    """Computes the discrete Fourier transform along the last three dimensions.

    Args:
      input: a `Tensor` of complex128 or complex64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("FFT3D", input, name=name)


def ifft3d(input, name=None):
    """Computes the inverse of `fft3d`.

    Args:
      input: a `Tensor` of complex128 or complex64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("IFFT3D", input, name=name)
