import numpy as np
import pytest
from hypothesis import given, strategies as st

from .witness import Out, cases, groups_of

KINDS = {"sum": 0, "prod": 1, "max": 2, "min": 3}
SIZES = st.tuples(st.integers(1, 12), st.integers(0, 700), st.integers(1, 80))
LANES = st.sampled_from([256, 64, 32, 4, 1])


def reduce(gpu, x, kind, lanes, strided=0, chunks=1, mean=0, square=0):
    outer, length, inner = x.shape
    constants = {"KIND": KINDS[kind], "LANES": lanes, "STRIDED": strided, "MEAN": mean, "SQUARE": square}
    constants |= {"INT": int(x.dtype == np.int32), "BYTES": int(x.dtype == bool)}
    fours = x.dtype == np.float32 and (inner if strided else length + inner - 1) % 4 == 0 and (strided or inner == 1)
    across, along = (4 if fours and strided else 1), (4 if fours and not strided else 1)
    constants |= {"VEC": int(fours), "C_VEC": int(fours and strided)}
    outputs = outer * chunks * inner // across
    params = [outputs, length // along, inner // across, chunks, -(-length // along // chunks), length]
    groups = groups_of(-(-outputs // (256 // lanes)))
    (y,) = gpu.run("reduce", constants, [x, Out((outer, chunks, inner), x.dtype)], params, groups)
    return y


@cases
@given(sizes=SIZES, lanes=LANES, strided=st.integers(0, 1))
def test_sums_along_a_middle_axis(gpu, sizes, lanes, strided):
    x = np.random.default_rng(0).normal(size=sizes).astype("f")
    y = reduce(gpu, x, "sum", lanes, strided)[:, 0]
    np.testing.assert_allclose(y, x.astype("d").sum(1), rtol=1e-5, atol=1e-4)


@cases
@given(length=st.integers(0, 5000), lanes=LANES, mean=st.integers(0, 1))
def test_sums_and_means_along_rows(gpu, length, lanes, mean):
    x = np.random.default_rng(0).normal(size=(3, length, 1)).astype("f")
    y = reduce(gpu, x, "sum", lanes, mean=mean)[:, 0]
    with np.errstate(all="ignore"):
        expected = x.astype("d").sum(1) / (length if mean else 1)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-4)


@cases
@given(sizes=SIZES, lanes=LANES)
def test_squares_are_summed(gpu, sizes, lanes):
    x = np.random.default_rng(0).normal(size=sizes).astype("f")
    y = reduce(gpu, x, "sum", lanes, square=1)[:, 0]
    np.testing.assert_allclose(y, (x.astype("d") ** 2).sum(1), rtol=1e-5)


@cases
@given(sizes=SIZES, chunks=st.integers(1, 9))
def test_chunks_are_summed_by_a_second_dispatch(gpu, sizes, chunks):
    x = np.random.default_rng(0).normal(size=sizes).astype("f")
    y = reduce(gpu, reduce(gpu, x, "sum", 32, 1, chunks), "sum", 4, 1)[:, 0]
    np.testing.assert_allclose(y, x.astype("d").sum(1), rtol=1e-5, atol=1e-4)


@cases
@given(
    sizes=SIZES,
    kind=st.sampled_from(["max", "min", "prod"]),
    lanes=LANES,
    strided=st.integers(0, 1),
    chunks=st.integers(1, 3),
)
def test_extremes_and_products_of_integers_are_exact(gpu, sizes, kind, lanes, strided, chunks):
    x = np.random.default_rng(0).integers(-(2**31), 2**31, size=sizes, dtype=np.int32)
    y = reduce(gpu, reduce(gpu, x, kind, lanes, strided, chunks), kind, 32)[:, 0]
    edges = {"max": -(2**31), "min": 2**31 - 1, "prod": 1}
    with np.errstate(all="ignore"):
        expected = getattr(np, kind)(x, 1, initial=np.int32(edges[kind]), **({"dtype": "i4"} if kind == "prod" else {}))
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("kind", ["max", "min"])
@cases
@given(
    length=st.integers(1, 600),
    lanes=LANES,
    special=st.lists(st.sampled_from([np.nan, np.inf, -np.inf, -0.0]), max_size=4),
)
def test_extremes_of_floats_pass_nan_over(gpu, kind, length, lanes, special):
    rng = np.random.default_rng(len(special))
    x = rng.normal(size=(2, length, 1)).astype("f")
    for value in special:
        x[0, rng.integers(length)] = value
    edge = -np.inf if kind == "max" else np.inf
    expected = getattr(np.where(np.isnan(x), edge, x), kind)(1)
    np.testing.assert_array_equal(reduce(gpu, x, kind, lanes)[:, 0], expected)


def test_extremes_of_nothing_are_infinite(gpu):
    x = np.zeros((2, 0, 3), "f")
    assert (reduce(gpu, x, "max", 32) == -np.inf).all()
    assert (reduce(gpu, x, "min", 32) == np.inf).all()


@cases
@given(sizes=SIZES, kind=st.sampled_from(["max", "min"]), lanes=st.sampled_from([64, 32, 4]), strided=st.integers(0, 1))
def test_any_and_all_are_extremes_of_bools(gpu, sizes, kind, lanes, strided):
    x = np.random.default_rng(0).random(size=sizes) < (0.001 if kind == "max" else 0.999)
    y = reduce(gpu, x, kind, lanes, strided)[:, 0]
    np.testing.assert_array_equal(y, x.any(1) if kind == "max" else x.all(1))
