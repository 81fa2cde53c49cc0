"""tf.summary: what TensorBoard shows."""

# fmt: off
from ferroflow._src import proto as _proto
from ferroflow._src.summary.summary_ops import (
    all_v2_summary_ops as all_v2_summary_ops,
    audio as audio,
    histogram as histogram,
    image as image,
    initialize as initialize,
    merge as merge,
    merge_all as merge_all,
    scalar as scalar,
    tensor_summary as tensor_summary,
    text as text,
)
from ferroflow._src.summary.writer import (
    FileWriter as FileWriter,
    FileWriterCache as FileWriterCache,
)

# Messages, found on first use.
_MESSAGES = {"Event", "SessionLog", "Summary", "SummaryDescription", "TaggedRunMetadata"}


def __getattr__(name):
    if name in _MESSAGES:
        return getattr(_proto, name)
    raise AttributeError(f"module 'tensorflow.summary' has no attribute {name!r}")
# fmt: on
