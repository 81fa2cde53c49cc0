import numpy as np
import pytest
from hypothesis import given, strategies as st

from .witness import InOut, Out, cases, groups_of

ROWS = st.integers(1, 40)
COLS = st.integers(1, 600)
LANES = st.sampled_from([256, 32, 4])


def log_softmax(x):
    x = x.astype("d")
    x = x - x.max(1, keepdims=True)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def groups(rows, lanes):
    return groups_of(-(-rows // (256 // lanes)))


@pytest.mark.parametrize("log", [0, 1])
@cases
@given(rows=ROWS, cols=COLS, lanes=LANES, scale=st.sampled_from([0.1, 3.0, 80.0]))
def test_softmax_of_rows(gpu, log, rows, cols, lanes, scale):
    x = (np.random.default_rng(0).normal(size=(rows, cols)) * scale).astype("f")
    (y,) = gpu.run("softmax", {"LOG": log, "LANES": lanes}, [x, Out(x.shape)], [rows, cols], groups(rows, lanes))
    expected = log_softmax(x)
    np.testing.assert_allclose(y, expected if log else np.exp(expected), rtol=3e-5, atol=1e-6 * (scale if log else 1))


@cases
@given(rows=ROWS, cols=COLS, lanes=LANES, broadcast=st.sampled_from(["", "logits", "labels", "columns"]))
def test_cross_entropy_and_its_gradient(gpu, rows, cols, lanes, broadcast):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(1 if broadcast == "logits" else rows, cols)).astype("f")
    labels = rng.random(size=(1 if broadcast == "labels" else rows, 1 if broadcast == "columns" else cols)).astype("f")
    steps = [0 if len(logits) == 1 else cols, 1]
    steps += [0 if len(labels) == 1 else labels.shape[1], 0 if labels.shape[1] == 1 else 1]
    buffers = [logits, labels, Out((rows,)), Out((rows, cols))]
    loss, backprop = gpu.run("cross_entropy", {"LANES": lanes}, buffers, [rows, cols, *steps], groups(rows, lanes))
    logs = log_softmax(logits)
    np.testing.assert_allclose(loss, (-logs * labels).sum(1) + np.zeros(rows), rtol=3e-5, atol=1e-6)
    np.testing.assert_allclose(
        backprop, np.exp(logs) - labels.astype("d") + np.zeros((rows, cols)), rtol=3e-5, atol=1e-6
    )


@cases
@given(rows=ROWS, cols=COLS, lanes=LANES, dtype=st.sampled_from([np.int32, np.int64]), outside=st.booleans())
def test_sparse_cross_entropy_is_nan_where_the_label_is_outside(gpu, rows, cols, lanes, dtype, outside):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(rows, cols)).astype("f")
    labels = rng.integers(0, cols, size=rows).astype(dtype)
    if outside:
        labels[rng.integers(rows)] = rng.choice([-1, cols, 2**40 if dtype == np.int64 else 2**31 - 1])
    constants = {"SPARSE": 1, "LONG": int(dtype == np.int64), "LANES": lanes, "NOTED": 1}
    buffers = [logits, labels, Out((rows,)), Out((rows, cols)), InOut(np.zeros(4, np.uint32))]
    params = [rows, cols, cols, 1, 1, 0]
    loss, backprop, noted = gpu.run("cross_entropy", constants, buffers, params, groups(rows, lanes))
    logs = log_softmax(logits)
    hot = np.arange(cols) == labels[:, None]
    valid = ((labels >= 0) & (labels < cols))[:, None]
    assert noted[0] == (not valid.all())
    if noted[0]:
        at = int(noted[1])
        assert not valid[at]
        assert int(noted[2]) | int(noted[3]) << 32 == int(labels[at]) % 2**64
    np.testing.assert_allclose(loss, np.where(valid, -logs * hot, np.nan).sum(1), rtol=3e-5, atol=1e-6)
    np.testing.assert_allclose(backprop, np.where(valid, np.exp(logs) - hot, np.nan), rtol=3e-5, atol=1e-6)
