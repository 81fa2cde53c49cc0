"""apply_op: the one door through which Python makes operations."""

from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.convert import convert_n_to_tensor, to_tensor
from ferroflow._src.framework.name_scopes import close_scope, graph_from_inputs, open_scope
from ferroflow._src.framework.op_plans import _plans, check_type_allowed, no_list, plan_of
from ferroflow._src.framework.tensor_like import TensorBase


def apply_op(op_type, /, *args, name=None, **kwargs):
    """Makes an operation.

    Args:
      op_type: the op's name, "MatMul".
      *args: inputs in the op's order: tensors, or what can become one; lists where the op takes lists.
      name: the operation's name, made unique; with a slash at the end exactly that name; None for the op's.
      **kwargs: inputs and attributes by name. An attribute that is not given, or None, takes its default, or what
        the inputs tell.

    Returns:
      A `Tensor`, a list of them, a named tuple of outputs, or the `Operation` when it has none.

    Raises:
      TypeError: when types do not fit each other or the op, or an argument is missing.
      ValueError: when shapes do not fit, or inputs come from several graphs.
    """
    plan = _plans.get(op_type) or plan_of(op_type)
    if len(args) != plan.num_inputs:
        args = _inputs_by_name(plan, args, kwargs)
    attrs = _attrs(plan, kwargs) if kwargs else {}
    graph = None
    if plan.is_simple:
        endpoints = []
        for value in args:
            if not isinstance(value, TensorBase):
                break
            if graph is None:
                graph = value._graph
            elif value._graph is not graph:
                break
            endpoints.append(value._endpoint)
        else:
            if graph is None:
                graph = stacks.get_default_graph()
            if not graph.building_function:
                return _finish(plan, graph, _create_from_tensors(plan, graph, args, endpoints, attrs, name))
    return _apply_converted(plan, args, attrs, name)


def _inputs_by_name(plan, args, kwargs):
    if len(args) > plan.num_inputs:
        raise TypeError(f"Op '{plan.name}' takes {plan.num_inputs} inputs, but {len(args)} were given")
    found = list(args)
    for name in plan.input_names[len(args) :]:
        key = name if name in kwargs else name + "_"
        if key not in kwargs:
            raise TypeError(f"No argument for input {name}")
        found.append(kwargs.pop(key))
    return found


def _attrs(plan, given):
    attrs = {}
    for key, value in given.items():
        if value is None:
            if key in plan.required:
                raise _missing(plan, key)
            continue
        convert = plan.converters.get(key)
        if convert is None:
            convert = plan.converters.get(key.removesuffix("_"))
            if convert is None:
                raise TypeError(f"apply_op() got unexpected keyword arguments: {key}")
            key = key.removesuffix("_")
        attrs[key] = convert(value)
    return attrs


def _missing(plan, key):
    kind = plan.required[key]
    if kind == "list":
        return no_list(key, plan.name, None)
    return TypeError(f"Expected {kind} for argument '{key}' not None.")


def _create_from_tensors(plan, graph, tensors, endpoints, attrs, name):
    """All inputs are tensors of one graph: the core finds their types, and errors are explained when there are any."""
    if name is None:
        name = plan.name
    elif not name or name[-1] != "/":
        outer = graph._core.scope
        inner, _ = open_scope(graph, name)
        close_scope(graph, outer)
        name = _exact(inner)
    if plan.ref_inputs:
        _check_refs(plan, tensors)
        return _create_colocated(plan, graph, tensors, name, endpoints, attrs)
    try:
        return graph._create(plan.name, name, endpoints, attrs)
    except ValueError:
        _explain(plan, tensors, attrs)
        raise


def _exact(scope):
    """The scope of an op as its exact name. Raises ValueError for the empty one."""
    if not scope:
        raise ValueError("'' is not a valid node name")
    return scope + "/"


def _create_colocated(plan, graph, inputs, name, endpoints, attrs):
    """An op that updates what a reference input refers to stays with it."""
    core = graph._core
    opened = 0
    try:
        for tensor in _references(plan, inputs):
            core.push_colocation(tensor._endpoint >> 16, False)
            opened += 1
        return graph._create(plan.name, name, endpoints, attrs)
    except ValueError:
        _explain(plan, inputs, attrs)
        raise
    finally:
        for _ in range(opened):
            core.pop_colocation()


def _references(plan, inputs):
    """The tensors of all arguments that are references or lists of them."""
    found = []
    for i in plan.ref_inputs:
        found.extend(inputs[i] if isinstance(inputs[i], (list, tuple)) else [inputs[i]])
    return found


def _check_refs(plan, inputs):
    for i in plan.ref_inputs:
        for tensor in inputs[i] if isinstance(inputs[i], (list, tuple)) else [inputs[i]]:
            if not tensor.dtype._is_ref_dtype:
                raise TypeError(
                    f"'{plan.name}' Op requires that input '{plan.inputs[i].name}' be a mutable tensor "
                    "(e.g.: a tf.Variable)"
                )


