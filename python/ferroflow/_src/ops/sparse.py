"""Sparse tensors: made, joined, reordered, reduced, and multiplied with dense ones."""

import numbers

import numpy as np

from ferroflow._src.framework import dtypes, tensor_util
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.composite import SparseTensor, SparseTensorValue, is_sparse
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import with_dependencies
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.framework.tensor_shape import dimension_at_index
from ferroflow._src.ops import array, checks, filling, indexing, math, reductions, shaping
from ferroflow._src.ops.arguments import renamed


def _as_sparse(sp_input):
    if isinstance(sp_input, SparseTensorValue):
        return SparseTensor.from_value(sp_input)
    if not isinstance(sp_input, SparseTensor):
        raise TypeError("Input must be a SparseTensor.")
    return sp_input


def _as_int64(value, name):
    if isinstance(value, numbers.Integral):
        return convert_to_tensor(value, dtype=dtypes.int64, name=name)
    if not isinstance(value, TensorBase):
        raise TypeError(f"{name} must be an integer value")
    return value if value.dtype == dtypes.int64 else math.cast(value, dtypes.int64)


def _parts(sp):
    return sp.indices, sp.values, sp.dense_shape


def from_dense(tensor, name=None):
    """Returns the elements that are not zero as a sparse tensor.

    Args:
      tensor: a `Tensor` of numbers.
      name: the name scope.

    Returns:
      A `SparseTensor`.
    """
    with name_scope(name, "dense_to_sparse"):
        tensor = convert_to_tensor(tensor)
        indices = indexing.where_v2(math.not_equal(tensor, constant(0, tensor.dtype)))
        values = indexing.gather_nd(tensor, indices)
        return SparseTensor(indices, values, shaping.shape(tensor, out_type=dtypes.int64))


def sparse_eye(num_rows, num_columns=None, dtype=dtypes.float32, name=None):
    """Makes a sparse matrix with ones on the diagonal.

    Args:
      num_rows: an integer.
      num_columns: an integer; None for as many as rows.
      dtype: the type.
      name: the name scope.

    Returns:
      A `SparseTensor`.
    """
    with name_scope(name, default_name="eye", values=[num_rows, num_columns]):
        rows = _as_int64(num_rows, "num_rows")
        columns = rows if num_columns is None else _as_int64(num_columns, "num_columns")
        length = math.minimum(rows, columns)
        places = math.range(length, dtype=dtypes.int64)
        return SparseTensor(
            indices=array.stack([places, places], axis=1),
            values=filling.ones(length, dtype=dtype),
            dense_shape=[rows, columns],
        )


def sparse_expand_dims(sp_input, axis=None, name=None):
    """Adds a dimension of size 1.

    Args:
      sp_input: a `SparseTensor`.
      axis: where; None for the end.
      name: the name scope.

    Returns:
      A `SparseTensor`.

    Raises:
      TypeError: when `axis` is no integer.
    """
    rank = sp_input.dense_shape.shape[0]
    axis = -1 if axis is None else axis
    with name_scope(name, default_name="expand_dims", values=[sp_input]):
        if isinstance(axis, numbers.Integral):
            axis = convert_to_tensor(axis, dtype=dtypes.int32, name="axis")
        elif not isinstance(axis, TensorBase):
            raise TypeError("axis must be an integer value in range [-rank(sp_input) - 1, rank(sp_input)]")
        axis = indexing.where_v2(axis >= 0, axis, axis + rank + 1)
        count = shaping.shape(sp_input.indices)[0]
        new = filling.zeros([count, 1], dtype=dtypes.int64)
        before = array.slice(sp_input.indices, [0, 0], [-1, axis])
        after = array.slice(sp_input.indices, [0, axis], [-1, -1])
        indices = array.concat([before, new, after], axis=1)
        before = array.slice(sp_input.dense_shape, [0], [axis])
        after = array.slice(sp_input.dense_shape, [axis], [-1])
        new = convert_to_tensor([1], dtype=dtypes.int64, name="new_shape")
        shape = array.concat([before, new, after], axis=0)
        return SparseTensor(indices=indices, values=sp_input.values, dense_shape=shape)


