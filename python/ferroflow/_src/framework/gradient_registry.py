"""tf.RegisterGradient and tf.NotDifferentiable: gradient functions in Python, for those that the core does not have."""

from ferroflow._src.framework import frames

_functions: dict = {}
_places: dict = {}


class RegisterGradient:
    """A decorator that makes a function the gradient of an op.

    Example:

        @tf.RegisterGradient("Doubled")
        def _doubled_grad(op, grad):
            return 2 * grad

        with tf.get_default_graph().gradient_override_map({"Identity": "Doubled"}):
            y = tf.identity(x)
    """

    def __init__(self, op_type):
        """Creates the decorator.

        Args:
          op_type: an op's name, or a name for `Graph.gradient_override_map`.

        Raises:
          TypeError: when it is no string.
        """
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f):
        """Registers `f`, which is called with (op, *output gradients), and returns it."""
        register(self._op_type, f)
        return f


def register(op_type, function):
    """Registers a gradient function; None for an op that has none.

    Raises:
      KeyError: when the name is taken.
    """
    if op_type in _functions:
        raise KeyError(
            f"Registering two gradient with name '{op_type}'! (Previous registration was in {_places[op_type]})"
        )
    stack = frames.take(3)
    _functions[op_type] = function
    _places[op_type] = f"{stack[0].co_name} {frames.definition(stack)}" if stack else "ferroflow"


def no_gradient(op_type):
    """Says that gradients do not go through an op.

    Raises:
      TypeError: when `op_type` is no string.
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    register(op_type, None)


NotDifferentiable = no_gradient
NoGradient = no_gradient


def names():
    """Returns the names under which Python has gradient functions."""
    return list(_functions)


def function_of(name):
    """Returns the function that is registered under a name; None says that there is no gradient.

    Raises:
      LookupError: when nothing is registered.
    """
    try:
        return _functions[name]
    except KeyError:
        raise LookupError(f"gradient registry has no entry for: {name}") from None


def get_gradient_function(op):
    """Returns the Python function that gives the gradient of an operation, or None without inputs.

    Raises:
      LookupError: when Python has none.
    """
    if not op.inputs:
        return None
    core = op.graph._core
    if "_gradient_op_type" in core.attr_names(op._node):
        return function_of(core.get_attr(op._node, "_gradient_op_type").decode())
    return function_of(op.type)