def _explain(plan, tensors, attrs):
    """Raises TensorFlow's TypeError when types are what is wrong."""
    if not plan.is_simple:
        return
    known = {key: dtypes.as_dtype(value) for key, value in attrs.items() if key in plan.inferred}
    sources = {}
    for arg, tensor in zip(plan.inputs, tensors, strict=True):
        _match_type(plan, arg, arg.name, tensor.dtype.base_dtype, known, sources)


def _match_type(plan, arg, input_name, base, known, sources):
    """Checks one tensor's type against the signature and what earlier arguments said."""
    if arg.dtype:
        wanted = dtypes.as_dtype(arg.dtype).base_dtype
        if base is not wanted:
            raise TypeError(
                f"Input '{input_name}' of '{plan.name}' Op has type {base.name} that does not match expected type "
                f"of {wanted.name}."
            )
        return
    attr = arg.type_attr
    if attr in known:
        if known[attr] is not base:
            raise TypeError(
                f"Input '{input_name}' of '{plan.name}' Op has type {base.name} that does not match type "
                f"{known[attr].name} of argument '{sources.get(attr, attr)}'."
            )
        return
    check_type_allowed(base, plan.attrs[attr], input_name)
    known[attr] = base
    sources[attr] = input_name


def _apply_converted(plan, args, attrs, name):
    """The general way: opens the op's scope and converts what is no tensor yet inside it."""
    graph = graph_from_inputs(_flat(args))
    items = stacks.graph_stack.items
    items.append(graph)
    try:
        inner, outer = open_scope(graph, plan.name if name is None else name)
        try:
            endpoints, inputs = _convert_inputs(plan, args, attrs)
        finally:
            close_scope(graph, outer)
        name = _exact(inner)
        if plan.ref_inputs:
            node = _create_colocated(plan, graph, inputs, name, endpoints, attrs)
        else:
            node = graph._create(plan.name, name, endpoints, attrs)
        return _finish(plan, graph, node)
    finally:
        items.pop()


def _flat(args):
    for value in args:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def _convert_inputs(plan, args, attrs):
    known = {}
    for key in plan.inferred:
        if key in attrs:
            value = attrs[key]
            kind = plan.attrs[key].type
            known[key] = dtypes.as_dtype(value) if kind == "type" else value
            if kind == "list(type)":
                known[key] = [dtypes.as_dtype(v) for v in value]
    sources = dict.fromkeys(known, "attr")
    endpoints, inputs = [], []
    for arg, value in zip(plan.inputs, args, strict=True):
        if arg.number_attr or arg.type_list_attr:
            tensors = _convert_list(plan, arg, value, known, sources)
            if arg.number_attr:
                attrs[arg.number_attr] = len(tensors)
            inputs.append(tensors)
            endpoints.extend([t._endpoint for t in tensors])
        else:
            tensor = _convert_one(plan, arg, value, known, sources)
            inputs.append(tensor)
            endpoints.append(tensor._endpoint)
    for key, value in known.items():
        if key not in attrs:
            attrs[key] = [v._type_enum for v in value] if isinstance(value, list) else value._type_enum
    _check_refs(plan, inputs)
    return endpoints, inputs


def _convert_one(plan, arg, value, known, sources):
    attr = arg.type_attr
    dtype = preferred = None
    if arg.dtype:
        dtype = dtypes.as_dtype(arg.dtype).base_dtype
    elif attr in known:
        dtype = known[attr]
    else:
        preferred = plan.default_types.get(attr)
    try:
        tensor = to_tensor(value, dtype, arg.name, arg.is_ref, preferred)
    except TypeError as error:
        if dtype is None:
            raise
        raise TypeError(
            f"Expected {dtype.name} passed to parameter '{arg.name}' of op '{plan.name}', got {value!r} of type "
            f"'{type(value).__name__}' instead. Error: {error}"
        ) from None
    except ValueError:
        # Converted once more without a type, to say which type it has.
        try:
            observed = to_tensor(value, as_ref=arg.is_ref).dtype.name
        except ValueError as error:
            raise ValueError(f"Tried to convert '{arg.name}' to a tensor and failed. Error: {error}") from None
        prefix = f"Input '{arg.name}' of '{plan.name}' Op has type {observed} that does not match"
        if arg.dtype:
            raise TypeError(f"{prefix} expected type of {dtype.name}.") from None
        if attr in plan.default_types and attr not in known:
            known[attr], sources[attr] = plan.default_types[attr], "Default in OpDef"
        if attr not in known:
            raise
        raise TypeError(f"{prefix} type {known[attr].name} of argument '{sources[attr]}'.") from None
    _match_type(plan, arg, arg.name, tensor.dtype.base_dtype, known, sources)
    return tensor


