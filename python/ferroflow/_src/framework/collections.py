"""The collections of a graph: lists of anything, by name. And how a collection's things become messages."""

import re

from ferroflow._src.framework import stacks


class Collections:
    """The part of `Graph` that keeps collections."""

    def __init__(self):
        self._collections = {}

    @property
    def collections(self):
        """The names of all collections."""
        return list(self._collections)

    def add_to_collection(self, name, value):
        """Adds `value` to the end of the collection `name`."""
        self._check_not_finalized()
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names, value):
        """Adds `value` to each collection; `names` may be one string."""
        for name in (names,) if isinstance(names, str) else set(names):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name):
        """Returns the list itself: what is done to it is done to the collection."""
        return self._collections.setdefault(name, [])

    def get_collection(self, name, scope=None):
        """Returns a list of what is in a collection.

        Args:
          name: the collection's name.
          scope: a regular expression: only things whose names begin so.
        """
        found = self._collections.get(name)
        if found is None:
            return []
        if scope is None:
            return list(found)
        matches = re.compile(scope).match
        return [item for item in found if hasattr(item, "name") and matches(item.name)]

    def get_all_collection_keys(self):
        """Returns the names of all collections that are strings."""
        return [name for name in self._collections if isinstance(name, str)]

    def clear_collection(self, name):
        """Takes everything out of a collection."""
        self._check_not_finalized()
        self._collections.pop(name, None)


def add_to_collection(name, value):
    """`Graph.add_to_collection` of the default graph."""
    stacks.get_default_graph().add_to_collection(name, value)


def add_to_collections(names, value):
    """`Graph.add_to_collections` of the default graph."""
    stacks.get_default_graph().add_to_collections(names, value)


def get_collection_ref(key):
    """`Graph.get_collection_ref` of the default graph."""
    return stacks.get_default_graph().get_collection_ref(key)


def get_collection(key, scope=None):
    """`Graph.get_collection` of the default graph."""
    return stacks.get_default_graph().get_collection(key, scope)


def get_all_collection_keys():
    """`Graph.get_all_collection_keys` of the default graph."""
    return stacks.get_default_graph().get_all_collection_keys()


_proto_functions: dict = {}


def register_proto_function(collection_name, proto_type=None, to_proto=None, from_proto=None):
    """Says how the things of a collection are written to a MetaGraphDef and read from one.

    Args:
      collection_name: the collection's name.
      proto_type: the message class.
      to_proto: called with (thing, export_scope=...).
      from_proto: called with (message, import_scope=...).

    Raises:
      TypeError: when a function cannot be called.
    """
    if to_proto and not callable(to_proto):
        raise TypeError("to_proto must be callable.")
    if from_proto and not callable(from_proto):
        raise TypeError("from_proto must be callable.")
    _proto_functions[collection_name] = (proto_type, to_proto, from_proto)


def get_collection_proto_type(collection_name):
    """Returns the message class of a collection, or None."""
    return _proto_functions.get(collection_name, (None, None, None))[0]


def get_to_proto_function(collection_name):
    """Returns the function that writes things of a collection, or None."""
    return _proto_functions.get(collection_name, (None, None, None))[1]


def get_from_proto_function(collection_name):
    """Returns the function that reads things of a collection, or None."""
    return _proto_functions.get(collection_name, (None, None, None))[2]
