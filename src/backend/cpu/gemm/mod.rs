//! Matrix products. The order of additions is fixed by the sizes alone, so results repeat bit for bit.

mod product;
pub mod tile;
mod vector;

use crate::value::{DType, Element};

pub use product::{product, turn};

/// A type that can be multiplied and added.
pub trait Number: Element {
    /// `sum + a * b`.
    fn mul_add(sum: Self, a: Self, b: Self) -> Self;
    fn zero() -> Self;
    fn plus(a: Self, b: Self) -> Self;
    /// `a / n`, rounded to zero for integers.
    fn divided(a: Self, n: usize) -> Self;
}

macro_rules! numbers {
    ($($t:ty: $f:expr, $plus:expr, $divide:expr;)*) => {$(
        impl Number for $t {
            fn mul_add(sum: $t, a: $t, b: $t) -> $t {
                let f: fn($t, $t, $t) -> $t = $f;
                f(sum, a, b)
            }
            fn plus(a: $t, b: $t) -> $t {
                let f: fn($t, $t) -> $t = $plus;
                f(a, b)
            }
            fn divided(a: $t, n: usize) -> $t {
                let f: fn($t, usize) -> $t = $divide;
                f(a, n)
            }
            fn zero() -> $t {
                bytemuck::Zeroable::zeroed()
            }
        }
    )*};
}

numbers! {
    f32: |s, a, b| s + a * b, |a, b| a + b, |a, n| a / n as f32;
    f64: |s, a, b| s + a * b, |a, b| a + b, |a, n| a / n as f64;
    half::f16: |s, a, b| half::f16::from_f32(s.to_f32() + a.to_f32() * b.to_f32()), |a, b| a + b, |a, n| half::f16::from_f32(a.to_f32() / n as f32);
    half::bf16: |s, a, b| half::bf16::from_f32(s.to_f32() + a.to_f32() * b.to_f32()), |a, b| a + b, |a, n| half::bf16::from_f32(a.to_f32() / n as f32);
    i8: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as i8).unwrap_or(0);
    i16: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as i16).unwrap_or(0);
    i32: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as i32).unwrap_or(0);
    i64: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as i64).unwrap_or(0);
    u8: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as u8).unwrap_or(0);
    u16: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as u16).unwrap_or(0);
    u32: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as u32).unwrap_or(0);
    u64: |s, a, b| s.wrapping_add(a.wrapping_mul(b)), |a, b| a.wrapping_add(b), |a, n| a.checked_div(n as u64).unwrap_or(0);
    num_complex::Complex<f32>: |s, a, b| s + a * b, |a, b| a + b, |a, n| a / n as f32;
    num_complex::Complex<f64>: |s, a, b| s + a * b, |a, b| a + b, |a, n| a / n as f64;
}

/// `out = op(a) · op(b)` with `[m, k, n]` the sizes of the product: op(a) is m×k, op(b) is k×n, row-major; `ta` and
/// `tb` say that a or b lies transposed.
pub fn matmul<T: Number>(
    a: &[T],
    b: &[T],
    out: &mut [T],
    [m, k, n]: [usize; 3],
    ta: bool,
    tb: bool,
) {
    assert!(a.len() == m * k && b.len() == k * n && out.len() == m * n);
    use bytemuck::{cast_slice, cast_slice_mut};
    let size = [m, k, n];
    match T::DTYPE {
        DType::F32 => {
            let out = cast_slice_mut::<T, f32>(out);
            product(cast_slice::<T, f32>(a), cast_slice(b), out, size, ta, tb);
        }
        DType::F64 => {
            let out = cast_slice_mut::<T, f64>(out);
            product(cast_slice::<T, f64>(a), cast_slice(b), out, size, ta, tb);
        }
        _ => plain(a, b, out, size, ta, tb),
    }
}

/// The same by plain loops: types without vectors, and the twin that tests compare with.
fn plain<T: Number>(a: &[T], b: &[T], out: &mut [T], [m, k, n]: [usize; 3], ta: bool, tb: bool) {
    out.fill(T::zero());
    if tb {
        let mut straight = vec![T::zero(); k * n];
        for (j, row) in b.chunks_exact(k.max(1)).enumerate() {
            for (i, x) in row.iter().enumerate() {
                straight[i * n + j] = *x;
            }
        }
        return accumulate(a, &straight, out, [m, k, n], ta);
    }
    accumulate(a, b, out, [m, k, n], ta);
}

fn accumulate<T: Number>(a: &[T], b: &[T], out: &mut [T], [m, k, n]: [usize; 3], ta: bool) {
    if n == 0 {
        return;
    }
    for (i, out) in out.chunks_exact_mut(n).enumerate() {
        for (p, b) in b.chunks_exact(n).enumerate() {
            let x = if ta { a[p * m + i] } else { a[i * k + p] };
            for (to, y) in out.iter_mut().zip(b) {
                *to = T::mul_add(*to, x, *y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_agree_with_plain_loops() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        for [m, k, n] in [
            [1, 1, 1],
            [1, 37, 70],
            [9, 70, 1],
            [3, 5, 7],
            [17, 129, 33],
            [11, 261, 48],
            [28, 300, 64],
            [300, 129, 37],
            [257, 128, 65],
            [600, 400, 70],
            [40, 300, 450],
            [5, 0, 4],
            [33, 1, 70],
            [1, 16, 33],
        ] {
            let a: Vec<f32> = (0..m * k).map(|_| next()).collect();
            let b: Vec<f32> = (0..k * n).map(|_| next()).collect();
            let wide = |x: &[f32]| x.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let (mut out, mut out64) = (vec![7f32; m * n], vec![7f64; m * n]);
                let mut want = vec![7f64; m * n];
                matmul(&a, &b, &mut out, [m, k, n], ta, tb);
                matmul(&wide(&a), &wide(&b), &mut out64, [m, k, n], ta, tb);
                plain(&wide(&a), &wide(&b), &mut want, [m, k, n], ta, tb);
                for i in 0..m * n {
                    let (x, y, z) = (f64::from(out[i]), out64[i], want[i]);
                    assert!(
                        (x - z).abs() < 1e-4,
                        "{m} {k} {n} {ta} {tb} at {i}: {x} {z}"
                    );
                    assert!(
                        (y - z).abs() < 1e-11,
                        "{m} {k} {n} {ta} {tb} at {i}: {y} {z}"
                    );
                }
            }
        }
    }

    #[test]
    fn each_operand_may_lie_transposed() {
        let a = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [7.0f32, 8.0, 9.0, 10.0, 11.0, 12.0];
        let product = [58.0, 64.0, 139.0, 154.0];
        let turn = |x: &[f32], rows: usize| -> Vec<f32> {
            let columns = x.len() / rows;
            (0..columns)
                .flat_map(|j| (0..rows).map(move |i| (i, j)))
                .map(|(i, j)| x[i * columns + j])
                .collect()
        };
        let (at, bt) = (turn(&a, 2), turn(&b, 3));
        for (a, ta) in [(&a[..], false), (&at[..], true)] {
            for (b, tb) in [(&b[..], false), (&bt[..], true)] {
                let mut out = [0.0; 4];
                matmul(a, b, &mut out, [2, 3, 2], ta, tb);
                assert_eq!(out, product, "{ta} {tb}");
            }
        }
    }
}