def _convert_list(plan, arg, values, known, sources):
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"Expected list for '{arg.name}' argument to '{plan.name}' Op, not {values}.")
    attr = arg.type_attr
    dtype = preferred = None
    if arg.dtype:
        dtype = dtypes.as_dtype(arg.dtype)
    elif arg.number_attr:
        if attr in known:
            dtype = known[attr]
        else:
            dtype = next((v.dtype for v in values if isinstance(v, TensorBase)), None)
        if dtype is None:
            preferred = plan.default_types.get(attr)
    elif arg.type_list_attr in known:
        return _convert_typed_list(plan, arg, values, known, sources)
    try:
        if dtype is not None and not arg.is_ref:
            dtype = dtype.base_dtype
        tensors = convert_n_to_tensor(values, dtype, arg.name, preferred, arg.is_ref)
        if arg.number_attr and len({t.dtype.base_dtype for t in tensors}) > 1:
            raise TypeError
    except (TypeError, ValueError):
        raise _list_error(plan, arg, values, dtype, known) from None
    if arg.number_attr:
        _settle_number(plan, arg, tensors, known, sources)
    else:
        types = [t.dtype.base_dtype for t in tensors]
        for base in types:
            check_type_allowed(base, plan.attrs[arg.type_list_attr], arg.name)
        known[arg.type_list_attr], sources[arg.type_list_attr] = types, arg.name
    return tensors


def _convert_typed_list(plan, arg, values, known, sources):
    """A list of several types that an earlier argument, or the caller, has settled."""
    wanted = known[arg.type_list_attr]
    tensors = (
        [to_tensor(v, t, f"{arg.name}_{i}") for i, (v, t) in enumerate(zip(values, wanted, strict=True))]
        if sources.get(arg.type_list_attr) == "attr" and len(values) == len(wanted)
        else convert_n_to_tensor(values, None, arg.name)
    )
    types = [t.dtype.base_dtype for t in tensors]
    if types != wanted:
        raise TypeError(
            f"Input '{arg.name}' of '{plan.name}' Op has type list of {', '.join(t.name for t in types)} that does "
            f"not match type list {', '.join(t.name for t in wanted)} of argument "
            f"'{sources[arg.type_list_attr]}'."
        )
    return tensors


def _list_error(plan, arg, values, dtype, known):
    observed = []
    for value in values:
        try:
            observed.append(to_tensor(value, as_ref=arg.is_ref).dtype.base_dtype.name)
        except (TypeError, ValueError):
            observed.append("<NOT CONVERTIBLE TO TENSOR>")
    prefix = f"Tensors in list passed to '{arg.name}' of '{plan.name}' Op have types [{', '.join(observed)}]"
    if not arg.number_attr:
        return TypeError(f"{prefix} that are invalid. Tensors: {values}")
    if arg.dtype:
        return TypeError(f"{prefix} that do not match expected type {dtype.name}.")
    if arg.type_attr in known:
        return TypeError(f"{prefix} that do not match type {dtype.name} inferred from earlier arguments.")
    return TypeError(f"{prefix} that don't all match.")


def _settle_number(plan, arg, tensors, known, sources):
    number = arg.number_attr
    if number in known:
        if len(tensors) != known[number]:
            raise ValueError(
                f"List argument '{arg.name}' to '{plan.name}' Op with length {len(tensors)} must match length "
                f"{known[number]} of argument '{sources[number]}'."
            )
    else:
        minimum = plan.attrs[number].minimum
        if minimum is not None and len(tensors) < minimum:
            raise ValueError(
                f"List argument '{arg.name}' to '{plan.name}' Op with length {len(tensors)} shorter than minimum "
                f"length {minimum}."
            )
        known[number], sources[number] = len(tensors), arg.name
    attr = arg.type_attr
    if attr and attr not in known:
        if not tensors:
            raise TypeError(
                "Don't know how to infer type variable from empty input list passed to input "
                f"'{arg.name}' of '{plan.name}' Op."
            )
        base = tensors[0].dtype.base_dtype
        check_type_allowed(base, plan.attrs[attr], arg.name)
        known[attr], sources[attr] = base, arg.name


def _finish(plan, graph, node):
    result = plan.result
    if result == "tensor":
        return graph._tensor(node << 16)
    if result == "op":
        return graph._operation(node)
    tensors = [graph._tensor(node << 16 | i) for i in range(graph._core.num_outputs(node))]
    if result == "list":
        return tensors if tensors or not plan.is_stateful else graph._operation(node)
    return _structured(plan, graph, node, tensors)


def _structured(plan, graph, node, tensors):
    """Several outputs as a named tuple; those that are lists as lists."""
    if len(tensors) == len(plan.outputs) and not any(a.number_attr or a.type_list_attr for a in plan.outputs):
        return plan.result._make(tensors)
    parts, at = [], 0
    for arg in plan.outputs:
        if not (arg.number_attr or arg.type_list_attr):
            parts.append(tensors[at])
            at += 1
            continue
        length = graph._core.get_attr(node, arg.number_attr or arg.type_list_attr)
        length = length if isinstance(length, int) else len(length)
        parts.append(tensors[at : at + length])
        at += length
    return plan.result._make(parts)
