"""The Python faces of the core's control-flow contexts: conditionals and loops, and how they are saved in a MetaGraphDef."""

import collections

from ferroflow._src.framework import graph as graph_module, nest, stacks
from ferroflow._src.framework.collections import register_proto_function
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.scopes import prepend_name_scope, strip_name_scope
from ferroflow._src.framework.tensor_like import TensorBase

GradientLoop = collections.namedtuple("GradientLoop", ("forward_context", "grad_context"))


class ControlFlowContext:
    """A conditional's branch or a loop. What lies in it is kept by the core, under `_number`."""

    def __init__(self, graph, number):
        self._graph = graph
        self._number = number
        self._entered = []
        graph._context_objects[number] = self

    def _info(self):
        return self._graph._core.context_info(self._number)

    def _field(self, name):
        endpoint = self._info()[name]
        return None if endpoint is None else self._graph._tensor(endpoint)

    def _set(self, field, value):
        self._graph._core.set_context_field(self._number, field, value)

    @property
    def name(self):
        return self._info()["name"]

    @property
    def outer_context(self):
        """The context around this one, or None."""
        return self._graph._context_object(self._info()["outer"])

    @property
    def grad_state(self):
        """The loop that the one around is the gradient of, by its `forward_context`; None for other loops."""
        loop = self.GetWhileContext()
        forward = None if loop is None else loop._info()["forward"]
        return None if forward is None else GradientLoop(self._graph._context_object(forward), loop)

    @property
    def pivot(self):
        return self._field("pivot")

    def Enter(self):
        """Makes this the context of new operations."""
        core = self._graph._core
        self._entered.append(core.context)
        core.context = self._number

    def Exit(self):
        """Goes back to the context before `Enter`."""
        self._graph._core.context = self._entered.pop()

    def AddValue(self, value):
        """Returns what `value` is inside the context."""
        made = self._graph._tensor(self._graph._core.add_value(self._number, value._endpoint))
        self._graph._record_new_nodes()
        return made

    def ExitResult(self, result):
        """Says to the outer context that it has these tensors."""
        outer = self.outer_context
        if outer is not None:
            outer._add_values([t._endpoint for t in nest.flatten(result, expand_composites=True)])

    def _add_values(self, endpoints):
        self._set("values", [*self._info()["values"], *endpoints])

    def GetWhileContext(self):
        """Returns the innermost loop around, this one included, or None."""
        outer = self.outer_context
        return None if outer is None else outer.GetWhileContext()

    def IsWhileContext(self):
        return False

    def IsCondContext(self):
        return False

    def IsXLAContext(self):
        return False

    def __str__(self):
        return self.name

    # -- messages --

    def _values_def(self, message, export_scope):
        info = self._info()
        graph = self._graph
        message.values.extend(sorted(strip_name_scope(graph._tensor(e).name, export_scope) for e in info["values"]))
        for key, value in info["external_values"].items():
            name = strip_name_scope(graph._tensor(key).name, export_scope)
            message.external_values[name] = strip_name_scope(graph._tensor(value).name, export_scope)

    def _nested_defs(self, message, export_scope):
        graph = self._graph
        for number in range(self._number + 1, graph._core.context_count):
            nested = graph._context_object(number)
            if nested._info()["outer"] == self._number:
                nested.to_control_flow_context_def(message.nested_contexts.add(), export_scope)

    def _take_values(self, values_def, import_scope):
        graph = self._graph
        external = {}
        for key, value in values_def.external_values.items():
            inner = graph.as_graph_element(prepend_name_scope(value, import_scope))
            outer = _find(graph, prepend_name_scope(key, import_scope))
            if outer is not None:
                external[outer._endpoint] = inner._endpoint
        values = [
            tensor
            for name in values_def.values
            if (tensor := _find(graph, prepend_name_scope(name, import_scope))) is not None
        ]
        self._set("values", [t._endpoint for t in values])
        self._set("external_values", external)
        for tensor in values:
            if tensor._endpoint not in external:
                graph._core.set_node_context(tensor._endpoint >> 16, self._number)


def _find(graph, name):
    """The tensor of that name; None for one that was left out of the graph when it was saved."""
    try:
        return graph.as_graph_element(name, allow_operation=False)
    except (KeyError, ValueError):
        return None


