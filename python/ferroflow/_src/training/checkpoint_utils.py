"""Looking into checkpoints."""

import os

from ferroflow import _core
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.text import as_str
from ferroflow._src.training import checkpoint_management


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
    return CheckpointReader(_found(ckpt_dir_or_file))


def _found(path):
    path = os.fspath(path)
    if not os.path.isdir(path):
        return path
    newest = checkpoint_management.latest_checkpoint(path)
    if newest is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}")
    return newest


def load_variable(ckpt_dir_or_file, name):
    """Returns the array of the variable `name` in a checkpoint (with or without ':0')."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file):
    """Returns (name, shape) pairs of a checkpoint, sorted by name."""
    shapes = load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map()
    return sorted(shapes.items())

