"""Summaries of tensors, activations and whole collections."""

import functools
import re

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.ops import math, reductions
from ferroflow._src.summary import summary_ops


def _scalar(tensor, tag=None):
    tensor.shape.assert_has_rank(0)
    return summary_ops.scalar(tag or f"{tensor.op.name}_summary", tensor)


def _histogram(tensor, tag=None):
    return summary_ops.histogram(tag or f"{tensor.op.name}_summary", tensor)


def summarize_activation(op):
    """Makes a histogram of an activation; for relus also the part that is cut off.

    Args:
      op: a `Tensor`.

    Returns:
      The histogram's summary.
    """
    name, kind = op.op.name, op.op.type
    if kind in ("Relu", "Softplus", "Relu6"):
        x = op.op.inputs[0]
        is_cut = math.less(x, math.cast(0.0, x.dtype))
        _scalar(reductions.reduce_mean(math.to_float(is_cut)), f"{name}/zeros")
    if kind == "Relu6":
        x = op.op.inputs[0]
        is_cut = math.greater(x, math.cast(6.0, x.dtype))
        _scalar(reductions.reduce_mean(math.to_float(is_cut)), f"{name}/sixes")
    return _histogram(op, f"{name}/activation")


def summarize_tensor(tensor, tag=None):
    """Makes a summary of a tensor: a scalar's value or a histogram; None for strings and bools.

    Args:
      tensor: a `Tensor`.
      tag: the summary's name; None for the tensor's.
    """
    if tensor.dtype.is_compatible_with(dtypes.string) or tensor.dtype.base_dtype == dtypes.bool:
        return None
    return _scalar(tensor, tag) if tensor.shape.ndims == 0 else _histogram(tensor, tag)


def summarize_tensors(tensors, summarizer=summarize_tensor):
    """Makes a list of summaries, one for each tensor."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(collection, name_filter=None, summarizer=summarize_tensor):
    """Makes a list of summaries of what a collection holds.

    Args:
      collection: its name.
      name_filter: a regular expression that names must begin with; None for all.
      summarizer: a function of a tensor.
    """
    found = [op for op in get_collection(collection) if name_filter is None or re.match(name_filter, op.op.name)]
    return summarize_tensors(found, summarizer)


summarize_variables = functools.partial(summarize_collection, GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, GraphKeys.BIASES)


def summarize_activations(name_filter=None, summarizer=summarize_activation):
    """Makes a list of summaries of the collected activations; see `summarize_collection`."""
    return summarize_collection(GraphKeys.ACTIVATIONS, name_filter, summarizer)
