"""tf.Operation: a node of a graph, made on demand; its facts are asked of the core."""

from ferroflow._src.framework import dtypes, frames, stacks
from ferroflow._src.framework.tensor_like import GraphElement
from ferroflow._src.framework.text import as_str


class Operation(GraphElement):
    """A node of a graph: an op with inputs, attributes and outputs."""

    def __init__(self, graph, node):
        """Called by `Graph`; programs get operations from ops."""
        self._graph = graph
        self._node = node

    @property
    def graph(self):
        """The `Graph` that the operation lies in."""
        return self._graph

    @property
    def name(self):
        """The full name, scopes included."""
        found = self.__dict__.get("_name")
        if found is None:
            found = self._name = self._graph._core.name(self._node)
        return found

    @property
    def type(self):
        """The op's name, "MatMul"."""
        return self._graph._core.op(self._node)

    @property
    def device(self):
        """The device that the program asked for, as text."""
        return self._graph._core.device(self._node)

    @property
    def _id(self):
        return self._node + 1

    @property
    def inputs(self):
        """A tuple of the `Tensor`s that it takes."""
        graph = self._graph
        return tuple(graph._tensor(e) for e in graph._core.inputs(self._node))

    @property
    def _inputs(self):
        return self.inputs

    @property
    def outputs(self):
        """A list of the `Tensor`s that it gives."""
        graph, node = self._graph, self._node
        return [graph._tensor(node << 16 | i) for i in range(graph._core.num_outputs(node))]

    @property
    def _outputs(self):
        return self.outputs

    def values(self):
        """Returns the outputs as a tuple."""
        return tuple(self.outputs)

    @property
    def control_inputs(self):
        """A list of the operations that it waits for."""
        return [self._graph._operation(n) for n in self._graph._core.control_inputs(self._node)]

    @property
    def _control_outputs(self):
        return [self._graph._operation(n) for n in self._graph._core.control_outputs(self._node)]

    @property
    def _output_types(self):
        core, node = self._graph._core, self._node
        return [core.dtype(node << 16 | i) for i in range(core.num_outputs(node))]

    @property
    def _input_types(self):
        return [t.dtype for t in self.inputs]

    @property
    def node_def(self):
        """The `NodeDef`."""
        from ferroflow._src import proto

        return proto.NodeDef.FromString(self._graph._core.node_def(self._node))

    @property
    def _node_def(self):
        return self.node_def

    @property
    def op_def(self):
        """The `OpDef` of the op."""
        from ferroflow._src.framework import op_defs

        return op_defs.op_def(self.type)

    _op_def = op_def

    @property
    def traceback(self):
        """Where the program made it: [(file, line, function, text)], outermost first."""
        return frames.entries(self._graph._stack_of(self._node))

    @property
    def traceback_with_start_lines(self):
        return [(*entry, entry[1]) for entry in self.traceback]

    def get_attr(self, name):
        """Returns an attribute: a `DType`, number, bytes, bool, `TensorShapeProto`, `TensorProto`, or a list.

        Raises:
          ValueError: when there is none of that name.
        """
        core = self._graph._core
        kind = core.attr_kind(self._node, name)
        value = core.get_attr(self._node, name)
        if kind == "type":
            return dtypes.as_dtype(value)
        if kind == "list(type)":
            return [dtypes.as_dtype(v) for v in value]
        if kind in ("int", "float", "bool", "string", "list(int)", "list(float)", "list(bool)", "list(string)"):
            return value
        from ferroflow._src.framework import attr_values

        return attr_values.to_program(kind, value)

    def _get_attr_type(self, name):
        return dtypes.as_dtype(self._graph._core.get_attr(self._node, name))

    def _set_attr(self, attr_name, attr_value):
        self._graph._core.set_attr(self._node, attr_name, attr_value.SerializeToString())

    def _clear_attr(self, attr_name):
        self._graph._core.clear_attr(self._node, attr_name)

    def _set_device(self, device):
        self._graph._core.set_device(self._node, as_str(device.to_string() if hasattr(device, "to_string") else device))

    def _set_device_from_string(self, device_str):
        self._graph._core.set_device(self._node, device_str)

    def _update_input(self, index, tensor):
        if tensor.graph is not self._graph:
            raise ValueError(f"{tensor} must be from the same graph as {self}.")
        self._graph._core.update_input(self._node, index, tensor._endpoint)

    def _add_control_inputs(self, ops):
        for op in ops:
            if not isinstance(op, Operation):
                raise TypeError(f"op must be an Operation: {op}")
        self._graph._core.add_control_inputs(self._node, [op._node for op in ops])

    def _add_control_input(self, op):
        self._add_control_inputs([op])

    def _remove_all_control_inputs(self):
        self._graph._core.remove_control_inputs(self._node)

    def _get_control_flow_context(self):
        return self._graph._context_object(self._graph._core.node_context(self._node))

    def _set_control_flow_context(self, context):
        self._graph._core.set_node_context(self._node, None if context is None else context._number)

    @property
    def _control_flow_context(self):
        return self._get_control_flow_context()

    def colocation_groups(self):
        """Returns the names of the groups that must be on one device: b"loc:@name", its own without others."""
        core = self._graph._core
        own = [b"loc:@" + self.name.encode()]
        if "_class" not in core.attr_names(self._node):
            return own
        return [c for c in core.get_attr(self._node, "_class") if c.startswith(b"loc:@")] or own

    @property
    def _is_stateful(self):
        return self._graph._core.is_stateful(self._node)

    def run(self, feed_dict=None, session=None):
        """Runs the operation.

        Args:
          feed_dict: values for placeholders and others.
          session: a `Session`; None for the default one.

        Raises:
          ValueError: without a session.
        """
        session = stacks.session_for(
            self._graph,
            session,
            "execute operation using `run()`",
            "`with sess.as_default():` or pass an explicit session to `run(session=sess)`",
        )
        session.run(self, feed_dict)

    def __str__(self):
        from google.protobuf import text_format

        return text_format.MessageToString(self.node_def)  # unlike str, it sorts the attributes

    def __repr__(self):
        return f"<tf.Operation '{self.name}' type={self.type}>"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self
