"""tf.while_loop: Enter, Merge, Switch, NextIteration and Exit, with the loop's context in the core."""

from ferroflow._src.framework import nest
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices, SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import (
    from_flows,
    identity,
    is_tensor_array,
    merge,
    switch_ref_or_tensor,
    to_flow,
)
from ferroflow._src.framework.control_flow_contexts import WhileContext
from ferroflow._src.framework.convert import convert_to_tensor, to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operators import logical_and
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor_like import TensorLike
from ferroflow._src.framework.tensor_shape import TensorShape


def while_loop(
    cond,
    body,
    loop_vars,
    shape_invariants=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    name=None,
    maximum_iterations=None,
    return_same_structure=False,
):
    """Repeats `body` while `cond` is true.

    Args:
      cond: called with the loop variables; returns a bool scalar.
      body: called with them; returns their next values, in the same form.
      loop_vars: the first values: a list or nest of tensors and tensor arrays.
      shape_invariants: shapes that hold in all iterations; None: shapes do not change.
      parallel_iterations: how many iterations may run at once.
      back_prop: whether gradients go through.
      swap_memory: whether what gradients need may move off the device.
      name: the scope's name.
      maximum_iterations: an int scalar, or None.
      return_same_structure: whether one variable comes back in a list.

    Returns:
      The last values, in the form of `loop_vars`; a single one as itself.

    Raises:
      TypeError: when a function cannot be called.
      ValueError: without loop variables, or when forms or shapes change.
    """
    if not callable(cond):
        raise TypeError("cond must be callable.")
    if not callable(body):
        raise TypeError("body must be callable.")
    if parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    with name_scope(name, "while", loop_vars):
        if not loop_vars:
            raise ValueError("No loop variables provided")
        if maximum_iterations is not None:
            is_single = len(loop_vars) == 1 and not return_same_structure
            maximum_iterations, cond, body, loop_vars = _counted(maximum_iterations, cond, body, loop_vars, is_single)
        if shape_invariants is not None:
            if maximum_iterations is not None:
                shape_invariants = (TensorShape([]), shape_invariants)
            nest.assert_same_structure(loop_vars, shape_invariants)
            shape_invariants = nest.map_structure(_invariant, loop_vars, shape_invariants)
        context = WhileContext(maximum_iterations, parallel_iterations, back_prop, swap_memory)
        if context.outer_context is None:
            context._graph.add_to_collection(GraphKeys.WHILE_CONTEXT, context)
        result = _Loop(context).build(cond, body, loop_vars, shape_invariants, return_same_structure)
        return result if maximum_iterations is None else result[1]


def while_loop_v2(
    cond,
    body,
    loop_vars,
    shape_invariants=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    maximum_iterations=None,
    name=None,
):
    """`while_loop` where the result always has the form of `loop_vars`."""
    return while_loop(
        cond,
        body,
        loop_vars,
        shape_invariants,
        parallel_iterations,
        back_prop,
        swap_memory,
        name,
        maximum_iterations,
        return_same_structure=True,
    )


def _counted(maximum_iterations, cond, body, loop_vars, is_single):
    """The loop with a counter in front of its variables."""
    maximum_iterations = convert_to_tensor(maximum_iterations, name="maximum_iterations")
    if maximum_iterations.shape.ndims != 0:
        raise ValueError(f"maximum_iterations must be a scalar, saw shape: {maximum_iterations.shape}")
    counter = constant(0, dtype=maximum_iterations.dtype, name="iteration_counter")
    if is_single:
        return (
            maximum_iterations,
            lambda i, value: logical_and(i < maximum_iterations, cond(value)),
            lambda i, value: (i + 1, body(value)),
            (counter, loop_vars[0]),
        )
    return (
        maximum_iterations,
        lambda i, values: logical_and(i < maximum_iterations, cond(*values)),
        lambda i, values: (i + 1, body(*values)),
        (counter, loop_vars),
    )


def _invariant(variable, shape=None):
    """The shape, or the shapes of the components, that the variable has in all iterations."""
    if isinstance(variable, SparseTensor):
        rank = (variable.shape if shape is None else TensorShape(shape)).rank
        return [TensorShape([None, rank]), TensorShape([None]), TensorShape([rank])]
    if isinstance(variable, IndexedSlices):
        if shape is None:
            return [t.shape for t in variable._to_components()]
        shape = TensorShape(shape)
        parts = [shape, TensorShape([shape[0]]), TensorShape([shape.ndims])]
        return parts[: len(variable._to_components())]
    if shape is None:
        return variable.shape
    return getattr(shape, "shape", shape)


def _is_at_most(shape, limit):
    """Whether `limit` allows everything that `shape` does."""
    if limit.dims is None:
        return True
    if shape.ndims != limit.ndims:
        return False
    pairs = zip(shape._sizes, limit._sizes, strict=True)
    return all(bound is None or size == bound for size, bound in pairs)


def _is_sequence_or_composite(value):
    return nest.is_sequence_or_composite(value)


