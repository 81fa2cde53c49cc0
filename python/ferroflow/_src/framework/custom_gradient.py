"""tf.custom_gradient: a function that brings its own gradient."""

import functools
import inspect

from ferroflow._src.framework import gradient_registry, nest, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.uids import next_uid
from ferroflow._src.framework.variable_scope import get_variable_scope

_VARIABLE_OPS = ("VariableV2", "VarHandleOp")


def custom_gradient(f):
    """Makes a function whose gradient is what it says itself.

    Args:
      f: called with tensors; returns (result, grad_fn). `grad_fn` is called with the gradients of the results and
        returns those of the arguments; when `f` uses variables it also takes `variables=` and returns a second list.

    Example:

        @tf.custom_gradient
        def clipped(x):
            return tf.identity(x), lambda dy: tf.clip_by_norm(dy, 1.0)
    """

    @functools.wraps(f)
    def decorated(*args, **kwargs):
        if kwargs:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords arguments only when eager execution is "
                "enabled."
            )
        return _apply(f, args)

    return decorated


def grad_pass_through(f):
    """Makes a function whose gradient is that of the identity: what `f` does is passed over.

    Args:
      f: called with tensors; returns one of the same shape for each.
    """

    @custom_gradient
    def passed(*args, **kwargs):
        def grad(*grads, **kwargs):
            variables = kwargs.get("variables")
            return grads if variables is None else (grads, [None] * len(variables))

        return f(*args, **kwargs), grad

    return functools.wraps(f)(passed)


def _apply(f, args):
    name = f"CustomGradient-{next_uid()}"
    args = [convert_to_tensor(x) for x in args]
    scope = get_variable_scope()
    before = set(map(id, scope.global_variables() + scope.local_variables()))
    result, grad_fn = f(*args)
    for variable in scope.global_variables() + scope.local_variables():
        if id(variable) not in before and not is_resource_variable(variable):
            raise TypeError(
                "All variables used by a function wrapped with @custom_gradient must be `ResourceVariable`s. Ensure "
                "that no `variable_scope` is created with `use_resource=False`."
            )
    variables = _variables_between(args, result)
    _check_signature(grad_fn, variables)
    flat = nest.flatten(result)

    def gradient(op, *grads):
        grads = grads[: len(flat)]
        of_variables = []
        if variables:
            of_inputs, of_variables = grad_fn(*grads, variables=variables)
            if len(of_variables) != len(variables):
                raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
        else:
            of_inputs = grad_fn(*grads)
        return [None] * len(flat) + nest.flatten(of_inputs) + list(of_variables)

    gradient_registry.register(name, gradient)
    with stacks.get_default_graph().gradient_override_map({"IdentityN": name}):
        passed = apply_op("IdentityN", flat + args + variables)
    for variable in variables:
        convert_to_tensor(variable)  # TensorFlow reads them once more, for a tape that graphs do not have
    return nest.pack_sequence_as(result, passed[: len(flat)])


def _check_signature(grad_fn, variables):
    spec = inspect.getfullargspec(grad_fn)
    takes_variables = "variables" in spec.args or spec.varkw
    if variables and not takes_variables:
        raise TypeError(
            "If using @custom_gradient with a function that uses variables, then grad_fn must accept a keyword argument "
            "'variables'."
        )
    if takes_variables and not variables and not get_variable_scope().use_resource:
        raise TypeError(
            "If using @custom_gradient with a function that uses variables, the enclosing variable scope must have "
            "use_resource=True."
        )


def _variables_between(inputs, outputs):
    """The trainable variables that the outputs depend on, not through the inputs."""
    outputs = [apply_op("Identity", t) for t in nest.flatten(outputs)]
    graph = stacks.get_default_graph()
    core = graph._core
    seen = {t._endpoint >> 16 for t in inputs}
    todo = [t._endpoint >> 16 for t in outputs]
    found = []
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if core.op(node) in _VARIABLE_OPS:
            found += _named(graph, core.name(node))
        todo.extend(e >> 16 for e in core.inputs(node))
    return found


def _named(graph, name):
    return [v for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES) if v.name == name + ":0" and v.trainable]
