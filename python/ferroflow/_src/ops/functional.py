"""map_fn, scan and folds: a function applied along the first dimension, in a loop."""

import contextlib

from ferroflow._src.framework import nest
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_shape import Dimension, TensorShape, dimension_value
from ferroflow._src.framework.variable_scope import get_variable_scope
from ferroflow._src.framework.while_loops import while_loop
from ferroflow._src.ops import shaping
from ferroflow._src.ops.tensor_array import TensorArray


@contextlib.contextmanager
def _cached_variables():
    """A block in whose loop variables are read outside it, once."""
    scope = get_variable_scope()
    is_mine = scope.caching_device is None
    if is_mine:
        scope.set_caching_device(lambda op: op.device)
    try:
        yield
    finally:
        if is_mine:
            scope.set_caching_device(None)


class _Structure:
    """Flat lists of tensors, and the structure that they stand for."""

    def __init__(self, like):
        self._like = like
        self._is_sequence = nest.is_sequence(like)

    def flatten(self, value):
        return nest.flatten(value) if self._is_sequence else [value]

    def pack(self, values):
        return nest.pack_sequence_as(self._like, values) if self._is_sequence else values[0]


def _check_callable(fn):
    if not callable(fn):
        raise TypeError("fn must be callable.")


def _set_length(results, elems):
    length = Dimension(dimension_value(elems[0].shape.with_rank_at_least(1)[0]))
    for elem in elems[1:]:
        length.merge_with(Dimension(dimension_value(elem.shape.with_rank_at_least(1)[0])))
    for result in results:
        result.set_shape(TensorShape([length]).concatenate(result.shape[1:]))


def map_fn(
    fn,
    elems,
    dtype=None,
    parallel_iterations=None,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    name=None,
):
    """Applies a function to each slice along the first dimension.

    Args:
      fn: a function of a slice, or of a structure of slices.
      elems: a `Tensor` of rank 1 or more, or a structure of them.
      dtype: the type, or structure of types, that `fn` returns; None for that of `elems`.
      parallel_iterations: how many iterations may run at once; None for 10.
      back_prop: whether gradients are wanted.
      swap_memory: whether memory may be moved to the host.
      infer_shape: whether all results have one shape.
      name: the name scope.

    Returns:
      The results along a new first dimension, in the structure of `dtype`.

    Raises:
      TypeError: for what is no function, or a sparse tensor.
      ValueError: for scalars.
    """
    _check_callable(fn)
    if isinstance(elems, SparseTensor):
        raise TypeError(
            "To perform a map on the values of a sparse tensor use either  SparseTensor(input.indices, "
            "fn(input.values), input.dense_shape) or  SparseTensor(input.indices, map_fn(fn, input.values), "
            "input.dense_shape)"
        )
    inputs = _Structure(elems)
    outputs = inputs if dtype is None else _Structure(dtype)
    flat = inputs.flatten(elems)
    with name_scope(name, "map", flat), _cached_variables():
        flat = [convert_to_tensor(elem, name="elem") for elem in flat]
        dtype = dtype or inputs.pack([elem.dtype for elem in flat])
        if flat[0].shape.ndims == 0:
            if len(flat) == 1:
                raise ValueError("elems must be a 1+ dimensional Tensor, not a scalar")
            raise ValueError("elements in elems must be 1+ dimensional Tensors, not scalars")
        n = dimension_value(flat[0].shape[0]) or shaping.shape(flat[0])[0]
        arrays = [TensorArray(dtype=elem.dtype, size=n, dynamic_size=False, infer_shape=True) for elem in flat]
        arrays = [a.unstack(elem) for a, elem in zip(arrays, flat, strict=True)]
        i = constant(0)
        results = [
            TensorArray(dtype=t, size=n, dynamic_size=False, infer_shape=infer_shape) for t in outputs.flatten(dtype)
        ]

        def compute(i, results):
            value = fn(inputs.pack([a.read(i) for a in arrays]))
            nest.assert_same_structure(dtype or elems, value)
            results = [r.write(i, v) for r, v in zip(results, outputs.flatten(value), strict=True)]
            return i + 1, results

        _, results = while_loop(
            lambda i, _: i < n,
            compute,
            (i, results),
            parallel_iterations=parallel_iterations or 10,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )
        made = [r.stack() for r in results]
        _set_length(made, flat)
        return outputs.pack(made)


