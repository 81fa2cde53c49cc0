"""Decorators that mark what is old or exported, for code that borrowed them from TensorFlow: they change nothing."""


def deprecated(date, instructions, warn_once=True):
    """Returns a decorator that leaves a function as it is."""
    return lambda function: function


def deprecated_args(date, instructions, *deprecated_arg_names_or_tuples, **kwargs):
    """Returns a decorator that leaves a function as it is."""
    return lambda function: function


def deprecated_arg_values(date, instructions, warn_once=True, **deprecated_kwargs):
    """Returns a decorator that leaves a function as it is."""
    return lambda function: function


def deprecated_alias(deprecated_name, name, func_or_class, warn_once=True):
    """Returns what the alias stands for."""
    return func_or_class


def deprecated_endpoints(*args):
    """Returns a decorator that leaves a function as it is."""
    return lambda function: function


def deprecated_argument_lookup(new_name, new_value, old_name, old_value):
    """Returns an argument that has two names: the value that was given.

    Raises:
      ValueError: when both were given.
    """
    if old_value is not None:
        if new_value is not None:
            raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'")
        return old_value
    return new_value


def tf_export(*names, **kwargs):
    """Returns a decorator that leaves a function as it is."""
    return lambda symbol: symbol


keras_export = estimator_export = tf_export


def make_decorator(target, decorator_func, decorator_name=None, decorator_doc="", decorator_argspec=None):
    """Returns `decorator_func` with the name and the documentation of `target`."""
    decorator_func.__name__ = getattr(target, "__name__", decorator_name or "")
    decorator_func.__doc__ = decorator_doc or getattr(target, "__doc__", None)
    decorator_func.__wrapped__ = target
    return decorator_func


def unwrap(maybe_tf_decorator):
    """Returns ([], the function that decorators were put around)."""
    while hasattr(maybe_tf_decorator, "__wrapped__"):
        maybe_tf_decorator = maybe_tf_decorator.__wrapped__
    return [], maybe_tf_decorator
