"""tf.Session: runs parts of a graph in the core."""

import collections
import os
import sys
import threading
import time
import warnings

import numpy as np

from ferroflow import _core
from ferroflow._src.framework import graph_util, nest, served, stacks
from ferroflow._src.framework.error_messages import explained
from ferroflow._src.framework.errors import (
    AbortedError,
    CancelledError,
    InvalidArgumentError,
    NotFoundError,
    OpError,
)
from ferroflow._src.framework.fetches import (
    Fetches,
    expand_feed,
    expand_feed_key,
    register_session_run_conversion_functions,
)
from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.operation import Operation
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.text import as_str

# The endpoints that may be fed and fetched in a run in parts, those that were fed, and those that were not yet fetched.
_PartialRun = collections.namedtuple("_PartialRun", ("feeds", "fetches", "fed", "left"))

# How many structures of fetches a session remembers.
_REMEMBERED = 1000


class SessionInterface:
    """What runs operations: a `Session`, or what stands for one."""

    @property
    def graph(self):
        """The `Graph` that it runs."""
        raise NotImplementedError("graph")

    @property
    def sess_str(self):
        raise NotImplementedError("sess_str")

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        raise NotImplementedError("run")

    def partial_run_setup(self, fetches, feeds=None):
        raise NotImplementedError("partial_run_setup")

    def partial_run(self, handle, fetches, feed_dict=None):
        raise NotImplementedError("partial_run")


class _DeviceAttributes:
    def __init__(self, name, device_type, memory_limit_bytes, incarnation):
        self.name = name
        self.device_type = device_type
        self.memory_limit_bytes = memory_limit_bytes
        self.incarnation = incarnation

    def __repr__(self):
        return f"_DeviceAttributes({self.name}, {self.device_type}, {self.memory_limit_bytes}, {self.incarnation})"


