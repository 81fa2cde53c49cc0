import numpy as np
from hypothesis import given, strategies as st

from .witness import Out, cases, groups_of

SPECIAL = np.array([np.nan, -np.inf, np.inf, np.finfo("f").min, np.finfo("f").max, 0, -1, 1], "f")


def arg_reduce(gpu, x, least, lanes, strided, dtype, chunks=1):
    outer, length, inner = x.shape
    constants = {"LEAST": least, "INT": int(x.dtype == np.int32), "LONG": int(dtype == np.int64)}
    constants |= {"LANES": lanes, "STRIDED": strided}
    outs = 256 // lanes
    size = -(-length // chunks)
    if chunks == 1:
        params = [outer * inner, length, inner, 1, length]
        (y,) = gpu.run("arg_reduce", constants, [x, Out((outer, inner), dtype)], params, groups_of(-(-outer * inner // outs)))
        return y
    params = [outer * chunks * inner, length, inner, chunks, size]
    places = Out((outer, chunks, inner), np.int32)
    groups = groups_of(-(-params[0] // outs))
    (places,) = gpu.run("arg_reduce", constants | {"LONG": 0}, [x, places], params, groups)
    params[0] = outer * inner
    bindings = [x, Out((outer, inner), dtype), places]
    (y,) = gpu.run("arg_reduce", constants | {"AMONG": 1}, bindings, params, groups_of(-(-params[0] // outs)))
    return y


def one_by_one(column, least):
    """The rule said in TensorFlow's order: what is taken must beat what stands."""
    best, at = np.finfo("f").max if least else np.finfo("f").min, 0
    for place, value in enumerate(column):
        if value < best if least else value > best:
            best, at = value, place
    return at


@cases
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 400), st.integers(1, 9)),
    lanes=st.sampled_from([256, 32, 4, 1]),
    strided=st.integers(0, 1),
    least=st.integers(0, 1),
    dtype=st.sampled_from([np.int32, np.int64]),
    chunks=st.integers(1, 4),
)
def test_the_first_of_equal_integers_is_taken(gpu, sizes, lanes, strided, least, dtype, chunks):
    x = np.random.default_rng(0).integers(-5, 5, size=sizes, dtype=np.int32)
    expected = x.argmin(1) if least else x.argmax(1)
    np.testing.assert_array_equal(arg_reduce(gpu, x, least, lanes, strided, dtype, chunks), expected)


@cases
@given(
    places=st.lists(st.integers(0, 7), min_size=1, max_size=60),
    lanes=st.sampled_from([256, 4, 1]),
    least=st.integers(0, 1),
    chunks=st.integers(1, 3),
)
def test_nan_and_the_infinite_are_taken_as_tensorflow_does(gpu, places, lanes, least, chunks):
    x = SPECIAL[np.array(places)][None, :, None]
    assert arg_reduce(gpu, x, least, lanes, 0, np.int64, chunks)[0, 0] == one_by_one(x.ravel(), least)
