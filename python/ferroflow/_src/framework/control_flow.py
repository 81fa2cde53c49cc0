"""tf.group, tf.tuple, tf.cond, tf.case, tf.Assert and the ops below them; loops are in `while_loops`."""

import collections
import functools
import logging

from ferroflow._src.framework import dtypes, nest, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices, SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow_contexts import CondContext
from ferroflow._src.framework.convert import (
    convert_n_to_tensor,
    convert_to_tensor,
    convert_to_tensor_or_indexed_slices,
    to_tensor,
)
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.operation import Operation
from ferroflow._src.framework.operators import cast
from ferroflow._src.framework.packing import stack
from ferroflow._src.framework.scopes import colocate_with, control_dependencies, device
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.tensor_like import TensorLike, is_tensor

_builtin_tuple = tuple

# A tensor array is a value of a conditional or loop by its flow; the class stands above this module.
_tensor_array = (None, None)

_logger = logging.getLogger("tensorflow")


def register_tensor_array(cls, with_flow):
    """Called once by the tensor array ops.

    Args:
      cls: the class; its objects have a property `flow`.
      with_flow: called with (array, flow); returns the array with another flow.
    """
    global _tensor_array
    _tensor_array = (cls, with_flow)


def is_tensor_array(value):
    """Whether `value` is a `tf.TensorArray`."""
    cls = _tensor_array[0]
    return cls is not None and isinstance(value, cls)


def to_flow(value):
    """Returns the flow of a tensor array; other things as they are."""
    return value.flow if is_tensor_array(value) else value


def from_flows(originals, flows):
    """Returns `flows` with tensor arrays where `originals` has them."""
    return [
        _tensor_array[1](old, flow) if is_tensor_array(old) else flow
        for old, flow in zip(originals, flows, strict=True)
    ]


def no_op(name=None):
    """Makes an operation that does nothing, to wait for others."""
    return apply_op("NoOp", name=name)


def identity(value, name=None):
    """An Identity, or a RefIdentity of what a reference refers to."""
    return apply_op("RefIdentity" if value.dtype._is_ref_dtype else "Identity", value, name=name)


def switch(data, pred, dtype=None, name=None):
    """Sends `data` to one of two outputs.

    Args:
      data: what can become a tensor.
      pred: a bool scalar.
      dtype: the type of `data`, or None.
      name: the operation's name.

    Returns:
      (output_false, output_true).
    """
    with name_scope(name, "Switch", [data, pred]) as name:
        data = to_tensor(data, dtype, "data", True, accepted=TensorLike)
        pred = convert_to_tensor(pred, name="pred")
        if isinstance(data, Tensor):
            return _builtin_tuple(apply_op("Switch", data, pred, name=name))
        parts = [apply_op("Switch", part, pred, name=name) for part in data._to_components()]
        return tuple_of_composites(data, parts)


def tuple_of_composites(like, pairs):
    """Two composites as `like` from pairs of their components."""
    return _builtin_tuple(like._from_components([pair[i] for pair in pairs]) for i in (0, 1))


def switch_ref_or_tensor(data, pred, name="Switch"):
    """A Switch that stays with `data`; a RefSwitch when it is a reference."""
    data = convert_to_tensor_or_indexed_slices(data, name="data")
    with colocate_with(data, ignore_existing=True):
        if isinstance(data, Tensor) and data.dtype._is_ref_dtype:
            return apply_op("RefSwitch", data, pred, name=name)
        return switch(data, pred, name=name)


def merge(inputs, name=None):
    """Passes on the one input that is alive.

    Args:
      inputs: tensors of one type.
      name: the operation's name.

    Returns:
      (output, value_index): the value, and which input it was.

    Raises:
      ValueError: when one is None.
    """
    if any(value is None for value in inputs):
        raise ValueError(f"At least one of the merge inputs is None: {inputs}")
    with name_scope(name, "Merge", inputs) as name:
        inputs = [to_tensor(value, as_ref=True, accepted=TensorLike) for value in inputs]
        if all(isinstance(value, Tensor) for value in inputs):
            op = "RefMerge" if all(v.dtype._is_ref_dtype for v in inputs) else "Merge"
            return apply_op(op, inputs, name=name)
        rows = zip(*[value._to_components() for value in inputs], strict=True)
        merged = [apply_op("Merge", list(row), name=name) for row in rows]
        return inputs[0]._from_components([m[0] for m in merged]), merged[0][1]


