import numpy as np
from hypothesis import given, strategies as st

from .witness import Out, cases, groups_1d

SIZES = st.integers(1, 70)


@cases
@given(outer=SIZES, channels=SIZES, inner=st.integers(1, 9))
def test_bias_add_adds_each_channels_bias(gpu, outer, channels, inner):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(outer, channels, inner)).astype("f")
    bias = rng.normal(size=channels).astype("f")
    params = [x.size, channels, inner]
    (y,) = gpu.run("bias_add", {}, [x, bias, Out(x.shape)], params, groups_1d(x.size))
    np.testing.assert_array_equal(y, x + bias[:, None])
