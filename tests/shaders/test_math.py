"""Functions of `shaders/lib` against double precision, in units in the last place, and at the edges of their domains."""

import math

import numpy as np
import pytest

from . import witness

HEAD = """//!include lib/{file}.wgsl
struct Params {{ zero: u32, flag: u32, count: u32 }}
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> z: array<f32>;
var<immediate> p: Params;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {{
    let i = wid.x * 256u + lid;
    if i < p.count {{
        z[i] = {call};
    }}
}}
"""
EDGES = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 3e38, -3e38], "f4"
)


def apply(gpu, file, call, x, y=None):
    x = np.asarray(x, np.float32)
    y = np.zeros_like(x) if y is None else np.asarray(y, np.float32)
    text = HEAD.format(file=file, call=call)
    groups = witness.groups_1d(x.size)
    return gpu.run(text, {}, [x, y, witness.Out(x.shape)], [x.size], groups)[0]


def spread(low, high, n=40_000):
    """Floats of the range: evenly in value, and of every size in it."""
    rng = np.random.default_rng(7)
    even = rng.uniform(low, high, n)
    sizes = np.exp(rng.uniform(np.log(1e-20), np.log(max(abs(low), abs(high))), n))
    sizes = np.concatenate([sizes, -sizes])
    sizes = sizes[(sizes >= low) & (sizes <= high)]
    return np.concatenate([even, sizes]).astype(np.float32)


def ulps(got, exact):
    """How far `got` is from the exact values, in units of their last place; 0 where both are NaN or one infinity."""
    with np.errstate(all="ignore"):
        unit = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
        unit = np.where(np.isfinite(unit), np.maximum(unit, 1.2e-38 * 2.0**-23), 1.0)
        off = np.abs(got.astype(np.float64) - exact) / unit
    rounded = exact.astype(np.float32)
    same = (np.isnan(got) & np.isnan(exact)) | (got == rounded)
    # A result in the denormals may be flushed to zero.
    same |= (np.abs(exact) < 1.2e-38) & (np.abs(got) < 1.2e-38)
    return np.where(same, 0.0, np.where(np.isnan(off), np.inf, off))


def worst(got, exact, *arguments):
    off = ulps(got, exact)
    at = int(off.argmax())
    return off[at], [float(a[at]) for a in arguments], float(got[at]), float(exact[at])


def by_element(f):
    """An array function of a scalar one, with NaN where that raises."""

    def one(x):
        try:
            return f(x)
        except (ValueError, OverflowError):
            return math.nan

    return lambda x: np.array([one(v) for v in x.tolist()])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


ONE = [
    ("math", "exp", np.exp, -100, 100),
    ("math", "expm1", np.expm1, -30, 90),
    ("math", "log", np.log, 0, 3e38),
    ("math", "log", np.log, 0.5, 2),
    ("math", "log1p", np.log1p, -1, 1e10),
    ("math", "log1p", np.log1p, -0.5, 1),
    ("math", "sigmoid", sigmoid, -80, 80),
    ("math", "tanh", np.tanh, -10, 10),
    ("math", "sinh", np.sinh, -95, 95),
    ("math", "cosh", np.cosh, -95, 95),
    ("math", "asinh", np.arcsinh, -3e38, 3e38),
    ("math", "asinh", np.arcsinh, -4, 4),
    ("math", "acosh", np.arccosh, 0.9, 10),
    ("math", "acosh", np.arccosh, 1, 3e38),
    ("math", "atanh", np.arctanh, -1, 1),
    ("trig", "sin", np.sin, -20, 20),
    ("trig", "sin", np.sin, -8192, 8192),
    ("trig", "sin", np.sin, -3e38, 3e38),
    ("trig", "cos", np.cos, -20, 20),
    ("trig", "cos", np.cos, -3e38, 3e38),
    ("trig", "tan", np.tan, -20, 20),
    ("trig", "tan", np.tan, -1e6, 1e6),
    ("trig", "asin", np.arcsin, -1, 1),
    ("trig", "acos", np.arccos, -1, 1),
    ("trig", "atan", np.arctan, -50, 50),
    ("trig", "atan", np.arctan, -3e38, 3e38),
]


@pytest.mark.parametrize("file,name,exact,low,high", ONE, ids=[f"{r[1]}-{r[3]}-{r[4]}" for r in ONE])
def test_function_is_within_four_ulp(gpu, file, name, exact, low, high):
    x = spread(low, high)
    with np.errstate(all="ignore"):
        expected = exact(x.astype(np.float64))
    off = worst(apply(gpu, file, f"math_{name}(x[i])", x), expected, x)
    assert off[0] <= 4, off


EDGE_ROWS = sorted({r[:3] for r in ONE}, key=lambda r: r[:2])


@pytest.mark.parametrize("file,name,exact", EDGE_ROWS, ids=[f"{file}-{name}" for file, name, _ in EDGE_ROWS])
def test_function_at_the_edges(gpu, file, name, exact):
    got = apply(gpu, file, f"math_{name}(x[i])", EDGES)
    with np.errstate(all="ignore"):
        expected = exact(EDGES.astype(np.float64))
    # 1e-30 and less: results as small may have been flushed on their way.
    off = worst(got, expected, EDGES)
    assert off[0] <= 4, off
    zero = (expected == 0) & (EDGES == 0)
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(expected[zero]))


