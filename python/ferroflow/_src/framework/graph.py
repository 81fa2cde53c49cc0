"""tf.Graph: nodes live in the core; here are the Python objects that stand for them, collections and scopes."""

import contextlib
import threading

from ferroflow import _core
from ferroflow._src.framework import frames, stacks, uids
from ferroflow._src.framework.collections import Collections
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import close_scope, graph_element, open_scope
from ferroflow._src.framework.operation import Operation
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.tensor_like import TensorLike
from ferroflow._src.framework.text import as_str

_make_context = None


def register_contexts(make):
    """Called once by `control_flow_contexts`, which stands above this module.

    Args:
      make: called with (graph, number), returns the Python object of a context that the core has made.
    """
    global _make_context
    _make_context = make


class Graph(Collections):
    """A program as a graph: `Operation`s, joined by `Tensor`s."""

    building_function = False

    def __init__(self):
        """Creates an empty graph."""
        super().__init__()
        self._core = _core.Graph()
        uids.graph_made(self)
        self._tensors = {}
        self._operations = {}
        self._stacks = []
        self._seed = None
        self._lock = threading.RLock()
        # The nodes that the control_dependencies blocks in force name, a list for each block; None starts anew.
        self._controls = []
        self._num_device_functions = 0
        # Grows with each operation that may not be fetched: sessions remember what may.
        self._num_unfetchable = 0
        self._variable_creators = []
        self._context_objects = {}
        self._functions = {}
        self._gradient_functions = {}

    # -- nodes and tensors --

    def _create(self, op_type, name, inputs, attrs, controls=()):
        """Makes a node in the scopes in force and remembers who made it. Returns its number."""
        if not name or name == "/":
            raise ValueError("'' is not a valid node name")
        node = self._core.create_op(op_type, name, inputs, attrs, controls)
        made = self._stacks
        new = node + 1 - len(made)
        if new == 1:
            made.append(frames.take(3))
        elif new > 1:
            made.extend([frames.take(3)] * new)
        if self._num_device_functions:
            self._place()
        return node

    def _record_new_nodes(self):
        """Says that the caller made all nodes that have no stack yet: those that the core adds by itself."""
        made = self._stacks
        new = self._core.num_nodes() - len(made)
        if new > 0:
            made.extend([frames.take(3)] * new)
        if self._num_device_functions:
            self._place()

    def _stack_of(self, node):
        return self._stacks[node] if node < len(self._stacks) else ()

    def _tensor(self, endpoint):
        found = self._tensors.get(endpoint)
        if found is None:
            found = self._tensors[endpoint] = Tensor._of(self, endpoint)
        return found

    def _operation(self, node):
        found = self._operations.get(node)
        if found is None:
            found = self._operations[node] = Operation(self, node)
        return found

    def create_op(
        self,
        op_type,
        inputs,
        dtypes=None,
        input_types=None,
        name=None,
        attrs=None,
        op_def=None,
        compute_shapes=True,
        compute_device=True,
    ):
        """Makes an operation from tensors and `AttrValue`s.

        Args:
          op_type: the op's name.
          inputs: tensors, lists laid flat.
          dtypes: not used: the core knows the types.
          input_types: not used.
          name: the operation's name, made unique; None for the op's.
          attrs: a dict of `AttrValue` messages.
          op_def: not used.
          compute_shapes: not used.
          compute_device: not used.

        Raises:
          TypeError: when an input is no tensor.
          ValueError: when the core refuses it.
        """
        from ferroflow._src.framework import attr_values

        for i, tensor in enumerate(inputs):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"Input #{i} is not a tensor: {tensor}")
        values = {key: attr_values.to_core(value) for key, value in (attrs or {}).items()}
        return self._operation(self._create(op_type, name or op_type, [t._endpoint for t in inputs], values))

    def get_operations(self):
        """Returns all operations in the order in which they were made."""
        return [self._operation(node) for node in range(self._core.num_nodes())]

    def get_operation_by_name(self, name):
        """Returns the operation of that name.

        Raises:
          TypeError: when the name is no string.
          KeyError: when there is none.
        """
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=False, allow_operation=True)

    def get_tensor_by_name(self, name):
        """Returns the tensor of that name, `operation:output`.

        Raises:
          TypeError: when the name is no string.
          ValueError: when it is not of that form.
          KeyError: when there is none.
        """
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=True, allow_operation=False)

    def as_graph_element(self, obj, allow_tensor=True, allow_operation=True):
        """Returns the tensor or operation that `obj` is, names or stands for.

        Args:
          obj: a `Tensor`, `Operation`, name, or what has a method `_as_graph_element` (a variable).
          allow_tensor: whether it may be a tensor.
          allow_operation: whether it may be an operation.

        Raises:
          TypeError: when it is of another kind.
          ValueError: when the name or the graph is wrong.
          KeyError: when nothing has that name.
        """
        if allow_tensor:
            wanted = "Tensor or Operation" if allow_operation else "Tensor"
        elif allow_operation:
            wanted = "Operation"
        else:
            raise ValueError("allow_tensor and allow_operation can't both be False.")
        if not isinstance(obj, (TensorLike, Operation)):
            element = graph_element(obj)
            obj = obj if element is None else element
        if isinstance(obj, (str, bytes)):
            return self._by_name(as_str(obj), allow_tensor, allow_operation, wanted)
        if isinstance(obj, Tensor) and allow_tensor:
            if obj._graph is not self:
                raise ValueError(f"Tensor {obj} is not an element of this graph.")
            return obj
        if isinstance(obj, Operation) and allow_operation:
            if obj._graph is not self:
                raise ValueError(f"Operation {obj} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def _by_name(self, name, allow_tensor, allow_operation, wanted):
        form = 'Tensor names must be of the form "<op_name>:<output_index>".'
        if ":" not in name:
            node = self._core.find(name)
            if allow_operation:
                if node is None:
                    raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
                return self._operation(node)
            if node is None:
                raise ValueError(f"The name {name!r} looks like an (invalid) Operation name, not a {wanted}. {form}")
            raise ValueError(f"The name {name!r} refers to an Operation, not a {wanted}. {form}")
        if not allow_tensor:
            raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a {wanted}.")
        operation, _, output = name.partition(":")
        try:
            index = int(output)
        except ValueError:
            raise ValueError(f"The name {name!r} looks a like a Tensor name, but is not a valid one. {form}") from None
        node = self._core.find(operation)
        if node is None:
            raise KeyError(
                f"The name {name!r} refers to a Tensor which does not exist. The operation, {operation!r}, does not "
                "exist in the graph."
            )
        count = self._core.num_outputs(node)
        if not -count <= index < count:
            raise KeyError(
                f"The name {name!r} refers to a Tensor which does not exist. The operation, {operation!r}, exists but "
                f"only has {count} outputs."
            )
        return self._tensor(node << 16 | index % count)

    def is_feedable(self, tensor):
        """Whether a value may be fed for the tensor."""
        return self._core.is_feedable(tensor._endpoint)

    def is_fetchable(self, tensor_or_op):
        """Whether the tensor or operation may be fetched."""
        node = tensor_or_op._node if isinstance(tensor_or_op, Operation) else tensor_or_op._endpoint >> 16
        return self._core.is_fetchable(node)

    def prevent_feeding(self, tensor):
        """Says that no value may be fed for the tensor."""
        self._core.prevent_feeding(tensor._endpoint)

    def prevent_fetching(self, op):
        """Says that the operation may not be fetched."""
        self._core.prevent_fetching(op._node)
        self._num_unfetchable += 1

    # -- facts --

    @property
    def version(self):
        """A number that grows with every operation."""
        return self._core.num_nodes()

    @property
    def _last_id(self):
        return self._core.num_nodes()

    @property
    def _version(self):
        return self._core.version()

    @property
    def graph_def_versions(self):
        """The `VersionDef` of the graph."""
        from ferroflow._src import proto

        return proto.VersionDef(producer=self._core.producer, min_consumer=self._core.min_consumer)

    @property
    def seed(self):
        """The graph's seed, or None."""
        return self._seed

    @seed.setter
    def seed(self, seed):
        self._seed = seed

    @property
    def finalized(self):
        """Whether the graph takes no more operations."""
        return self._core.finalized

    def finalize(self):
        """Makes the graph read-only."""
        self._core.finalize()

    def _unsafe_unfinalize(self):
        self._core.unfinalize()

    def _check_not_finalized(self):
        if self._core.finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def as_graph_def(self, from_version=None, add_shapes=False):
        """Returns the graph as a `GraphDef`.

        Args:
          from_version: only operations made since `version` was this.
          add_shapes: whether nodes get an attribute `_output_shapes`.
        """
        from ferroflow._src import proto

        return proto.GraphDef.FromString(self._core.to_graph_def(add_shapes, from_version))

    def _as_graph_def(self, from_version=None, add_shapes=False):
        return self.as_graph_def(from_version, add_shapes), self.version

    def as_default(self):
        """Returns a context manager that makes this graph the default of the thread."""
        return stacks.graph_stack.entered(self)

    def switch_to_thread_local(self):
        """Does nothing: scopes belong to the graph."""

    # -- scopes --

    def unique_name(self, name, mark_as_used=True):
        """Returns `name` below the current scope, with a number where it is taken.

        Args:
          name: a string.
          mark_as_used: whether the name counts as taken from now on.
        """
        return self._core.unique_name(as_str(name), mark_as_used)

    def get_name_scope(self):
        """Returns the current name scope without a slash at the end."""
        return self._core.scope

    @property
    def _name_stack(self):
        return self._core.scope

    @contextlib.contextmanager
    def name_scope(self, name):
        """A block whose operations' names begin with `name`; see `tf.name_scope`."""
        inner, outer = open_scope(self, name)
        try:
            yield inner + "/" if inner else ""
        finally:
            close_scope(self, outer)

    def control_dependencies(self, control_inputs):
        """A block whose operations wait for others first.

        Args:
          control_inputs: operations and tensors; None: those of outer blocks do not count, nor do control-flow
            contexts.

        Raises:
          TypeError: when one of them is neither.
        """
        return _Controls(self, None if control_inputs is None else self._new_controls(control_inputs))

    def _new_controls(self, control_inputs):
        current = set()
        for block in reversed(self._controls):
            if block is None:
                break
            current.update(block)
        nodes = []
        for control in control_inputs:
            if not isinstance(control, (Tensor, Operation)):
                if (isinstance(control, TensorLike) and hasattr(control, "values")) or (
                    hasattr(control, "_handle") and hasattr(control, "op")
                ):
                    control = control.op
                control = self.as_graph_element(control)
            elif control._graph is not self:
                control = self.as_graph_element(control)
            node = control._endpoint >> 16 if isinstance(control, Tensor) else control._node
            if node not in current:
                current.add(node)
                nodes.append(node)
        return nodes

    @contextlib.contextmanager
    def device(self, device_name_or_function):
        """A block whose operations run on a device.

        Args:
          device_name_or_function: "/gpu:0" or the like, a `DeviceSpec`, a function of an `Operation` that returns
            such a string, or None to leave outer blocks out.

        Raises:
          ValueError: for a string that names no device.
        """
        device = device_name_or_function
        if hasattr(device, "to_string"):
            device = device.to_string()
        is_function = callable(device)
        self._core.push_device(device)
        self._num_device_functions += is_function
        try:
            yield
        finally:
            self._num_device_functions -= is_function
            self._core.pop_device()

    def _place(self):
        """Applies the device functions in force to the new nodes, innermost first."""
        core = self._core
        for node in core.take_undeviced():
            for device in reversed(core.device_stack()):
                if device is None:
                    break
                if callable(device):
                    wanted = device(self._operation(node))
                    wanted = as_str(wanted.to_string() if hasattr(wanted, "to_string") else wanted)
                else:
                    wanted = _core.merge_device(device, core.device(node))
                core.set_device(node, wanted)

    @contextlib.contextmanager
    def colocate_with(self, op, ignore_existing=False):
        """A block whose operations run where `op` does.

        Args:
          op: an `Operation`, tensor or variable; None, with `ignore_existing`, for no such wish.
          ignore_existing: whether outer blocks of this kind do not count.

        Raises:
          ValueError: for None without `ignore_existing`.
        """
        if op is None and not ignore_existing:
            raise ValueError("Trying to reset colocation (op is None) but ignore_existing is not True")
        self._core.push_colocation(None if op is None else node_to_colocate_with(op), ignore_existing)
        try:
            yield
        finally:
            self._core.pop_colocation()

    @contextlib.contextmanager
    def container(self, container_name):
        """A block whose stateful operations keep their state in a container of that name."""
        outer = self._core.container
        self._core.container = container_name
        try:
            yield container_name
        finally:
            self._core.container = outer

    @property
    def _container(self):
        return self._core.container

    @contextlib.contextmanager
    def gradient_override_map(self, op_type_map):
        """A block whose operations have other gradients.

        Args:
          op_type_map: {op: name given to `tf.RegisterGradient`}.

        Raises:
          TypeError: when it is no dict of strings.
        """
        if not isinstance(op_type_map, dict):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        for op_type, name in op_type_map.items():
            if not (isinstance(op_type, str) and isinstance(name, str)):
                raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        self._core.push_gradient_override(dict(op_type_map))
        try:
            yield
        finally:
            self._core.pop_gradient_override()

    @contextlib.contextmanager
    def _attr_scope(self, attr_map):
        if not isinstance(attr_map, dict):
            raise TypeError("attr_map must be a dictionary mapping strings to Callables or None")
        self._core.push_attr_scope([(k, v and v.SerializeToString()) for k, v in attr_map.items()])
        try:
            yield
        finally:
            self._core.pop_attr_scope()

    @contextlib.contextmanager
    def _variable_creator_scope(self, creator, priority=100):
        before = self._variable_creators
        self._variable_creators = sorted([*before, (priority, creator)], key=lambda pair: pair[0])
        try:
            yield
        finally:
            self._variable_creators = before

    @property
    def _variable_creator_stack(self):
        return list(self._variable_creators)

    # -- control flow --

    def _context_object(self, number):
        """The Python object of a conditional or loop of the core; None for None."""
        if number is None:
            return None
        found = self._context_objects.get(number)
        return _make_context(self, number) if found is None else found

    def _get_control_flow_context(self):
        return self._context_object(self._core.context)

    def _set_control_flow_context(self, context):
        self._core.context = None if context is None else context._number


class _Controls:
    """A `control_dependencies` block: nodes, or None to start anew."""

    __slots__ = ("_graph", "_nodes")

    def __init__(self, graph, nodes):
        self._graph = graph
        self._nodes = nodes

    def __enter__(self):
        self._graph._core.push_controls(self._nodes or [], self._nodes is None)
        self._graph._controls.append(self._nodes)

    def __exit__(self, kind, value, trace):
        self._graph._controls.pop()
        self._graph._core.pop_controls()
        return False


def node_to_colocate_with(value):
    """Returns the node that operations colocated with `value` go to."""
    from ferroflow._src.framework.convert import to_tensor

    if isinstance(value, Operation):
        return value._node
    handle = getattr(value, "handle", None)
    if isinstance(handle, Tensor):
        return handle._endpoint >> 16
    return to_tensor(value, as_ref=True, accepted=TensorLike).op._node


def _register():
    stacks.register_graph_class(Graph)


_register()

__all__ = ["Graph", "GraphKeys", "Operation", "Tensor", "node_to_colocate_with"]
