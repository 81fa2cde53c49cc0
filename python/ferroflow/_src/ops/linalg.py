"""Matrices: diagonals, decompositions, solvers, norms, products over chosen dimensions."""

import numbers

import numpy as np

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.control_flow import cond
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.tensor_like import TensorBase
from ferroflow._src.ops import array, filling, functional, indexing, math, reductions, shaping
from ferroflow._src.ops.arguments import renamed


def cholesky(input, name=None):
    """Computes Cholesky decompositions.

    Args:
      input: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("Cholesky", input, name=name)


def logdet(matrix, name=None):
    """Computes the logarithms of the determinants of positive definite matrices.

    Args:
      matrix: a `Tensor` [*batch, n, n] of floats or complex numbers.
      name: the name scope.

    Returns:
      A `Tensor` [*batch] of floats.
    """
    with name_scope(name, "logdet", [matrix]):
        diagonal = math.real(matrix_diag_part(apply_op("Cholesky", matrix)))
        return 2.0 * reductions.reduce_sum(math.log(diagonal), axis=[-1])


def adjoint(matrix, name=None):
    """Transposes matrices and conjugates their elements.

    Args:
      matrix: a `Tensor` [*batch, m, n].
      name: the name scope.

    Returns:
      A `Tensor` [*batch, n, m] of the same type.
    """
    with name_scope(name, "adjoint", [matrix]):
        matrix = convert_to_tensor(matrix, name="matrix")
        return array.matrix_transpose(matrix, conjugate=True)


def matrix_determinant(input, name=None):
    """Computes determinants.

    Args:
      input: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("MatrixDeterminant", input, name=name)


def log_matrix_determinant(input, name=None):
    """Computes the signs and the logarithms of absolute values of determinants.

    Args:
      input: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A named tuple of `Tensor`s: sign, log_abs_determinant.
    """
    return apply_op("LogMatrixDeterminant", input, name=name)