class CondContext(ControlFlowContext):
    """One branch of a `tf.cond`."""

    def __init__(self, pred, pivot, branch, name="cond_text", unique=True):
        """Creates the context of a branch.

        Args:
          pred: the condition, a bool `Tensor`.
          pivot: the `Tensor` that lives when the branch is taken.
          branch: 1 for the true branch, 0 for the false one.
          name: the context's name.
          unique: whether the name is made unique first.
        """
        graph = stacks.get_default_graph()
        if unique:
            name = graph.unique_name(name)
        super().__init__(graph, graph._core.new_cond_context(name, pred._endpoint, pivot._endpoint, branch))
        graph._core.set_node_context(pivot._endpoint >> 16, self._number)

    @property
    def pred(self):
        return self._field("pred")

    @property
    def branch(self):
        return self._info()["branch"]

    @property
    def back_prop(self):
        return False

    def GetControlPivot(self):
        return self.pivot

    def IsCondContext(self):
        return True

    def to_proto(self, export_scope=None):
        """Returns a `CondContextDef`; None when the context lies outside `export_scope`."""
        from ferroflow._src import proto

        if export_scope is not None and not self.name.startswith(export_scope):
            return None
        message = proto.CondContextDef(
            context_name=strip_name_scope(self.name, export_scope),
            pred_name=strip_name_scope(self.pred.name, export_scope),
            pivot_name=strip_name_scope(self.pivot.name, export_scope),
            branch=self.branch,
        )
        self._values_def(message.values_def, export_scope)
        self._nested_defs(message, export_scope)
        return message

    def to_control_flow_context_def(self, context_def, export_scope=None):
        context_def.cond_ctxt.CopyFrom(self.to_proto(export_scope))

    @staticmethod
    def from_proto(context_def, import_scope=None):
        """Makes the context that a `CondContextDef` describes, in the default graph."""
        graph = stacks.get_default_graph()
        names = (context_def.pred_name, context_def.pivot_name)
        pred, pivot = (graph.as_graph_element(prepend_name_scope(n, import_scope)) for n in names)
        graph.unique_name("cond_text")  # as TensorFlow, which takes the name though it does not use it
        name = prepend_name_scope(context_def.context_name, import_scope)
        made = CondContext(pred, pivot, context_def.branch, name, unique=False)
        made._take_values(context_def.values_def, import_scope)
        _take_nested(made, context_def, import_scope)
        return made


