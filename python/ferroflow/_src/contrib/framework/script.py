"""tf.contrib.framework.py_func: `tf.py_func` for structures and keywords."""

from ferroflow._src.framework import nest, py_func as plain
from ferroflow._src.framework.tensor_shape import as_shape


def py_func(func, args=(), kwargs=None, output_types=None, output_shapes=None, stateful=True, name=None):
    """Calls a Python function of arrays when the graph runs.

    Args:
      func: takes and returns structures of NumPy arrays.
      args: a tuple or list of structures of tensors.
      kwargs: a dict of them.
      output_types: the types that it returns, in its structure; or a function of the arguments that tells them.
      output_shapes: the shapes, in the same structure, or a function of the arguments; None when they are not known.
      stateful: whether equal inputs may give different outputs.
      name: the operation's name.

    Returns:
      Tensors in the structure of `output_types`.

    Raises:
      TypeError: when `args` is no list or tuple, or `kwargs` no dict.
    """
    if not isinstance(args, (list, tuple)):
        raise TypeError(f"args must be list and not {type(args)}. args: {args}")
    kwargs = {} if kwargs is None else kwargs
    if not isinstance(kwargs, dict):
        raise TypeError(f"kwargs must be dict and not {type(kwargs)}. args: {kwargs}")
    if callable(output_types):
        output_types = output_types(*args, **kwargs)
    if callable(output_shapes):
        output_shapes = output_shapes(*args, **kwargs)
    given = (args, kwargs)

    def call(*arrays):
        positional, named = nest.pack_sequence_as(given, arrays)
        result = func(*positional, **named)
        nest.assert_shallow_structure(output_types, result)
        return nest.flatten(result)

    made = plain.py_func(call, nest.flatten(given), nest.flatten(output_types), stateful=stateful, name=name)
    if output_shapes is not None:
        shapes = nest.map_structure_up_to(output_types, as_shape, output_shapes)
        for tensor, shape in zip(made, nest.flatten(shapes), strict=False):
            tensor.set_shape(shape)
    return nest.pack_sequence_as(output_types, made)
