"""tf.compat's texts: bytes to str and back, and the types that count as numbers."""

import numbers
import os

import numpy as np

integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)
bytes_or_text_types = (bytes, str)


def as_bytes(bytes_or_text, encoding="utf-8"):
    """Returns bytes: text is encoded.

    Raises:
      TypeError: for what is neither.
    """
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytearray):
        return bytes(bytes_or_text)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


def as_text(bytes_or_text, encoding="utf-8"):
    """Returns text: bytes are decoded.

    Raises:
      TypeError: for what is neither.
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


def as_str_any(value):
    """Returns `as_str` of bytes and text, and `str` of everything else."""
    return as_str(value) if isinstance(value, bytes) else str(value)


def path_to_str(path):
    """Returns the text of a path object; other things as they are."""
    return as_str_any(os.fspath(path)) if hasattr(path, "__fspath__") else path


def path_to_bytes(path):
    """Returns the bytes of a path, whatever it is given as."""
    return as_bytes(path_to_str(path))
