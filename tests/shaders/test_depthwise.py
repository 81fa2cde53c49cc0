import numpy as np
from hypothesis import assume, given, strategies as st

from .test_conv2d import WINDOWS, near, normal
from .windows import patches, spread
from .witness import Out, cases, groups_1d, groups_of

SMALL = st.integers(1, 5)


def parameters(count, rows, cols, channels, multiplier, positions, chunks=1):
    sizes = [count, rows.size, cols.size, channels, multiplier, rows.out, cols.out, rows.filter, cols.filter]
    steps = [rows.stride, cols.stride, rows.dilation, cols.dilation, rows.before, cols.before]
    return [*sizes, *steps, -(-positions // chunks), positions]


@cases
@given(batch=SMALL, rows=WINDOWS, cols=WINDOWS, channels=SMALL, multiplier=SMALL, chunks=SMALL)
def test_depthwise_and_its_gradients(gpu, batch, rows, cols, channels, multiplier, chunks):
    assume(rows.out > 0 and cols.out > 0)
    x, weights = normal(batch, rows.size, cols.size, channels), normal(rows.filter, cols.filter, channels, multiplier)
    out = (batch, rows.out, cols.out, channels, multiplier)
    dy = normal(*out)
    positions = batch * rows.out * cols.out
    taps = rows.filter * cols.filter

    def sized(count, chunks=1):
        return parameters(count, rows, cols, channels, multiplier, positions, chunks)

    seen = patches(x, rows, cols)
    (y,) = gpu.run("depthwise", {"PART": 0}, [x, weights, Out(out)], sized(dy.size), groups_1d(dy.size))
    near(y, np.einsum("byxijc,ijcm->byxcm", seen, weights.astype("d")), taps)
    (dx,) = gpu.run("depthwise", {"PART": 1}, [dy, weights, Out(x.shape)], sized(x.size), groups_1d(x.size))
    near(
        dx, spread(np.einsum("byxcm,ijcm->byxijc", dy.astype("d"), weights.astype("d")), rows, cols), taps * multiplier
    )
    count = chunks * weights.size
    buffers = [x, dy, Out((chunks, *weights.shape))]
    (dw,) = gpu.run("depthwise", {"PART": 2}, buffers, sized(count, chunks), groups_of(-(-count // 64)))
    near(dw.sum(0), np.einsum("byxijc,byxcm->ijcm", seen, dy.astype("d")), positions)
