"""Outputs under names, in collections; and the collections in which a layer's variables go."""

from ferroflow._src.framework.collections import add_to_collections


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