def with_dependencies(dependencies, output_tensor, name=None):
    """Returns `output_tensor` after some operations.

    Args:
      dependencies: operations or tensors.
      output_tensor: a `Tensor` or `IndexedSlices`.
      name: the operation's name.
    """
    with (
        name_scope(name, "control_dependency", [*dependencies, output_tensor]) as name,
        colocate_with(output_tensor),
        control_dependencies(dependencies),
    ):
        value = convert_to_tensor_or_indexed_slices(output_tensor)
        if isinstance(value, Tensor):
            return identity(value, name)
        return IndexedSlices(identity(value.values, name), value.indices, value.dense_shape)


def group(*inputs, **kwargs):
    """Makes an operation that waits for all of `inputs`: it is done when they are.

    Args:
      *inputs: tensors and operations, or nests of them.
      **kwargs: `name`.

    Raises:
      ValueError: for other keyword arguments.
      TypeError: for an input that is neither.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise ValueError("Unknown keyword arguments: " + ", ".join(kwargs))
    with name_scope(name, "group_deps", inputs) as name:
        if not inputs:
            return no_op(name=name)
        by_device = {}
        for value in nest.flatten(inputs, expand_composites=True):
            if not hasattr(value, "device"):
                raise TypeError(
                    f"Expected tf.group() expected Tensor arguments not '{value}' with type '{type(value)}'"
                )
            by_device.setdefault(value.device, []).append(value)
        if len(by_device) == 1:
            ((place, values),) = by_device.items()
            return _group_on(place, values, name)
        groups = [_group_on(place, by_device[place], None) for place in sorted(by_device, key=lambda d: d or "")]
        with control_dependencies(groups):
            return no_op(name=name)


def _group_on(place, values, name):
    with control_dependencies(values):
        if place is None:
            return no_op(name=name)
        with device(place):
            return no_op(name=name)


def tuple(tensors, name=None, control_inputs=None):
    """Returns the same tensors, each after all of them.

    Args:
      tensors: a list of tensors, operations and None.
      name: the scope's name.
      control_inputs: operations and tensors to wait for too.

    Raises:
      ValueError: when there is nothing but None.
      TypeError: for a control input that is neither.
    """
    with name_scope(name, "tuple", tensors) as name:
        tensors = [
            t if t is None or isinstance(t, Operation) or is_tensor(t) else convert_to_tensor(t) for t in tensors
        ]
        gates = [t if isinstance(t, Operation) else t.op for t in tensors if t is not None]
        for control in control_inputs or ():
            if isinstance(control, Tensor):
                control = control.op
            elif not isinstance(control, Operation):
                raise TypeError(f"Control input must be Operation or Tensor: {control}")
            gates.append(control)
        gates = sorted(set(gates), key=lambda op: op._id)
        if not gates:
            raise ValueError(f"Must have at least one Tensor: {tensors}")
        gate = group(*gates)
        return [_gated(t, gate) for t in tensors]


def _gated(value, gate):
    if value is None:
        return None
    if isinstance(value, Operation):
        with control_dependencies([gate]):
            return group(value)
    return with_dependencies([gate], value)


def Assert(condition, data, summarize=None, name=None):
    """Makes an operation that fails when the condition is false.

    Args:
      condition: a bool scalar.
      data: what the error shows.
      summarize: how many elements of each; None for 3.
      name: the operation's name.
    """
    with name_scope(name, "Assert", [condition, data]):
        tensors = convert_n_to_tensor(data)
        if all(t.dtype.base_dtype in (dtypes.string, dtypes.int32) for t in tensors):
            return apply_op("Assert", condition, data, summarize=summarize, name="Assert")
        condition = convert_to_tensor(condition, name="Condition")

        def fail():
            return apply_op("Assert", condition, data, summarize=summarize, name="Assert")

        return cond(condition, no_op, fail, name="AssertGuard").op


# -- conditionals --


def cond(pred, true_fn=None, false_fn=None, strict=False, name=None, fn1=None, fn2=None):
    """Returns what `true_fn` makes if `pred` is true in a run, else what `false_fn` makes.

    Only operations made inside the functions depend on the condition.

    Args:
      pred: a bool scalar `Tensor`.
      true_fn: a function without arguments that returns tensors.
      false_fn: the same; its results have the same form and types.
      strict: whether a list of one stays a list.
      name: the scope's name.
      fn1: `true_fn` by its older name.
      fn2: `false_fn` by its older name.

    Raises:
      TypeError: when a function is missing or cannot be called, or `pred` is a Python bool.
      ValueError: when the results differ in form or type.
    """
    true_fn = _branch_function(true_fn, fn1, "true_fn", "fn1")
    false_fn = _branch_function(false_fn, fn2, "false_fn", "fn2")
    for function, which in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(f"{which} must be callable.")
    with name_scope(name, "cond", [pred]):
        if isinstance(pred, bool):
            raise TypeError("pred must not be a Python bool")
        off, on = switch(pred, pred)
        pivots = [identity(on, "switch_t"), identity(off, "switch_f")]
        pred = apply_op("Identity", pred, name="pred_id")
        graph = pred.graph
        for tensor in (on, off, *pivots, pred):
            graph.prevent_fetching(tensor.op)
        contexts, originals, results = [], [], []
        for function, which, pivot, branch in (
            (true_fn, "true_fn", pivots[0], 1),
            (false_fn, "false_fn", pivots[1], 0),
        ):
            context = CondContext(pred, pivot, branch)
            context.Enter()
            try:
                original, result = _build_branch(context, function)
                if original is None:
                    raise ValueError(f"{which} must have a return value.")
                context.ExitResult(result)
            finally:
                context.Exit()
            contexts.append(context)
            originals.append(original if strict else _unpacked(original))
            results.append(result)
        merges = _merged_branches(originals, results)
        if contexts[0].outer_context is None:
            for context in contexts:
                graph.add_to_collection(GraphKeys.COND_CONTEXT, context)
        merged = nest.pack_sequence_as(originals[0], merges, expand_composites=True)
        return merged if strict else _unpacked(merged)


def cond_for_tf_v2(pred, true_fn=None, false_fn=None, name=None):
    """`cond` where a list of one stays a list."""
    return cond(pred, true_fn, false_fn, strict=True, name=name)


def _branch_function(function, older, name, older_name):
    if older is not None:
        if function is not None:
            raise TypeError(f"cond(): {name} and {older_name} may not be set simultaneously.")
        return older
    if function is None:
        raise TypeError(f"cond(): {name} argument required")
    return function


def _unpacked(result):
    return result[0] if isinstance(result, (list, _builtin_tuple)) and len(result) == 1 else result


def _build_branch(context, function):
    """Calls a branch's function; returns what it returned, and that as tensors of the branch."""
    graph = context._graph
    summaries = graph.get_collection_ref(GraphKeys._SUMMARY_COLLECTION)
    before = list(summaries)
    original = function()
    if len(summaries) > len(before):
        new = summaries[len(before) :]
        summaries[:] = before
        with control_dependencies(new):
            if original is None:
                return no_op(), None
            original = nest.map_structure(lambda x: apply_op("Identity", x), original, expand_composites=True)
    if original is None:
        return None, None

    def as_branch_tensor(value):
        if isinstance(value, Operation):
            return with_dependencies([value], context.pivot)
        return _on_branch(context, convert_to_tensor(to_flow(value)))

    result = nest.map_structure(as_branch_tensor, original, expand_composites=True)
    return original, result if isinstance(result, (list, _builtin_tuple)) else [result]


