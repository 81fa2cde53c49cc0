"""tf.linalg: matrices."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.operators import matmul as matmul
from ferroflow._src.ops.array import (
    matrix_transpose as matrix_transpose,
    matrix_transpose as transpose,
)
from ferroflow._src.ops.clip import global_norm as global_norm
from ferroflow._src.ops.einsum import einsum as einsum
from ferroflow._src.ops.elementwise import cross as cross
from ferroflow._src.ops.linalg import (
    adjoint as adjoint,
    matrix_band_part as band_part,
    cholesky as cholesky,
    cholesky_solve as cholesky_solve,
    matrix_determinant as det,
    matrix_diag as diag,
    matrix_diag_part as diag_part,
    self_adjoint_eig as eigh,
    self_adjoint_eigvals as eigvalsh,
    eye as eye,
    matrix_inverse as inv,
    matrix_solve_ls as lstsq,
    logdet as logdet,
    matvec as matvec,
    norm as norm,
    normalize as normalize,
    qr as qr,
    matrix_set_diag as set_diag,
    log_matrix_determinant as slogdet,
    matrix_solve as solve,
    matrix_square_root as sqrtm,
    svd as svd,
    diag as tensor_diag,
    diag_part as tensor_diag_part,
    tensordot as tensordot,
    trace as trace,
    matrix_triangular_solve as triangular_solve,
)
from ferroflow._src.ops.normalization import l2_normalize as l2_normalize
_contents.end(__name__)
# fmt: on
