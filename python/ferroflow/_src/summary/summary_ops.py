"""Summary ops: scalars, histograms, images, sound and text, collected and merged."""

import contextlib
import logging
import re

from ferroflow._src import proto
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope

_log = logging.getLogger("tensorflow")
_NOT_IN_TAGS = re.compile(r"[^-/\w\.]")


def clean_tag(name):
    """Returns a name with '_' for what a tag may not hold, and without '/' in front; None for None."""
    if name is None:
        return None
    cleaned = _NOT_IN_TAGS.sub("_", name).lstrip("/")
    if cleaned != name:
        _log.info("Summary name %s is illegal; using %s instead.", name, cleaned)
    return cleaned


@contextlib.contextmanager
def summary_scope(name, family=None, default_name=None, values=None):
    """A block for one summary op: gives its tag and its name.

    Args:
      name: the summary's name.
      family: stands before the tag and the name, so that summaries appear together.
      default_name: the name when `name` is None.
      values: the op's inputs.
    """
    name, family = clean_tag(name), clean_tag(family)
    with name_scope(name if family is None else f"{family}/{name}", default_name, values) as scope:
        tag = scope.rstrip("/")
        yield (tag if family is None else f"{family}/{tag}"), scope


def _collect(made, collections, default=(GraphKeys.SUMMARIES,)):
    for key in default if collections is None else collections:
        add_to_collection(key, made)
    return made


def scalar(name, tensor, collections=None, family=None):
    """A summary of one number.

    Args:
      name: the summary's name, made unique in its scope: the tag.
      tensor: a scalar of real numbers.
      collections: graph collections for the summary; None for `tf.GraphKeys.SUMMARIES`.
      family: stands before the tag.

    Returns:
      A string scalar: a serialized `Summary`.
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return _collect(apply_op("ScalarSummary", tag, tensor, name=scope), collections)


def image(name, tensor, max_outputs=3, collections=None, family=None):
    """A summary of images.

    Args:
      name: the summary's name, made unique in its scope: the tag.
      tensor: [batch, height, width, channels] with 1, 3 or 4 channels: uint8, or floats, which are scaled.
      max_outputs: how many of them are kept.
      collections: graph collections for the summary; None for `tf.GraphKeys.SUMMARIES`.
      family: stands before the tag.

    Returns:
      A string scalar: a serialized `Summary`.
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return _collect(apply_op("ImageSummary", tag, tensor, max_images=max_outputs, name=scope), collections)


def histogram(name, values, collections=None, family=None):
    """A summary of how numbers are distributed.

    Args:
      name: the summary's name, made unique in its scope: the tag.
      values: real numbers of any shape; a run fails when one of them is not finite.
      collections: graph collections for the summary; None for `tf.GraphKeys.SUMMARIES`.
      family: stands before the tag.

    Returns:
      A string scalar: a serialized `Summary`.
    """
    with summary_scope(name, family, values=[values], default_name="HistogramSummary") as (tag, scope):
        return _collect(apply_op("HistogramSummary", tag, values, name=scope), collections)


def audio(name, tensor, sample_rate, max_outputs=3, collections=None, family=None):
    """A summary of sound.

    Args:
      name: the summary's name, made unique in its scope: the tag.
      tensor: float32 [batch, frames, channels] or [batch, frames], from -1 to 1.
      sample_rate: a float32 scalar, in hertz.
      max_outputs: how many clips are kept.
      collections: graph collections for the summary; None for `tf.GraphKeys.SUMMARIES`.
      family: stands before the tag.

    Returns:
      A string scalar: a serialized `Summary`.
    """
    with summary_scope(name, family=family, values=[tensor]) as (tag, scope):
        rate = convert_to_tensor(sample_rate, dtype=dtypes.float32, name="sample_rate")
        return _collect(apply_op("AudioSummaryV2", tag, tensor, rate, max_outputs=max_outputs, name=scope), collections)


def text(name, tensor, collections=None):
    """A summary of text.

    Args:
      name: the summary's name, made unique in its scope: the tag.
      tensor: a `Tensor` of string.
      collections: graph collections for the summary; None for `tf.GraphKeys.SUMMARIES`.

    Returns:
      A string scalar: a serialized `Summary`.

    Raises:
      ValueError: for another type.
    """
    if tensor.dtype != dtypes.string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype}")
    metadata = proto.SummaryMetadata(plugin_data=proto.SummaryMetadata.PluginData(plugin_name="text"))
    return tensor_summary(name=name, tensor=tensor, summary_metadata=metadata, collections=collections)


def tensor_summary(
    name,
    tensor,
    summary_description=None,
    collections=None,
    summary_metadata=None,
    family=None,
    display_name=None,
):
    """A summary that holds a tensor as it is, for a plugin to show.

    Args:
      name: the summary's name, made unique in its scope: the tag.
      tensor: a `Tensor`.
      summary_description: a text about it.
      collections: graph collections for the summary; None for `tf.GraphKeys.SUMMARIES`.
      summary_metadata: a `SummaryMetadata`: which plugin.
      family: stands before the tag.
      display_name: the name shown.

    Returns:
      A string scalar: a serialized `Summary`.
    """
    metadata = proto.SummaryMetadata() if summary_metadata is None else summary_metadata
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    serialized = metadata.SerializeToString()
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return _collect(apply_op("TensorSummaryV2", tag, tensor, serialized, name=scope), collections)


def merge(inputs, collections=None, name=None):
    """Makes one summary of several.

    Args:
      inputs: serialized summaries: string scalars.
      collections: graph collections for the merged summary; None for none.
      name: the operation's name.

    Returns:
      A string scalar: a serialized `Summary`. A run fails when two have the same tag.
    """
    name = clean_tag(name)
    with name_scope(name, "Merge", inputs):
        return _collect(apply_op("MergeSummary", inputs, name=name), collections, ())


def merge_all(key=GraphKeys.SUMMARIES, scope=None, name=None):
    """Makes one summary of all in a graph collection.

    Args:
      key: the collection.
      scope: keeps those whose name begins with it.
      name: the operation's name.

    Returns:
      A string scalar: a serialized `Summary`; None when there are none.
    """
    found = get_collection(key, scope=scope)
    return merge(found, name=name) if found else None


def get_summary_description(node_def):
    """Returns the `SummaryDescription` of a node that an old `TensorSummary` made.

    Raises:
      ValueError: for another node.
    """
    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    from google.protobuf import json_format

    return json_format.Parse(node_def.attr["description"].s.decode(), proto.SummaryDescription())


def initialize(graph=None, session=None):
    """Does nothing: writers of TensorFlow 2's summaries do not exist here."""


def all_v2_summary_ops():
    """Returns None: there are no summaries of TensorFlow 2 here."""
    return None