def matrix_inverse(input, adjoint=False, name=None):
    """Inverts matrices.

    Args:
      input: a `Tensor` of floats or complex numbers.
      adjoint: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("MatrixInverse", input, adjoint=adjoint, name=name)


def matrix_solve(matrix, rhs, adjoint=False, name=None):
    """Solves systems of linear equations.

    Args:
      matrix: a `Tensor` of floats or complex numbers.
      rhs: a `Tensor` of floats or complex numbers.
      adjoint: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `matrix`.
    """
    return apply_op("MatrixSolve", matrix, rhs, adjoint=adjoint, name=name)


def matrix_square_root(input, name=None):
    """Computes square roots of matrices.

    Args:
      input: a `Tensor` of floats or complex numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input` and its shape.
    """
    return apply_op("MatrixSquareRoot", input, name=name)


def matrix_triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    """Solves systems of linear equations whose matrix is triangular.

    Args:
      matrix: a `Tensor` of floats or complex numbers.
      rhs: a `Tensor` of floats or complex numbers.
      lower: a bool.
      adjoint: a bool.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `matrix`.
    """
    return apply_op("MatrixTriangularSolve", matrix, rhs, lower=lower, adjoint=adjoint, name=name)


def matrix_band_part(input, num_lower, num_upper, name=None):
    """Sets all but a band around the diagonal to zero.

    Args:
      input: a `Tensor` of any type.
      num_lower: a `Tensor` of int32 or int64.
      num_upper: a `Tensor` of int32 or int64.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("MatrixBandPart", input, num_lower, num_upper, name=name)


def qr(input, full_matrices=False, name=None):
    """Computes QR decompositions.

    Args:
      input: a `Tensor` of floats or complex numbers.
      full_matrices: a bool.
      name: the operation's name.

    Returns:
      A named tuple of `Tensor`s: q, r.
    """
    return apply_op("Qr", input, full_matrices=full_matrices, name=name)


def diag(diagonal, name=None):
    """Makes a tensor whose diagonal is given, with twice the rank.

    Args:
      diagonal: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `diagonal`.
    """
    return apply_op("Diag", diagonal, name=name)


def diag_part(input, name=None):
    """Takes the diagonal of a tensor whose dimensions come twice.

    Args:
      input: a `Tensor` of numbers.
      name: the operation's name.

    Returns:
      A `Tensor` of the type of `input`.
    """
    return apply_op("DiagPart", input, name=name)


def matrix_diag(diagonal, name="diag", k=0, num_rows=-1, num_cols=-1, padding_value=0):
    """Makes square matrices whose main diagonals are given.

    Args:
      diagonal: a `Tensor` [*batch, length].
      name: the operation's name.
      k: not used, nor are the following: TensorFlow 1.15 takes them and makes MatrixDiag all the same.
      num_rows: not used.
      num_cols: not used.
      padding_value: not used.

    Returns:
      A `Tensor` [*batch, length, length].
    """
    return apply_op("MatrixDiag", diagonal, name=name)


def matrix_diag_part(input, name="diag_part", k=0, padding_value=0):
    """Takes the main diagonals of matrices.

    Args:
      input: a `Tensor` [*batch, rows, columns].
      name: the operation's name.
      k: not used, as in TensorFlow 1.15.
      padding_value: not used.

    Returns:
      A `Tensor` [*batch, length].
    """
    return apply_op("MatrixDiagPart", input, name=name)


def matrix_set_diag(input, diagonal, name="set_diag", k=0):
    """Replaces the main diagonals of matrices.

    Args:
      input: a `Tensor` [*batch, rows, columns].
      diagonal: one of the same type [*batch, length].
      name: the operation's name.
      k: not used, as in TensorFlow 1.15.

    Returns:
      A `Tensor` of the type and shape of `input`.
    """
    return apply_op("MatrixSetDiag", input, diagonal, name=name)


def trace(x, name=None):
    """Adds up the diagonals of matrices.

    Args:
      x: a `Tensor` of numbers [*batch, rows, columns].
      name: the name scope.

    Returns:
      A `Tensor` [*batch].
    """
    with name_scope(name, "Trace", [x]) as name:
        x = convert_to_tensor(x, name="x")
        return reductions.reduce_sum(matrix_diag_part(x), [-1], name=name)


def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None):
    """Multiplies matrices by vectors.

    Args:
      a: a `Tensor` [*batch, rows, columns].
      b: one of the same type [*batch, columns].
      transpose_a: whether `a` is transposed first.
      adjoint_a: whether `a` is conjugated and transposed first.
      a_is_sparse: whether `a` is mostly zeros.
      b_is_sparse: whether `b` is.
      name: the name scope.

    Returns:
      A `Tensor` [*batch, rows].
    """
    with name_scope(name, "MatVec", [a, b]) as name:
        column = array.expand_dims(b, axis=-1)
        product = math.matmul(
            a,
            column,
            transpose_a=transpose_a,
            adjoint_a=adjoint_a,
            a_is_sparse=a_is_sparse,
            b_is_sparse=b_is_sparse,
        )
        return array.squeeze(product, axis=-1)


def eye(num_rows, num_columns=None, batch_shape=None, dtype=dtypes.float32, name=None):
    """Makes identity matrices.

    Args:
      num_rows: an integer, or an int32 scalar.
      num_columns: the same; None for as many as rows.
      batch_shape: int32 of rank 1; None for one matrix.
      dtype: the type.
      name: the name scope.

    Returns:
      A `Tensor` [*batch_shape, num_rows, num_columns].

    Raises:
      TypeError: when a size is neither an integer nor a tensor.
    """
    with name_scope(name, default_name="eye", values=[num_rows, num_columns, batch_shape]):
        is_square = num_columns is None
        batch_shape = [] if batch_shape is None else batch_shape
        num_columns = num_rows if num_columns is None else num_columns
        if isinstance(num_rows, TensorBase) or isinstance(num_columns, TensorBase):
            length = math.minimum(num_rows, num_columns)
        elif not isinstance(num_rows, numbers.Integral) or not isinstance(num_columns, numbers.Integral):
            raise TypeError("num_rows and num_columns must be positive integer values.")
        else:
            is_square = num_rows == num_columns
            length = np.minimum(num_rows, num_columns)
        if isinstance(length, TensorBase) or isinstance(batch_shape, TensorBase):
            batch_shape = convert_to_tensor(batch_shape, name="shape", dtype=dtypes.int32)
            diagonal_shape = array.concat((batch_shape, [length]), axis=0)
            if not is_square:
                shape = array.concat((batch_shape, [num_rows, num_columns]), axis=0)
        else:
            batch_shape = list(batch_shape)
            diagonal_shape = [*batch_shape, length]
            shape = [*batch_shape, num_rows, num_columns]
        ones = filling.ones(diagonal_shape, dtype=dtype)
        if is_square:
            return matrix_diag(ones)
        return matrix_set_diag(filling.zeros(shape, dtype=dtype), ones)


def cholesky_solve(chol, rhs, name=None):
    """Solves systems of linear equations by the Cholesky decomposition of their matrix.

    Args:
      chol: a `Tensor` of floats [*batch, n, n]: what `cholesky` returns.
      rhs: one of the same type [*batch, n, k].
      name: the name scope.

    Returns:
      A `Tensor` [*batch, n, k].
    """
    with name_scope(name, "cholesky_solve", [chol, rhs]):
        y = matrix_triangular_solve(chol, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(chol, y, adjoint=True, lower=True)


def _gramian(matrix, l2_regularizer, is_first):
    gramian = math.matmul(matrix, matrix, adjoint_a=is_first, adjoint_b=not is_first)
    if isinstance(l2_regularizer, TensorBase) or l2_regularizer != 0:
        shape = shaping.shape(matrix)
        batch = shape[:-2]
        size = shape[-1] if is_first else shape[-2]
        identity = eye(size, batch_shape=batch, dtype=matrix.dtype)
        known = matrix.shape[-1 if is_first else -2]
        identity.set_shape(matrix.shape[:-2].concatenate([known, known]))
        gramian += l2_regularizer * identity
    return cholesky(gramian)


def _overdetermined(matrix, rhs, l2_regularizer):
    chol = _gramian(matrix, l2_regularizer, True)
    return cholesky_solve(chol, math.matmul(matrix, rhs, adjoint_a=True))


def _underdetermined(matrix, rhs, l2_regularizer):
    chol = _gramian(matrix, l2_regularizer, False)
    return math.matmul(matrix, cholesky_solve(chol, rhs), adjoint_a=True)


_CACHE_BYTES = 256000


def _is_composed(matrix, fast):
    """Whether the solution is made of other ops: not where memory would be the limit."""
    if fast is False:
        return False
    shape = matrix.shape
    if not shape.is_fully_defined():
        return True
    is_bound = shape[:-2].num_elements() > min(shape.as_list()[-2:])
    return not (shape.num_elements() * matrix.dtype.size > _CACHE_BYTES and is_bound)


def matrix_solve_ls(matrix, rhs, l2_regularizer=0.0, fast=True, name=None):
    """Solves least-squares problems.

    Args:
      matrix: a `Tensor` of floats or complex numbers [*batch, m, n].
      rhs: one of the same type [*batch, m, k].
      l2_regularizer: a float64 scalar.
      fast: whether by the normal equations, else by a complete orthogonal decomposition.
      name: the name scope.

    Returns:
      A `Tensor` [*batch, n, k].

    Raises:
      NotImplementedError: for complex128 with a regularizer.
    """
    matrix = convert_to_tensor(matrix, name="matrix")
    if matrix.dtype == dtypes.complex128 and l2_regularizer != 0:
        raise NotImplementedError(
            "matrix_solve_ls is currently disabled for complex128 and l2_regularizer != 0 due to poor accuracy."
        )
    if not _is_composed(matrix, fast):
        return apply_op("MatrixSolveLs", matrix, rhs, l2_regularizer, fast=fast, name=name)
    with name_scope(name, "matrix_solve_ls", [matrix, rhs, l2_regularizer]):
        shape = matrix.shape[-2:]
        if shape.is_fully_defined():
            rows, columns = shape.as_list()
            solve = _overdetermined if rows >= columns else _underdetermined
            return solve(matrix, rhs, l2_regularizer)
        shape = shaping.shape(matrix)[-2:]
        return cond(
            shape[-2] >= shape[-1],
            lambda: _overdetermined(matrix, rhs, l2_regularizer),
            lambda: _underdetermined(matrix, rhs, l2_regularizer),
        )


def self_adjoint_eig(tensor, name=None):
    """Computes eigenvalues and eigenvectors of symmetric or Hermitian matrices.

    Args:
      tensor: a `Tensor` of floats or complex numbers [*batch, n, n]; only the lower triangle counts.
      name: the operation's name.

    Returns:
      (eigenvalues [*batch, n], eigenvectors [*batch, n, n]).
    """
    made = apply_op("SelfAdjointEigV2", tensor, compute_v=True, name=name)
    return made.e, made.v


def self_adjoint_eigvals(tensor, name=None):
    """Computes eigenvalues of symmetric or Hermitian matrices.

    Args:
      tensor: a `Tensor` of floats or complex numbers [*batch, n, n]; only the lower triangle counts.
      name: the operation's name.

    Returns:
      A `Tensor` [*batch, n].
    """
    return apply_op("SelfAdjointEigV2", tensor, compute_v=False, name=name).e


def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    """Computes singular value decompositions.

    Args:
      tensor: a `Tensor` of floats or complex numbers [*batch, m, n].
      full_matrices: whether the matrices of vectors are square.
      compute_uv: whether the vectors are computed too.
      name: the operation's name.

    Returns:
      (s, u, v), or s alone.
    """
    made = apply_op("Svd", tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    s = math.real(made.s)
    return (s, made.u, made.v) if compute_uv else s


def _check_norm(ord, axis):
    """Returns (axis, whether it is a matrix norm)."""
    message = "'axis' must be None, an integer, or a tuple of 2 unique integers"
    if isinstance(axis, (list, tuple)) and len(axis) == 2:
        axis = tuple(axis)
        if not isinstance(axis[0], int) or not isinstance(axis[1], int) or axis[0] == axis[1]:
            raise ValueError(message)
        known = ["euclidean", "fro", 1, 2, np.inf]
        if ord not in known:
            raise ValueError(f"'ord' must be a supported matrix norm in {known}, got {ord}")
        return axis, True
    if not (isinstance(axis, int) or axis is None):
        raise ValueError(message)
    if ord not in ("euclidean", 1, 2, np.inf) and (isinstance(ord, str) or not np.isreal(ord) or ord <= 0):
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
    return (None if axis is None else (axis,)), False


def _greatest_singular_value(tensor, axes):
    """The 2-norm of the matrices in the dimensions `axes`, which stay, with size 1."""
    rank = shaping.rank(tensor)
    matrix = functional.map_fn(lambda i: cond(i >= 0, lambda: i, lambda: i + rank), convert_to_tensor(axes))
    every = math.range(rank)
    order = array.concat([indexing.setdiff1d(every, matrix)[0], matrix], axis=0)
    back = functional.map_fn(
        lambda i: math.cast(array.squeeze(indexing.where_v2(math.equal(order, i))), dtype=dtypes.int32), every
    )
    moved = array.transpose(tensor, perm=order)
    values = apply_op("Svd", moved, compute_uv=False).s
    greatest = reductions.reduce_max(math.abs(values), axis=-1, keepdims=True)
    return array.transpose(array.expand_dims(greatest, axis=-1), perm=back)


def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None):
    """Computes norms of vectors or matrices.

    Args:
      tensor: a `Tensor` of floats or complex numbers.
      ord: 'euclidean', 'fro', 1, 2, `np.inf`, or for vectors any positive number.
      axis: the dimension of the vectors, the two of the matrices, or None for one vector of all elements.
      keepdims: whether the dimensions stay, with size 1.
      name: the name scope.
      keep_dims: the older name of `keepdims`.

    Returns:
      A `Tensor` of the type of `tensor`.

    Raises:
      ValueError: for another `ord` or `axis`.
    """
    keepdims = renamed("keepdims", keepdims, "keep_dims", keep_dims)
    axis, is_matrix = _check_norm(ord, axis)
    with name_scope(name, "norm", [tensor]):
        tensor = convert_to_tensor(tensor)
        if is_matrix and ord == 2:
            result = _greatest_singular_value(tensor, axis)
        elif ord in ("fro", "euclidean", 2):
            result = math.sqrt(reductions.reduce_sum(tensor * math.conj(tensor), axis, keepdims=True))
        else:
            result = math.abs(tensor)
            first = None if axis is None else axis[0]
            if ord == 1:
                result = reductions.reduce_sum(result, first, keepdims=True)
                if is_matrix:
                    result = reductions.reduce_max(result, axis[-1], keepdims=True)
            elif ord == np.inf:
                if is_matrix:
                    result = reductions.reduce_sum(result, axis[1], keepdims=True)
                result = reductions.reduce_max(result, first, keepdims=True)
            else:
                powers = reductions.reduce_sum(math.pow(result, ord), axis, keepdims=True)
                result = math.pow(powers, 1.0 / ord)
        return result if keepdims else array.squeeze(result, axis)


def normalize(tensor, ord="euclidean", axis=None, name=None):
    """Divides by `norm`.

    Args:
      tensor: a `Tensor` of floats or complex numbers.
      ord: as for `norm`.
      axis: as for `norm`.
      name: the name scope.

    Returns:
      (normalized, norm).
    """
    with name_scope(name, "normalize", [tensor]) as name:
        tensor = convert_to_tensor(tensor)
        length = math.cast(norm(tensor, ord, axis, keepdims=True), tensor.dtype)
        return tensor / length, length


def _contracted_axes(a, axes):
    shape = a.shape
    if isinstance(axes, (int, np.integer)):
        if axes < 0:
            raise ValueError("'axes' must be at least 0.")
        if shape.ndims is None:
            rank = shaping.rank(a)
            return math.range(rank - axes, rank, dtype=dtypes.int32), math.range(axes, dtype=dtypes.int32)
        if axes > shape.ndims:
            raise ValueError(f"'axes' must not be larger than the number of dimensions of tensor {a}.")
        return list(range(shape.ndims - axes, shape.ndims)), list(range(axes))
    if not isinstance(axes, (list, tuple)):
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        return axes[0], axes[1]
    if len(axes) != 2:
        raise ValueError("'axes' must be an integer or have length 2.")
    first, second = axes
    if isinstance(first, (int, np.integer)) and isinstance(second, (int, np.integer)):
        first, second = [first], [second]
    if len(first) != len(second):
        raise ValueError(f"Different number of contraction axes 'a' and 'b', {len(first)} != {len(second)}.")
    return first, second


def _as_matrix(a, axes, is_flipped):
    """Reshapes for a matrix product; returns (matrix, free dimensions, those that are known)."""
    known = a.shape
    if known.is_fully_defined() and isinstance(axes, (list, tuple)):
        sizes = known.as_list()
        axes = [i if i >= 0 else i + len(sizes) for i in axes]
        free = [i for i in range(len(sizes)) if i not in axes]
        free_sizes = [sizes[i] for i in free]
        free_size = int(np.prod(free_sizes))
        axes_size = int(np.prod([sizes[i] for i in axes]))
        perm = [*axes, *free] if is_flipped else [*free, *axes]
        shape = [axes_size, free_size] if is_flipped else [free_size, axes_size]
        return array.reshape(array.transpose(a, perm), shape), free_sizes, free_sizes
    static = None
    if known.ndims is not None and isinstance(axes, (list, tuple)):
        sizes = known.as_list()
        axes = [i if i >= 0 else i + len(sizes) for i in axes]
        free = [i for i in range(len(sizes)) if i not in axes]
        static = [sizes[i] for i in free]
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        free = convert_to_tensor(free, dtype=dtypes.int32, name="free")
        shape = shaping.shape(a)
    else:
        shape = shaping.shape(a)
        rank = shaping.rank(a)
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        axes = indexing.where(axes >= 0, axes, axes + rank)
        free = indexing.setdiff1d(math.range(rank), axes).out
    free_dims = indexing.gather(shape, free)
    axes_dims = indexing.gather(shape, axes)
    free_size = reductions.reduce_prod(free_dims)
    axes_size = reductions.reduce_prod(axes_dims)
    if is_flipped:
        perm = array.concat([axes, free], 0)
        new_shape = array.stack([axes_size, free_size])
    else:
        perm = array.concat([free, axes], 0)
        new_shape = array.stack([free_size, axes_size])
    return array.reshape(array.transpose(a, perm), new_shape), free_dims, static


def tensordot(a, b, axes, name=None):
    """Multiplies tensors and adds up along chosen dimensions of both.

    Args:
      a: a `Tensor` of floats or complex numbers.
      b: one of the same type.
      axes: how many of the last dimensions of `a` meet the first of `b`; or two lists of dimensions.
      name: the name scope.

    Returns:
      A `Tensor` with the other dimensions of `a`, then those of `b`.

    Raises:
      ValueError: for axes that make no sense.
    """
    with name_scope(name, "Tensordot", [a, b, axes]) as name:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, name="b")
        a_axes, b_axes = _contracted_axes(a, axes)
        a_matrix, a_free, a_static = _as_matrix(a, a_axes, False)
        b_matrix, b_free, b_static = _as_matrix(b, b_axes, True)
        product = math.matmul(a_matrix, b_matrix)
        if isinstance(a_free, list) and isinstance(b_free, list):
            return array.reshape(product, a_free + b_free, name=name)
        a_free = convert_to_tensor(a_free, dtype=dtypes.int32)
        b_free = convert_to_tensor(b_free, dtype=dtypes.int32)
        product = array.reshape(product, array.concat([a_free, b_free], 0), name=name)
        if a_static is not None and b_static is not None:
            product.set_shape(a_static + b_static)
        return product


def lbeta(x, name=None):
    """Computes the logarithm of the absolute value of the beta function along the last dimension.

    Args:
      x: a `Tensor` of float32 or float64.
      name: the name scope.

    Returns:
      A `Tensor` whose rank is one less.
    """
    with name_scope(name, "lbeta", [x]):
        x = convert_to_tensor(x, name="x")
        logs = reductions.reduce_sum(math.lgamma(x), axis=[-1])
        total = reductions.reduce_sum(x, axis=[-1])
        return logs - math.lgamma(total)
