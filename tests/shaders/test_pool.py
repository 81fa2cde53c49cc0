import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from .windows import Window, patches, spread
from .witness import Out, cases, groups_1d

WINDOWS = st.builds(
    Window,
    size=st.integers(1, 14),
    filter=st.integers(1, 5),
    stride=st.integers(1, 4),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
)


def is_whole(rows, cols):
    """Whether there are windows, each with something inside, as TensorFlow's paddings make them."""
    return all(w.out > 0 and w.before < w.filter and w.after < w.filter for w in (rows, cols))


def parameters(count, rows, cols, channels):
    sizes = [count, rows.size, cols.size, channels, rows.out, cols.out, rows.filter, cols.filter]
    return [*sizes, rows.stride, cols.stride, rows.before, cols.before]


def image(batch, rows, cols, channels, ties):
    x = np.random.default_rng(0).normal(size=(batch, rows.size, cols.size, channels)).astype("f")
    return x.round() if ties else x


@pytest.mark.parametrize("average", [0, 1])
@cases
@given(batch=st.integers(1, 3), rows=WINDOWS, cols=WINDOWS, channels=st.integers(1, 9))
def test_pools(gpu, average, batch, rows, cols, channels):
    assume(is_whole(rows, cols))
    x = image(batch, rows, cols, channels, False)
    out = Out((batch, rows.out, cols.out, channels))
    width = 1 if channels % 4 else 4
    count = int(np.prod(out.shape)) // width
    constants = {"AVERAGE": average, "VEC": int(width == 4)}
    (y,) = gpu.run("pool", constants, [x, out], parameters(count, rows, cols, channels // width), groups_1d(count))
    seen = patches(x, rows, cols, np.nan)
    expected = np.nanmean(seen, (3, 4)) if average else np.nanmax(seen, (3, 4))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_maxima_pass_nan_over(gpu):
    x = np.array([[1, np.nan, 3, 4, -np.inf, np.inf]], "f").reshape(1, 1, 6, 1)
    params = parameters(3, Window(1, 1), Window(6, 2, 2), 1)
    (y,) = gpu.run("pool", {}, [x, Out((3,))], params, 1)
    np.testing.assert_array_equal(y, [1, 4, np.inf])


@pytest.mark.parametrize("words", [1, 2])
@pytest.mark.parametrize("batched", [0, 1])
@cases
@given(batch=st.integers(1, 3), rows=WINDOWS, cols=WINDOWS, channels=st.integers(1, 9))
def test_places_of_maxima(gpu, words, batched, batch, rows, cols, channels):
    assume(is_whole(rows, cols))
    x = image(batch, rows, cols, channels, True)
    shape = (batch, rows.out, cols.out, channels)
    outs = [Out(shape), Out(shape, np.int64 if words == 2 else np.int32)]
    count = int(np.prod(shape))
    params = [*parameters(count, rows, cols, channels), batched]
    y, places = gpu.run("pool", {"PLACES": words}, [x, *outs], params, groups_1d(count))
    seen = patches(x, rows, cols, -np.inf)
    ahead = 0 if batched else np.arange(batch).reshape(-1, 1, 1, 1) * x[0].size
    np.testing.assert_array_equal(y, seen.max((3, 4)))
    np.testing.assert_array_equal(x.ravel()[places + ahead], y)
    index = np.arange(x.size, dtype=np.float64).reshape(x.shape)
    indices = patches(index, rows, cols, np.inf)
    first = np.where(seen == y[:, :, :, None, None], indices, np.inf).min((3, 4))
    np.testing.assert_array_equal(places + ahead, first)


@pytest.mark.parametrize("average", [0, 1])
@cases
@given(batch=st.integers(1, 3), rows=WINDOWS, cols=WINDOWS, channels=st.integers(1, 9), ties=st.booleans())
def test_gradients(gpu, average, batch, rows, cols, channels, ties):
    assume(is_whole(rows, cols))
    x = image(batch, rows, cols, channels, ties)
    seen = patches(x, rows, cols, np.nan)
    dy = np.random.default_rng(1).normal(size=(batch, rows.out, cols.out, channels)).astype("f")
    inside = ~np.isnan(seen)
    flat = seen.reshape(*seen.shape[:3], -1, channels)
    first = np.nanargmax(flat, 3)[..., None, :] == np.arange(flat.shape[3])[:, None]
    weight = inside / inside.sum((3, 4), keepdims=True) if average else first.reshape(seen.shape)
    y = np.nanmax(seen, (3, 4)).astype("f")
    buffers = [dy, Out(x.shape)] if average else [x, y, dy, Out(x.shape)]
    width = 1 if channels % 4 else 4
    constants = {"AVERAGE": average, "END": 1 if average else 3, "C_VEC": int(width == 4)}
    params = parameters(x.size // width, rows, cols, channels // width)
    (dx,) = gpu.run("pool_gradient", constants, buffers, params, groups_1d(x.size // width))
    expected = spread(dy[:, :, :, None, None] * weight, rows, cols)
    np.testing.assert_allclose(dx, expected, rtol=1e-5, atol=1e-5)
