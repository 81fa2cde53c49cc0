"""Shaders that move elements: steps, borders, picks, ranges, choices; every width, odd sizes."""

import numpy as np
from hypothesis import given, strategies as st

from . import witness

TYPES = {1: np.uint8, 4: np.int32, 8: np.int64}
widths = st.sampled_from(sorted(TYPES))
sizes = st.sampled_from([1, 2, 3, 4, 5, 7, 33, 64, 65])
shapes = st.lists(sizes, min_size=1, max_size=4).filter(lambda s: np.prod(s) < 20_000)


def numbers(shape, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 250, shape).astype(TYPES[width])


def groups(count, width):
    return witness.groups_1d(-(-count // 4) if width == 1 else count)


def run_strided(gpu, x, view, width):
    """What the shader makes of the view of x, an array over the same memory."""
    start = (view.__array_interface__["data"][0] - x.__array_interface__["data"][0]) // x.itemsize
    axes = list(zip(view.shape, view.strides, strict=True))[::-1]
    params = [view.size, start]
    for size, step in axes:
        params += [size, step // x.itemsize]
    constants = {"WIDTH": width, "RANK": len(axes)}
    out = witness.Out(view.shape, x.dtype)
    return gpu.run("strided", constants, [x, out], params, groups(view.size, width))[0]


@witness.cases
@given(shapes, widths, st.randoms())
def test_strided_permutes_axes(gpu, shape, width, random):
    x = numbers(shape, width)
    axes = list(range(len(shape)))
    random.shuffle(axes)
    view = x.transpose(axes)
    np.testing.assert_array_equal(run_strided(gpu, x, view, width), view)


@witness.cases
@given(shapes, widths, st.randoms())
def test_strided_cuts_and_reverses(gpu, shape, width, random):
    x = numbers(shape, width)
    steps = [random.choice([1, 2, -1, -2]) for _ in shape]
    starts = [random.randrange(s) for s in shape]
    view = x[tuple(slice(a, None, s) for a, s in zip(starts, steps, strict=True))]
    np.testing.assert_array_equal(run_strided(gpu, x, view, width), view)


@witness.cases
@given(sizes, sizes, widths)
def test_strided_repeats(gpu, rows, columns, width):
    x = numbers([columns], width)
    view = np.broadcast_to(x, (rows, columns))
    np.testing.assert_array_equal(run_strided(gpu, x, view, width), view)


@witness.cases
@given(sizes, sizes, sizes, st.sampled_from([4, 8]))
def test_strided_spreads_into_a_part_of_the_result(gpu, rows, columns, before, width):
    x = numbers([rows, columns], width)
    whole = np.full([rows, columns + before + 1], 77, x.dtype)
    params = [x.size, 0, columns, 1, rows, columns, before, 1, whole.shape[1]]
    constants = {"WIDTH": width, "RANK": 2, "SPREAD": 1}
    got = gpu.run("strided", constants, [x, witness.InOut(whole)], params, groups(x.size, width))[0]
    whole[:, before : before + columns] = x
    np.testing.assert_array_equal(got, whole)


@witness.cases
@given(st.sampled_from([1, 3]), sizes, sizes, st.sampled_from([4, 8]))
def test_transpose_swaps_the_last_two_axes(gpu, batch, rows, columns, width):
    x = numbers([batch, rows, columns], width)
    tiles = (-(-columns // 32), -(-rows // 32), batch)
    out = witness.Out((batch, columns, rows), x.dtype)
    got = gpu.run("transpose", {"WIDTH": width}, [x, out], [rows, columns], tiles)[0]
    np.testing.assert_array_equal(got, x.swapaxes(1, 2))


@witness.cases
@given(shapes, widths, st.sampled_from(["constant", "reflect", "symmetric"]), st.randoms())
def test_pad_is_numpys(gpu, shape, width, mode, random):
    x = numbers(shape, width)
    most = {"constant": lambda s: 3, "reflect": lambda s: s - 1, "symmetric": lambda s: s}[mode]
    pads = [(random.randint(0, min(3, most(s))), random.randint(0, min(3, most(s)))) for s in shape]
    expected = np.pad(x, pads, mode, **({"constant_values": 9} if mode == "constant" else {}))
    params = [expected.size, 9, 0]
    for size, (before, _), given_size in list(zip(expected.shape, pads, shape, strict=True))[::-1]:
        params += [size, before, given_size]
    constants = {"WIDTH": width, "RANK": len(shape), "MODE": ["constant", "reflect", "symmetric"].index(mode)}
    out = witness.Out(expected.shape, x.dtype)
    got = gpu.run("pad", constants, [x, out], params, groups(expected.size, width))[0]
    np.testing.assert_array_equal(got, expected)


@witness.cases
@given(st.sampled_from([1, 2, 3, 4, 255, 257, 5000]))
def test_fill_alternates_words(gpu, count):
    got = gpu.run("fill", {}, [witness.Out((count,), np.uint32)], [count, 5, 6], witness.groups_1d(count))[0]
    np.testing.assert_array_equal(got, np.where(np.arange(count) % 2, 6, 5))


def run_gather(gpu, x, indices, width, outer):
    batch, picks = indices.shape
    rows, inner = x.shape[-2:]
    made = witness.Out((batch, outer, picks, inner), x.dtype)
    checks = witness.InOut(np.zeros(8, np.uint32))
    constants = {"WIDTH": width, "INDEX_WIDTH": indices.itemsize}
    scale = 4 if width == 16 else 1
    count = batch * outer * picks * inner // scale
    params = [count, outer, picks, rows, inner // scale]
    return gpu.run("gather", constants, [x, indices, made, checks], params, groups(count, width))


@witness.cases
@given(st.sampled_from([1, 2]), st.sampled_from([1, 3]), sizes, sizes, sizes, widths, st.sampled_from(["i4", "i8"]))
def test_gather_takes_rows(gpu, batch, outer, rows, picks, inner, width, index_type):
    x = numbers([batch, outer, rows, inner], width)
    indices = np.random.default_rng(1).integers(0, rows, (batch, picks)).astype(index_type)
    expected = np.stack([x[b][:, indices[b]] for b in range(batch)])
    got, checks = run_gather(gpu, x, indices, width, outer)
    np.testing.assert_array_equal(got, expected)
    assert not checks.any()
    if width == 4 and inner % 4 == 0:
        np.testing.assert_array_equal(run_gather(gpu, x, indices, 16, outer)[0], expected)


def test_gather_notes_an_index_that_is_out_of_range(gpu):
    x = numbers([1, 1, 3, 2], 4)
    for index_type, bad in (("i4", -1), ("i4", 3), ("i8", 2**32), ("i8", -(2**40))):
        indices = np.array([[0, bad]], index_type)
        got, checks = run_gather(gpu, x, indices, 4, 1)
        np.testing.assert_array_equal(got[0, 0], x[0, 0, [0, 0]])
        assert checks[:2].tolist() == [1, 1]
        assert checks[2:4].view(np.int64)[0] == bad


@witness.cases
@given(sizes, sizes, sizes, widths, st.sampled_from(["u1", "i4", "i8"]))
def test_one_hot_marks_places(gpu, before, depth, after, width, index_type):
    indices = np.random.default_rng(2).integers(-1, depth + 1, (before, after)).astype(index_type)
    expected = np.where(indices[:, None, :] == np.arange(depth)[:, None], 7, 2).astype(TYPES[width])
    params = [expected.size, depth, after, 7, 0, 2, 0]
    out = witness.Out(expected.shape, expected.dtype)
    constants = {"WIDTH": width, "INDEX_WIDTH": indices.itemsize}
    got = gpu.run("one_hot", constants, [indices, out], params, groups(expected.size, width))[0]
    np.testing.assert_array_equal(got, expected)


@witness.cases
@given(sizes, sizes, widths, st.sampled_from(["elements", "rows", "all"]))
def test_select_chooses_elements_rows_or_all(gpu, rows, columns, width, form):
    a, b = numbers([rows, columns], width), numbers([rows, columns], width, 1)
    shape, inner = {"elements": ((rows, columns), 1), "rows": ((rows, 1), columns), "all": ((1, 1), rows * columns)}[
        form
    ]
    condition = np.random.default_rng(3).integers(0, 2, shape).astype(np.uint8)
    out = witness.Out(a.shape, a.dtype)
    got = gpu.run("select", {"WIDTH": width}, [condition, a, b, out], [a.size, inner], groups(a.size, width))[0]
    np.testing.assert_array_equal(got, np.where(condition, a, b))


@witness.cases
@given(sizes, st.sampled_from([1, 2, 255, 256, 257, 600]), sizes, st.booleans(), st.booleans(), st.booleans())
def test_scan_sums_along_the_axis(gpu, outer, length, inner, reverse, exclusive, is_whole):
    rng = np.random.default_rng(4)
    if outer * inner > 300:
        inner = 1
    x = rng.integers(-9, 9, (outer, length, inner)).astype(np.int32 if is_whole else np.float32)
    order = x[:, ::-1] if reverse else x
    expected = np.cumsum(order, 1, dtype=x.dtype)
    if exclusive:
        expected = expected - order
    expected = expected[:, ::-1] if reverse else expected
    params = [outer * inner, length, inner, int(reverse), int(exclusive)]
    out = witness.Out(x.shape, x.dtype)
    got = gpu.run("scan", {"WHOLE": int(is_whole)}, [x, out], params, witness.groups_of(outer * inner))[0]
    np.testing.assert_array_equal(got, expected)


@witness.cases
@given(shapes, widths, st.randoms())
def test_pad_turns_axes(gpu, shape, width, random):
    x = numbers(shape, width)
    turns = [random.randrange(size) for size in shape]
    params = [x.size, 0, 0]
    for size, turn in list(zip(shape, turns, strict=True))[::-1]:
        params += [size, turn, size]
    constants = {"WIDTH": width, "RANK": len(shape), "MODE": 3}
    got = gpu.run("pad", constants, [x, witness.Out(x.shape, x.dtype)], params, groups(x.size, width))[0]
    np.testing.assert_array_equal(got, np.roll(x, turns, range(len(shape))))


@witness.cases
@given(sizes, sizes, sizes)
def test_bytes_are_joined(gpu, rows, first, second):
    a, b = numbers([rows, first], 1), numbers([rows, second], 1, 1)
    expected = np.concatenate([a, b], 1)
    out = witness.Out(expected.shape, np.uint8)
    got = gpu.run("join_bytes", {}, [a, b, out], [expected.size, first, second], groups(expected.size, 1))[0]
    np.testing.assert_array_equal(got, expected)


@witness.cases
@given(sizes, st.sampled_from([1, 3, 8]), st.sampled_from([1, 5]), widths, st.sampled_from(["i4", "i8"]), st.booleans())
def test_sequences_are_reversed(gpu, batch, length, inner, width, index_type, is_batch_first):
    x = numbers([batch, length, inner] if is_batch_first else [length, batch, inner], width)
    lengths = np.random.default_rng(3).integers(0, length + 1, batch).astype(index_type)
    expected = x.copy()
    for i, n in enumerate(lengths):
        if is_batch_first:
            expected[i, :n] = x[i, :n][::-1]
        else:
            expected[:n, i] = x[:n, i][::-1]
    steps = [length, inner, batch, length * inner] if is_batch_first else [length, batch * inner, batch, inner]
    checks = witness.InOut(np.zeros(4, np.uint32))
    constants = {"WIDTH": width, "INDEX_WIDTH": lengths.itemsize}
    buffers = [x, lengths, witness.Out(x.shape, x.dtype), checks]
    got, checks = gpu.run("reverse_sequence", constants, buffers, [x.size, *steps], groups(x.size, width))
    np.testing.assert_array_equal(got, expected)
    assert not checks.any()


def test_a_sequence_longer_than_the_axis_is_noted(gpu):
    x, lengths = numbers([2, 3], 4), np.array([1, 4])
    buffers = [x, lengths, witness.Out(x.shape, x.dtype), witness.InOut(np.zeros(4, np.uint32))]
    _, checks = gpu.run("reverse_sequence", {"INDEX_WIDTH": 8}, buffers, [6, 3, 1, 2, 3], 1)
    assert checks.tolist() == [1, 1, 4, 0]


@witness.cases
@given(sizes, st.sampled_from([1, 2, 3, 7]), sizes, st.sampled_from([0, 1]), st.randoms())
def test_mirrored_borders_are_folded_back(gpu, outer, size, inner, edge, random):
    most = size - 1 + edge
    pads = (random.randint(0, most), random.randint(0, most))
    if outer * inner > 1000:
        outer = 1
    places = np.pad(np.arange(size), pads, ["reflect", "symmetric"][edge])
    x = np.random.default_rng(5).integers(-9, 9, (outer, len(places), inner)).astype(np.float32)
    expected = np.zeros((outer, size, inner), np.float32)
    np.add.at(expected, (slice(None), places), x)
    params = [expected.size, len(places), size, inner, pads[0], edge]
    out = witness.Out(expected.shape)
    got = gpu.run("mirror_fold", {}, [x, out], params, witness.groups_1d(expected.size))[0]
    np.testing.assert_array_equal(got, expected)
