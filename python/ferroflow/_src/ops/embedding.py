"""Rows looked up in one or several tables."""

import logging

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_n_to_tensor_or_indexed_slices, convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.framework.tensor_shape import dimension_value, unknown_shape
from ferroflow._src.ops import array, clip, filling, indexing, math, reductions, segments, shaping, sparse

_log = logging.getLogger("tensorflow")


def as_list(params):
    """Returns the parts of a table: those of a partitioned variable, a list's, or the one table."""
    if isinstance(params, PartitionedVariable):
        return list(params)
    return params if isinstance(params, list) else [params]


def _clipped(params, ids, max_norm):
    if max_norm is None:
        return params

    def rank_of(x):
        ndims = convert_to_tensor(x).shape.ndims
        return (ndims, True) if ndims else (shaping.rank(x), False)

    ids_rank, is_ids_known = rank_of(ids)
    params_rank, is_params_known = rank_of(params)
    if is_ids_known and is_params_known:
        return clip.clip_by_norm(params, max_norm, axes=list(range(ids_rank, params_rank)))
    return clip.clip_by_norm(params, max_norm, axes=math.range(ids_rank, params_rank))


def _total_rows(params, dtype):
    """How many rows all parts hold together."""
    sizes = [dimension_value(p.shape[0]) for p in params]
    if all(sizes):
        return constant(sum(sizes), dtype)
    found = []
    for p, size in zip(params, sizes, strict=True):
        if size is None:
            with colocate_with(p):
                size = shaping.shape(p)[0]
        found.append(size)
    return reductions.reduce_sum(math.cast(array.stack(found), dtype))


