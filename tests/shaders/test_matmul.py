import numpy as np
import pytest
from hypothesis import given, strategies as st

from .tiles import TILES, chunk_of, tiles_of
from .witness import Out, cases, few_cases, groups_of

DIMS = st.one_of(st.integers(1, 150), st.sampled_from([4, 16, 32, 64, 100, 128, 132]))


def matmul(gpu, a, b, tile, along_k=(1, 0), splits=1, ending=None, operands=(), end=()):
    """a and b as they lie in memory, [batch, rows, cols]; the result is [batch, splits, m, n]."""
    m, k = a.shape[1:] if along_k[0] else a.shape[:0:-1]
    n = b.shape[1] if along_k[1] else b.shape[2]
    batch = max(len(a), len(b))
    constants = TILES[tile] | {"A_ALONG_K": along_k[0], "B_ALONG_K": along_k[1]}
    constants |= {"A_VEC": int(a.shape[2] % 4 == 0), "B_VEC": int(b.shape[2] % 4 == 0), "C_VEC": int(n % 4 == 0)}
    steps = [0 if len(x) == 1 else x[0].size for x in (a, b)]
    params = [m, n, k, chunk_of(k, splits, constants), splits, *steps, *end]
    buffers = [a, b, *operands, Out((batch, splits, m, n))]
    groups = (*groups_of(tiles_of(m, n, constants)), batch * splits)
    (c,) = gpu.run("matmul", constants, buffers, params, groups, ending)
    return c


def normal(*shape):
    return np.random.default_rng(shape[-1]).normal(size=shape).astype("f")


def near(c, expected, k):
    np.testing.assert_allclose(c, expected, rtol=1e-5, atol=4e-6 * k**0.5 + 1e-6)


@pytest.mark.parametrize("along_k", [(1, 0), (0, 0), (1, 1), (0, 1)])
@few_cases
@given(m=DIMS, n=DIMS, k=DIMS, tile=st.sampled_from(sorted(TILES)))
def test_products_with_each_order_of_axes(gpu, along_k, m, n, k, tile):
    a, b = normal(1, m, k), normal(1, k, n)
    c = matmul(
        gpu, a if along_k[0] else a.swapaxes(1, 2).copy(), b.swapaxes(1, 2).copy() if along_k[1] else b, tile, along_k
    )
    near(c[0, 0], a[0].astype("d") @ b[0], k)


@few_cases
@given(m=DIMS, n=DIMS, k=st.integers(1, 700), splits=st.integers(1, 9))
def test_splits_add_up(gpu, m, n, k, splits):
    a, b = normal(1, m, k), normal(1, k, n)
    c = matmul(gpu, a, b, "small", splits=splits)
    near(c[0].sum(0), a[0].astype("d") @ b[0], k)


@few_cases
@given(batch=st.integers(1, 6), m=DIMS, n=DIMS, k=DIMS, shared=st.sampled_from(["", "a", "b"]))
def test_batches_may_share_a_matrix(gpu, batch, m, n, k, shared):
    a, b = normal(1 if shared == "a" else batch, m, k), normal(1 if shared == "b" else batch, k, n)
    c = matmul(gpu, a, b, "middle")
    near(c[:, 0], a.astype("d") @ b, k)


# max(result + row[n], 0) * scale + full[at], in the place of lib/end.wgsl.
ENDING = """
//!default C_VEC 0
//!if C_VEC
@group(0) @binding(2) var<storage, read_write> row: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> full: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> o: array<vec4<f32>>;
fn finish(at: u32, n: u32, cols: u32, v: vec4<f32>) {
    o[at / 4u] = max(v + row[n / 4u], vec4<f32>()) * bitcast<f32>(p.end0) + full[at / 4u];
}
//!else
@group(0) @binding(2) var<storage, read_write> row: array<f32>;
@group(0) @binding(3) var<storage, read_write> full: array<f32>;
@group(0) @binding(4) var<storage, read_write> o: array<f32>;
fn finish_one(at: u32, n: u32, v: f32) {
    o[at] = max(v + row[n], 0.0) * bitcast<f32>(p.end0) + full[at];
}
fn finish(at: u32, n: u32, cols: u32, v: vec4<f32>) {
//!for e in 0..4
    if n + $eu < cols {
        finish_one(at + $eu, n + $eu, v[$e]);
    }
//!end
}
//!end
"""


@few_cases
@given(batch=st.integers(1, 3), m=DIMS, n=DIMS, k=DIMS)
def test_a_formula_may_end_a_product(gpu, batch, m, n, k):
    a, b, row, full = normal(batch, m, k), normal(batch, k, n), normal(n), normal(batch, m, n)
    c = matmul(gpu, a, b, "middle", ending=ENDING, operands=[row, full], end=[0.5])
    near(c[:, 0], (a.astype("d") @ b + row).clip(0) * 0.5 + full, k)


@few_cases
@given(batch=st.integers(1, 3), outputs=st.integers(1, 90), k=st.integers(1, 300))
def test_a_formula_may_end_a_vector_times_a_matrix(gpu, batch, outputs, k):
    vector, matrix, row, full = normal(batch, k), normal(batch, k, outputs), normal(outputs), normal(batch, outputs)
    count = batch * outputs
    params = [count, outputs, k, 1, k, k, outputs * k, 0.5]
    buffers = [vector, matrix, row, full, Out((batch, outputs))]
    constants = {"STRIDED": 1, "LANES": 32}
    (y,) = gpu.run("matvec", constants, buffers, params, groups_of(-(-count // 8)), ENDING)
    near(y, ((vector[:, None].astype("d") @ matrix)[:, 0] + row).clip(0) * 0.5 + full, k)


def test_what_lies_outside_a_tile_does_not_reach_its_sums(gpu):
    a, b = np.full((1, 5, 3), np.inf, "f"), np.ones((1, 3, 5), "f")
    assert (matmul(gpu, a, b, "middle") == np.inf).all()
    assert (matmul(gpu, b, a.swapaxes(1, 2).copy(), "small", (0, 1)) == np.inf).all()


@pytest.mark.parametrize("strided", [0, 1])
@cases
@given(
    batch=st.integers(1, 3),
    outputs=st.integers(1, 90),
    k=st.integers(1, 700),
    lanes=st.sampled_from([256, 32, 4]),
    chunks=st.integers(1, 4),
    shared=st.booleans(),
)
def test_a_vector_times_a_matrix(gpu, strided, batch, outputs, k, lanes, chunks, shared):
    vector, matrix = normal(batch, k), normal(1 if shared else batch, k, outputs)
    there = matrix if strided else matrix.swapaxes(1, 2).copy()
    fours = int((outputs if strided else k) % 4 == 0)
    across, along = (4 if fours and strided else 1), (4 if fours and not strided else 1)
    count, length = batch * chunks * outputs // across, k // along
    steps = [k // along, 0 if shared else outputs * k // across // along]
    params = [count, outputs // across, length, chunks, -(-length // chunks), *steps]
    constants = {"STRIDED": strided, "LANES": lanes, "FOURS": fours, "TREE_VEC": across // 4, "C_VEC": across // 4}
    groups = groups_of(-(-count // (256 // lanes)))
    (y,) = gpu.run("matvec", constants, [vector, there, Out((batch, chunks, outputs))], params, groups)
    near(y.sum(1), (vector[:, None].astype("d") @ matrix)[:, 0], k)
