"""Clipping: by value, by norm, by the norm of several tensors together."""

from collections.abc import Sequence

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.ops import array, filling, indexing, math, reductions, shaping


def _values(t, name):
    return convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t, name=name)


def _as_given(values, t):
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """Brings elements into an interval.

    Args:
      t: a `Tensor` or `IndexedSlices` of real numbers.
      clip_value_min: the least value, of the same type, a scalar or of a shape that broadcasts to that of `t`.
      clip_value_max: the greatest value, likewise.
      name: the operation's name.

    Returns:
      What `t` is, clipped.

    Raises:
      ValueError: when the bounds would make the result larger than `t`.
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as name:
        values = _values(t, "t")
        below = math.minimum(values, clip_value_max)
        values.shape.merge_with(below.shape)
        clipped = math.maximum(below, clip_value_min, name=name)
        values.shape.merge_with(clipped.shape)
        return _as_given(clipped, t)


def clip_by_norm(t, clip_norm, axes=None, name=None):
    """Shortens tensors whose L2 norm is too great.

    Args:
      t: a `Tensor` or `IndexedSlices` of floats.
      clip_norm: a scalar: the greatest norm.
      axes: the dimensions along which norms are taken; None for all.
      name: the operation's name.

    Returns:
      What `t` is, clipped.

    Raises:
      ValueError: when `clip_norm` would make the result larger than `t`.
    """
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as name:
        values = _values(t, "t")
        squares = reductions.reduce_sum(values * values, axes, keepdims=True)
        is_positive = squares > 0
        # The gradient of the root at zero would be infinite.
        safe = indexing.where(is_positive, squares, filling.ones_like(squares))
        norm = indexing.where(is_positive, math.sqrt(safe), squares)
        scaled = values * clip_norm
        values.shape.merge_with(scaled.shape)
        clipped = array.identity(scaled / math.maximum(norm, clip_norm), name=name)
        return _as_given(clipped, t)


def _listed(t_list):
    if not isinstance(t_list, Sequence) or isinstance(t_list, str):
        raise TypeError("t_list should be a sequence")
    return list(t_list)


def _all_values(t_list):
    return [None if t is None else _values(t, f"t_{i}") for i, t in enumerate(t_list)]


def global_norm(t_list, name=None):
    """Computes the L2 norm of several tensors as if they were one.

    Args:
      t_list: a sequence of `Tensor`s, `IndexedSlices` and None, which does not count.
      name: the name scope.

    Returns:
      A scalar of their type.

    Raises:
      TypeError: when `t_list` is no sequence.
    """
    t_list = _listed(t_list)
    with name_scope(name, "global_norm", t_list) as name:
        halves = []
        for value in _all_values(t_list):
            if value is not None:
                with colocate_with(value):
                    halves.append(apply_op("L2Loss", value))
        half = reductions.reduce_sum(array.stack(halves))
        return math.sqrt(half * constant(2.0, dtype=half.dtype), name="global_norm")


def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """Shortens several tensors together when their common L2 norm is too great.

    Args:
      t_list: a sequence of `Tensor`s, `IndexedSlices` and None.
      clip_norm: a scalar: the greatest norm.
      use_norm: the norm, when it is known.
      name: the name scope.

    Returns:
      (list_clipped, global_norm): the list in its order, and the norm before clipping. When that is not finite all
      elements become NaN.

    Raises:
      TypeError: when `t_list` is no sequence.
    """
    t_list = _listed(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    with name_scope(name, "clip_by_global_norm", [*t_list, clip_norm]) as name:
        finite = clip_norm * math.minimum(1.0 / use_norm, constant(1.0, dtype=use_norm.dtype) / clip_norm)
        scale = indexing.where(math.is_finite(use_norm), finite, constant(float("nan"), dtype=use_norm.dtype))
        clipped = []
        for i, value in enumerate(_all_values(t_list)):
            if value is not None:
                with colocate_with(value):
                    value = array.identity(value * scale, name=f"{name}_{i}")
            clipped.append(value)
        return [_as_given(value, t) for value, t in zip(clipped, t_list, strict=True)], use_norm


def clip_by_average_norm(t, clip_norm, name=None):
    """Shortens a tensor whose L2 norm is too great for its number of elements.

    Args:
      t: a `Tensor` of float32.
      clip_norm: a scalar: the greatest norm an element.
      name: the operation's name.

    Returns:
      A `Tensor` of the type and shape of `t`.
    """
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as name:
        t = convert_to_tensor(t, name="t")
        count = math.cast(shaping.size(t), dtypes.float32)
        inverse = math.rsqrt(reductions.reduce_sum(t * t, math.range(shaping.rank(t))))
        stretched = t * clip_norm
        scale = math.minimum(inverse * count, constant(1.0) / clip_norm)
        return array.identity(stretched * scale, name=name)
