"""Sorting, and rows put together by indices that only the device knows, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from . import witness
from .test_optimizer import HOW


def pairs_of(keys):
    return np.stack([keys, np.arange(len(keys))], 1).astype(np.uint32)


def in_order(keys):
    return pairs_of(keys)[np.argsort(keys, kind="stable")]


def keys_of(count, limit, seed=0):
    return np.random.default_rng(seed).integers(0, limit, count).astype(np.uint32)


limits = st.sampled_from([1, 2, 9, 256, 257, 70_000, 2**24, 2**32])
counts = st.sampled_from([1, 2, 31, 33, 255, 256, 257, 1000, 5000])


def digits_of(limit):
    return max(1, -(-int(limit - 1).bit_length() // 8))


@witness.cases
@given(counts, limits, st.integers(0, 9))
def test_one_workgroup_sorts_by_all_digits(gpu, count, limit, seed):
    keys = keys_of(count, limit, seed)
    digits = digits_of(limit)
    params = [count, -(-count // 256), 1, digits]
    other = witness.InOut(np.zeros((count, 2), np.uint32))
    both = gpu.run("sort", {"MODE": 2}, [witness.InOut(pairs_of(keys)), other], params, 1)
    np.testing.assert_array_equal(both[digits % 2], in_order(keys))


@witness.cases
@given(counts, limits, st.sampled_from([1, 2, 3]))
def test_workgroups_sort_by_a_digit_each(gpu, count, limit, tiles):
    keys = keys_of(count, limit)
    groups = -(-count // (256 * tiles))
    pairs = pairs_of(keys)
    for digit in range(digits_of(limit)):
        params = [count, tiles, groups, 8 * digit]
        table = gpu.run("sort", {"MODE": 0}, [pairs, witness.Out((groups, 256), np.uint32)], params, groups)[0]
        of_digit = (pairs[:, 0] >> (8 * digit)) & 255
        np.testing.assert_array_equal(table.sum(0), np.bincount(of_digit, minlength=256))
        pairs = gpu.run("sort", {}, [pairs, table, witness.Out(pairs.shape, np.uint32)], params, groups)[0]
    np.testing.assert_array_equal(pairs, in_order(keys))


def row_keys(gpu, indices, dims, constants=()):
    """What the shader makes of index vectors, and what it notes."""
    count, depth = indices.shape
    steps = [int(np.prod(dims[k + 1 : depth])) for k in range(depth)]
    limit = int(np.prod(dims[:depth]))
    params = [count, limit, 1, 0, *np.stack([dims[:depth], steps], 1).ravel()]
    constants = {"DEPTH": depth, "INDEX_WIDTH": indices.itemsize, "PAIRS": 1, **dict(constants)}
    made = witness.Out((count, 2) if constants["PAIRS"] else (count,), np.uint32)
    checks = witness.InOut(np.zeros(4, np.uint32))
    return gpu.run("row_keys", constants, [indices, made, checks], params, witness.groups_1d(count))


@witness.cases
@given(counts, st.sampled_from([1, 2, 3, 4]), st.sampled_from(["i4", "i8"]), st.sampled_from([0, 1]))
def test_index_vectors_name_rows(gpu, count, depth, index_type, pairs):
    dims = [5, 3, 4, 7][:depth]
    rng = np.random.default_rng(count)
    indices = np.stack([rng.integers(0, d, count) for d in dims], 1).astype(index_type)
    expected = np.ravel_multi_index(indices.T, dims)
    got, checks = row_keys(gpu, indices, dims, {"PAIRS": pairs})
    np.testing.assert_array_equal(got, pairs_of(expected) if pairs else expected)
    assert not checks.any()


def unpacked(words, depth):
    packed, bits = int(words[1]) << 32 | int(words[0]), 64 // depth
    fields = [(packed >> (bits * (depth - 1 - k))) & (2**bits - 1) for k in range(depth)]
    return [f - 2**bits if f >> (bits - 1) else f for f in fields]


@pytest.mark.parametrize("index_type", ["i4", "i8"])
@pytest.mark.parametrize("vector", [[-1], [5], [2, 3], [-7, 1], [4, -1, 0], [1, 2, 99], [0, 0, 4, -3]], ids=str)
def test_a_vector_that_names_nothing_is_noted(gpu, vector, index_type):
    dims = [5, 3, 4, 7][: len(vector)]
    indices = np.array([[0] * len(vector), vector], index_type)
    got, checks = row_keys(gpu, indices, dims)
    assert got.tolist() == [[0, 0], [np.prod(dims), 1]]
    assert checks[:2].tolist() == [1, 1]
    assert unpacked(checks[2:], len(vector)) == vector


def test_numbers_beyond_their_bits_are_noted_as_the_largest(gpu):
    _, checks = row_keys(gpu, np.array([[2**40, -(2**40), 0]]), [5, 3, 4])
    assert unpacked(checks[2:], 3) == [2**20 - 1, -(2**20), 0]
    _, checks = row_keys(gpu, np.array([[2**40]]), [5])
    assert unpacked(checks[2:], 1) == [2**40]


def test_negative_rows_go_nowhere_where_that_is_meant(gpu):
    got, checks = row_keys(gpu, np.array([[3], [-1], [0]], np.int32), [4], {"DROP": 1})
    assert got.tolist() == [[3, 0], [4, 1], [0, 2]]
    assert not checks.any()
    _, checks = row_keys(gpu, np.array([[3], [4]], np.int32), [4], {"DROP": 1})
    assert checks[:3].tolist() == [1, 1, 4]


def test_each_image_has_rows_of_its_own(gpu):
    indices, checks = np.array([3, 0, 3, 1]), witness.InOut(np.zeros(4, np.uint32))
    made = witness.Out((4, 2), np.uint32)
    got = gpu.run("row_keys", {"INDEX_WIDTH": 8}, [indices, made, checks], [4, 8, 2, 4, 4, 1], 1)[0]
    assert got[:, 0].tolist() == [3, 0, 7, 5]


@witness.cases
@given(st.sampled_from(sorted(HOW)), st.lists(st.integers(0, 9), min_size=1, max_size=40), st.sampled_from([1, 3, 64]))
def test_sorted_rows_are_put_together_in_order(gpu, how, rows, block):
    rng = np.random.default_rng(len(rows))
    updates = rng.uniform(0.5, 2, (len(rows), block)).astype(np.float32)
    made = rng.uniform(0.5, 2, (9, block)).astype(np.float32)
    expected = made.copy()
    for at, row in zip(rows, updates, strict=True):
        if at < 9:
            expected[at] = HOW[how](expected[at], row)
    pairs, got = in_order(np.array(rows)), made
    for first in range(0, len(rows), 16):
        end = min(first + 16, len(rows))
        count = (end - first) * block
        buffers = [updates, pairs, witness.InOut(got)]
        constants, params = {"HOW": how, "SORTED": 1}, [count, block, end, 9, first]
        got = gpu.run("segments", constants, buffers, params, witness.groups_1d(count))[0]
    np.testing.assert_allclose(got, expected, rtol=1e-6)
