//! Elementwise loops over `float32` with the vectors of the processor; what has no vector form goes to plain loops.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "the loops stay within slices of equal length"
)]

use crate::backend::cpu::simd::{Vector32, math};
use crate::error::Result;
use crate::expr::{Binary, Unary};
use crate::tiers;

use super::float;

/// Whether the vector loops know the operation.
fn has_unary(op: Unary) -> bool {
    use Unary::*;
    matches!(
        op,
        Neg | Abs | Exp | Log | Sqrt | Rsqrt | Square | Recip | Tanh | Sigmoid
    )
}

fn has_binary(op: Binary) -> bool {
    use Binary::*;
    matches!(op, Add | Sub | Mul | Div | Min | Max | SquaredDifference)
}

#[inline(always)]
unsafe fn each<V: Vector32>(x: *const f32, out: *mut f32, n: usize, f: impl Fn(V) -> V) {
    let l = V::LANES;
    let mut i = 0;
    while i + 2 * l <= n {
        f(V::load(x.add(i))).store(out.add(i));
        f(V::load(x.add(i + l))).store(out.add(i + l));
        i += 2 * l;
    }
    while i < n {
        let w = (n - i).min(l);
        f(V::load_first(x.add(i), w)).store_first(out.add(i), w);
        i += w;
    }
}

#[inline(always)]
unsafe fn each_pair<V: Vector32>(
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    n: usize,
    f: impl Fn(V, V) -> V,
) {
    let l = V::LANES;
    let mut i = 0;
    while i + 2 * l <= n {
        f(V::load(a.add(i)), V::load(b.add(i))).store(out.add(i));
        f(V::load(a.add(i + l)), V::load(b.add(i + l))).store(out.add(i + l));
        i += 2 * l;
    }
    while i < n {
        let w = (n - i).min(l);
        f(V::load_first(a.add(i), w), V::load_first(b.add(i), w)).store_first(out.add(i), w);
        i += w;
    }
}

#[inline(always)]
unsafe fn unary_loop<V: Vector32>(op: Unary, x: *const f32, out: *mut f32, n: usize) {
    let one = V::splat(1.0);
    match op {
        Unary::Neg => each::<V>(x, out, n, |x| V::splat(-0.0).sub(x)),
        Unary::Abs => each::<V>(x, out, n, |x| x.abs()),
        Unary::Exp => each::<V>(x, out, n, |x| math::exp(x)),
        Unary::Log => each::<V>(x, out, n, |x| math::log(x)),
        Unary::Sqrt => each::<V>(x, out, n, |x| x.sqrt()),
        Unary::Rsqrt => each::<V>(x, out, n, |x| one.div(x.sqrt())),
        Unary::Square => each::<V>(x, out, n, |x| x.mul(x)),
        Unary::Recip => each::<V>(x, out, n, |x| one.div(x)),
        Unary::Tanh => each::<V>(x, out, n, |x| math::tanh(x)),
        Unary::Sigmoid => each::<V>(x, out, n, |x| math::sigmoid(x)),
        _ => unreachable!("{op:?} has no vector loop"),
    }
}

#[inline(always)]
unsafe fn binary_loop<V: Vector32>(
    op: Binary,
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    n: usize,
) {
    match op {
        Binary::Add => each_pair::<V>(a, b, out, n, |a, b| a.add(b)),
        Binary::Sub => each_pair::<V>(a, b, out, n, |a, b| a.sub(b)),
        Binary::Mul => each_pair::<V>(a, b, out, n, |a, b| a.mul(b)),
        Binary::Div => each_pair::<V>(a, b, out, n, |a, b| a.div(b)),
        // `b < a ? b : a`: the operands change places, so that NaN passes as in the plain loop.
        Binary::Min => each_pair::<V>(a, b, out, n, |a, b| b.min(a)),
        Binary::Max => each_pair::<V>(a, b, out, n, |a, b| b.max(a)),
        Binary::SquaredDifference => each_pair::<V>(a, b, out, n, |a, b| {
            let d = a.sub(b);
            d.mul(d)
        }),
        _ => unreachable!("{op:?} has no vector loop"),
    }
}

tiers!(fn unary_tier(op: Unary, x: *const f32, out: *mut f32, n: usize) = unary_loop);
tiers!(fn binary_tier(op: Binary, a: *const f32, b: *const f32, out: *mut f32, n: usize) = binary_loop);

