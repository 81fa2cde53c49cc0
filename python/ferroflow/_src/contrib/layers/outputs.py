"""Outputs under names, in collections; and the collections in which a layer's variables go."""

from collections import OrderedDict

from ferroflow._src.contrib.framework import variables
from ferroflow._src.framework.collections import add_to_collection, add_to_collections, get_collection
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.stacks import get_default_graph


def collect_named_outputs(collections, alias, outputs):
    """Adds outputs to collections under an alias.

    Args:
      collections: their names; None for none.
      alias: the name.
      outputs: a `Tensor`.

    Returns:
      `outputs`.
    """
    if collections:
        append_tensor_alias(outputs, alias)
        add_to_collections(collections, outputs)
    return outputs


def append_tensor_alias(tensor, alias):
    """Adds a name, without the slash at its end, to the tensor's `aliases`; returns the tensor."""
    if not hasattr(tensor, "aliases"):
        tensor.aliases = []
    tensor.aliases.append(alias.removesuffix("/"))
    return tensor


def gather_tensors_aliases(tensors):
    """Returns the names of all `tensors` as one list; `get_tensor_aliases` says which."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def get_variable_collections(variables_collections, name):
    """Returns the collections for the variable `name`: those of a dict's entry, or all."""
    if isinstance(variables_collections, dict):
        return variables_collections.get(name)
    return variables_collections


def add_variable_to_collections(variable, collections, name):
    """Adds a layer's variable, or its parts, to the collections for `name`, once."""
    parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
    for key in get_variable_collections(collections, name) or []:
        for part in parts:
            if not any(part is v for v in get_collection(key)):
                add_to_collection(key, part)


_GETTER_OPTIONS = (
    "shape",
    "dtype",
    "initializer",
    "regularizer",
    "collections",
    "trainable",
    "caching_device",
    "partitioner",
    "use_resource",
    "synchronization",
    "aggregation",
)


def model_variable_getter(rename=None):
    """Returns a getter that makes the model's variables, under contrib's names."""

    def get(getter, name, *args, **kwargs):
        scope, _, short = name.rpartition("/")
        if rename and short in rename:
            name = f"{scope}/{rename[short]}" if scope else rename[short]
        options = {key: kwargs[key] for key in _GETTER_OPTIONS if key in kwargs}
        return variables.model_variable(name, custom_getter=getter, **options)

    return get


def check_format(data_format):
    """Raises ValueError for a format other than 'NHWC' and 'NCHW'."""
    if data_format not in ("NCHW", "NHWC"):
        raise ValueError("data_format has to be either NCHW or NHWC.")


def get_tensor_aliases(tensor):
    """Returns the names that a tensor was collected under, else its own."""
    if hasattr(tensor, "aliases"):
        return tensor.aliases
    return [tensor.op.name if tensor.name.endswith(":0") else tensor.name]


def convert_collection_to_dict(collection, clear_collection=False):
    """Returns what a collection holds, by the names it was collected under.

    Args:
      collection: its name.
      clear_collection: whether it is emptied.
    """
    found = OrderedDict((alias, tensor) for tensor in get_collection(collection) for alias in get_tensor_aliases(tensor))
    if clear_collection:
        get_default_graph().clear_collection(collection)
    return found
