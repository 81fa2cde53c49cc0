import numpy as np
from hypothesis import assume, given, strategies as st

from .tiles import TILES, chunk_of, tiles_of
from .windows import Window, patches, spread
from .witness import Out, few_cases, groups_of

CHANNELS = st.sampled_from([1, 3, 4, 8, 20, 33])
WINDOWS = st.builds(
    Window,
    size=st.integers(1, 12),
    filter=st.integers(1, 5),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
)
TILE = st.sampled_from(["middle", "small"])


def normal(*shape):
    return np.random.default_rng(shape[-1]).normal(size=shape).astype("f")


def near(got, expected, k):
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=4e-6 * k**0.5 + 1e-6)


def vec(channels):
    return int(channels % 4 == 0)


def geometry(rows, cols, channels):
    """The parameters of lib/patches.wgsl for windows over an image."""
    sizes = [rows.size, cols.size, channels, rows.out, cols.out, cols.filter]
    return [*sizes, rows.stride, cols.stride, -rows.before, -cols.before, rows.dilation, cols.dilation]


@few_cases
@given(batch=st.integers(1, 3), rows=WINDOWS, cols=WINDOWS, channels=CHANNELS, n=CHANNELS, tile=TILE)
def test_forward(gpu, batch, rows, cols, channels, n, tile):
    assume(rows.out > 0 and cols.out > 0)
    x, kernel = normal(batch, rows.size, cols.size, channels), normal(rows.filter, cols.filter, channels, n)
    m, k = batch * rows.out * cols.out, rows.filter * cols.filter * channels
    constants = TILES[tile] | {"A_ALONG_K": 1, "X_VEC": vec(channels), "B_VEC": vec(n), "C_VEC": vec(n)}
    params = [m, n, k, chunk_of(k, 1, constants), 1, *geometry(rows, cols, channels)]
    (y,) = gpu.run("conv2d", constants, [x, kernel, Out((m, n))], params, groups_of(tiles_of(m, n, constants)))
    near(y, patches(x, rows, cols).reshape(m, k) @ kernel.reshape(k, n).astype("d"), k)


@few_cases
@given(batch=st.integers(1, 3), rows=WINDOWS, cols=WINDOWS, channels=CHANNELS, n=CHANNELS, splits=st.integers(1, 4))
def test_gradient_by_the_filter(gpu, batch, rows, cols, channels, n, splits):
    assume(rows.out > 0 and cols.out > 0)
    x, dy = normal(batch, rows.size, cols.size, channels), normal(batch, rows.out, cols.out, n)
    m, k = rows.filter * cols.filter * channels, batch * rows.out * cols.out
    constants = TILES["small"] | {"A_ALONG_K": 0, "X_VEC": vec(channels), "B_VEC": vec(n), "C_VEC": vec(n)}
    params = [m, n, k, chunk_of(k, splits, constants), splits, *geometry(rows, cols, channels)]
    groups = (*groups_of(tiles_of(m, n, constants)), splits)
    (y,) = gpu.run("conv2d", constants, [x, dy, Out((splits, m, n))], params, groups)
    near(y.sum(0), patches(x, rows, cols).reshape(k, m).T @ dy.reshape(k, n).astype("d"), k)


@few_cases
@given(batch=st.integers(1, 3), rows=WINDOWS, cols=WINDOWS, channels=CHANNELS, n=CHANNELS, tile=TILE)
def test_gradient_by_the_input(gpu, batch, rows, cols, channels, n, tile):
    assume(rows.out > 0 and cols.out > 0)
    dy, kernel = normal(batch, rows.out, cols.out, channels), normal(rows.filter, cols.filter, n, channels)
    constants = TILES[tile] | {"X_VEC": vec(channels), "C_VEC": vec(n)}
    params = [batch, n, rows.out, cols.out, channels, rows.filter, cols.filter, rows.size, cols.size]
    params += [rows.stride, cols.stride, rows.dilation, cols.dilation, rows.before, cols.before]
    m = batch * -(-rows.size // rows.stride) * -(-cols.size // cols.stride)
    phases = min(rows.stride, rows.size) * min(cols.stride, cols.size)
    groups = (*groups_of(tiles_of(m, n, constants)), phases)
    (got,) = gpu.run("conv2d_input", constants, [dy, kernel, Out((batch, rows.size, cols.size, n))], params, groups)
    windows = np.einsum("byxc,ijnc->byxijn", dy.astype("d"), kernel.astype("d"))
    near(got, spread(windows, rows, cols), channels * rows.filter * cols.filter)
