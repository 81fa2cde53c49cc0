"""Optimizers' steps, and rows put together by index, against NumPy in double precision."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from . import witness


def shrink(x, l1):
    return np.sign(x) * np.maximum(np.abs(x) - l1, 0)


def ftrl(s, g, shrunk, lr, l1, l2, power):
    w, n, z = s
    new = n + g * g
    z = z + shrunk - (new**-power - n**-power) / lr * w
    y = new**-power / lr + 2 * l2
    return [np.where(np.abs(z) > l1, (l1 * np.sign(z) - z) / y, 0), new, z]


def momentum(s, g, h, flag):
    a = s[1] * h[1] + g
    return [s[0] - (g * h[0] + a * h[1] * h[0] if flag else a * h[0]), a]


def keras_momentum(s, g, h, flag):
    a = s[1] * h[1] - g * h[0]
    return [s[0] + (a * h[1] - g * h[0] if flag else a), a]


def adagrad(s, g, h, flag):
    a = s[1] + flag * g * g
    return [s[0] - g * h[0] / np.sqrt(a), a]


def adagrad_v2(s, g, h, flag):
    a = s[1] + flag * g * g
    return [s[0] - g * h[0] / (np.sqrt(a) + h[1]), a]


def adadelta(s, g, h, flag):
    a = s[1] * h[1] + g * g * (1 - h[1])
    u = np.sqrt(s[2] + h[2]) / np.sqrt(a + h[2]) * g
    return [s[0] - u * h[0], a, s[2] * h[1] + u * u * (1 - h[1])]


def ada_max(s, g, h, flag):
    m = s[1] + (g - s[1]) * (1 - h[2])
    v = np.maximum(h[3] * s[2], np.abs(g))
    return [s[0] - h[1] / (1 - h[0]) * m / (v + h[4]), m, v]


def rms_prop(s, g, h, flag):
    ms = s[1] + (g * g - s[1]) * (1 - h[1])
    mom = s[2] * h[2] + g * h[0] / np.sqrt(ms + h[3])
    return [s[0] - mom, ms, mom]


def centered(s, g, h, flag):
    ms = s[2] + (g * g - s[2]) * (1 - h[1])
    mg = s[1] + (g - s[1]) * (1 - h[1])
    mom = s[3] * h[2] + g * h[0] / np.sqrt(ms - mg * mg + h[3])
    return [s[0] - mom, mg, ms, mom]


def proximal_descent(s, g, h, flag):
    return [shrink(s[0] - g * h[0], h[0] * h[1]) / (1 + h[2] * h[0])]


def proximal_adagrad(s, g, h, flag):
    a = s[1] + g * g
    rate = h[0] / np.sqrt(a)
    return [shrink(s[0] - g * rate, rate * h[1]) / (1 + h[2] * rate), a]


def adagrad_da(s, g, h, flag):
    total, squares = s[1] + g, s[2] + g * g
    return [-h[0] * shrink(total, h[1] * h[3]) / (h[2] * h[3] * h[0] + np.sqrt(squares)), total, squares]


def add_sign(s, g, h, flag):
    m = s[1] * h[3] + g * (1 - h[3])
    return [s[0] - h[0] * (h[1] + h[2] * np.sign(g) * np.sign(m)) * g, m]


def power_sign(s, g, h, flag):
    m = s[1] * h[3] + g * (1 - h[3])
    return [s[0] - h[0] * np.exp(h[1] * h[2] * np.sign(g) * np.sign(m)) * g, m]


def adam(s, g, h, flag):
    m = s[1] + (g - s[1]) * (1 - h[1])
    v = s[2] + (g * g - s[2]) * (1 - h[2])
    d = (g * (1 - h[1]) + h[1] * m if flag else m) * h[0]
    return [s[0] - d / (np.sqrt(v) + h[3]), m, v]


# Number of the rule, states, numbers, and what it computes.
RULES = [
    (0, 1, [0.1], lambda s, g, h, flag: [s[0] - g * h[0]]),
    (1, 2, [0.1, 0.9], momentum),
    (2, 2, [0.1, 0.9], keras_momentum),
    (3, 2, [0.1], adagrad),
    (4, 2, [0.1, 1e-3], adagrad_v2),
    (5, 3, [0.5, 0.9, 1e-3], adadelta),
    (6, 3, [0.9, 0.1, 0.9, 0.99, 1e-3], ada_max),
    (7, 3, [0.1, 0.9, 0.5, 1e-3], rms_prop),
    (8, 4, [0.1, 0.9, 0.5, 3.0], centered),
    (9, 3, [0.1, 0.2, 0.3, -0.5], lambda s, g, h, flag: ftrl(s, g, g, *h)),
    (9, 3, [0.1, 0.2, 0.3, -0.7], lambda s, g, h, flag: ftrl(s, g, g, *h)),
    (10, 3, [0.1, 0.2, 0.3, 0.4, -0.5], lambda s, g, h, f: ftrl(s, g, g + 2 * h[3] * s[0], h[0], h[1], h[2], h[4])),
    (11, 1, [0.1, 0.2, 0.3], proximal_descent),
    (12, 2, [0.1, 0.2, 0.3], proximal_adagrad),
    (13, 3, [0.1, 0.2, 0.3, 4.0], adagrad_da),
    (14, 2, [0.1, 1.0, 0.5, 0.9], add_sign),
    (15, 2, [0.1, 2.0, 0.5, 0.9], power_sign),
    (16, 3, [0.1, 0.9, 0.99, 1e-3], adam),
]


def numbers(h):
    return [*map(float, h), *[0.0] * (6 - len(h))]


@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"rule{r[0]}-{len(r[2])}")
@pytest.mark.parametrize("rows", [None, [4, 0, 2]])
def test_optimizer_takes_its_step(gpu, rule, flag, rows):
    number, states, h, step = rule
    rng = np.random.default_rng(number)
    state = [rng.uniform(0.5, 2, (5, 77)).astype(np.float32) for _ in range(states)]
    g = rng.normal(size=(len(rows) if rows else 5, 77)).astype(np.float32)
    picked = rows or list(range(5))
    expected = [s.astype(np.float64) for s in state]
    after = step([s[picked] for s in expected], g.astype(np.float64), h, flag)
    for s, new in zip(expected, after, strict=True):
        s[picked] = new
    constants = {"RULE": number, "STATES": states, "FLAG": flag, "SPARSE": int(rows is not None)}
    buffers = [witness.InOut(s) for s in state] + [g]
    if rows:
        buffers.append(np.array(rows, np.uint32))
    got = gpu.run("optimizer", constants, buffers, [*numbers(h), 77, g.size], witness.groups_1d(g.size))
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-6, atol=2e-6)


@pytest.mark.parametrize("rule", [r for r in RULES if r[1] < 4], ids=lambda r: f"rule{r[0]}-{len(r[2])}")
def test_optimizer_takes_the_steps_of_two_or_three_variables_at_once(gpu, rule):
    number, states, h, step = rule
    rng = np.random.default_rng(number)
    sizes = [257, 1, 512][: 8 // (states + 1)]
    buffers, expected = [], []
    for size in sizes:
        state = [rng.uniform(0.5, 2, size).astype(np.float32) for _ in range(states)]
        g = rng.normal(size=size).astype(np.float32)
        expected += step([s.astype(np.float64) for s in state], g.astype(np.float64), h, 1)
        buffers += [*map(witness.InOut, state), g]
    constants = {"RULE": number, "STATES": states, "FLAG": 1, "MEMBERS": len(sizes)}
    groups = sum(-(-size // 256) for size in sizes)
    got = gpu.run("optimizer", constants, buffers, [*numbers(h), 1, *sizes], groups)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=5e-6, atol=2e-6)


HOW = {
    0: lambda a, b: b,
    1: lambda a, b: a + b,
    2: lambda a, b: a - b,
    3: lambda a, b: a * b,
    4: lambda a, b: a / b,
    5: np.minimum,
    6: np.maximum,
}


def table_of(indices):
    order = np.argsort(indices, kind="stable")
    rows, starts = np.unique(indices[order], return_index=True)
    return np.concatenate([rows, starts, [len(indices)], order]).astype(np.uint32), len(rows)


@witness.cases
@given(st.sampled_from(sorted(HOW)), st.lists(st.integers(0, 8), min_size=1, max_size=40), st.sampled_from([1, 3, 64]))
def test_segments_are_put_together_in_order(gpu, how, indices, block):
    rng = np.random.default_rng(len(indices))
    updates = rng.uniform(0.5, 2, (len(indices), block)).astype(np.float32)
    made = rng.uniform(0.5, 2, (9, block)).astype(np.float32)
    table, segments = table_of(np.array(indices))
    expected = made.astype(np.float64)
    for at, row in zip(indices, updates, strict=True):
        expected[at] = HOW[how](expected[at], row)
    count = segments * block
    params = [count, block, segments]
    got = gpu.run("segments", {"HOW": how}, [updates, table, witness.InOut(made)], params, witness.groups_1d(count))[0]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_segments_of_integers_and_means(gpu):
    indices = np.array([3, 1, 3, 3])
    table, segments = table_of(indices)
    updates = np.arange(8, dtype=np.int32).reshape(4, 2)
    args = [segments * 2, 2, segments]
    made = witness.InOut(np.zeros((5, 2), np.int32))
    got = gpu.run("segments", {"HOW": 1, "WHOLE": 1}, [updates, table, made], args, 1)[0]
    np.testing.assert_array_equal(got, [[0, 0], [2, 3], [0, 0], [10, 13], [0, 0]])
    made = witness.InOut(np.zeros((5, 2), np.float32))
    got = gpu.run("segments", {"HOW": 7}, [updates.astype(np.float32), table, made], args, 1)[0]
    np.testing.assert_allclose(got, [[0, 0], [2, 3], [0, 0], [10 / 3, 13 / 3], [0, 0]])


def test_segments_begin_anew_are_divided_and_weighted(gpu):
    indices = np.array([3, 1, 3, 3])
    table, segments = table_of(indices)
    updates = np.array([[1, -2], [3, 4], [-5, 6], [7, 8]], np.float32)
    held = np.full((5, 2), 9, np.float32)

    def run(constants, *more):
        buffers = [updates, table, witness.InOut(held), *more]
        return gpu.run("segments", constants, buffers, [segments * 2, 2, segments], 1)[0]

    np.testing.assert_array_equal(run({"HOW": 6, "FRESH": 1})[[1, 3]], [[3, 4], [7, 8]])
    np.testing.assert_array_equal(run({"HOW": 5, "FRESH": 1})[[1, 3]], [[3, 4], [-5, -2]])
    np.testing.assert_allclose(run({"HOW": 8, "FRESH": 1})[[1, 3]], [[3, 4], np.array([3, 12]) / 3**0.5], rtol=1e-6)
    table = np.concatenate([table, [1, 2, 0, 3]]).astype(np.uint32)
    weights = np.array([10, 100, 1000, 10000], np.float32)
    wanted = [[300, 400], [1000 - 50 + 70000, -2000 + 60 + 80000]]
    got = run({"HOW": 1, "FRESH": 1, "WEIGHTED": 1}, weights)
    np.testing.assert_array_equal(got[[1, 3]], wanted)
