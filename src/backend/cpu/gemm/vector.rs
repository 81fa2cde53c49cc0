//! A row times a matrix: bound by memory, so B is read once and in place.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "offsets into slices whose lengths `row_by_matrix` knows"
)]

use crate::backend::cpu::simd::{self, Lanes, Shared, Vector};
use crate::backend::cpu::threads;
use crate::value::Element;

/// Columns (or rows of a transposed matrix) in one job.
const PIECE: usize = 256;

/// Rows of B taken together, so that each result is loaded and stored once for so many of them.
const ROWS: usize = 8;

/// Elements `from..to` of `a · B` for a B of rows of `n`: rows are read from end to end, as memory likes it.
#[inline(always)]
unsafe fn sums<V: Vector>(
    a: &[V::Element],
    b: *const V::Element,
    n: usize,
    out: *mut V::Element,
    from: usize,
    to: usize,
) {
    let zero = V::splat(std::mem::zeroed());
    let mut p = 0;
    while p < a.len() || p == 0 {
        let count = (a.len() - p).min(ROWS);
        let is_first = p == 0;
        let mut x = [zero; ROWS];
        for (x, a) in x.iter_mut().zip(&a[p..p + count]) {
            *x = V::splat(*a);
        }
        let rows = b.add(p * n);
        let mut j = from;
        if count == ROWS {
            while j + V::LANES <= to {
                let mut s = if is_first { zero } else { V::load(out.add(j)) };
                for (r, x) in x.iter().enumerate() {
                    s = x.mul_add(V::load(rows.add(r * n + j)), s);
                }
                s.store(out.add(j));
                j += V::LANES;
            }
        }
        while j < to {
            let w = (to - j).min(V::LANES);
            let mut s = if is_first {
                zero
            } else {
                V::load_first(out.add(j), w)
            };
            for (r, x) in x.iter().enumerate().take(count) {
                s = x.mul_add(V::load_first(rows.add(r * n + j), w), s);
            }
            s.store_first(out.add(j), w);
            j += w;
        }
        p += ROWS;
    }
}

/// Rows `from..to` of the product of a column `a` and a row `b` of `n` elements.
#[inline(always)]
unsafe fn outer<V: Vector>(
    a: &[V::Element],
    b: *const V::Element,
    n: usize,
    out: *mut V::Element,
    from: usize,
    to: usize,
) {
    for (i, x) in a.iter().enumerate().take(to).skip(from) {
        let x = V::splat(*x);
        let out = out.add(i * n);
        let mut j = 0;
        while j + V::LANES <= n {
            x.mul(V::load(b.add(j))).store(out.add(j));
            j += V::LANES;
        }
        if j < n {
            x.mul(V::load_first(b.add(j), n - j))
                .store_first(out.add(j), n - j);
        }
    }
}

/// `R` dot products at once: of `a` with rows of B that lie `k` apart.
#[inline(always)]
unsafe fn dots<V: Vector, const R: usize>(
    a: &[V::Element],
    b: *const V::Element,
    out: *mut V::Element,
) {
    let (k, l) = (a.len(), V::LANES);
    let a = a.as_ptr();
    let zero = V::splat(std::mem::zeroed());
    let mut s = [[zero; 2]; R];
    let mut p = 0;
    while p + 2 * l <= k {
        let x = [V::load(a.add(p)), V::load(a.add(p + l))];
        for (r, s) in s.iter_mut().enumerate() {
            let row = b.add(r * k + p);
            s[0] = x[0].mul_add(V::load(row), s[0]);
            s[1] = x[1].mul_add(V::load(row.add(l)), s[1]);
        }
        p += 2 * l;
    }
    while p < k {
        let w = (k - p).min(l);
        let x = V::load_first(a.add(p), w);
        for (r, s) in s.iter_mut().enumerate() {
            s[0] = x.mul_add(V::load_first(b.add(r * k + p), w), s[0]);
        }
        p += w;
    }
    for (r, s) in s.into_iter().enumerate() {
        *out.add(r) = s[0].add(s[1]).sum();
    }
}

#[inline(always)]
unsafe fn all_dots<V: Vector>(
    a: &[V::Element],
    b: *const V::Element,
    _n: usize,
    out: *mut V::Element,
    from: usize,
    to: usize,
) {
    let k = a.len();
    let mut j = from;
    while j + 4 <= to {
        dots::<V, 4>(a, b.add(j * k), out.add(j));
        j += 4;
    }
    while j < to {
        dots::<V, 1>(a, b.add(j * k), out.add(j));
        j += 1;
    }
}