pub fn unary(op: Unary, x: &[f32], out: &mut [u8]) -> Result<()> {
    if !has_unary(op) {
        return float::unary_f32(op, x, out);
    }
    let out: &mut [f32] = bytemuck::cast_slice_mut(out);
    let n = x.len().min(out.len());
    // SAFETY: both slices have at least n elements.
    unsafe { unary_tier(op, x.as_ptr(), out.as_mut_ptr(), n) }
    Ok(())
}

pub fn binary(op: Binary, a: &[f32], b: &[f32], out: &mut [u8]) -> Result<()> {
    if !has_binary(op) {
        return float::binary_f32(op, a, b, out);
    }
    let out: &mut [f32] = bytemuck::cast_slice_mut(out);
    let n = a.len().min(b.len()).min(out.len());
    // SAFETY: all three slices have at least n elements.
    unsafe { binary_tier(op, a.as_ptr(), b.as_ptr(), out.as_mut_ptr(), n) }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::simd::Lanes;
    use super::*;

    const SPECIAL: [f32; 18] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
        1e-40,
        -1e-40,
        f32::MAX,
        f32::MIN,
        88.7,
        88.8,
        -87.5,
        -103.9,
        0.625,
        9.1,
    ];

    fn inputs() -> Vec<f32> {
        let spread = (0..4001).map(|i| (i - 2000) as f32 * 0.0471);
        let small = (0..999).map(|i| 1.5f32.powi(i % 100 - 60));
        SPECIAL.into_iter().chain(spread).chain(small).collect()
    }

    /// How many floats lie between the two.
    fn distance(a: f32, b: f64) -> f64 {
        let near = b as f32;
        if a == near || (a.is_nan() && near.is_nan()) {
            return 0.0;
        }
        let unit = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
        (f64::from(a) - b).abs() / unit
    }

    #[test]
    fn functions_agree_with_float64_within_a_few_units() {
        let x = inputs();
        let cases: [(Unary, fn(f64) -> f64, f64); 4] = [
            (Unary::Exp, f64::exp, 2.0),
            (Unary::Log, f64::ln, 2.0),
            (Unary::Tanh, f64::tanh, 3.0),
            (Unary::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 4.0),
        ];
        for (op, f, limit) in cases {
            let mut out = vec![0f32; x.len()];
            unary(op, &x, bytemuck::cast_slice_mut(&mut out)).unwrap();
            let mut plain = vec![0f32; x.len()];
            // SAFETY: the slices are of one length.
            unsafe { unary_loop::<Lanes<f32, 8>>(op, x.as_ptr(), plain.as_mut_ptr(), x.len()) };
            for (i, x) in x.iter().enumerate() {
                let want = f(f64::from(*x));
                for got in [out[i], plain[i]] {
                    // Tails of the sigmoid underflow where exp(-x) overflows float32.
                    let is_tail = op == Unary::Sigmoid && *x < -88.0;
                    let is_near = distance(got, want) <= limit || is_tail && got == 0.0;
                    assert!(is_near, "{op:?}({x}) = {got}, not {want}");
                }
            }
        }
    }

    #[test]
    fn an_element_has_the_same_bits_wherever_it_stands() {
        let x = inputs();
        for op in [
            Unary::Exp,
            Unary::Log,
            Unary::Tanh,
            Unary::Rsqrt,
            Unary::Neg,
        ] {
            let mut all = vec![0f32; x.len()];
            unary(op, &x, bytemuck::cast_slice_mut(&mut all)).unwrap();
            for (from, len) in [(1, 1), (3, 15), (5, 33), (100, 7)] {
                let mut part = vec![0f32; len];
                unary(
                    op,
                    &x[from..from + len],
                    bytemuck::cast_slice_mut(&mut part),
                )
                .unwrap();
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&part), bits(&all[from..from + len]), "{op:?}");
            }
        }
    }

    #[test]
    fn arithmetic_is_that_of_the_plain_loops() {
        let a = inputs();
        let b: Vec<f32> = a.iter().rev().copied().collect();
        for op in [
            Binary::Add,
            Binary::Div,
            Binary::Min,
            Binary::Max,
            Binary::SquaredDifference,
        ] {
            let (mut fast, mut plain) = (vec![0f32; a.len()], vec![0f32; a.len()]);
            binary(op, &a, &b, bytemuck::cast_slice_mut(&mut fast)).unwrap();
            float::binary_f32(op, &a, &b, bytemuck::cast_slice_mut(&mut plain)).unwrap();
            for (x, y) in fast.into_iter().zip(plain) {
                assert!(
                    x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan(),
                    "{op:?}: {x} {y}"
                );
            }
        }
    }
}
