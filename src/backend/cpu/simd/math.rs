//! Elementary functions of `float32`, lane by lane: within a few units in the last place, and the same bits wherever
//! in an array an element stands.

use super::Vector32;

/// `c[0] x^n + … + c[n]`.
#[inline(always)]
unsafe fn polynomial<V: Vector32>(x: V, c: &[f32]) -> V {
    let mut sum = V::splat(c[0]);
    for c in &c[1..] {
        sum = sum.mul_add(x, V::splat(*c));
    }
    sum
}

/// The high part of ln 2, exact in few bits, and what is left of it.
const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

const EXP: [f32; 6] = [
    1.987_569_1e-4,
    1.398_2e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_6e-1,
    0.5,
];

/// e to the power `x`. NaN stays, and so do overflow to infinity and underflow to denormals and zero.
#[inline(always)]
pub unsafe fn exp<V: Vector32>(x: V) -> V {
    // x stands second, so that NaN passes both bounds.
    let x = V::splat(88.8).min(V::splat(-104.0).max(x));
    let n = x.mul(V::splat(std::f32::consts::LOG2_E)).round();
    let r = n.mul_add(V::splat(-LN2[0]), x);
    let r = n.mul_add(V::splat(-LN2[1]), r);
    let p = polynomial(r, &EXP);
    let y = p.mul_add(r.mul(r), r).add(V::splat(1.0));
    y.scale(n)
}

const LOG: [f32; 9] = [
    7.037_683_6e-2,
    -1.151_461e-1,
    1.167_699_87e-1,
    -1.242_014_1e-1,
    1.424_932_3e-1,
    -1.666_805_8e-1,
    2.000_071_5e-1,
    -2.499_999_4e-1,
    3.333_333e-1,
];

/// The natural logarithm: -inf of zero, NaN of what is negative.
#[inline(always)]
pub unsafe fn log<V: Vector32>(x: V) -> V {
    let zero = V::splat(0.0);
    // Denormals are scaled into the range of normal numbers first.
    let tiny = V::splat(f32::MIN_POSITIVE);
    let scaled = V::if_less(x, tiny, x.mul(V::splat(8_388_608.0)), x);
    let shift = V::if_less(x, tiny, V::splat(-23.0), zero);
    let (e, m) = scaled.split();
    let e = e.add(shift);
    let root = V::splat(std::f32::consts::SQRT_2);
    let e = V::if_less(root, m, e.add(V::splat(1.0)), e);
    let m = V::if_less(root, m, m.mul(V::splat(0.5)), m);
    let f = m.sub(V::splat(1.0));
    let z = f.mul(f);
    let y = polynomial(f, &LOG).mul(f).mul(z);
    let y = e.mul_add(V::splat(LN2[1]), y);
    let y = z.mul_add(V::splat(-0.5), y);
    let y = e.mul_add(V::splat(LN2[0]), f.add(y));
    // What the formula does not cover: infinity and NaN stay, zero and negative numbers have their own answers.
    let infinity = V::splat(f32::INFINITY);
    let y = V::if_less(x, infinity, y, x);
    let y = V::if_less(zero, x, y, V::if_less(x, zero, V::splat(f32::NAN), y));
    let is_zero = V::if_less(zero, x.abs(), zero, V::splat(1.0));
    let is_number = V::if_less(x, V::splat(1.0), is_zero, zero);
    V::if_less(zero, is_number, V::splat(f32::NEG_INFINITY), y)
}

const TANH: [f32; 5] = [
    -5.704_988_7e-3,
    2.063_908_9e-2,
    -5.373_971_6e-2,
    1.333_144_2e-1,
    -3.333_328_2e-1,
];

#[inline(always)]
pub unsafe fn tanh<V: Vector32>(x: V) -> V {
    let size = x.abs();
    let z = x.mul(x);
    let near = polynomial(z, &TANH).mul(z).mul_add(x, x);
    let e = exp(size.add(size));
    let one = V::splat(1.0);
    let far = one.sub(V::splat(2.0).div(e.add(one))).with_sign(x);
    // NaN is not less than anything, and `far` of NaN is NaN.
    V::if_less(size, V::splat(0.625), near, far)
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub unsafe fn sigmoid<V: Vector32>(x: V) -> V {
    let one = V::splat(1.0);
    one.div(one.add(exp(V::splat(0.0).sub(x))))
}

/// `log(1 + x)`, exact for small `x` (Kahan's correction of the rounded sum).
#[inline(always)]
pub unsafe fn log1p<V: Vector32>(x: V) -> V {
    let one = V::splat(1.0);
    let sum = one.add(x);
    let of_sum = log(sum);
    let large = x.mul(of_sum.div(sum.sub(one)));
    // Where 1 + x rounds to 1 the answer is x; so it is at infinity, where the formula divides.
    let y = V::if_equal(sum, one, x, large);
    V::if_equal(sum, of_sum, sum, y)
}

/// `exp(x) - 1`, exact for small `x` (Kahan's correction of the rounded difference).
#[inline(always)]
pub unsafe fn expm1<V: Vector32>(x: V) -> V {
    let one = V::splat(1.0);
    let u = exp(x);
    let less = u.sub(one);
    let of_u = log(u);
    let y = less.mul(x.div(of_u));
    let y = V::if_equal(u, of_u, u, y);
    let y = V::if_equal(less, V::splat(-1.0), less, y);
    V::if_equal(u, one, x, y)
}

/// -1, 0 or 1; 0 for NaN.
#[inline(always)]
pub unsafe fn sign<V: Vector32>(x: V) -> V {
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    let below = V::if_less(x, zero, V::splat(-1.0), zero);
    V::if_less(zero, x, one, below)
}
