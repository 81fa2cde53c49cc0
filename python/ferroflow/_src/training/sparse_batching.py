"""Sparse tensors in batches: the queue holds handles, a map in the session holds the tensors."""

import collections

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import smart_cond, with_dependencies
from ferroflow._src.framework.scopes import colocate_with
from ferroflow._src.framework.tensor_shape import dimension_value
from ferroflow._src.ops import array, filling, indexing, shaping
from ferroflow._src.ops.sparse import sparse_retain

# The operation whose name the map has, and the rank of a tensor in it.
_Stored = collections.namedtuple("_Stored", ("map_op", "rank"))


def store_all(lists, enqueue_many, keep_input):
    """Puts handles where lists of tensors hold sparse ones.

    Args:
      lists: lists of tensors, one a source.
      enqueue_many: whether rows are examples.
      keep_input: a bool scalar or vector: which examples are kept.

    Returns:
      (lists, stored): the lists with int64 handles of shape [1], or [rows, 1]; for each tensor None, or where it is.

    Raises:
      ValueError: when the sources have sparse tensors in different places.
    """
    made, stored = [], None
    for tensors in lists:
        dense, found = _store(tensors, enqueue_many, keep_input, stored)
        if stored is not None and [s is None for s in found] != [s is None for s in stored]:
            raise ValueError(f"Inconsistent SparseTensors list: {lists[0]} vs. {tensors}")
        made.append(dense)
        stored = stored or found
    return made, stored


def _store(tensors, enqueue_many, keep_input, shared):
    shared = shared or [None] * len(tensors)
    handles, stored = [], []
    # Lists of different lengths: what one list has more is left out, as in TensorFlow.
    for tensor, share in zip(tensors, shared, strict=False):
        is_sparse = isinstance(tensor, SparseTensor)
        name = share.map_op.name if share and share.map_op is not None else None
        handles.append(_handles(tensor, enqueue_many, keep_input, name) if is_sparse else tensor)
    for tensor, handle, share in zip(tensors, handles, shared, strict=False):
        if not isinstance(tensor, SparseTensor):
            stored.append(None)
            continue
        rank = dimension_value(tensor.dense_shape.shape.with_rank(1).dims[0])
        rank = rank - 1 if enqueue_many and rank is not None else rank
        stored.append(_Stored(share.map_op if share else _storing_op(handle), rank))
    dense = [
        handle if where is None else array.expand_dims(handle, [-1])
        for handle, where in zip(handles, stored, strict=True)
    ]
    return dense, stored


def _handles(tensor, enqueue_many, keep_input, name):
    """The handle of a tensor, or of each of its rows; -1 where it is not kept."""
    if keep_input.shape.ndims == 1:
        kept = sparse_retain(tensor, indexing.gather(keep_input, tensor.indices[:, 0]))
        return _add("AddManySparseToTensorsMap", kept, name)
    if enqueue_many:
        rows = smart_cond(
            keep_input,
            lambda: _add("AddManySparseToTensorsMap", tensor, name),
            lambda: -1 * filling.ones(shaping.shape(tensor)[0:1], dtypes.int64),
        )
        rows.set_shape([None])
        return rows
    return smart_cond(
        keep_input, lambda: _add("AddSparseToTensorsMap", tensor, name), lambda: constant(-1, dtypes.int64)
    )


def _add(op, tensor, shared_name):
    return apply_op(op, tensor.indices, tensor.values, tensor.dense_shape, shared_name=shared_name)


def _storing_op(handle):
    """The operation that stores; behind a Merge when it stands in a conditional."""
    for tensor in handle.op.inputs:
        if tensor.op.type in ("AddSparseToTensorsMap", "AddManySparseToTensorsMap"):
            return tensor.op
    return handle.op


def restore(batches, stored):
    """Puts sparse tensors where handles were put by `store_all`.

    Args:
      batches: a tensor or a list of them.
      stored: as `store_all` returned it.
    """
    is_list = isinstance(batches, (list, tuple))
    tensors = [
        batch if where is None else _take(where, batch)
        for batch, where in zip(batches if is_list else [batches], stored, strict=True)
    ]
    if any(where is not None for where in stored):
        # Handles are used up: when one of the tensors is fetched, all are taken.
        values = [t.values if isinstance(t, SparseTensor) else t for t in tensors]
        tensors = [_after(values, tensor) for tensor in tensors]
    elif is_list:
        return batches
    return tensors if is_list else tensors[0]


def _take(where, handles):
    rank = None if where.rank is None else where.rank + 1
    handles = array.squeeze(handles, [1])
    with colocate_with(where.map_op):
        taken = apply_op(
            "TakeManySparseFromTensorsMap",
            handles,
            dtype=where.map_op.get_attr("T"),
            container=where.map_op.get_attr("container").decode(),
            shared_name=where.map_op.get_attr("shared_name").decode() or where.map_op.name,
        )
    indices, values, shape = taken
    indices.set_shape([None, rank])
    shape.set_shape([rank])
    return SparseTensor(indices, values, shape)


def _after(values, tensor):
    if not isinstance(tensor, SparseTensor):
        return with_dependencies(values, tensor)
    parts = [with_dependencies(values, part) for part in (tensor.indices, tensor.values, tensor.dense_shape)]
    return SparseTensor(*parts)