class WhileContext(ControlFlowContext):
    """A `tf.while_loop`."""

    def __init__(
        self,
        maximum_iterations=None,
        parallel_iterations=10,
        back_prop=True,
        swap_memory=False,
        name="while_context",
        unique=True,
    ):
        """Creates the context of a loop; see `tf.while_loop` for the arguments.

        Raises:
          ValueError: when `parallel_iterations` is no positive int.
        """
        if not isinstance(parallel_iterations, int) or parallel_iterations <= 0:
            raise ValueError(f"`parallel_iterations` must be a positive integer: {parallel_iterations}")
        graph = stacks.get_default_graph()
        if unique:
            name = graph.unique_name(name)
        limit = maximum_iterations._endpoint if isinstance(maximum_iterations, TensorBase) else None
        super().__init__(graph, graph._core.new_while_context(name, limit, parallel_iterations, back_prop, swap_memory))

    @property
    def maximum_iterations(self):
        return self._field("maximum_iterations")

    @property
    def parallel_iterations(self):
        return self._info()["parallel_iterations"]

    @property
    def back_prop(self):
        return self._info()["back_prop"]

    @property
    def swap_memory(self):
        return self._info()["swap_memory"]

    @property
    def loop_enters(self):
        return [self._graph._tensor(e) for e in self._info()["loop_enters"]]

    @property
    def loop_exits(self):
        return [self._graph._tensor(e) for e in self._info()["loop_exits"]]

    def GetWhileContext(self):
        return self

    def GetControlPivot(self):
        pivot = self._field("pivot_for_body")
        return self._field("pivot_for_pred") if pivot is None else pivot

    def IsWhileContext(self):
        return True

    def to_proto(self, export_scope=None):
        """Returns a `WhileContextDef`; None when the loop lies outside `export_scope`."""
        from ferroflow._src import proto

        if export_scope is not None and not self.name.startswith(export_scope):
            return None
        info = self._info()

        def named(endpoint):
            return strip_name_scope(self._graph._tensor(endpoint).name, export_scope)

        message = proto.WhileContextDef(
            context_name=strip_name_scope(self.name, export_scope),
            parallel_iterations=info["parallel_iterations"],
            back_prop=info["back_prop"],
            swap_memory=info["swap_memory"],
            pivot_for_pred_name=named(info["pivot_for_pred"]),
            pivot_for_body_name=named(info["pivot_for_body"]),
            pivot_name=named(info["pivot"]),
            loop_exit_names=[named(e) for e in info["loop_exits"]],
            loop_enter_names=[named(e) for e in info["loop_enters"]],
        )
        if info["maximum_iterations"] is not None:
            message.maximum_iterations_name = named(info["maximum_iterations"])
        self._values_def(message.values_def, export_scope)
        self._nested_defs(message, export_scope)
        return message

    def to_control_flow_context_def(self, context_def, export_scope=None):
        context_def.while_ctxt.CopyFrom(self.to_proto(export_scope))

    @staticmethod
    def from_proto(context_def, import_scope=None):
        """Makes the loop that a `WhileContextDef` describes, in the default graph."""
        graph = stacks.get_default_graph()

        def found(name):
            return graph.as_graph_element(prepend_name_scope(name, import_scope))

        limit = context_def.maximum_iterations_name
        made = WhileContext(
            found(limit) if limit else None,
            context_def.parallel_iterations,
            context_def.back_prop,
            context_def.swap_memory,
            prepend_name_scope(context_def.context_name, import_scope),
            unique=False,
        )
        made._set("pivot_for_pred", found(context_def.pivot_for_pred_name)._endpoint)
        made._set("pivot_for_body", found(context_def.pivot_for_body_name)._endpoint)
        made._set("pivot", found(context_def.pivot_name)._endpoint)
        made._set("loop_exits", [found(n)._endpoint for n in context_def.loop_exit_names])
        made._set("loop_enters", [found(n)._endpoint for n in context_def.loop_enter_names])
        made._take_values(context_def.values_def, import_scope)
        if import_scope:
            made._rename_frames()
        _take_nested(made, context_def, import_scope)
        return made

    def _rename_frames(self):
        """Gives the loop's Enters the frame's new name: two imports of one loop are two frames."""
        from ferroflow._src import proto

        frame = proto.AttrValue(s=self.name.encode()).SerializeToString()
        core = self._graph._core
        for endpoint in self._info()["values"]:
            if core.op(endpoint >> 16) in ("Enter", "RefEnter"):
                core.set_attr(endpoint >> 16, "frame_name", frame)


def _object_of(graph, number):
    """The Python face of a context that the core has made: a loop that runs another backwards."""
    cls = WhileContext if graph._core.context_info(number)["kind"] == "while" else CondContext
    made = cls.__new__(cls)
    ControlFlowContext.__init__(made, graph, number)
    return made


graph_module.register_contexts(_object_of)


def _take_nested(context, context_def, import_scope):
    context.Enter()
    for nested in context_def.nested_contexts:
        from_control_flow_context_def(nested, import_scope)
    context.Exit()


def from_control_flow_context_def(context_def, import_scope=None):
    """Makes the context of a `ControlFlowContextDef`.

    Raises:
      NotImplementedError: for a kind that is neither a conditional nor a loop.
    """
    kind = context_def.WhichOneof("ctxt")
    if kind == "cond_ctxt":
        return CondContext.from_proto(context_def.cond_ctxt, import_scope)
    if kind == "while_ctxt":
        return WhileContext.from_proto(context_def.while_ctxt, import_scope)
    raise NotImplementedError(f"Unknown ControlFlowContextDef field: {kind}")


register_proto_function(
    GraphKeys.COND_CONTEXT, "CondContextDef", to_proto=CondContext.to_proto, from_proto=CondContext.from_proto
)
register_proto_function(
    GraphKeys.WHILE_CONTEXT, "WhileContextDef", to_proto=WhileContext.to_proto, from_proto=WhileContext.from_proto
)