class _Loop:
    def __init__(self, context):
        self.context = context
        self.graph = context._graph
        self.core = context._graph._core

    def build(self, cond, body, loop_vars, shape_invariants, return_same_structure):
        tensors = [
            _as_tensor(value) for value in nest.map_structure(to_flow, nest.flatten(loop_vars), expand_composites=True)
        ]
        if shape_invariants is None:
            shape_invariants = [_invariant(value) for value in tensors]
        tensors = nest.flatten(tensors, expand_composites=True)
        self.context.Enter()
        try:
            original, exits = self._build(cond, body, loop_vars, tensors, shape_invariants)
        finally:
            self.context.Exit()
        flat = nest.flatten(original, expand_composites=True)
        packed = nest.pack_sequence_as(original, from_flows(flat, exits), expand_composites=True)
        if return_same_structure or len(exits) != 1:
            return packed
        return packed[0]

    def _build(self, cond, body, original_vars, loop_vars, shape_invariants):
        flat_vars = nest.flatten(original_vars, expand_composites=True)
        enters = self._enter(loop_vars, shape_invariants)
        merges = [merge([x, x])[0] for x in enters]
        self._set("pivot_for_pred", merges[0])
        packed = nest.pack_sequence_as(original_vars, from_flows(flat_vars, merges), expand_composites=True)
        test = convert_to_tensor(cond(*packed))
        pivot = apply_op("LoopCond", test, name="LoopCond")
        self._set("pivot", pivot)
        switches = [switch_ref_or_tensor(x, pivot) for x in merges]
        inside = [identity(x[1]) for x in switches]
        self._set("pivot_for_body", inside[0])
        packed = nest.pack_sequence_as(original_vars, from_flows(flat_vars, inside), expand_composites=True)
        result = self._body_result(body, packed)
        nest.assert_same_structure(list(packed), list(result), expand_composites=True)
        values = [_as_tensor(to_flow(value)) for value in nest.flatten(result, expand_composites=True)]
        if len(values) != len(merges):
            raise ValueError(f"Number of inputs and outputs of body must match loop_vars: {len(merges)}, {len(values)}")
        for m, v in zip(merges, values, strict=True):
            _add_back_edge(m, v)
        exits = [apply_op("RefExit" if x[0].dtype._is_ref_dtype else "Exit", x[0]) for x in switches]
        self.context._set("loop_exits", [x._endpoint for x in exits])
        self.context.ExitResult(exits)
        return result, exits

    def _set(self, field, tensor):
        self.context._set(field, tensor._endpoint)

    def _enter(self, loop_vars, shape_invariants):
        """The Enter of each variable, made outside the loop and then moved into it."""
        context = self.context
        context._set("values", [t._endpoint for t in loop_vars])
        outer = context.outer_context
        values = loop_vars if outer is None else [outer.AddValue(t) for t in loop_vars]
        name = context.name
        with control_dependencies(None):
            enters = [
                apply_op(
                    "RefEnter" if t.dtype._is_ref_dtype else "Enter",
                    t,
                    frame_name=name,
                    is_constant=False,
                    parallel_iterations=context.parallel_iterations,
                )
                for t in values
            ]
            for enter in enters:
                self.graph.prevent_feeding(enter)
                if outer is not None:
                    self.graph.prevent_fetching(enter.op)
        self._guard_constants(enters, outer)
        _set_invariants(values, enters, shape_invariants)
        for enter in enters:
            self.core.fix_enter(context._number, enter._endpoint)
        context._set("values", [t._endpoint for t in enters])
        context._set("loop_enters", [t._endpoint for t in enters])
        return enters

    def _guard_constants(self, enters, outer):
        """What enters from a constant of an outer loop waits for the outer iteration."""
        pivot = None
        while outer is not None and pivot is None:
            pivot = outer.GetControlPivot()
            outer = outer.outer_context
        if pivot is None:
            return
        for enter in enters:
            source = enter.op.inputs[0].op
            if source.type in ("Enter", "RefEnter") and source.get_attr("is_constant"):
                enter.op._add_control_input(pivot.op)

    def _body_result(self, body, packed):
        summaries = self.graph.get_collection_ref(GraphKeys._SUMMARY_COLLECTION)
        before = list(summaries)
        result = body(*packed)
        if not _is_sequence_or_composite(result):
            result = [result]
        if len(summaries) > len(before):
            new = summaries[len(before) :]
            summaries[:] = before
            with control_dependencies(new):
                result = nest.map_structure(
                    lambda x: x if is_tensor_array(x) else apply_op("Identity", x), result, expand_composites=True
                )
        return result


def _as_tensor(value):
    return to_tensor(value, accepted=TensorLike) if not isinstance(value, TensorLike) else value


def _set_invariants(values, enters, shapes):
    flat = nest.flatten(shapes)
    if not all(isinstance(shape, TensorShape) for shape in flat):
        raise ValueError("`shapes` must be a (possibly nested) list of shapes.")
    for value, enter, shape in zip(values, enters, flat, strict=False):
        if not _is_at_most(value.shape, shape):
            raise ValueError(
                f"The shape invariant specified for {value.name} is not compatible with the initial shape of the loop "
                f"variable. It enters the loop with shape {value.shape}, but the specified shape invariant is {shape}."
            )
        enter.set_shape(shape)


def _add_back_edge(merged, value):
    value = convert_to_tensor(value)
    following = apply_op("RefNextIteration" if value.dtype._is_ref_dtype else "NextIteration", value)
    if not _is_at_most(following.shape, merged.shape):
        source = merged.op.inputs[0].op.inputs[0]
        raise ValueError(
            f"Input tensor '{source.name}' enters the loop with shape {source.shape}, but has shape {following.shape} "
            "after one iteration. To allow the shape to vary across iterations, use the `shape_invariants` argument "
            "of tf.while_loop to specify a less-specific shape."
        )
    merged.op._update_input(1, following)
