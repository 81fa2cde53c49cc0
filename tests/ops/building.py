"""Building a row's graph, under ferroflow as under TensorFlow."""

import numpy as np


def build(tf, apply_op, case):
    """Returns (inputs, outputs, feeds): the row's op with placeholders and constants.

    Args:
      tf: the module.
      apply_op: called with (op, inputs, attributes).
      case: a row.
    """
    feeds, inputs = {}, []

    def make(value, is_constant):
        dtype = tf.string if value.dtype.kind in "SO" else tf.as_dtype(value.dtype)
        if is_constant:
            return tf.constant(value, dtype)
        placeholder = tf.placeholder(dtype, value.shape)
        feeds[placeholder] = value.astype(object) if dtype == tf.string else value
        return placeholder

    for i, value in enumerate(case.inputs):
        is_constant = i in case.constants
        inputs.append([make(v, is_constant) for v in value] if isinstance(value, list) else make(value, is_constant))
    attrs = {
        k: tf.as_dtype(v) if isinstance(v, type) and issubclass(v, np.generic) else v for k, v in case.attrs.items()
    }
    made = apply_op(case.op, inputs, attrs)
    return inputs, _flat(made), feeds


def _flat(made):
    if isinstance(made, (list, tuple)):
        return [output for part in made for output in _flat(part)]
    return [made]