def sparse_concat(axis, sp_inputs, name=None, expand_nonconcat_dim=False, concat_dim=None, expand_nonconcat_dims=None):
    """Joins sparse tensors along a dimension.

    Args:
      axis: which dimension.
      sp_inputs: a list of `SparseTensor`s.
      name: the operation's name.
      expand_nonconcat_dim: whether other dimensions may differ; the greatest counts.
      concat_dim: the older name of `axis`.
      expand_nonconcat_dims: another name of `expand_nonconcat_dim`.

    Returns:
      A `SparseTensor`.

    Raises:
      TypeError: for inputs that are not sparse.
    """
    if expand_nonconcat_dims is not None:
        expand_nonconcat_dim = expand_nonconcat_dims
    axis = renamed("axis", axis, "concat_dim", concat_dim)
    if not isinstance(sp_inputs, (list, tuple)):
        raise TypeError("Inputs must be a list or tuple.")
    inputs = [_as_sparse(sp) for sp in sp_inputs]
    if len(inputs) == 1:
        return inputs[0]
    shapes = [sp.dense_shape for sp in inputs]
    if expand_nonconcat_dim:
        most = reductions.reduce_max(array.concat([array.reshape(s, [1, -1]) for s in shapes], 0), 0)
        shapes = [
            array.concat(
                [
                    most[:axis],
                    s[-1:] if axis == -1 else s[axis : axis + 1],
                    [] if axis == -1 else most[axis + 1 :],
                ],
                0,
            )
            for s in shapes
        ]
    made = apply_op(
        "SparseConcat",
        [sp.indices for sp in inputs],
        [sp.values for sp in inputs],
        shapes,
        concat_dim=axis,
        name=name,
    )
    shape = made.output_shape
    known = [tensor_util.constant_value(s) for s in shapes]
    if all(s is not None for s in known):
        joined = np.array(known[0])
        joined[axis] = sum(s[axis] for s in known)
        shape = convert_to_tensor(joined)
    return SparseTensor(made.output_indices, made.output_values, shape)


def sparse_add(a, b, threshold=None, thresh=None):
    """Adds two tensors of which one at least is sparse.

    Args:
      a: a `SparseTensor`, or a `Tensor`.
      b: a `SparseTensor`, or a `Tensor`, of the same shape.
      threshold: sums whose magnitude is less are left out of a sparse result; None for 0.
      thresh: the older name of `threshold`.

    Returns:
      A `SparseTensor`, or a `Tensor` when one of them is dense.

    Raises:
      TypeError: when both are dense.
    """
    threshold = renamed("threshold", threshold, "thresh", thresh)
    if not is_sparse(a) and not is_sparse(b):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if is_sparse(a) and is_sparse(b):
        a, b = _as_sparse(a), _as_sparse(b)
        dtype = a.values.dtype.real_dtype.base_dtype
        threshold = convert_to_tensor(0 if threshold is None else threshold, dtype=dtype, name="threshold")
        made = apply_op("SparseAdd", *_parts(a), *_parts(b), threshold)
        shape = shaping.broadcast_static_shape(a.shape, b.shape)
        total = shape.as_list() if shape.is_fully_defined() else made.sum_shape
        return SparseTensor(made.sum_indices, made.sum_values, total)
    if is_sparse(b):
        a, b = b, a
    return apply_op("SparseTensorDenseAdd", *_parts(_as_sparse(a)), b)


def sparse_reorder(sp_input, name=None):
    """Puts the elements in the order of their indices.

    Args:
      sp_input: a `SparseTensor`.
      name: the operation's name.

    Returns:
      A `SparseTensor`.
    """
    sp = _as_sparse(sp_input)
    made = apply_op("SparseReorder", *_parts(sp), name=name)
    shape = sp.shape.as_list() if sp.shape.is_fully_defined() else array.identity(sp.dense_shape)
    return SparseTensor(made.output_indices, made.output_values, shape)


def sparse_reshape(sp_input, shape, name=None):
    """Arranges the elements in another shape, in the same order.

    Args:
      sp_input: a `SparseTensor`.
      shape: int64 of rank 1; one element may be -1.
      name: the operation's name.

    Returns:
      A `SparseTensor`.

    Raises:
      ValueError: when the numbers of elements are known and differ.
    """
    sp = _as_sparse(sp_input)
    shape = math.cast(shape, dtype=dtypes.int64)
    with name_scope(name, "SparseReshape", [sp.values]) as name:
        made = apply_op("SparseReshape", sp.indices, sp.dense_shape, shape, name=name)
        new_shape = made.output_shape
        wanted = tensor_util.constant_value_as_shape(shape)
        if wanted.ndims is not None and sp.shape.is_fully_defined():
            new_shape = _known_reshape(sp.shape.as_list(), wanted.as_list(), new_shape, shape)
        return SparseTensor(made.output_indices, array.identity(sp.values), new_shape)


