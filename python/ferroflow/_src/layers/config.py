"""What a layer is made of, as plain data, and the values of its variables."""

import numpy as np

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.placeholders import placeholder
from ferroflow._src.framework.session import Session

_no_session = None


def _session():
    """The session that is the default one, else one that all layers share."""
    global _no_session
    found = stacks.get_default_session()
    if found is not None:
        return found
    if _no_session is None or _no_session.graph is not stacks.get_default_graph():
        _no_session = Session()
    return _no_session


def serialize(part):
    """Returns an initializer or function as plain data: its class with its configuration, or its name."""
    if part is None:
        return None
    if hasattr(part, "get_config"):
        return {"class_name": type(part).__name__, "config": part.get_config()}
    return getattr(part, "__name__", type(part).__name__)


class Configured:
    """The part of a layer that knows its configuration and the values of its variables.

    Subclasses name in `_config` the attributes that their `__init__` takes.
    """

    _config = ()

    def get_config(self):
        """Returns the arguments that make such a layer, as a dict of plain data."""
        found = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        for key in self._config:
            value = getattr(self, key)
            if key == "activation":
                value = "linear" if value is None else serialize(value)
            elif key.endswith(("_initializer", "_regularizer", "_constraint")):
                value = serialize(value)
            found[key] = value
        return found

    @classmethod
    def from_config(cls, config):
        """Makes a layer.

        Args:
          config: what `get_config` of such a layer gave.
        """
        return cls(**config)

    @property
    def dynamic(self):
        """False: layers make graphs."""
        return False

    # Layers that are called with plain tensors keep no record of them.

    @property
    def input(self):
        """Raises AttributeError: a layer keeps no record of what it was called with."""
        raise AttributeError(f"Layer {self.name} is not connected, no input to return.")

    @property
    def output(self):
        """Raises AttributeError: a layer keeps no record of what it made."""
        raise AttributeError(f"Layer {self.name} has no inbound nodes.")

    @property
    def input_shape(self):
        """Raises AttributeError: a layer keeps no record of what it was called with."""
        raise AttributeError("The layer has never been called and thus has no defined input shape.")

    @property
    def output_shape(self):
        """Raises AttributeError: a layer keeps no record of what it made."""
        raise AttributeError("The layer has never been called and thus has no defined output shape.")

    def get_weights(self):
        """Returns the values of the layer's variables, a list of arrays, from the default session."""
        return [np.asarray(value) for value in _session().run(self.weights)]

    def set_weights(self, weights):
        """Gives the layer's variables values, in the default session.

        Args:
          weights: a list of arrays, one for each variable.

        Raises:
          ValueError: when there are more or less of them, or shapes differ.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a  weight list of length '
                f"{len(weights)}, but the layer was expecting {len(variables)} weights. Provided weights: "
                f"{str(weights)[:50]}..."
            )
        updates, feeds = [], {}
        for variable, value in zip(variables, weights, strict=True):
            value = np.asarray(value)
            if tuple(variable.shape.as_list()) != value.shape:
                raise ValueError(
                    f"Layer weight shape {tuple(variable.shape.as_list())} not compatible with provided weight shape "
                    f"{value.shape}"
                )
            given = placeholder(dtypes.as_dtype(variable.dtype).base_dtype, shape=[None] * value.ndim)
            updates.append(variable.assign(given).op)
            feeds[given] = value
        if updates:
            _session().run(updates, feeds)