def _on_branch(context, value):
    """What a result of the branch is on it: one that comes from outside is what Switch gives on this side."""
    info = context._info()
    endpoint = value._endpoint
    if endpoint in info["values"]:
        return context._graph._tensor(info["external_values"].get(endpoint, endpoint))
    context._add_values([endpoint])
    inner, outer, external = value, context.outer_context, {}
    if outer is not None:
        inner = outer.AddValue(value)
        context._add_values([inner._endpoint])
        external[inner._endpoint] = inner._endpoint
    made = switch_ref_or_tensor(inner, context.pred)[info["branch"]]
    external[endpoint] = made._endpoint
    context._set("external_values", {**context._info()["external_values"], **external})
    return made


def _merged_branches(originals, results):
    try:
        nest.assert_same_structure(*originals, expand_composites=True)
    except (TypeError, ValueError):
        for pair in (originals, results):
            nest.map_structure(_cast_slice_indices, *pair)
        try:
            nest.assert_same_structure(*originals, expand_composites=True)
        except TypeError as error:
            raise TypeError(f"Incompatible return types of true_fn and false_fn: {error}") from None
        except ValueError as error:
            raise ValueError(f"Incompatible return values of true_fn and false_fn: {error}") from None
    if not results[0]:
        raise ValueError("true_fn and false_fn must return at least one result.")
    flat = [nest.flatten(result, expand_composites=True) for result in results]
    for x, y in zip(*flat, strict=True):
        if x.dtype.base_dtype is not y.dtype.base_dtype:
            raise ValueError(f"Outputs of true_fn and false_fn must have the same type: {x.dtype.name}, {y.dtype.name}")
    merges = [merge([no, yes])[0] for yes, no in zip(*flat, strict=True)]
    return from_flows(nest.flatten(originals[0], expand_composites=True), merges)


