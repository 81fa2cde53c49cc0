"""arg_scope: default arguments of functions for a block."""

import contextlib
import functools
import threading


class _Stack(threading.local):
    def __init__(self):
        self.items = [{}]


_stack = _Stack()
_decorated = {}


def current_arg_scope():
    """Returns the defaults in force: function key -> arguments."""
    return _stack.items[-1]


def arg_scope_func_key(op):
    """Returns the key under which the defaults of a function are kept."""
    return getattr(op, "_key_op", str(op))


def has_arg_scope(func):
    """Returns whether a function takes defaults from `arg_scope`."""
    return arg_scope_func_key(func) in _decorated


def arg_scoped_arguments(func):
    """Returns the names of the arguments that `arg_scope` can set for a function."""
    return _decorated[arg_scope_func_key(func)]


@contextlib.contextmanager
def arg_scope(list_ops_or_scope, **kwargs):
    """A block in which functions have other defaults.

    Args:
      list_ops_or_scope: functions made with `add_arg_scope`; or what an outer `arg_scope` gave, to use it again.
      **kwargs: the defaults.

    Raises:
      TypeError: when it is neither a list nor a scope.
      ValueError: for functions that take no defaults, or defaults with a scope.
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("When attempting to re-use a scope by suppling adictionary, kwargs must be empty.")
        scope = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, (list, tuple)):
        scope = dict(current_arg_scope())
        for op in list_ops_or_scope:
            if not has_arg_scope(op):
                raise ValueError("%s is not decorated with @add_arg_scope", (op.__module__, op.__name__))
            key = arg_scope_func_key(op)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise TypeError("list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict)")
    _stack.items.append(scope)
    try:
        yield scope
    finally:
        _stack.items.pop()


def add_arg_scope(func):
    """Makes a function take defaults from `arg_scope`.

    Args:
      func: a function.

    Returns:
      The function to call in its place.
    """
    key = arg_scope_func_key(func)

    @functools.wraps(func)
    def scoped(*args, **kwargs):
        return func(*args, **{**current_arg_scope().get(key, {}), **kwargs})

    code, defaults = func.__code__, func.__defaults__ or ()
    _decorated[key] = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    scoped._key_op = key
    return scoped