def _deal(ids, params, strategy):
    """Returns the part in which each row is, and its place there."""
    count = len(params)
    if strategy == "mod":
        part = ids % count
        return part, ids // count
    if strategy != "div":
        raise ValueError("Unrecognized partition strategy: " + strategy)
    total = _total_rows(params, ids.dtype)
    each = total // count
    extras = total % count
    part = math.maximum(ids // (each + 1), (ids - extras) // each)
    place = indexing.where(part < extras, ids % (each + 1), (ids - extras) % each)
    return part, place


def embedding_lookup(params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None):
    """Looks rows up in a table, or in one that is dealt out to several tensors.

    Args:
      params: a `Tensor` or variable [rows, *shape], or a list of its parts.
      ids: int32 or int64 of any shape: which rows.
      partition_strategy: 'mod' (neighbours lie in different parts) or 'div' (in one part).
      name: the operation's name.
      validate_indices: has no effect.
      max_norm: the greatest norm of a row; None for any.

    Returns:
      A `Tensor` [*shape of `ids`, *shape].

    Raises:
      ValueError: for no parts, or another strategy.
    """
    if params is None:
        raise ValueError("params must be specified")
    if isinstance(params, (list, tuple)) and not params:
        raise ValueError("Need at least one param")
    params = as_list(params)
    with name_scope(name, "embedding_lookup", [*params, ids]) as name:
        if not any(is_resource_variable(p) for p in params):
            params = convert_n_to_tensor_or_indexed_slices(params, name="params")
        ids = convert_to_tensor(ids, name="ids")
        if len(params) == 1:
            with colocate_with(params[0]):
                found = _clipped(indexing.gather(params[0], ids, name=name), ids, max_norm)
            return array.identity(found)
        return _lookup_in_parts(params, ids, partition_strategy, name, max_norm)


def _lookup_in_parts(params, ids, strategy, name, max_norm):
    flat = array.reshape(ids, [-1])
    order = math.range(shaping.size(flat))
    part, place = _deal(flat, params, strategy)
    part = math.cast(part, dtypes.int32)
    places = indexing.dynamic_partition(place, part, len(params))
    orders = indexing.dynamic_partition(order, part, len(params))
    found = []
    for p, its in zip(params, places, strict=True):
        with colocate_with(p):
            found.append(indexing.gather(p, its))
    result = apply_op("ParallelDynamicStitch", orders, found, name=name)
    row = params[0].shape[1:]
    for p in params[1:]:
        row = row.merge_with(p.shape[1:])
    if row.is_fully_defined():
        row_shape = row
    else:
        with colocate_with(params[0]):
            shape = shaping.shape(params[0])
        row_shape = shape[1:]
    result = array.reshape(result, array.concat([shaping.shape(ids), row_shape], 0))
    result.set_shape(ids.shape.concatenate(row))
    return _clipped(result, ids, max_norm)


def _check_sparse(sp_ids, sp_weights):
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError("sp_ids must be SparseTensor")
    if sp_weights is None:
        return
    if not isinstance(sp_weights, SparseTensor):
        raise TypeError("sp_weights must be either None or SparseTensor")
    for part in ("values", "indices", "dense_shape"):
        getattr(sp_ids, part).shape.assert_is_compatible_with(getattr(sp_weights, part).shape)


def embedding_lookup_sparse(
    params, sp_ids, sp_weights, partition_strategy="mod", name=None, combiner=None, max_norm=None
):
    """Looks rows up for each example and combines them into one.

    Args:
      params: a `Tensor` or variable [rows, *shape], or a list of its parts.
      sp_ids: a `SparseTensor` of int64 [examples, any]: which rows.
      sp_weights: a `SparseTensor` of floats of the same shape: what each counts; None for 1.
      partition_strategy: 'mod' or 'div': how rows are dealt out to parts.
      name: the operation's name.
      combiner: 'sum', 'mean' or 'sqrtn'; None for 'mean'.
      max_norm: the greatest norm of a row; None for any.

    Returns:
      A `Tensor` [examples, *shape].

    Raises:
      TypeError: when ids or weights are not sparse.
      ValueError: for another combiner.
    """
    if combiner is None:
        _log.warning('The default value of combiner will change from "mean" to "sqrtn" after 2016/11/01.')
        combiner = "mean"
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError("combiner must be one of 'mean', 'sqrtn' or 'sum'")
    params = as_list(params)
    _check_sparse(sp_ids, sp_weights)
    with name_scope(name, "embedding_lookup_sparse", [*params, sp_ids]) as name:
        examples = sp_ids.indices[:, 0]
        if examples.dtype != dtypes.int32:
            examples = math.cast(examples, dtypes.int32)
        found = indexing.unique(sp_ids.values)
        rows = embedding_lookup(params, found.y, partition_strategy=partition_strategy, max_norm=max_norm)
        if rows.dtype in (dtypes.float16, dtypes.bfloat16):
            rows = math.cast(rows, dtypes.float32)
        if sp_weights is not None:
            return _combine_weighted(rows, found.idx, sp_weights.values, examples, combiner, name)
        combine = {
            "sum": segments.sparse_segment_sum,
            "mean": segments.sparse_segment_mean,
            "sqrtn": segments.sparse_segment_sqrt_n,
        }[combiner]
        return combine(rows, found.idx, examples, name=name)


def _combine_weighted(rows, idx, weights, examples, combiner, name):
    if weights.dtype != rows.dtype:
        weights = math.cast(weights, rows.dtype)
    rows = indexing.gather(rows, idx)
    ones = filling.fill(array.expand_dims(shaping.rank(rows) - 1, 0), 1)
    wide = array.concat([shaping.shape(weights), ones], 0)
    known = weights.shape
    weights = array.reshape(weights, wide)
    if rows.shape.ndims is not None:
        weights.set_shape(known.concatenate([1] * (rows.shape.ndims - 1)))
    rows *= weights
    if combiner == "sum":
        return segments.segment_sum(rows, examples, name=name)
    rows = segments.segment_sum(rows, examples)
    if combiner == "mean":
        return math.div(rows, segments.segment_sum(weights, examples), name=name)
    squares = segments.segment_sum(math.pow(weights, 2), examples)
    return math.div(rows, math.sqrt(squares), name=name)


def _keep(ids, weights, is_kept):
    ids = sparse.sparse_retain(ids, is_kept)
    return ids, None if weights is None else sparse.sparse_retain(weights, is_kept)


def safe_embedding_lookup_sparse(
    embedding_weights,
    sparse_ids,
    sparse_weights=None,
    combiner="mean",
    default_id=None,
    name=None,
    partition_strategy="div",
    max_norm=None,
):
    """`embedding_lookup_sparse` that leaves invalid ids out and knows what to do with examples that have none.

    Args:
      embedding_weights: a `Tensor` or variable [rows, *shape], or a list of its parts.
      sparse_ids: a `SparseTensor` of int64: which rows; negative ones are left out.
      sparse_weights: a `SparseTensor` of floats of the same shape; those not above 0 are left out.
      combiner: 'sum', 'mean' or 'sqrtn'.
      default_id: the row for an example without any; None for zeros.
      name: the name scope.
      partition_strategy: 'mod' or 'div': how rows are dealt out to parts.
      max_norm: the greatest norm of a row; None for any.

    Returns:
      A `Tensor` whose last dimension of ids has become a row.

    Raises:
      ValueError: without weights.
    """
    if embedding_weights is None:
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    tables = as_list(embedding_weights)
    if not tables:
        raise ValueError(f"Missing embedding_weights {tables}.")
    dtype = None if sparse_weights is None else sparse_weights.dtype
    tables = [
        w if is_resource_variable(w) and dtype in (None, w.dtype) else convert_to_tensor(w, dtype=dtype) for w in tables
    ]
    with name_scope(name, "embedding_lookup", [*tables, sparse_ids, sparse_weights]) as scope:
        shape = sparse_ids.dense_shape
        known_rank = dimension_value(shape.shape[0])
        rank = shaping.size(shape) if known_rank is None else known_rank
        ids = sparse.sparse_reshape(
            sparse_ids,
            [reductions.reduce_prod(array.slice(shape, [0], [rank - 1])), indexing.gather(shape, rank - 1)],
        )
        weights = sparse_weights
        if weights is not None:
            weights = SparseTensor(ids.indices, weights.values, ids.dense_shape)
        is_valid = math.greater_equal(ids.values, 0)
        if weights is not None:
            is_valid = math.logical_and(is_valid, filling.ones_like(weights.values, dtype=dtypes.bool))
        ids, weights = _keep(ids, weights, is_valid)
        if combiner != "sum" and weights is not None:
            ids, weights = _keep(ids, weights, math.greater(weights.values, 0))
        ids, is_empty = sparse.sparse_fill_empty_rows(ids, default_id or 0)
        if weights is not None:
            weights, _ = sparse.sparse_fill_empty_rows(weights, 1.0)
        result = embedding_lookup_sparse(
            tables,
            ids,
            weights,
            combiner=combiner,
            partition_strategy=partition_strategy,
            name=None if default_id is None else scope,
            max_norm=max_norm,
        )
        if default_id is None:
            width = array.stack([1, shaping.shape(result)[1]])
            is_empty = array.tile(array.reshape(is_empty, [-1, 1]), width)
            result = indexing.where(is_empty, filling.zeros_like(result), result, name=scope)
        outer = array.slice(math.cast(shape, dtypes.int32), [0], [rank - 1])
        inner = array.slice(shaping.shape(result), [1], [-1])
        final = array.reshape(result, array.concat([outer, inner], 0))
        outer_rank = None if known_rank is None else known_rank - 1
        final.set_shape(unknown_shape(outer_rank).concatenate(result.shape[1:]))
        return final