/// Elements `from..to` of a row times a matrix: `(a, b, n, out, from, to)`.
type Part<T> = unsafe fn(&[T], *const T, usize, *mut T, usize, usize);

/// A type with these loops for every tier.
pub trait Dots: Element {
    /// The loop over rows of B, or over rows of a transposed B.
    fn part(is_transposed: bool) -> Part<Self>;
    /// The loop of the product of a column and a row.
    fn outer() -> Part<Self>;
}

macro_rules! compiled {
    ($t:ty, $name:ident, $body:ident, $v:ty, [$attr:meta]) => {
        #[$attr]
        unsafe fn $name(a: &[$t], b: *const $t, n: usize, out: *mut $t, from: usize, to: usize) {
            $body::<$v>(a, b, n, out, from, to)
        }
    };
}

macro_rules! parts {
    ($t:ty, $wide:ident, $half:ident, $lanes:literal) => {
        impl Dots for $t {
            fn part(is_transposed: bool) -> Part<$t> {
                #[cfg(target_arch = "x86_64")]
                compiled!($t, sums_512, sums, simd::$wide, [target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]);
                #[cfg(target_arch = "x86_64")]
                compiled!($t, dots_512, all_dots, simd::$wide, [target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]);
                #[cfg(target_arch = "x86_64")]
                compiled!($t, sums_256, sums, simd::$half, [target_feature(enable = "avx2,fma")]);
                #[cfg(target_arch = "x86_64")]
                compiled!($t, dots_256, all_dots, simd::$half, [target_feature(enable = "avx2,fma")]);
                compiled!($t, sums_plain, sums, Lanes<$t, $lanes>, [inline]);
                compiled!($t, dots_plain, all_dots, Lanes<$t, $lanes>, [inline]);
                match (simd::tier(), is_transposed) {
                    #[cfg(target_arch = "x86_64")]
                    (simd::Tier::Avx512, false) => sums_512,
                    #[cfg(target_arch = "x86_64")]
                    (simd::Tier::Avx512, true) => dots_512,
                    #[cfg(target_arch = "x86_64")]
                    (simd::Tier::Avx2, false) => sums_256,
                    #[cfg(target_arch = "x86_64")]
                    (simd::Tier::Avx2, true) => dots_256,
                    (_, false) => sums_plain,
                    (_, true) => dots_plain,
                }
            }

            fn outer() -> Part<$t> {
                #[cfg(target_arch = "x86_64")]
                compiled!($t, outer_512, outer, simd::$wide, [target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]);
                #[cfg(target_arch = "x86_64")]
                compiled!($t, outer_256, outer, simd::$half, [target_feature(enable = "avx2,fma")]);
                compiled!($t, outer_plain, outer, Lanes<$t, $lanes>, [inline]);
                match simd::tier() {
                    #[cfg(target_arch = "x86_64")]
                    simd::Tier::Avx512 => outer_512,
                    #[cfg(target_arch = "x86_64")]
                    simd::Tier::Avx2 => outer_256,
                    _ => outer_plain,
                }
            }
        }
    };
}

parts!(f32, F512, F256, 8);
parts!(f64, D512, D256, 4);

/// `out = a · op(b)` for a row `a`; `tb` says that b lies transposed.
pub fn row_by_matrix<T: Dots>(a: &[T], b: &[T], out: &mut [T], tb: bool) {
    let n = out.len();
    assert_eq!(b.len(), a.len() * n);
    let part = T::part(tb);
    let matrix = Shared(b.as_ptr().cast_mut());
    let result = Shared::of(out);
    let is_parallel = size_of_val(b) >= threads::WORTH_BYTES;
    let piece = if is_parallel { PIECE } else { n };
    threads::run_pieces(n, piece, is_parallel, |from, to| {
        // SAFETY: b has a row (or column) for every element of out, and each job writes its own elements.
        unsafe { part(a, matrix.ptr(), n, result.ptr(), from, to) }
    });
}

/// `out = aᵀ · b` for rows `a` and `b`.
pub fn column_by_row<T: Dots>(a: &[T], b: &[T], out: &mut [T]) {
    let (m, n) = (a.len(), b.len());
    assert_eq!(out.len(), m * n);
    let part = T::outer();
    let row = Shared(b.as_ptr().cast_mut());
    let is_parallel = size_of_val(out) >= threads::WORTH_BYTES;
    let result = Shared::of(out);
    let piece = if is_parallel { m.div_ceil(16) } else { m };
    threads::run_pieces(m, piece, is_parallel, |from, to| {
        // SAFETY: b has n elements and out m rows of as many; each job writes its own rows.
        unsafe { part(a, row.ptr(), n, result.ptr(), from, to) }
    });
}
