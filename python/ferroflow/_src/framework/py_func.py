"""tf.py_func: a Python function as an operation."""

from ferroflow import _core
from ferroflow._src.framework import stacks
from ferroflow._src.framework.apply import apply_op


def py_func(func, inp, Tout, stateful=True, name=None):
    """Calls `func` with arrays in each run.

    Args:
      func: called with an array for each input; returns arrays, or one.
      inp: a list of tensors.
      Tout: the type of each result, as a list; or one type.
      stateful: whether it may give different results for the same inputs.
      name: the operation's name.

    Returns:
      A list of tensors, or one; the `Operation` when `Tout` is empty.

    Raises:
      ValueError: when `func` cannot be called.
    """
    if not callable(func):
        raise ValueError(f"Expected func to be callable, got func of type {type(func)}")
    is_list = isinstance(Tout, (list, tuple))
    graph = stacks.get_default_graph()
    token = _core.register_py_func(func, graph._core)
    op = "PyFunc" if stateful else "PyFuncStateless"
    result = apply_op(op, list(inp), token=token, Tout=list(Tout) if is_list else [Tout], name=name)
    return result if is_list else result[0]


def numpy_function(func, inp, Tout, name=None):
    """`py_func` by its newer name."""
    return py_func(func, inp, Tout, stateful=True, name=name)