def _cast_slice_indices(a, b):
    if isinstance(a, IndexedSlices) and isinstance(b, IndexedSlices) and a.indices.dtype is not b.indices.dtype:
        a._indices = cast(a.indices, dtypes.int64)
        b._indices = cast(b.indices, dtypes.int64)


def smart_cond(pred, true_fn=None, false_fn=None, name=None):
    """`cond`, or a plain call of one of the functions when the graph tells which.

    Raises:
      TypeError: when a function cannot be called, or `pred` is no condition.
    """
    from ferroflow._src.framework.tensor_util import smart_constant_value

    if not callable(true_fn):
        raise TypeError("`true_fn` must be callable.")
    if not callable(false_fn):
        raise TypeError("`false_fn` must be callable.")
    value = smart_constant_value(pred)
    if value is None:
        return cond(pred, true_fn, false_fn, name=name)
    return true_fn() if value else false_fn()


# -- case --


def case(pred_fn_pairs, default=None, exclusive=False, strict=False, name="case"):
    """Returns what the function of the first true condition makes.

    Args:
      pred_fn_pairs: a list of (bool scalar, function), or a dict.
      default: the function when no condition is true; None: then one must be.
      exclusive: whether it is an error that several are true.
      strict: whether a list of one stays a list.
      name: the scope's name.

    Raises:
      TypeError: when the pairs are of another form.
    """
    return _case(functools.partial(cond, strict=strict), pred_fn_pairs, default, exclusive, name)


def smart_case(pred_fn_pairs, default=None, exclusive=False, name="smart_case"):
    """`case`, where conditions that are known choose while the graph is built; they may be Python bools.

    Args:
      pred_fn_pairs: a list of (bool scalar, function), or a dict.
      default: the function when no condition is true; None: then one must be.
      exclusive: whether it is an error that several are true.
      name: the scope's name.

    Raises:
      TypeError: when the pairs are of another form.
    """
    return _case(smart_cond, pred_fn_pairs, default, exclusive, name, allows_bools=True)


def _case(cond, pred_fn_pairs, default, exclusive, name, allows_bools=False):
    predicates, actions = _checked_pairs(pred_fn_pairs, exclusive, name, allows_bools)
    with name_scope(name, "case", [predicates]):
        if default is None:
            default, predicates, actions = _default_action(predicates, actions)
        function = default
        for predicate, action in reversed(list(zip(predicates, actions, strict=True))):
            function = functools.partial(cond, predicate, true_fn=action, false_fn=function)
        if not exclusive:
            return function()
        with control_dependencies([_at_most(predicates, 1, "Input error: exclusive=True")]):
            return function()


case_v2 = case


def switch_case(branch_index, branch_fns, default=None, name="switch_case"):
    """Returns what the function of a number makes.

    TensorFlow makes one `Case` of functions; here it is a chain of `cond`s.

    Args:
      branch_index: an integer scalar.
      branch_fns: a list of functions, of (number, function) pairs, or a dict; the numbers are 0, 1, and so on.
      default: the function for any other number; None for that of the greatest.
      name: the scope's name.

    Raises:
      TypeError: when an argument is of another type.
      ValueError: when there are no functions, or numbers are left out.
    """
    actions = _indexed_actions(branch_index, branch_fns, default)
    with name_scope(name, "case", [branch_index]):
        function = actions.pop()
        for number, action in reversed(list(enumerate(actions))):
            is_this = apply_op("Equal", branch_index, constant(number, branch_index.dtype))
            function = functools.partial(cond, is_this, true_fn=action, false_fn=function)
        return function()


