"""What sess.run fetches and is fed: structures of tensors flattened for the core, and results put back in their form."""

import collections
from collections.abc import Mapping

from ferroflow._src.framework import errors
from ferroflow._src.framework.composite import (
    IndexedSlices,
    IndexedSlicesValue,
    SparseTensor,
    SparseTensorValue,
)
from ferroflow._src.framework.operation import Operation
from ferroflow._src.framework.tensor import Tensor


def _fetch_slices(fetch):
    parts = fetch._to_components()
    return parts, lambda values: IndexedSlicesValue(*values, *[None] * (3 - len(values)))


# (type, fetch function, feed function, feed function of partial runs), asked in order; `object` takes the rest.
_EXPANSIONS = [
    (
        SparseTensor,
        lambda fetch: (fetch._to_components(), lambda values: SparseTensorValue(*values)),
        lambda feed, value: list(zip(feed._to_components(), value, strict=False)),
        lambda feed: feed._to_components(),
    ),
    (
        IndexedSlices,
        _fetch_slices,
        lambda feed, value: list(zip(feed._to_components(), value, strict=False)),
        lambda feed: feed._to_components(),
    ),
]


def register_session_run_conversion_functions(
    tensor_type, fetch_function, feed_function=None, feed_function_for_partial_run=None
):
    """Says how objects of a type are fetched and fed.

    Args:
      tensor_type: the type.
      fetch_function: called with an object; returns (tensors, function of their values).
      feed_function: called with (object, value); returns [(tensor, value)].
      feed_function_for_partial_run: called with an object; returns tensors.

    Raises:
      ValueError: when the type is known already.
    """
    if any(issubclass(known, tensor_type) for known, *_ in _EXPANSIONS):
        raise ValueError(f"{tensor_type} has already been registered so ignore it.")
    _EXPANSIONS.insert(0, (tensor_type, fetch_function, feed_function, feed_function_for_partial_run))


def expand_feed(feed, value):
    """Returns [(tensor or name, value)] for one entry of a feed dict."""
    for kind, _, function, _ in _EXPANSIONS:
        if isinstance(feed, kind):
            return function(feed, value)
    return [(feed, value)]


def expand_feed_key(feed):
    """Returns the tensors that a feed of a partial run names."""
    for kind, _, _, function in _EXPANSIONS:
        if isinstance(feed, kind):
            return function(feed)
    return [feed]


class Fetches:
    """A structure of fetches: the endpoints and nodes it needs, each once, and how results are put together.

    `build` is called with the values of `endpoints`.
    """

    __slots__ = ("_build", "_elements", "endpoints", "nodes", "plain")

    def __init__(self, graph, fetches):
        self._elements = {}
        self.endpoints = []
        self.nodes = []
        with graph.as_default():
            self._build = self._mapper(graph, fetches)
        # One tensor, or a flat list of different ones: results are what the core returns.
        self.plain = None
        if isinstance(fetches, Tensor):
            self.plain = "one"
        elif (
            type(fetches) is list
            and all(isinstance(f, Tensor) for f in fetches)
            and len(self.endpoints) == len(fetches)
        ):
            self.plain = "list"

    def build(self, values):
        """Returns the results in the form of the fetches."""
        if self.plain == "one":
            return values[0]
        if self.plain == "list":
            return values
        return self._build(values)

    def _mapper(self, graph, fetch):
        if fetch is None:
            raise TypeError(f"Fetch argument {fetch!r} has invalid type {type(fetch)!r}")
        if isinstance(fetch, (list, tuple)):
            return _sequence(type(fetch), [self._mapper(graph, f) for f in fetch])
        if isinstance(fetch, Mapping):
            return _mapping(fetch, [self._mapper(graph, f) for f in fetch.values()])
        if hasattr(fetch.__class__, "__attrs_attrs__"):
            parts = [getattr(fetch, a.name) for a in fetch.__class__.__attrs_attrs__]
            return _attrs(type(fetch), [self._mapper(graph, f) for f in parts])
        for kind, function, _, _ in _EXPANSIONS:
            if isinstance(fetch, kind):
                parts, contract = function(fetch)
                return _contracted(contract, [self._element(graph, part) for part in parts])
        return self._element(graph, fetch)

    def _element(self, graph, fetch):
        """The function that takes one fetch's value from all values."""
        try:
            element = graph.as_graph_element(fetch)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {fetch!r} has invalid type {type(fetch)!r}, must be a string or Tensor. ({error})"
            ) from None
        except (ValueError, KeyError) as error:
            raise ValueError(f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. ({error})") from None
        is_op = isinstance(element, Operation)
        operation = element if is_op else element.op
        if not graph.is_fetchable(operation):
            raise errors.InaccessibleTensorError(
                f"Operation {operation.name!r} has been marked as not fetchable. Typically this happens when it is "
                "defined in another function or code block. Use return values,explicit Python locals or TensorFlow "
                "collections to access it."
            )
        if is_op:
            if element not in self._elements:
                self._elements[element] = None
                self.nodes.append(element._node)
            return _nothing
        if element not in self._elements:
            self._elements[element] = len(self.endpoints)
            self.endpoints.append(element._endpoint)
        index = self._elements[element]
        return lambda values: values[index]


def _nothing(values):
    return None


def _sequence(kind, mappers):
    if issubclass(kind, list):
        return lambda values: [m(values) for m in mappers]
    if kind is tuple:
        return lambda values: tuple([m(values) for m in mappers])
    return lambda values: kind(*[m(values) for m in mappers])


def _mapping(fetch, mappers):
    kind, keys = type(fetch), list(fetch.keys())

    def build(values):
        # A defaultdict or the like is made empty, and filled.
        made = kind() if kind is not collections.defaultdict else collections.defaultdict(fetch.default_factory)
        for key, mapper in zip(keys, mappers, strict=True):
            made[key] = mapper(values)
        return made

    return build


def _attrs(kind, mappers):
    return lambda values: kind(*[m(values) for m in mappers])


def _contracted(contract, mappers):
    return lambda values: contract([m(values) for m in mappers]) if mappers else None
