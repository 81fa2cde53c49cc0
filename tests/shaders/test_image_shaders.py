import colorsys
import itertools

import numpy as np
from hypothesis import given, strategies as st

from .witness import Out, cases, groups_1d


def tables(maps):
    """Taps of the rows of both matrices [out, in]: starts, places and weights as resize.wgsl reads them."""
    starts, places, weights = [0], [], []
    for row in itertools.chain(*maps):
        used = np.flatnonzero(row)
        places += list(used)
        weights += list(row[used])
        starts.append(len(places))
    return np.array(starts, "u4"), np.array(places, "u4"), np.array(weights, "f")


@cases
@given(
    sizes=st.tuples(*[st.integers(1, 12)] * 4),
    batch=st.integers(1, 3),
    channels=st.integers(1, 5),
    dense=st.floats(0, 1),
)
def test_rows_and_columns_are_put_together_by_weights(gpu, sizes, batch, channels, dense):
    height, width, rows, cols = sizes
    rng = np.random.default_rng(0)
    maps = [(rng.normal(size=s) * (rng.random(size=s) < dense)).astype("f") for s in [(rows, height), (cols, width)]]
    x = rng.normal(size=(batch, height, width, channels)).astype("f")
    out = Out((batch, rows, cols, channels))
    params = [batch * rows * cols * channels, height, width, channels, rows, cols]
    (y,) = gpu.run("resize", {}, [x, *tables(maps), out], params, groups_1d(params[0]))
    expected = np.einsum("rh,cw,bhwk->brck", *[m.astype("d") for m in [*maps, x]])
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


@cases
@given(sizes=st.tuples(*[st.integers(1, 12)] * 4), channels=st.integers(1, 5))
def test_elements_of_any_four_bytes_are_moved(gpu, sizes, channels):
    height, width, rows, cols = sizes
    rng = np.random.default_rng(0)
    ys, xs = rng.integers(height, size=rows), rng.integers(width, size=cols)
    x = rng.integers(-(2**31), 2**31, size=(2, height, width, channels), dtype=np.int32)
    starts, places, weights = tables([np.eye(height)[ys], np.eye(width)[xs]])
    params = [2 * rows * cols * channels, height, width, channels, rows, cols]
    buffers = [x, starts, places, weights, Out((2, rows, cols, channels), np.int32)]
    (y,) = gpu.run("resize", {"COPY": 1}, buffers, params, groups_1d(params[0]))
    np.testing.assert_array_equal(y, x[:, ys][:, :, xs])


def norms(x, radius, bias, alpha):
    around = np.abs(np.subtract.outer(np.arange(x.shape[1]), np.arange(x.shape[1]))) <= radius
    return bias + alpha * (x * x) @ around, around


@cases
@given(
    pixels=st.integers(1, 30),
    channels=st.integers(1, 40),
    radius=st.integers(0, 6),
    settings=st.tuples(st.floats(0.5, 2), st.floats(0, 2), st.floats(0.1, 1)),
)
def test_local_response_normalization(gpu, pixels, channels, radius, settings):
    bias, alpha, beta = (float(np.float32(s)) for s in settings)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, pixels, channels)).astype("f")
    params = [x.size, channels, radius, *map(np.float32, (bias, alpha, beta))]
    (y,) = gpu.run("lrn", {}, [x, Out(x.shape)], params, groups_1d(x.size))
    norm, around = norms(x.astype("d"), radius, bias, alpha)
    np.testing.assert_allclose(y, x * norm**-beta, rtol=2e-5)
    (dx,) = gpu.run("lrn", {"GRADIENT": 1}, [dy, x, y, Out(x.shape)], params, groups_1d(x.size))
    back = dy * norm**-beta - 2 * alpha * beta * x * ((dy * x * norm ** (-beta - 1)) @ around)
    np.testing.assert_allclose(dx, back, rtol=1e-4, atol=1e-5)


def colors(gpu, kind, x, amount=0.0):
    params = [len(x), float(amount)]
    return gpu.run("colors", {"KIND": kind}, [x, Out(x.shape)], params, groups_1d(len(x)))[0]


def hues(x):
    return [colorsys.rgb_to_hsv(*map(float, pixel)) for pixel in x]


def test_colours_are_turned_and_come_back(gpu):
    x = np.random.default_rng(0).uniform(0, 1, (500, 3)).astype(np.float32)
    x[:4] = [[0, 0, 0], [1, 1, 1], [1, 0, 0], [0.2, 0.2, 0.7]]
    hsv = colors(gpu, 0, x)
    np.testing.assert_allclose(hsv, hues(x), atol=1e-5)
    np.testing.assert_allclose(colors(gpu, 1, hsv), x, atol=1e-5)
    for kind, change in ((2, lambda h, s, v: ((h + 0.3) % 1, s, v)), (3, lambda h, s, v: (h, min(1, s * 1.5), v))):
        wanted = [colorsys.hsv_to_rgb(*change(*pixel)) for pixel in hues(x)]
        np.testing.assert_allclose(colors(gpu, kind, x, {2: 0.3, 3: 1.5}[kind]), wanted, atol=1e-5)
