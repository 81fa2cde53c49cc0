//! Softmax of one row of `float32`: the exponentials are computed once, sums run in a fixed order.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "the loops stay within two slices of equal length"
)]

use crate::tiers;

use super::simd::{Vector32, math};

/// Numbers of the lanes.
static LANES: [f32; 16] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
];

/// The first `n` lanes of what lies at `p`, and `fill` in the others.
#[inline(always)]
unsafe fn load<V: Vector32>(p: *const f32, n: usize, fill: V) -> V {
    if n >= V::LANES {
        return V::load(p);
    }
    keep(V::load_first(p, n), n, fill)
}

#[inline(always)]
unsafe fn keep<V: Vector32>(x: V, n: usize, fill: V) -> V {
    V::if_less(V::load(LANES.as_ptr()), V::splat(n as f32), x, fill)
}

#[inline(always)]
unsafe fn row_loop<V: Vector32>(x: *const f32, to: *mut f32, n: usize) -> [f32; 2] {
    let l = V::LANES;
    let whole = n - n % (4 * l);
    let lowest = V::splat(f32::NEG_INFINITY);
    let mut most = [lowest; 4];
    for i in (0..whole).step_by(4 * l) {
        for v in 0..4 {
            most[v] = most[v].max(V::load(x.add(i + v * l)));
        }
    }
    let mut max = most[0].max(most[1]).max(most[2].max(most[3]));
    for i in (whole..n).step_by(l) {
        max = max.max(load(x.add(i), n - i, lowest));
    }
    let max = max.largest();
    let (shift, zero) = (V::splat(max), V::splat(0.0));
    let mut sums = [zero; 4];
    for i in (0..whole).step_by(4 * l) {
        for v in 0..4 {
            let e = math::exp(V::load(x.add(i + v * l)).sub(shift));
            e.store(to.add(i + v * l));
            sums[v] = sums[v].add(e);
        }
    }
    let mut sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
    for i in (whole..n).step_by(l) {
        let e = math::exp(V::load_first(x.add(i), n - i).sub(shift));
        e.store_first(to.add(i), n - i);
        sum = sum.add(if n - i < l { keep(e, n - i, zero) } else { e });
    }
    let sum = sum.sum();
    let part = V::splat(1.0 / sum);
    for i in (0..whole).step_by(l) {
        V::load(to.add(i)).mul(part).store(to.add(i));
    }
    for i in (whole..n).step_by(l) {
        let e = V::load_first(to.add(i), n - i);
        e.mul(part).store_first(to.add(i), n - i);
    }
    [max, sum]
}

tiers!(fn row_tier(x: *const f32, to: *mut f32, n: usize) -> [f32; 2] = row_loop);

/// Writes `exp(x - max) / sum` to `to` and returns the largest element and the sum of `exp(x - max)`.
pub fn row(x: &[f32], to: &mut [f32]) -> [f32; 2] {
    assert_eq!(x.len(), to.len());
    // SAFETY: both slices have so many elements.
    unsafe { row_tier(x.as_ptr(), to.as_mut_ptr(), x.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_width_sum_to_one_and_agree_with_float64() {
        for n in [1, 2, 7, 10, 16, 17, 31, 100, 1001] {
            let x: Vec<f32> = (0..n)
                .map(|i| ((i * 37) % 101) as f32 * 0.2 - 15.0)
                .collect();
            let mut y = vec![f32::NAN; n];
            let [max, sum] = row(&x, &mut y);
            let wide: Vec<f64> = x.iter().map(|x| f64::from(x - max).exp()).collect();
            let total: f64 = wide.iter().sum();
            assert!((f64::from(sum) / total - 1.0).abs() < 1e-6, "{n}");
            assert!(x.iter().all(|x| *x <= max) && x.contains(&max));
            for (y, e) in y.iter().zip(wide) {
                assert!((f64::from(*y) * total / e - 1.0).abs() < 1e-6, "{n}");
            }
        }
    }

    #[test]
    fn infinities_and_nan_give_what_the_formula_says() {
        let mut y = [0.0; 3];
        row(&[1.0, f32::NAN, 2.0], &mut y);
        assert!(y.iter().all(|y| y.is_nan()));
        row(&[1.0, f32::NEG_INFINITY, 1.0], &mut y);
        assert_eq!(y, [0.5, 0.0, 0.5]);
        row(&[1e30, -1e30, 0.0], &mut y);
        assert_eq!(y, [1.0, 0.0, 0.0]);
    }
}
