"""Outputs under names, in collections; and the collections in which a layer's variables go."""

from ferroflow._src.contrib.framework import variables
from ferroflow._src.framework import tensor_util
from ferroflow._src.framework.collections import add_to_collection, add_to_collections, get_collection
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.stacks import get_default_graph
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import TensorShape
from ferroflow._src.framework.variables import Variable


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
        aliases = outputs.__dict__.setdefault("aliases", [])
        aliases.append(alias.rstrip("/"))
        add_to_collections(collections, outputs)
    return outputs


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


def known_bool(value):
    """Returns what a bool, tensor or variable is known to be while the graph is built, or None."""
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if isinstance(value, Variable):
        return None
    return tensor_util.constant_value(value) if isinstance(value, TensorBase) else value


def smart_cond(pred, fn1, fn2, name=None):
    """Returns what one of two functions gives: at once where the predicate is known, else `tf.cond`."""
    known = known_bool(pred)
    if known is None:
        return cond(pred, fn1, fn2, name=name)
    return fn1() if known else fn2()


def _dimension(shape, dim, min_rank):
    if shape.dims is None:
        raise ValueError("dims of shape must be known but is None")
    if len(shape.dims) < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {len(shape.dims)}")
    value = shape.dims[dim].value
    if value is None:
        raise ValueError(f"dimension {dim} of shape must be known but is None: {shape}")
    return value


def last_dimension(shape, min_rank=1):
    """Returns the size of the last dimension, which must be known."""
    return _dimension(shape, -1, min_rank)


def channel_dimension(shape, data_format, min_rank=1):
    """Returns the number of channels, which must be known; `data_format` is 'channels_first' or 'channels_last'."""
    return _dimension(shape, 1 if data_format == "channels_first" else -1, min_rank)


def two_element_tuple(int_or_tuple):
    """Returns two integers, of two or of one.

    Raises:
      ValueError: for something else.
    """
    if isinstance(int_or_tuple, (list, tuple)):
        if len(int_or_tuple) != 2:
            raise ValueError(f"Must be a list with 2 elements: {int_or_tuple}")
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    if isinstance(int_or_tuple, int):
        return int(int_or_tuple), int(int_or_tuple)
    if isinstance(int_or_tuple, TensorShape) and len(int_or_tuple) == 2:
        return int_or_tuple[0], int_or_tuple[1]
    raise ValueError("Must be an int, a list with 2 elements or a TensorShape of length 2")


def get_tensor_aliases(tensor):
    """Returns the names that a tensor was collected under, else its own."""
    if "aliases" in tensor.__dict__:
        return tensor.aliases
    return [tensor.op.name if tensor.name.endswith(":0") else tensor.name]


def convert_collection_to_dict(collection, clear_collection=False):
    """Returns what a collection holds, by the names it was collected under.

    Args:
      collection: its name.
      clear_collection: whether it is emptied.
    """
    found = {alias: tensor for tensor in get_collection(collection) for alias in get_tensor_aliases(tensor)}
    if clear_collection:
        get_default_graph().clear_collection(collection)
    return found
