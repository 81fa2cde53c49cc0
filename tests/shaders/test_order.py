"""The largest elements, against NumPy: looked for, sorted, and counted."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from . import witness

rows_and_lengths = st.tuples(st.sampled_from([1, 2, 5, 33]), st.sampled_from([1, 2, 7, 40, 300]))


def scores(rows, length, dtype, seed=0):
    """Numbers with many equal ones among them."""
    return np.random.default_rng(seed).integers(-9, 9, (rows, length)).astype(dtype)


def expected(x, k):
    order = np.argsort(-x.astype(np.float64), axis=1, kind="stable")[:, :k]
    return np.take_along_axis(x, order, 1), order


def outs(rows, k, dtype):
    return [witness.Out((rows, k), dtype), witness.Out((rows, k), np.int32)]


@witness.cases
@given(
    rows_and_lengths, st.sampled_from([1, 3, 8]), st.sampled_from([np.float32, np.int32]), st.sampled_from([4, 32, 256])
)
def test_the_largest_are_found_one_after_the_other(gpu, shape, k, dtype, lanes):
    rows, length = shape
    x, k = scores(rows, length, dtype), min(k, length)
    constants = {"WHOLE": int(dtype == np.int32), "LANES": lanes}
    got = gpu.run("top_k", constants, [x, *outs(rows, k, dtype)], [rows, length, k], -(-rows // (256 // lanes)))
    for a, b in zip(got, expected(x, k), strict=True):
        np.testing.assert_array_equal(a, b)


@witness.cases
@given(rows_and_lengths, st.sampled_from([np.float32, np.int32]))
def test_the_largest_come_out_of_sorted_pairs(gpu, shape, dtype):
    rows, length = shape
    x = scores(rows, length, dtype)
    k, whole = length, {"WHOLE": int(dtype == np.int32)}
    groups = witness.groups_1d(x.size)
    pairs = witness.Out((x.size, 2), np.uint32)
    pairs = gpu.run("top_k_pairs", {"PART": 0, **whole}, [x, pairs], [x.size, length, 2], groups)[0]
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    pairs = gpu.run("top_k_pairs", {"PART": 1, **whole}, [witness.InOut(pairs)], [x.size, length, k], groups)[0]
    np.testing.assert_array_equal(pairs[:, 0], pairs[:, 1] // length)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    buffers = [x, pairs, *outs(rows, k, dtype)]
    got = gpu.run("top_k_pairs", {"PART": 2, **whole}, buffers, [rows * k, length, k], groups)
    for a, b in zip(got, expected(x, k), strict=True):
        np.testing.assert_array_equal(a, b)


def test_zeros_are_equal_and_nan_is_the_largest_but_alone(gpu):
    x = np.array([[-0.0, 1, 0.0, np.inf, np.nan, -np.inf]], np.float32)

    def found(k):
        return gpu.run("top_k", {"LANES": 4}, [x, *outs(1, k, np.float32)], [1, 6, k], 1)[1].tolist()

    assert found(6) == [[4, 3, 1, 0, 2, 5]]
    assert found(1) == [[3]]


@witness.cases
@given(rows_and_lengths, st.sampled_from([1, 2, 5]), st.sampled_from(["i4", "i8"]))
def test_targets_among_the_best_are_found(gpu, shape, k, index_type):
    rows, length = shape
    x = scores(rows, length, np.float32)
    x[rows // 2, 0] = np.nan
    targets = np.random.default_rng(2).integers(-1, length + 1, rows).astype(index_type)
    wanted = []
    for row, target in zip(x, targets, strict=True):
        is_there = 0 <= target < length and np.isfinite(row).all()
        wanted.append(bool(is_there and (row > row[target]).sum() < k))
    constants = {"INDEX_WIDTH": targets.itemsize}
    out = witness.Out((rows,), np.bool_)
    got = gpu.run("in_top_k", constants, [x, targets, out], [rows, length, k], witness.groups_of(-(-rows // 32)))[0]
    np.testing.assert_array_equal(got, wanted)


def test_what_is_not_finite_is_noted(gpu):
    for x, found in (([1, -2, 0], [0, 0]), ([1, np.inf], [1, 0]), ([np.nan], [0, 1]), ([np.nan, -np.inf], [1, 1])):
        checks = witness.InOut(np.zeros(4, np.uint32))
        got = gpu.run("check_numerics", {}, [np.array(x, np.float32), checks], [len(x)], 1)[0]
        assert got[1:3].tolist() == found
        assert got[0] == any(found)


@pytest.mark.parametrize("band", [(0, 0), (1, 0), (0, 2), (9, 0), (9, 9), (2, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_bands_are_kept(gpu, band, dtype):
    x = np.arange(1, 3 * 5 * 7 + 1).reshape(3, 5, 7).astype(dtype)
    wanted = np.stack([np.tril(np.triu(m, -band[0]), band[1]) for m in x])
    width = x.itemsize
    groups = witness.groups_1d(-(-x.size // 4) if width == 1 else x.size)
    got = gpu.run("band", {"WIDTH": width}, [x, witness.Out(x.shape, dtype)], [x.size, 5, 7, *band], groups)[0]
    np.testing.assert_array_equal(got, wanted)