class BaseSession(SessionInterface):
    """What `Session` and `InteractiveSession` have in common."""

    def __init__(self, target="", graph=None, config=None):
        """Creates a session.

        Args:
          target: that of a `tf.train.Server` of this process, whose sessions share their variables; or "" or None.
          graph: a `Graph`; None for the default one.
          config: a `ConfigProto`, or None.

        Raises:
          TypeError: when an argument is of another kind.
        """
        if graph is None:
            graph = stacks.get_default_graph()
        elif not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)}")
        if target is not None and not isinstance(target, (str, bytes)):
            if type(target).__name__ == "ConfigProto":
                raise TypeError(
                    f'target must be a string, but got {type(target)}. Did you do "Session(config)" instead of '
                    '"Session(config=config)"?'
                )
            raise TypeError(f"target must be a string, but got {type(target)}")
        if config is not None and type(config).__name__ != "ConfigProto":
            raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
        kind = str(target or "").partition("://")[0]
        if kind not in ("", "local", "grpc", "grpc+verbs", "grpc+mpi", "b''"):
            raise NotFoundError(
                None,
                None,
                f'No session factory registered for the given session options: {{target: "{target}" config: '
                f"{' '.join(str(config or '').split())}}} Registered factories are {{DIRECT_SESSION, GRPC_SESSION}}.",
            )
        self._graph = graph
        self._target = target.encode() if isinstance(target, str) else target
        self._config = config
        self._closed = False
        settings = None if config is None else config.SerializeToString()
        self._session, self._is_shared = served.core_session(
            as_str(target or ""), graph, lambda: _core.Session(graph._core, settings)
        )
        self._remembered = {}
        self._num_unfetchable = 0
        self._partial_runs = {}
        self._logs_placement = config is not None and config.log_device_placement
        if self._logs_placement:
            self._log_placement(place=False)

    # -- facts --

    @property
    def graph(self):
        return self._graph

    @property
    def graph_def(self):
        """The graph as a `GraphDef`."""
        shapes = self._config is not None and self._config.graph_options.infer_shapes
        return self._graph.as_graph_def(add_shapes=shapes)

    @property
    def sess_str(self):
        return self._target

    def list_devices(self):
        """Returns the devices: objects with `name`, `device_type`, `memory_limit_bytes` and `incarnation`."""
        if self._closed:
            raise CancelledError(None, None, "Session has been closed.")
        return [_DeviceAttributes(*device) for device in self._session.devices()]

    def as_default(self):
        """Returns a context manager that makes this the default session; it does not close it."""
        return stacks.default_session(self)

    def close(self):
        """Frees what the session holds. Runs of other threads end with `CancelledError`."""
        if not self._closed:
            self._closed = True
            if not self._is_shared:
                self._session.close()

    def __del__(self):
        # Half-made sessions have no core.
        session = self.__dict__.get("_session")
        if session is not None and not self._closed and not self._is_shared:
            session.close()

    # -- runs --

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        """Runs what `fetches` needs and returns its values.

        Args:
          fetches: a tensor, operation, variable or name, or a nest of lists, tuples and dicts of them.
          feed_dict: {tensor, variable or name: value}: values that hold for this run.
          options: a `RunOptions`, or None.
          run_metadata: a `RunMetadata` to fill, or None.

        Returns:
          Arrays and NumPy scalars in the form of `fetches`; None for operations.

        Raises:
          RuntimeError: when the session is closed.
          TypeError: for a fetch or feed of the wrong kind.
          ValueError: for one that is not of this graph, or a value of the wrong shape.
          OpError: when an operation fails.
        """
        self._check_open()
        feeds = self._feeds(feed_dict) if feed_dict else []
        handler = self._handler(fetches)
        endpoints = handler.endpoints
        if not endpoints and not handler.nodes:
            return handler.build([])
        fed = {}
        if feeds:
            fed = dict(feeds)
            if not fed.keys().isdisjoint(endpoints):
                return handler.build(self._run_around(handler, feeds, fed, options, run_metadata))
        try:
            if options is None and run_metadata is None:
                return handler.build(self._session.run(feeds, endpoints, handler.nodes))
            return handler.build(self._run_traced(feeds, endpoints, handler.nodes, options, run_metadata))
        except OpError as error:
            raise explained(error, self._graph) from None

    def _run_around(self, handler, feeds, fed, options, run_metadata):
        """A fetch that is fed is what was fed."""
        wanted = [e for e in handler.endpoints if e not in fed]
        found = {}
        if wanted or handler.nodes:
            try:
                values = self._run_traced(feeds, wanted, handler.nodes, options, run_metadata)
            except OpError as error:
                raise explained(error, self._graph) from None
            found = dict(zip(wanted, values, strict=True))
        return [fed[e] if e in fed else found[e] for e in handler.endpoints]

    def _run_traced(self, feeds, endpoints, nodes, options, run_metadata):
        serialized = None if options is None else options.SerializeToString()
        if run_metadata is None:
            return self._session.run(feeds, endpoints, nodes, serialized)
        *values, metadata = self._session.run(feeds, endpoints, nodes, serialized, True)
        run_metadata.ParseFromString(metadata)
        if options is not None and options.output_partition_graphs:
            run_metadata.partition_graphs.extend(self._partition_graphs(endpoints, nodes))
        return values

    def _partition_graphs(self, endpoints, nodes):
        """The part of the graph that a run needs: a graph for each device where something of it runs."""
        core = self._graph._core
        names = [core.name(node) for node in [*(e >> 16 for e in endpoints), *nodes]]
        whole = graph_util.extract_sub_graph(self._graph.as_graph_def(), names)
        devices = self._session.devices_of([core.find(node.name) for node in whole.node])
        parts = {}
        for node, device in zip(whole.node, devices, strict=True):
            if device not in parts:
                parts[device] = type(whole)(versions=whole.versions, library=whole.library)
            parts[device].node.add().CopyFrom(node)
            parts[device].node[-1].device = device
        return parts.values()

    def _log_placement(self, place):
        """Writes where new operations run, as TensorFlow does: to stdout, and with the time to stderr."""
        try:
            lines = self._session.placement_log(place)
        except OpError as error:
            raise explained(error, self._graph) from None
        for line in lines:
            print(line)
        if lines and not os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0").strip("0"):
            now = time.strftime("%Y-%m-%d %H:%M:%S.000000")
            sys.stderr.write("".join(f"{now}: I placer] {line}\n" for line in lines))

    def _check_open(self):
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if self._is_shared and self._session.closed:
            raise AbortedError(None, None, "Session is not found. Possibly, this master has restarted.")
        if self._graph._core.num_nodes() == 0:
            raise RuntimeError("The Session graph is empty.  Add operations to the graph before calling run().")
        if self._logs_placement:
            self._log_placement(place=True)

    def _handler(self, fetches):
        """The `Fetches` of a structure; flat ones are remembered, since programs run the same ones again and again."""
        kind = fetches.__class__
        if kind is Tensor or kind is Operation:
            key = fetches
        elif kind is list or kind is tuple:
            key = (kind, *fetches)
        elif kind is dict:
            key = (kind, *fetches.items())
        else:
            return Fetches(self._graph, fetches)
        if self._num_unfetchable != self._graph._num_unfetchable:
            self._num_unfetchable = self._graph._num_unfetchable
            self._remembered.clear()
        try:
            found = self._remembered.get(key)
        except TypeError:  # nested lists
            return Fetches(self._graph, fetches)
        if found is None:
            found = Fetches(self._graph, fetches)
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def _feeds(self, feed_dict):
        """[(endpoint, array)] of a feed dict."""
        feeds = []
        is_flat = isinstance(feed_dict, dict)
        if is_flat:
            for key in feed_dict:
                if key.__class__ is not Tensor:
                    is_flat = False
                    break
        if not is_flat:
            feed_dict = nest.flatten_dict_items(feed_dict)
        for key, value in feed_dict.items():
            if key.__class__ is Tensor and key._graph is self._graph:
                feeds.append((key._endpoint, self._feed_value(key, value, key)))
                continue
            for part, part_value in expand_feed(key, value):
                tensor = self._feed_key(part)
                feeds.append((tensor._endpoint, self._feed_value(tensor, part_value, key)))
        # A tensor and its name may both be keys: the last one counts.
        return feeds if is_flat else list(dict(feeds).items())

    def _feed_key(self, key):
        try:
            return self._graph.as_graph_element(key, allow_operation=False)
        except Exception as error:
            raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from None

    def _feed_value(self, tensor, value, key):
        if isinstance(value, Tensor):
            raise TypeError(
                "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, "
                f"strings, lists, numpy ndarrays, or TensorHandles. For reference, the tensor object was {value} which "
                f"was passed to the feed with key {key}."
            )
        dtype = tensor.dtype
        wanted = dtype.as_numpy_dtype
        if isinstance(value, int) and not _fits(value, wanted):
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {wanted}. Try "
                "explicitly setting the type of the feed tensor to a larger type (e.g. int64)."
            )
        if hasattr(value, "to_numpy_array"):
            array = value.to_numpy_array()
        else:
            array = np.asarray(value, dtype=wanted)
        core = self._graph._core
        sizes = core.shape(tensor._endpoint)
        if sizes is not None and sizes != array.shape:
            shape = array.shape
            if len(sizes) != len(shape) or any(a not in (-1, b) for a, b in zip(sizes, shape, strict=True)):
                raise ValueError(
                    f"Cannot feed value of shape {shape!r} for Tensor {tensor.name!r}, which has shape "
                    f"{str(tensor.shape)!r}"
                )
        if not core.is_feedable(tensor._endpoint):
            raise ValueError(f"Tensor {tensor} may not be fed.")
        return array

    # -- runs in parts, and prepared ones --

    def partial_run_setup(self, fetches, feeds=None):
        """Begins a run that takes feeds and gives fetches in several calls.

        Args:
          fetches: all that will be fetched.
          feeds: all that will be fed.

        Returns:
          A handle for `partial_run`.
        """
        self._check_open()
        if feeds is None:
            feeds = []
        feeds = feeds if isinstance(feeds, (list, tuple)) else [feeds]
        endpoints = []
        for feed in feeds:
            for part in expand_feed_key(feed):
                try:
                    tensor = self._graph.as_graph_element(part, allow_operation=False)
                except Exception as error:
                    raise type(error)(f"Cannot interpret feed_list key as Tensor: {error.args[0]}") from None
                endpoints.append(tensor._endpoint)
        handler = self._handler(fetches)
        if not handler.endpoints and not handler.nodes:
            raise InvalidArgumentError(None, None, "Must specify at least one target to fetch or execute.")
        handle = self._session.partial_run_setup(endpoints, handler.endpoints, handler.nodes)
        self._partial_runs[handle] = _PartialRun(set(endpoints), set(handler.endpoints), set(), set(handler.endpoints))
        return handle

    def partial_run(self, handle, fetches, feed_dict=None):
        """Goes on with a run in parts.

        Args:
          handle: from `partial_run_setup`.
          fetches: some of its fetches.
          feed_dict: some of its feeds.

        Returns:
          As `run`.
        """
        self._check_open()
        handler = self._handler(fetches)
        feeds = self._feeds(feed_dict) if feed_dict else []
        if handler.nodes:
            raise RuntimeError("partial_run() requires empty target_list.")
        known = self._partial_runs.get(handle)
        if known is None:
            raise InvalidArgumentError(None, None, "Must run 'setup' before performing partial runs!")
        self._check_part(known, [endpoint for endpoint, _ in feeds], handler.endpoints)
        try:
            values = self._session.partial_run(handle, feeds, handler.endpoints)
        except OpError as error:
            raise explained(error, self._graph) from None
        known.fed.update(endpoint for endpoint, _ in feeds)
        known.left.difference_update(handler.endpoints)
        if not known.left:
            del self._partial_runs[handle]
        return handler.build(values)

    def _check_part(self, known, feeds, fetches):
        """Names what was not announced, or comes twice."""
        for endpoint in feeds:
            name = self._graph._tensor(endpoint).name
            if endpoint not in known.feeds:
                raise InvalidArgumentError(None, None, f"The feed {name} was not specified in partial_run_setup.")
            if endpoint in known.fed:
                raise InvalidArgumentError(None, None, f"The feed {name} has already been fed.")
        for endpoint in fetches:
            if endpoint not in known.fetches:
                name = self._graph._tensor(endpoint).name
                raise InvalidArgumentError(None, None, f"The fetch {name} was not specified in partial_run_setup.")

    def make_callable(self, fetches, feed_list=None, accept_options=False):
        """Returns a function that runs `fetches`: faster than `run` when called often.

        Args:
          fetches: as for `run`.
          feed_list: the tensors whose values the function takes, in order.
          accept_options: whether it takes `options` and `run_metadata` too.

        Raises:
          TypeError: when `feed_list` is no list.
        """
        if feed_list is not None:
            if not isinstance(feed_list, (list, tuple)):
                raise TypeError("`feed_list` must be a list or tuple.")

            def run_with_feeds(*values, **kwargs):
                return self.run(fetches, feed_dict=dict(zip(feed_list, values, strict=False)), **kwargs)

            return run_with_feeds
        self._check_open()
        handler = self._handler(fetches)
        if accept_options:

            def run_with_options(options=None, run_metadata=None):
                return self.run(fetches, options=options, run_metadata=run_metadata)

            return run_with_options

        def run():
            if self._closed:
                raise RuntimeError("Attempted to use a closed Session.")
            try:
                return handler.build(self._session.run([], handler.endpoints, handler.nodes))
            except OpError as error:
                raise explained(error, self._graph) from None

        return run

    def _make_callable_from_options(self, callable_options):
        """Returns a function of arrays, as a `CallableOptions` describes it."""
        feeds = [self._graph.as_graph_element(name, allow_operation=False) for name in callable_options.feed]
        fetches = list(callable_options.fetch)
        targets = [self._graph.as_graph_element(name) for name in callable_options.target]

        def run(*values):
            return self.run([*fetches, *targets], dict(zip(feeds, values, strict=True)))[: len(fetches)]

        return run