def _known_reshape(old, wanted, otherwise, given):
    known = tensor_util.constant_value(given)
    if known is not None and (np.asarray(known) == -1).sum() > 1:
        raise ValueError(f"At most one dimension can be inferred (-1). Found: {known}")
    size, found = int(np.prod(old)), list(wanted)
    unknown = [i for i, d in enumerate(wanted) if d is None]
    if len(unknown) == 1:
        found[unknown[0]] = int(size // np.prod([d for d in wanted if d is not None]))
    if len(unknown) > 1:
        return otherwise
    if int(np.prod(found)) != size:
        raise ValueError(
            f"Cannot reshape a tensor with {size} elements to shape {wanted} ({int(np.prod(found))} elements)."
        )
    return constant(found, dtype=dtypes.int64)


class _NotGiven:
    def __repr__(self):
        return "KeywordRequired()"


def sparse_split(keyword_required=_NotGiven(), sp_input=None, num_split=None, axis=None, name=None, split_dim=None):
    """Cuts a sparse tensor into equal pieces along a dimension.

    Args:
      keyword_required: guards against arguments without names.
      sp_input: a `SparseTensor`.
      num_split: the number of pieces.
      axis: which dimension.
      name: the operation's name.
      split_dim: the older name of `axis`.

    Returns:
      A list of `SparseTensor`s.

    Raises:
      ValueError: when an argument is missing, or has no name.
    """
    if not isinstance(keyword_required, _NotGiven):
        raise ValueError("Keyword arguments are required for this function.")
    axis = renamed("axis", axis, "split_dim", split_dim)
    for label, value in (("sp_input", sp_input), ("num_split", num_split), ("axis", axis)):
        if value is None:
            raise ValueError(f"{label} is required")
    made = apply_op("SparseSplit", axis, *_parts(_as_sparse(sp_input)), num_split=num_split, name=name)
    return [SparseTensor(*parts) for parts in zip(*made, strict=True)]


def sparse_slice(sp_input, start, size, name=None):
    """Takes a block.

    Args:
      sp_input: a `SparseTensor`.
      start: int64 of rank 1: where it begins.
      size: int64 of rank 1: its shape.
      name: the operation's name.

    Returns:
      A `SparseTensor`.
    """
    sp = _as_sparse(sp_input)
    start, size = convert_to_tensor(start, dtypes.int64), convert_to_tensor(size, dtypes.int64)
    with name_scope(name, "SparseSlice", [sp.values]) as name:
        return SparseTensor(*apply_op("SparseSlice", *_parts(sp), start, size, name=name))


def sparse_to_dense(sparse_indices, output_shape, sparse_values, default_value=0, validate_indices=True, name=None):
    """Makes a dense tensor that holds values at given indices.

    Args:
      sparse_indices: int32 or int64 [count, rank] (fewer dimensions for ranks 0 and 1).
      output_shape: the shape, of the same type.
      sparse_values: a `Tensor` [count], or one value for all.
      default_value: the value elsewhere.
      validate_indices: whether indices must come in order and differ.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of the values.
    """
    return apply_op(
        "SparseToDense",
        sparse_indices,
        output_shape,
        sparse_values,
        default_value,
        validate_indices=validate_indices,
        name=name,
    )


def sparse_tensor_to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """Makes a dense tensor of a sparse one.

    Args:
      sp_input: a `SparseTensor`.
      default_value: the value elsewhere; None for zero.
      validate_indices: whether indices must come in order and differ.
      name: the operation's name.

    Returns:
      A `Tensor` of its type.
    """
    sp = _as_sparse(sp_input)
    if default_value is None:
        default_value = filling.zeros([], dtype=sp.dtype)
    return sparse_to_dense(sp.indices, sp.dense_shape, sp.values, default_value, validate_indices, name)


def sparse_to_indicator(sp_input, vocab_size, name=None):
    """Makes rows of bool that tell which ids each example has.

    Args:
      sp_input: a `SparseTensor` of int32 or int64: ids.
      vocab_size: how many ids there are.
      name: the name scope.

    Returns:
      A `Tensor` of bool whose last dimension is `vocab_size`.
    """
    sp = _as_sparse(sp_input)
    with name_scope(name, "SparseToIndicator", [sp.values]) as name:
        count = shaping.shape(sp.indices)[0]
        trues = filling.fill(array.expand_dims(count, 0), True)
        merged = sparse_merge(sp, SparseTensor(sp.indices, trues, sp.dense_shape), vocab_size, name)
        return sparse_tensor_to_dense(merged, default_value=False, validate_indices=False, name=name)


def sparse_merge(sp_ids, sp_values, vocab_size, name=None, already_sorted=False):
    """Puts values in the columns that ids name.

    Args:
      sp_ids: a `SparseTensor` of int32 or int64, or a list of them: the columns.
      sp_values: a `SparseTensor` with the same indices.
      vocab_size: how many columns there are, one number for each of `sp_ids`.
      name: the name scope.
      already_sorted: whether the ids come in order.

    Returns:
      A `SparseTensor`.

    Raises:
      TypeError: when arguments are of other kinds.
      ValueError: when ids and sizes differ in number.
    """
    if is_sparse(sp_ids):
        sp_ids, vocab_size = [sp_ids], [vocab_size]
    if not hasattr(sp_ids, "__iter__"):
        raise TypeError(f"sp_ids has to be a SparseTensor or list thereof. Found {type(sp_ids)}")
    if not isinstance(vocab_size, (list, tuple)):
        raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Found {type(vocab_size)}")
    for size in vocab_size:
        if not isinstance(size, (TensorBase, numbers.Integral)):
            raise TypeError(f"vocab_size has to be a list of Tensors or Python ints. Found {type(size)}")
    if len(sp_ids) != len(vocab_size):
        raise ValueError("sp_ids and vocab_size have to have equal lengths.")
    with name_scope(name, "SparseMerge", [sp_values.values]):
        ids = [_as_sparse(sp) for sp in sp_ids]
        values = _as_sparse(sp_values).values
        columns = []
        for sp in ids:
            column = sp.values if sp.dtype == dtypes.int64 else math.cast(sp.values, dtypes.int64)
            columns.append(array.expand_dims(column, axis=1))
        sizes = [math.cast(x, dtypes.int64) for x in vocab_size]
        kept = ids[0].indices[:, :-1]
        indices = array.concat([kept, *columns], 1)
        shape = array.concat([ids[0].dense_shape[:-1], sizes], 0)
        merged = SparseTensor(indices, values, shape)
        if already_sorted:
            return merged
        merged = sparse_reorder(merged)
        return SparseTensor(merged.indices, merged.values, shape)


def sparse_retain(sp_input, to_retain):
    """Drops elements.

    Args:
      sp_input: a `SparseTensor`.
      to_retain: bool [number of elements]: which stay.

    Returns:
      A `SparseTensor`.
    """
    sp = _as_sparse(sp_input)
    to_retain = convert_to_tensor(to_retain)
    to_retain.shape.assert_has_rank(1)
    if sp.values.shape.ndims is not None:
        sp.values.shape.dims[0].merge_with(dimension_at_index(to_retain.shape, 0))
    kept = array.reshape(indexing.where_v2(to_retain), [-1])
    indices = indexing.gather(sp.indices, kept)
    values = indexing.gather(sp.values, kept)
    return SparseTensor(indices, values, array.identity(sp.dense_shape))


def sparse_reset_shape(sp_input, new_shape=None):
    """Gives a sparse tensor another dense shape.

    Args:
      sp_input: a `SparseTensor`.
      new_shape: int64 of rank 1, nowhere less; None for the least that holds all elements.

    Returns:
      A `SparseTensor`.

    Raises:
      ValueError: when the new shape is known to be too small.
    """
    sp = _as_sparse(sp_input)
    indices, values, old = (array.identity(part) for part in _parts(sp))
    if new_shape is None:
        last = reductions.reduce_max(indices, axis=0)
        zero = constant(0, dtype=dtypes.int64)
        return SparseTensor(indices, values, math.maximum(zero, math.add(last, filling.ones_like(old))))
    shape = convert_to_tensor(new_shape)
    shape.shape.assert_has_rank(1)
    shape = math.cast(shape, dtypes.int64)
    if shape.shape.rank is not None:
        shape.shape.dims[0].merge_with(old.shape.dims[0])
    known = tensor_util.constant_value(shape)
    if known is not None and sp.shape.is_fully_defined():
        its = np.array(sp.shape.as_list())
        if not np.all(its <= known):
            raise ValueError(
                "Requested new_shape should have dimension sizes >= sp_input.shape.  Found new_shape "
                f"({its}), sp_input.shape ({known})."
            )
        return SparseTensor(indices, values, known)
    shape = with_dependencies([checks.assert_equal(shaping.shape(old), shaping.shape(shape))], shape)
    shape = with_dependencies([checks.assert_less_equal(old, shape)], shape)
    return SparseTensor(indices, values, shape)


def sparse_fill_empty_rows(sp_input, default_value, name=None):
    """Puts a value in the first column of rows that have none.

    Args:
      sp_input: a `SparseTensor` of rank 2.
      default_value: the value.
      name: the name scope.

    Returns:
      (a `SparseTensor`, a bool `Tensor` that tells which rows were empty).
    """
    sp = _as_sparse(sp_input)
    with name_scope(name, "SparseFillEmptyRows", [sp.values]):
        default_value = convert_to_tensor(default_value, dtype=sp.values.dtype)
        made = apply_op("SparseFillEmptyRows", *_parts(sp), default_value)
        filled = SparseTensor(indices=made.output_indices, values=made.output_values, dense_shape=sp.dense_shape)
        return filled, made.empty_row_indicator


def sparse_tensor_dense_matmul(sp_a, b, adjoint_a=False, adjoint_b=False, name=None):
    """Multiplies a sparse matrix by a dense one.

    Args:
      sp_a: a `SparseTensor` of rank 2.
      b: a `Tensor` of rank 2 and its type.
      adjoint_a: whether `sp_a` is conjugated and transposed first.
      adjoint_b: whether `b` is.
      name: the name scope.

    Returns:
      A `Tensor`.
    """
    sp = _as_sparse(sp_a)
    with name_scope(name, "SparseTensorDenseMatMul", [sp.indices, sp.values, b]) as name:
        b = convert_to_tensor(b, name="b")
        return apply_op("SparseTensorDenseMatMul", *_parts(sp), b, adjoint_a=adjoint_a, adjoint_b=adjoint_b)


def sparse_softmax(sp_input, name=None):
    """Computes softmax over the elements that each row has.

    Args:
      sp_input: a `SparseTensor` of floats of rank 2 or more.
      name: the name scope.

    Returns:
      A `SparseTensor` with the same indices.
    """
    with name_scope(name, "SparseSoftmax", [sp_input.indices, sp_input.values]) as name:
        values = apply_op("SparseSoftmax", *_parts(sp_input))
        return SparseTensor(sp_input.indices, values, sp_input.dense_shape)


def _of_two(op, sp_a, sp_b, name):
    with name_scope(name, op, [sp_a.indices, sp_a.values, sp_b.indices, sp_b.values]) as name:
        made = apply_op(op, *_parts(sp_a), *_parts(sp_b), name=name)
    return SparseTensor(made.output_indices, made.output_values, sp_a.dense_shape)


def sparse_maximum(sp_a, sp_b, name=None):
    """Takes the greater of two; an element that is not there counts as zero.

    Args:
      sp_a: a `SparseTensor` of real numbers.
      sp_b: one of the same type and shape.
      name: the operation's name.

    Returns:
      A `SparseTensor`.
    """
    return _of_two("SparseSparseMaximum", sp_a, sp_b, name)


def sparse_minimum(sp_a, sp_b, name=None):
    """Takes the lesser of two; an element that is not there counts as zero.

    Args:
      sp_a: a `SparseTensor` of real numbers.
      sp_b: one of the same type and shape.
      name: the operation's name.

    Returns:
      A `SparseTensor`.
    """
    return _of_two("SparseSparseMinimum", sp_a, sp_b, name)


def sparse_transpose(sp_input, perm=None, name=None):
    """Permutes dimensions.

    Args:
      sp_input: a `SparseTensor`.
      perm: which dimension of it each one of the result is; None reverses them.
      name: the name scope.

    Returns:
      A `SparseTensor`.
    """
    with name_scope(name, "SparseTranspose", [sp_input.values]) as name:
        if perm is None:
            rank = shaping.rank(sp_input)
            perm = rank - 1 - math.range(0, rank, 1)
        indices = sp_input.indices
        indices = array.transpose(indexing.gather(array.transpose(indices), perm))
        shape = sp_input.shape
        if shape.is_fully_defined():
            known = tensor_util.constant_value(perm)
            if known is not None:
                shape = shape.as_list()
                dense_shape = [shape[int(i)] for i in known]
                return sparse_reorder(SparseTensor(indices, sp_input.values, dense_shape))
        dense_shape = indexing.gather(sp_input.dense_shape, perm)
        return sparse_reorder(SparseTensor(indices, sp_input.values, dense_shape))


def _reduce_axes(sp_input, axis, reduction_axes):
    axis = renamed("axis", axis, "reduction_indices", reduction_axes)
    if axis is not None:
        return axis
    if sp_input.dense_shape.shape.is_fully_defined():
        return constant(np.arange(sp_input.dense_shape.shape.as_list()[0]), dtype=dtypes.int32)
    return math.range(0, shaping.rank(sp_input))


def sparse_reduce_sum(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """Adds up elements along dimensions.

    Args:
      sp_input: a `SparseTensor` of numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      reduction_axes: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of its type.
    """
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    axes = _reduce_axes(sp_input, axis, reduction_axes)
    return apply_op("SparseReduceSum", *_parts(sp_input), axes, keep_dims=keepdims)


def sparse_reduce_max(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """Takes the greatest of the elements that are there along dimensions.

    Args:
      sp_input: a `SparseTensor` of real numbers.
      axis: a number or numbers of dimensions; None for all.
      keepdims: whether they stay, with size 1.
      reduction_axes: the older name of `axis`.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of its type.
    """
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    axes = _reduce_axes(sp_input, axis, reduction_axes)
    return apply_op("SparseReduceMax", *_parts(sp_input), axes, keep_dims=keepdims)


def sparse_reduce_sum_sparse(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """`sparse_reduce_sum` whose result is sparse."""
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    axes = _reduce_axes(sp_input, axis, reduction_axes)
    return SparseTensor(*apply_op("SparseReduceSumSparse", *_parts(sp_input), axes, keep_dims=keepdims))


def sparse_reduce_max_sparse(sp_input, axis=None, keepdims=None, reduction_axes=None, keep_dims=None):
    """`sparse_reduce_max` whose result is sparse."""
    keepdims = bool(renamed("keepdims", keepdims, "keep_dims", keep_dims))
    axes = _reduce_axes(sp_input, axis, reduction_axes)
    return SparseTensor(*apply_op("SparseReduceMaxSparse", *_parts(sp_input), axes, keep_dims=keepdims))


def sparse_matmul(a, b, transpose_a=False, transpose_b=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """`matmul` of matrices that are mostly zeros.

    Args:
      a: a `Tensor` of bfloat16 or float32.
      b: a `Tensor` of bfloat16 or float32.
      transpose_a: a bool.
      transpose_b: a bool.
      a_is_sparse: a bool.
      b_is_sparse: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of float32.
    """
    return apply_op(
        "SparseMatMul",
        a,
        b,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        a_is_sparse=a_is_sparse,
        b_is_sparse=b_is_sparse,
        name=name,
    )


def edit_distance(hypothesis, truth, normalize=True, name="edit_distance"):
    """How many insertions, deletions and substitutions make one sequence of the other (Levenshtein's distance).

    Args:
      hypothesis: a `SparseTensor` whose last axis runs along the sequences.
      truth: another, of the same type and rank.
      normalize: whether distances are divided by the length of the truth.
      name: the operation's name.

    Returns:
      A dense `Tensor` of float32 with one rank less; a truth of length 0 gives infinity when normalized.

    Raises:
      TypeError: when one of the two is no `SparseTensor`.
    """
    for what, value in (("Hypothesis", hypothesis), ("Truth", truth)):
        if not isinstance(value, (SparseTensor, SparseTensorValue)):
            raise TypeError(f"{what} must be a SparseTensor.")
    return apply_op(
        "EditDistance",
        hypothesis.indices,
        hypothesis.values,
        hypothesis.dense_shape,
        truth.indices,
        truth.values,
        truth.dense_shape,
        normalize=normalize,
        name=name,
    )
