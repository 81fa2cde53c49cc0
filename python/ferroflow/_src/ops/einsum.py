"""tf.einsum: sums of products in the notation of Einstein, made of matrix products."""

import logging
import re
import string

from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, linalg, math, reductions, shaping

_log = logging.getLogger("tensorflow")


def einsum(equation, *inputs, **kwargs):
    """Multiplies tensors and adds up along the dimensions whose letters are not in the result.

    Args:
      equation: the letters of the dimensions of each input, and of the result: 'ij,jk->ik'; '...' for any.
      *inputs: `Tensor`s of one type and known rank.
      **kwargs: `name`, the name scope.

    Returns:
      A `Tensor` of their type.

    Raises:
      TypeError: for another keyword.
      ValueError: for an equation that makes no sense, or does not fit the inputs.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError("invalid keyword arguments for this function: " + ", ".join(sorted(kwargs)))
    with name_scope(name, "einsum", [equation, inputs]) as name:
        inputs = list(inputs)
        labels, output = _parse(equation, [x.shape for x in inputs])
        for its in labels:
            if len(labels) == 1 and len(its) == 2 and its[0] == its[1] and "->" not in equation:
                return linalg.trace(inputs[0])
            if len(set(its)) != len(its):
                raise ValueError(f"Subscript not supported: an axis appears more than once: {its}")
        for letter in sorted(set("".join(labels))):
            if letter not in output and sum(letter in its for its in labels) > 2:
                _log.warning(
                    'einsum() multiplies all elements, because index "%s" is summed over more than two inputs.', letter
                )
                return _by_broadcasting(labels, output, inputs)
        product, letters = inputs[0], labels[0]
        for x, its in zip(inputs[1:], labels[1:], strict=True):
            product, letters = _contract(product, letters, x, its, set(letters) & set(its) - set(output))
        gone = [i for i, letter in enumerate(letters) if letter not in output]
        if gone:
            product = reductions.reduce_sum(product, axis=gone)
            letters = "".join(letter for letter in letters if letter in output)
        if sorted(letters) != sorted(output):
            raise ValueError(f"Invalid equation: {equation}")
        return _transposed(product, [letters.index(letter) for letter in output])


def _parse(equation, shapes):
    """Returns the inputs' letters and the result's, with letters in place of '...'."""
    equation = equation.replace(" ", "")
    match = re.match("^([a-zA-Z,.]+)(->[a-zA-Z.]*)?$", equation)
    if not match:
        raise ValueError(f"Indices have incorrect format: {equation}")
    labels = match.group(1).split(",")
    output = match.group(2)[2:] if match.group(2) else None
    if len(shapes) != len(labels):
        raise ValueError(f'Got {len(shapes)} arguments for equation "{equation}", expecting {len(labels)}')
    rest = ""
    if "..." in equation:
        unused = "".join(c for c in string.ascii_letters if c not in "".join(labels))
        for i, its in enumerate(labels):
            if "..." in its:
                letters = _rest_letters(its, shapes[i], unused)
                labels[i] = its.replace("...", letters)
                rest = max(rest, letters, key=len)
        if any("." in its for its in labels):
            raise ValueError('period "." found outside of ellipsis')
        if output is not None:
            output = output.replace("...", rest)
            if "." in output:
                raise ValueError('period "." found outside of ellipsis')
    if output is None:
        together = "".join(labels)
        single = sorted(letter for letter in set(together) - set(rest) if together.count(letter) == 1)
        output = rest + "".join(single)
    return labels, output


def _rest_letters(letters, shape, unused):
    parts = letters.split("...")
    if len(parts) != 2:
        raise ValueError("Unable to resolve ellipsis. Excess number found.")
    if shape.ndims is None:
        raise ValueError("Unable to statically infer ellipsis axes.")
    count = shape.ndims - len("".join(parts))
    if count < 0:
        raise ValueError("Ellipses lengths do not match.")
    if len(unused) < count:
        raise ValueError("Unable to resolve ellipsis, too many distinct labels.")
    return unused[-count:] if count else ""


def _contract(t0, letters0, t1, letters1, summed):
    """Multiplies two tensors and adds up along `summed`; returns the product and its letters."""
    for label, tensor, letters in (("t0", t0, letters0), ("t1", t1, letters1)):
        if len(letters) != tensor.shape.ndims:
            raise ValueError(
                f"Tensor {label} of rank {tensor.shape.ndims} does not match einsum reduction of length {len(letters)}"
            )
    kept = (set(letters0) & set(letters1)) - summed
    # Kept dimensions first; then the first tensor's own before the summed ones, in the second after them.
    order0 = sorted(letters0, key=lambda a: (-1 if a in kept else int(a in summed), a))
    order1 = sorted(letters1, key=lambda a: (-1 if a in kept else int(a not in summed), a))
    t0 = _transposed(t0, [letters0.index(a) for a in order0])
    t1 = _transposed(t1, [letters1.index(a) for a in order1])
    own0, own1, n = len(letters0) - len(kept) - len(summed), len(letters1) - len(kept) - len(summed), len(kept)
    result = "".join(order0[: n + own0] + order1[len(order1) - own1 :])
    if not summed:
        for _ in range(own1):
            t0 = array.expand_dims(t0, -1)
        for _ in range(own0):
            t1 = array.expand_dims(t1, n)
        return math.multiply(t0, t1), result
    shape0 = _sizes(t0)
    size0, size = _product(shape0[n : -len(summed)]), _product(shape0[-len(summed) :])
    t0 = _reshaped(t0, [*shape0[:n], size0, size])
    shape1 = _sizes(t1)
    size1 = _product(shape1[n + len(summed) :])
    t1 = _reshaped(t1, [*shape1[:n], size, size1])
    product = math.matmul(t0, t1)
    return _reshaped(product, shape0[: n + own0] + shape1[len(shape1) - own1 :]), result


def _transposed(tensor, perm):
    return tensor if perm == list(range(len(perm))) else array.transpose(tensor, perm=perm)


def _reshaped(tensor, shape):
    shape = tuple(-1 if size is None else size for size in shape)
    known = tensor.shape.as_list()
    if len(shape) == len(known) and all(
        not isinstance(size, TensorBase) and size in (own, -1) for own, size in zip(known, shape, strict=True)
    ):
        return tensor
    return array.reshape(tensor, shape)


def _sizes(tensor):
    sizes = tensor.shape.as_list()
    if None in sizes:
        shape = shaping.shape(tensor)
        sizes = [shape[i] if size is None else size for i, size in enumerate(sizes)]
    return sizes


def _product(sizes):
    result = 1
    for size in sizes:
        result *= size
    return result


def _by_broadcasting(labels, output, inputs):
    """All inputs in one large product, whose other dimensions are then summed."""
    letters = sorted(set("".join(labels)))
    order = [a for a in letters if a not in output] + list(output)
    spread = []
    for x, its in zip(inputs, labels, strict=True):
        if x.shape.ndims != len(its):
            raise ValueError(
                f"Input with axes {its} has incorrect number of dimensions (expected {len(its)}, got {x.shape.ndims})"
            )
        mine = sorted(its, key=order.index)
        x = _transposed(x, [its.index(a) for a in mine])
        sizes = dict(zip(mine, _sizes(x), strict=True))
        spread.append(array.reshape(x, [sizes.get(a, 1) for a in order]))
    product = spread[0]
    for x in spread[1:]:
        product *= x
    return reductions.reduce_sum(product, list(range(len(order) - len(output))))