SPECIAL = [
    ("erf", math.erf, -6, 6),
    ("erfc", math.erfc, -6, 9),
    ("lgamma", math.lgamma, 0, 40),
    ("lgamma", math.lgamma, 0.5, 3),
    ("lgamma", math.lgamma, 1, 1e30),
]


@pytest.mark.parametrize("name,exact,low,high", SPECIAL)
def test_special_function_is_within_four_ulp(gpu, name, exact, low, high):
    x = spread(low, high, 20_000)
    x = x[x != 0]
    off = worst(apply(gpu, "special", f"math_{name}(x[i])", x), by_element(exact)(x.astype(np.float64)), x)
    assert off[0] <= 4, off


@pytest.mark.parametrize("base", ["any", "near one", "integers"])
def test_pow_is_within_four_ulp(gpu, base):
    rng = np.random.default_rng(3)
    n = 60_000
    y = rng.uniform(-40, 40, n)
    if base == "near one":
        x, y = 1 + rng.uniform(-0.01, 0.01, n), y * 20
    elif base == "integers":
        x, y = rng.integers(-12, 13, n), rng.integers(-8, 9, n)
    else:
        x = np.exp(rng.uniform(-20, 20, n))
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    with np.errstate(all="ignore"):
        expected = np.power(x.astype(np.float64), y.astype(np.float64))
    off = worst(apply(gpu, "pow", "math_pow(x[i], y[i])", x, y), expected, x, y)
    assert off[0] <= 4, off


@pytest.mark.parametrize("file,call,exact", [("pow", "math_pow", np.power), ("trig", "math_atan2", np.arctan2)])
def test_function_of_two_at_every_pair_of_edges(gpu, file, call, exact):
    edges = np.concatenate([EDGES, np.float32([3, -3, 0.3, 7.5, 16777216, 33554434, -33554433])])
    x, y = (a.ravel() for a in np.meshgrid(edges, edges))
    with np.errstate(all="ignore"):
        expected = exact(x.astype(np.float64), y.astype(np.float64))
    off = worst(apply(gpu, file, f"{call}(x[i], y[i])", x, y), expected, x, y)
    assert off[0] <= 4, off


def test_atan2_is_within_four_ulp(gpu):
    rng = np.random.default_rng(4)
    x, y = (np.exp(rng.uniform(-20, 20, (2, 50_000))) * rng.choice([-1, 1], (2, 50_000))).astype(np.float32)
    off = worst(apply(gpu, "trig", "math_atan2(x[i], y[i])", x, y), np.arctan2(x.astype("f8"), y.astype("f8")), x, y)
    assert off[0] <= 4, off


def digamma(x):
    """By recurrence and the asymptotic series, in double precision; the reflection for negative numbers."""
    if x < 0:
        return digamma(1 - x) - math.pi / math.tan(math.pi * x)
    total = 0.0
    while x < 20:
        total -= 1 / x
        x += 1
    r = 1 / (x * x)
    return total + math.log(x) - 0.5 / x - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r / 240)))


@pytest.mark.parametrize("name,exact", [("lgamma", math.lgamma), ("digamma", digamma)])
def test_gamma_functions_of_negative_numbers_lose_only_to_cancellation(gpu, name, exact):
    x = spread(-8, 12, 5_000)
    x = x[(np.abs(x) > 1e-6) & (x != np.floor(x))]
    got = apply(gpu, "special", f"math_{name}(x[i])", x)
    expected = by_element(exact)(x.astype(np.float64))
    # Near a pole the distance to it is what the float holds; near a zero two terms cancel.
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(
    "name,expected",
    [
        ("lgamma", [np.inf, np.inf, 0, np.inf, np.inf, np.nan]),
        ("digamma", [np.inf, np.inf, -0.5772157, np.inf, np.inf, np.nan]),
        ("erf", [0, -0.8427008, 0.8427008, 1, -1, np.nan]),
        ("erfc", [1, 1.8427008, 0.15729921, 0, 2, np.nan]),
    ],
)
def test_special_functions_at_the_edges(gpu, name, expected):
    x = np.array([0, -1, 1, np.inf, -np.inf, np.nan], np.float32)
    np.testing.assert_allclose(apply(gpu, "special", f"math_{name}(x[i])", x), expected, rtol=1e-6)


WIDE = {
    "wide_mul(x[i], y[i])": np.multiply,
    "wide_add(x[i], y[i])": np.add,
    "wide_sub(x[i], y[i])": np.subtract,
    "wide_abs(x[i])": lambda a, _: np.abs(a),
    "select(y[i], x[i], wide_less(x[i], y[i]))": np.minimum,
}


@pytest.mark.parametrize("call", WIDE)
def test_numbers_of_two_words(gpu, call):
    rng = np.random.default_rng(1)
    sizes = rng.integers(0, 2**63, (2, 500), dtype=np.int64) >> rng.integers(0, 63, (2, 500))
    x, y = sizes * rng.choice([1, -1], (2, 500))
    text = HEAD.format(file="floats", call=call).replace("array<f32>", "array<vec2<u32>>")
    text = "//!include lib/formula.wgsl\n" + text
    got = gpu.run(text, {}, [x, y, witness.Out(x.shape, np.int64)], [x.size], witness.groups_1d(x.size))[0]
    np.testing.assert_array_equal(got, WIDE[call](x, y))