def _fits(number, dtype):
    """Whether an int is the same number in the type."""
    if dtype is object:
        return False
    if not isinstance(dtype, type):
        return True
    try:
        return bool(dtype(number) == number)
    except (OverflowError, TypeError, ValueError):
        return False


class Session(BaseSession):
    """Runs operations of a graph, and holds the values of its variables.

    Example:

        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            print(sess.run(loss, feed_dict={x: batch}))
    """

    def __init__(self, target="", graph=None, config=None):
        """Creates a session; see `BaseSession`."""
        super().__init__(target, graph, config)
        self._graph_block = None
        self._session_block = None

    def __enter__(self):
        if self._graph_block is not None:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` if you want to enter a "
                "session multiple times."
            )
        self._graph_block = self._graph.as_default()
        self._session_block = self.as_default()
        self._graph_block.__enter__()
        return self._session_block.__enter__()

    def __exit__(self, kind, value, trace):
        self._session_block.__exit__(None, None, None)
        self._graph_block.__exit__(None, None, None)
        self._session_block = self._graph_block = None
        self.close()
        return False

    @staticmethod
    def reset(target, containers=None, config=None):
        """Drops what the sessions of a server's target hold, and ends them.

        Args:
          target: the server's target.
          containers: not used: all is dropped.
          config: not used.
        """
        served.forget(as_str(target))


class InteractiveSession(BaseSession):
    """A session that is the default one from its creation until it is closed: for shells and notebooks."""

    _lock = threading.Lock()
    _active = 0

    def __init__(self, target="", graph=None, config=None):
        """Creates the session and makes it the default; see `BaseSession`."""
        super().__init__(target, graph, config)
        with InteractiveSession._lock:
            if InteractiveSession._active > 0:
                warnings.warn(
                    "An interactive session is already active. This can cause out-of-memory errors in some cases. You "
                    "must explicitly call `InteractiveSession.close()` to release resources held by the other "
                    "session(s).",
                    stacklevel=2,
                )
            InteractiveSession._active += 1
        self._is_default = True
        stacks.session_stack.items.append(self)
        self._explicit_graph = graph
        if graph is not None:
            stacks.graph_stack.items.append(graph)

    def close(self):
        """Closes the session; it is the default no longer."""
        super().close()
        with InteractiveSession._lock:
            if not self.__dict__.get("_is_default"):
                return
            self._is_default = False
            InteractiveSession._active -= 1
        if self in stacks.session_stack.items:
            stacks.session_stack.items.remove(self)
        if self._explicit_graph is not None and self._explicit_graph in stacks.graph_stack.items:
            stacks.graph_stack.items.remove(self._explicit_graph)


__all__ = [
    "BaseSession",
    "InteractiveSession",
    "Session",
    "SessionInterface",
    "register_session_run_conversion_functions",
]