def _indexed_actions(branch_index, branch_fns, default):
    """The functions in the order of their numbers, the one for any other number at the end."""
    if not isinstance(branch_index, Tensor):
        raise TypeError(f"branch_index must a Tensor, got {type(branch_index)}")
    if not branch_index.dtype.is_integer:
        raise TypeError(f"branch_index must an integer Tensor, got {branch_index.dtype}")
    if not branch_fns:
        raise ValueError("Must provide at least one item in branch_fns")
    if not isinstance(branch_fns, (list, _builtin_tuple, dict)):
        raise TypeError("branch_fns must be a list, tuple, or dict")
    pairs = list(branch_fns.items()) if isinstance(branch_fns, dict) else list(branch_fns)
    if all(callable(function) for function in pairs):
        pairs = list(enumerate(pairs))
    for pair in pairs:
        if not isinstance(pair, _builtin_tuple) or len(pair) != 2:
            raise TypeError("Each entry in branch_fns must be a 2-tuple")
        if not isinstance(pair[0], int):
            raise TypeError(f"key must be a Python `int`, got {type(pair[0])}")
        if not callable(pair[1]):
            raise TypeError(f"fn for key {pair[0]} must be callable.")
    numbers = sorted(number for number, _ in pairs)
    if numbers != list(range(len(numbers))):
        found = ",".join(map(str, numbers))
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(numbers)}) but found {{{found}}}"
        )
    if default is not None and not callable(default):
        raise TypeError("default must be callable.")
    actions = [function for _, function in sorted(pairs, key=lambda pair: pair[0])]
    return actions if default is None else [*actions, default]


def _checked_pairs(pairs, exclusive, name, allows_bools):
    if not isinstance(pairs, (list, _builtin_tuple, dict)):
        raise TypeError("fns must be a list, tuple, or dict")
    if isinstance(pairs, collections.OrderedDict):
        pairs = pairs.items()
    elif isinstance(pairs, dict):
        pairs = sorted(pairs.items(), key=lambda item: item[0].name)
        if not exclusive:
            _logger.warning(
                f"{name}: An unordered dictionary of predicate/fn pairs was provided, but exclusive=False. The order "
                "of conditional tests is deterministic but not guaranteed."
            )
    for pair in pairs:
        if not isinstance(pair, _builtin_tuple) or len(pair) != 2:
            raise TypeError("Each entry in pred_fn_pairs must be a 2-tuple")
        predicate, function = pair
        if not isinstance(predicate, Tensor):
            if not allows_bools or not isinstance(predicate, bool):
                raise TypeError(f"pred must be a Tensor{' or bool' if allows_bools else ''}, got: {predicate}")
        elif predicate.dtype.base_dtype is not dtypes.bool:
            raise TypeError(f"pred must be Tensor of type bool: {predicate.name}")
        if not callable(function):
            raise TypeError(f"fn for pred {getattr(predicate, 'name', predicate)} must be callable.")
    predicates, actions = zip(*pairs, strict=True)
    return predicates, actions


def _at_most(predicates, n, message):
    packed = stack(list(predicates), name="preds_c")
    numbers = cast(packed, dtypes.int32)
    true = apply_op("Sum", numbers, constant([0]), keep_dims=False, name="num_true_conds")
    condition = apply_op("LessEqual", true, constant(n, name="n_true_conds"))
    names = ", ".join(getattr(p, "name", "?") for p in predicates)
    text = f"{message}: more than {n} conditions ({names}) evaluated as True:"
    return Assert(condition, data=[text, packed], summarize=len(predicates))


def _default_action(predicates, actions):
    """Without a default the last action is it, with a check that its condition is true."""
    last = len(predicates) - 1
    others = predicates[:last]

    def action():
        others_message = (
            f"Implementation error: selected default action #{last} was called, but some of other predicates are True: "
        )
        message = ("Input error: None of conditions evaluated as True:", stack(list(predicates), name="preds_c"))
        checks = [_at_most(others, 0, others_message), Assert(predicates[last], data=message)]
        with control_dependencies(checks):
            return actions[last]()

    return action, others, actions[:last]


def get_output_context(op):
    """Returns the context that the outputs of `op` lie in: those of an Exit lie outside its loop."""
    context = op._get_control_flow_context()
    if context is not None and op.type in ("Exit", "RefExit"):
        return context.outer_context
    return context


def is_in_context(op):
    """Whether the operation is part of a conditional or loop."""
    return stacks.get_default_graph()._core.node_context(op._node) is not None


__all__ = [
    "Assert",
    "SparseTensor",
    "case",
    "case_v2",
    "cond",
    "cond_for_tf_v2",
    "from_flows",
    "get_output_context",
    "group",
    "identity",
    "is_in_context",
    "is_tensor_array",
    "merge",
    "no_op",
    "register_tensor_array",
    "smart_case",
    "smart_cond",
    "switch",
    "switch_ref_or_tensor",
    "to_flow",
    "tuple",
    "with_dependencies",
]
