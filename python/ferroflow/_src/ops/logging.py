"""tf.Print and tf.print: values shown while a graph runs."""

import logging as python_logging
import os
import pprint
import random
import sys

from ferroflow._src.framework import dtypes, nest, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.ops import strings


def Print(input_, data, message=None, first_n=None, summarize=None, name=None):
    """Returns its input, and prints other tensors to standard error when it runs.

    Args:
      input_: a `Tensor`.
      data: a list of tensors.
      message: a text before them.
      first_n: how many runs print; None for all.
      summarize: how many elements of each are printed; None for 3.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `input_`.
    """
    return apply_op("Print", input_, data, message=message, first_n=first_n, summarize=summarize, name=name)


_LEVELS = {
    "info": "log(info)",
    "warning": "log(warning)",
    "warn": "log(warning)",
    "error": "log(error)",
    python_logging.INFO: "log(info)",
    python_logging.WARNING: "log(warning)",
    python_logging.ERROR: "log(error)",
}


def _stream_name(stream):
    if isinstance(stream, str) and stream.startswith("file://"):
        return stream
    if stream is sys.stderr:
        return "stderr"
    if stream is sys.stdout:
        return "stdout"
    level = getattr(stream, "__name__", stream)
    if not isinstance(level, (int, str)) or level not in _LEVELS:
        raise ValueError(
            f"Unsupported output stream, logging level, or file.{stream}. Supported streams are sys.stdout, "
            "sys.stderr, tf.logging.info, tf.logging.warning, tf.logging.error. File needs to be in the form of "
            "'file://<filepath>'."
        )
    return _LEVELS[level]


def _placeholder_not_in(text):
    """A placeholder that stands nowhere in `text`."""
    placeholder, digits = "{}", random.Random(5)
    while placeholder in text:
        placeholder += str(digits.randint(0, 9))
    return placeholder


def _format(inputs, sep, summarize, name):
    without = nest.map_structure(lambda x: "" if tensor_util.is_tensor(x) else x, inputs)
    placeholder = _placeholder_not_in(" ".join(pprint.pformat(x) for x in without))
    templates, tensors = [], []
    for value in inputs:
        parts = []
        for x in nest.flatten(value):
            if isinstance(x, SparseTensor):
                tensors.extend([x.indices, x.values, x.dense_shape])
                parts.append(f"SparseTensor(indices={placeholder}, values={placeholder}, shape={placeholder})")
            elif tensor_util.is_tensor(x):
                tensors.append(x)
                parts.append(placeholder)
            else:
                parts.append(x)
        is_text = isinstance(value, str)
        templates.append(value if is_text else pprint.pformat(nest.pack_sequence_as(value, parts)))
    template = sep.join(templates).replace(f"'{placeholder}'", placeholder)
    return strings.string_format(template, tensors, placeholder, summarize, name)


def print_v2(*inputs, **kwargs):
    """Prints tensors and Python values when it runs.

    Args:
      *inputs: tensors and values, also in structures.
      **kwargs: `output_stream` (sys.stderr, sys.stdout, a logging function, or 'file://...'); `summarize`, how many
        elements at each end of a dimension; `sep`; `end`; `name`.

    Returns:
      The `Operation`.

    Raises:
      ValueError: for other keywords or streams.
    """
    stream = kwargs.pop("output_stream", sys.stderr)
    name = kwargs.pop("name", None)
    summarize = kwargs.pop("summarize", 3)
    sep, end = kwargs.pop("sep", " "), kwargs.pop("end", os.linesep)
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {kwargs}")
    stream = _stream_name(stream)
    only = inputs[0] if len(inputs) == 1 else None
    is_text = (
        tensor_util.is_tensor(only)
        and not isinstance(only, SparseTensor)
        and only.shape.ndims == 0
        and only.dtype == dtypes.string
    )
    text = only if is_text else _format(inputs, sep, summarize, name + "_format" if name else None)
    return apply_op("PrintV2", text, output_stream=stream, end=end, name=name)


def timestamp(name=None):
    """Returns the time in seconds since 1970.

    Args:
      name: the operation's name.

    Returns:
      A `Tensor` of float64.
    """
    return apply_op("Timestamp", name=name)