def scan(
    fn,
    elems,
    initializer=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    reverse=False,
    name=None,
):
    """Applies a function to the result so far and each slice, and keeps all results.

    Args:
      fn: a function of (result so far, slice).
      elems: a `Tensor` of rank 1 or more, or a structure of them.
      initializer: the first result so far; None for the first slice.
      parallel_iterations: how many iterations may run at once.
      back_prop: whether gradients are wanted.
      swap_memory: whether memory may be moved to the host.
      infer_shape: whether all results have one shape.
      reverse: whether to begin at the end.
      name: the name scope.

    Returns:
      The results along a new first dimension, in the structure of `initializer` or `elems`.

    Raises:
      TypeError: for what is no function.
    """
    _check_callable(fn)
    inputs = _Structure(elems)
    outputs = inputs if initializer is None else _Structure(initializer)
    flat = inputs.flatten(elems)
    with name_scope(name, "scan", flat), _cached_variables():
        flat = [convert_to_tensor(elem, name="elem") for elem in flat]
        n = dimension_value(flat[0].shape[0])
        if n is None:
            n = shaping.shape(flat[0])[0]
        arrays = [
            TensorArray(dtype=elem.dtype, size=n, dynamic_size=False, element_shape=elem.shape[1:], infer_shape=True)
            for elem in flat
        ]
        arrays = [a.unstack(elem) for a, elem in zip(arrays, flat, strict=True)]
        if initializer is None:
            so_far = [a.read(n - 1 if reverse else 0) for a in arrays]
            first = 1
        else:
            so_far = [convert_to_tensor(value) for value in outputs.flatten(initializer)]
            first = 0
        results = [
            TensorArray(
                dtype=value.dtype,
                size=n,
                element_shape=value.shape if infer_shape else None,
                dynamic_size=False,
                infer_shape=infer_shape,
            )
            for value in so_far
        ]
        if initializer is None:
            place = n - 1 if reverse else 0
            results = [r.write(place, value) for r, value in zip(results, so_far, strict=True)]

        def compute(i, so_far, results):
            part = inputs.pack([a.read(i) for a in arrays])
            value = fn(outputs.pack(so_far), part)
            nest.assert_same_structure(elems if initializer is None else initializer, value)
            values = outputs.flatten(value)
            results = [r.write(i, v) for r, v in zip(results, values, strict=True)]
            return (i - 1 if reverse else i + 1), values, results

        def is_inside(i, _, __):
            return i >= 0 if reverse else i < n

        _, _, results = while_loop(
            is_inside,
            compute,
            (n - 1 - first if reverse else first, so_far, results),
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )
        made = [r.stack() for r in results]
        _set_length(made, flat)
        return outputs.pack(made)


def _fold_arrays(elems):
    """The number of slices and arrays of them, in the structure of `elems`."""
    flat = [convert_to_tensor(elem, name="elem") for elem in nest.flatten(elems)]
    n = dimension_value(flat[0].shape[0]) or shaping.shape(flat[0])[0]

    def make(elem):
        return TensorArray(dtype=elem.dtype, size=n, dynamic_size=False, infer_shape=True).unstack(elem)

    return n, nest.map_structure(make, elems)


def foldl(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """Applies a function to the result so far and each slice, from the first one on.

    Args:
      fn: a function of (result so far, slice).
      elems: a `Tensor` of rank 1 or more, or a structure of them.
      initializer: the first result so far; None for the first slice.
      parallel_iterations: how many iterations may run at once.
      back_prop: whether gradients are wanted.
      swap_memory: whether memory may be moved to the host.
      name: the name scope.

    Returns:
      The last result.

    Raises:
      TypeError: for what is no function.
    """
    _check_callable(fn)
    with name_scope(name, "foldl", [elems]), _cached_variables():
        n, arrays = _fold_arrays(elems)
        if initializer is None:
            so_far = nest.map_structure(lambda a: a.read(0), arrays)
            i = constant(1)
        else:
            so_far = initializer
            i = constant(0)

        def compute(i, so_far):
            part = nest.map_structure(lambda a: a.read(i), arrays)
            so_far = fn(so_far, part)
            return [i + 1, so_far]

        _, result = while_loop(
            lambda i, _: i < n,
            compute,
            [i, so_far],
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )
        return result


def foldr(fn, elems, initializer=None, parallel_iterations=10, back_prop=True, swap_memory=False, name=None):
    """Applies a function to the result so far and each slice, from the last one back.

    Args:
      fn: a function of (result so far, slice).
      elems: a `Tensor` of rank 1 or more, or a structure of them.
      initializer: the first result so far; None for the last slice.
      parallel_iterations: how many iterations may run at once.
      back_prop: whether gradients are wanted.
      swap_memory: whether memory may be moved to the host.
      name: the name scope.

    Returns:
      The last result.

    Raises:
      TypeError: for what is no function.
    """
    _check_callable(fn)
    with name_scope(name, "foldr", [elems]), _cached_variables():
        n, arrays = _fold_arrays(elems)
        if initializer is None:
            i = n - 1
            so_far = nest.map_structure(lambda a: a.read(i), arrays)
        else:
            i, so_far = n, initializer

        def compute(i, so_far):
            i -= 1
            part = nest.map_structure(lambda a: a.read(i), arrays)
            return [i, fn(so_far, part)]

        _, result = while_loop(
            lambda i, _: i > 0,
            compute,
            [i, so_far],
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )
        return result
