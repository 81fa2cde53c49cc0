import numpy as np
import pytest
from hypothesis import given, strategies as st

from .witness import Out, cases, groups_1d, groups_of

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 40), st.sampled_from([1, 1, 2, 7, 60]))
EPSILON = np.float32(1e-3)


def normal(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape).astype("f")


def moments(x):
    x = x.astype("d")
    return x.mean((0, 2)).astype("f"), x.var((0, 2)).astype("f")


def sums_of(gpu, x, mean, dy=None, chunks=1, lanes=32):
    """x [outer, channels, inner]; the result [1 or 2, chunks, channels]."""
    outer, channels, inner = x.shape
    positions = outer * inner
    width = 4 if inner == 1 and channels % 4 == 0 else 1
    constants = {"GRADIENT": int(dy is not None), "LANES": lanes, "STRIDED": int(inner == 1)}
    constants["TREE_VEC"] = int(width == 4)
    buffers = [x, mean] + ([] if dy is None else [dy]) + [Out((1 if dy is None else 2, chunks, channels))]
    params = [positions, channels // width, inner, chunks, -(-positions // chunks)]
    groups = groups_of(-(-chunks * channels // width // (256 // lanes)))
    return gpu.run("channel_sums", constants, buffers, params, groups)[0]


def moments_of(gpu, buffers, channels, chunks, positions, lanes=16):
    constants = {"GRADIENT": int(len(buffers) == 5), "LANES": lanes, "STRIDED": 1}
    params = [channels, chunks, positions, EPSILON]
    return gpu.run("channel_moments", constants, buffers, params, groups_of(-(-channels // (256 // lanes))))


def by_fours(shape):
    """The constant and the groups of elementwise shaders over [outer, channels, inner]."""
    is_vec = shape[1] % 4 == 0 and shape[2] == 1
    return {"C_VEC": int(is_vec)}, groups_1d(np.prod(shape) // (4 if is_vec else 1))


@cases
@given(shape=SHAPES, chunks=st.integers(1, 4), lanes=st.sampled_from([256, 32, 4]))
def test_squares_are_summed_by_channel(gpu, shape, chunks, lanes):
    x = normal(*shape)
    mean, variance = moments(x)
    parts = sums_of(gpu, x, mean, None, chunks, lanes)
    positions = x.size // len(mean)
    got = moments_of(gpu, [parts, Out(mean.shape), Out(mean.shape)], len(mean), chunks, positions)
    np.testing.assert_allclose(got[0], variance, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got[1], variance * (positions / max(positions - 1, 1)), rtol=1e-5, atol=1e-6)


@cases
@given(shape=SHAPES)
def test_the_image_is_normalized(gpu, shape):
    x, scale, offset = normal(*shape), normal(shape[1]), normal(shape[1])
    mean, variance = moments(x)
    params = [x.size, shape[1], shape[2], EPSILON]
    constants, groups = by_fours(x.shape)
    (y,) = gpu.run("batch_norm", constants, [x, scale, offset, mean, variance, Out(x.shape)], params, groups)
    factor = scale / np.sqrt(variance + EPSILON)
    expected = (x - mean[:, None]) * factor[:, None] + offset[:, None]
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("training", [True, False])
@cases
@given(shape=SHAPES)
def test_gradients(gpu, training, shape):
    x, scale, dy = normal(*shape), normal(shape[1]), normal(*shape)[::-1].copy()
    mean, variance = moments(x)
    positions = x.size // shape[1]
    parts = sums_of(gpu, x, mean, dy, 3)
    outs = [Out((2, shape[1])), Out(scale.shape), Out(scale.shape)]
    sums, d_scale, d_offset = moments_of(gpu, [parts, variance, *outs], shape[1], 3, positions)
    share = np.float32(1 / positions if training else 0)
    buffers = [dy, x, scale, mean, variance, sums, Out(x.shape)]
    params = [x.size, shape[1], shape[2], EPSILON, share]
    constants, groups = by_fours(x.shape)
    (dx,) = gpu.run("batch_norm_gradient", constants, buffers, params, groups)
    root = np.sqrt(variance.astype("d") + EPSILON)[:, None]
    hat = (x - mean.astype("d")[:, None]) / root
    np.testing.assert_allclose(d_offset, dy.astype("d").sum((0, 2)), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(d_scale, (dy * hat).sum((0, 2)), rtol=1e-5, atol=1e-4)
    centred = dy.astype("d")
    if training:
        # What mean and variance carry back; the variance is seen through the root with epsilon.
        centred = centred - dy.mean((0, 2), "d")[:, None] - hat * (dy * hat).mean((0, 2))[:, None]
    np.testing.assert_allclose(dx, scale[:, None] / root * centred, rtol=1e-4, atol=1e-4)
