"""Looking into checkpoints, and waiting for them."""

import os
import time

from ferroflow import _core
from ferroflow._src import proto
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.text import as_str
from ferroflow._src.training import checkpoint_management
from ferroflow._src.training.log import logger


class CheckpointReader:
    """The tensors of a checkpoint."""

    def __init__(self, filepattern):
        self._reader = _core.CheckpointReader(as_str(filepattern))
        self._tensors = self._reader.tensors()

    def has_tensor(self, tensor_str):
        """Whether there is a tensor of this name."""
        return self._reader.has_tensor(as_str(tensor_str))

    def get_tensor(self, tensor_str):
        """Returns the tensor as an array (bytes for a scalar string).

        Raises:
          tf.errors.NotFoundError: without such a tensor.
          tf.errors.DataLossError: when the files are broken.
        """
        value = self._reader.get_tensor(as_str(tensor_str))
        return value.item() if value.dtype == object and value.ndim == 0 else value

    def get_variable_to_shape_map(self):
        """Returns a dict of names to shapes, as lists."""
        return {name: list(shape) for name, (_, shape) in self._tensors.items()}

    def get_variable_to_dtype_map(self):
        """Returns a dict of names to dtypes."""
        return {name: dtypes.as_dtype(number) for name, (number, _) in self._tensors.items()}

    def debug_string(self):
        """Returns one line a tensor: name, type and shape, as bytes."""
        lines = []
        for name, (number, shape) in sorted(self._tensors.items()):
            enum = "DT_" + _ENUM_NAMES.get(dtypes.as_dtype(number).name, dtypes.as_dtype(number).name).upper()
            lines.append(f"{name} ({enum}) [{','.join(map(str, shape))}]\n")
        return "".join(lines).encode()


_ENUM_NAMES = {"float32": "float", "float64": "double", "float16": "half"}


def new_checkpoint_reader(filepattern):
    """Returns a reader of the checkpoint with this prefix.

    Raises:
      tf.errors.NotFoundError: when it is not there.
      tf.errors.DataLossError: when it is broken.
    """
    return CheckpointReader(filepattern)


def load_checkpoint(ckpt_dir_or_file):
    """Returns a reader of a checkpoint, or of the newest one in a folder.

    Raises:
      ValueError: when the folder has none.
    """
    found = checkpoint_filename(ckpt_dir_or_file)
    if found is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {ckpt_dir_or_file}")
    return CheckpointReader(found)


def checkpoint_filename(ckpt_dir_or_file):
    """Returns a checkpoint's prefix; of a folder that of its newest, or None when it has none."""
    path = os.fspath(ckpt_dir_or_file)
    return checkpoint_management.latest_checkpoint(path) if os.path.isdir(path) else path


def load_variable(ckpt_dir_or_file, name):
    """Returns the array of the variable `name` in a checkpoint (with or without ':0')."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file):
    """Returns (name, shape) pairs of a checkpoint, sorted by name."""
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    return sorted(shapes.items())



# The tensor of an object-based checkpoint that says how objects hang together.
OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"


def keys_by_variable_name(path):
    """Returns where an object-based checkpoint has what a `tf.train.Saver` would look for: names to keys.

    Raises:
      tf.errors.NotFoundError: when the checkpoint is no object-based one.
    """
    text = new_checkpoint_reader(path).get_tensor(OBJECT_GRAPH_KEY)
    nodes = proto.TrackableObjectGraph.FromString(text).nodes
    return {a.full_name: a.checkpoint_key for node in nodes for a in node.attributes}


def wait_for_new_checkpoint(checkpoint_dir, last_checkpoint=None, seconds_to_sleep=1, timeout=None):
    """Waits until a folder has a newest checkpoint other than `last_checkpoint`.

    Args:
      checkpoint_dir: the folder.
      last_checkpoint: the prefix of the one known, or None.
      seconds_to_sleep: how long to wait between looks.
      timeout: how many seconds to wait at most; None for as long as it takes.

    Returns:
      Its prefix; None when the time is over.
    """
    logger.info("Waiting for new checkpoint at %s", checkpoint_dir)
    end = None if timeout is None else time.time() + timeout
    while True:
        found = checkpoint_management.latest_checkpoint(checkpoint_dir)
        if found is not None and found != last_checkpoint:
            logger.info("Found new checkpoint at %s", found)
            return found
        if end is not None and time.time() + seconds_to_sleep > end:
            return None
        time.sleep(seconds_to_sleep)


def checkpoints_iterator(checkpoint_dir, min_interval_secs=0, timeout=None, timeout_fn=None):
    """Yields the prefixes of a folder's new checkpoints as they come; those written in between may be missed.

    Args:
      checkpoint_dir: the folder.
      min_interval_secs: how many seconds lie between two at least.
      timeout: how many seconds to wait for one at most; None for as long as it takes.
      timeout_fn: called when that time is over: the end when it returns something true. None for always the end.
    """
    found = None
    while True:
        newest = wait_for_new_checkpoint(checkpoint_dir, found, timeout=timeout)
        if newest is None:
            if not timeout_fn:
                logger.info("Timed-out waiting for a checkpoint.")
            if not timeout_fn or timeout_fn():
                return
            continue
        start, found = time.time(), newest
        yield found
        rest = start + min_interval_secs - time.time()
        if rest > 0:
            time.sleep(rest)
