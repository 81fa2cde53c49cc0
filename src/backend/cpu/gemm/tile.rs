//! The one micro-kernel of all products: a tile of C grows by the sum over segments of A_s · B_s.
//!
//! Every element of C is one chain of multiply-adds over k in order, whatever the tile's size, so the way a product is
//! cut into tiles and shared among threads does not change its bits.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "a kernel is one unsafe operation; its contract is said at `Tile`"
)]

use crate::backend::cpu::simd::{self, Lanes, Tier, Vector};
use crate::value::Element;

/// Where one A_s and B_s begin.
pub struct Segment<T> {
    pub a: *const T,
    pub b: *const T,
}

/// `C[rows × n] (+)= sum over s of A_s[rows × k] · B_s[k × n]`, for the number of rows that the tile was made for:
/// `tile(segments, k, ar, br, c, cr, n, add)`. The strides `ar`, `br`, `cr` lie between rows of A (by rows: A(i, p) at
/// `i*ar + p`; by columns: at `p*ar + i`), of B and of C. B's rows are read in whole vectors; C is written up to `n`.
///
/// # Safety
/// All that the sizes and strides reach must be valid memory, and nobody else may use the tile of C.
pub type Tile<T> = unsafe fn(&[Segment<T>], usize, usize, usize, *mut T, usize, usize, bool);

#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn tile<V: Vector, const MR: usize, const NV: usize, const BY_ROWS: bool>(
    segments: &[Segment<V::Element>],
    k: usize,
    ar: usize,
    br: usize,
    c: *mut V::Element,
    cr: usize,
    n: usize,
    add: bool,
) {
    let zero = V::splat(std::mem::zeroed());
    let mut sums = [[zero; NV]; MR];
    let is_whole = n >= NV * V::LANES;
    if add {
        for i in 0..MR {
            for j in 0..NV {
                let at = c.add(i * cr + j * V::LANES);
                if is_whole {
                    sums[i][j] = V::load(at);
                } else if n > j * V::LANES {
                    sums[i][j] = V::load_first(at, n - j * V::LANES);
                }
            }
        }
    }
    for segment in segments {
        let (mut a, mut b) = (segment.a, segment.b);
        let mut left = k;
        macro_rules! step {
            ($u:literal) => {{
                let row: [V; NV] = std::array::from_fn(|j| V::load(b.add($u * br + j * V::LANES)));
                for i in 0..MR {
                    let x = V::splat(if BY_ROWS {
                        *a.add(i * ar + $u)
                    } else {
                        *a.add($u * ar + i)
                    });
                    for j in 0..NV {
                        sums[i][j] = x.mul_add(row[j], sums[i][j]);
                    }
                }
            }};
        }
        while left >= 4 {
            step!(0);
            step!(1);
            step!(2);
            step!(3);
            b = b.add(4 * br);
            a = a.add(if BY_ROWS { 4 } else { 4 * ar });
            left -= 4;
        }
        while left > 0 {
            step!(0);
            b = b.add(br);
            a = a.add(if BY_ROWS { 1 } else { ar });
            left -= 1;
        }
    }
    for i in 0..MR {
        for j in 0..NV {
            let at = c.add(i * cr + j * V::LANES);
            if is_whole {
                sums[i][j].store(at);
            } else if n > j * V::LANES {
                sums[i][j].store_first(at, n - j * V::LANES);
            }
        }
    }
}

/// For tiles of 1, 2, 3 and 4 vectors.
type MostRows = [usize; 4];

/// A tile compiled for one tier.
macro_rules! one_tier {
    ($run:ident, $t:ty, $v:ty, [$attr:meta]) => {
        #[$attr]
        #[allow(clippy::too_many_arguments)]
        unsafe fn $run<const MR: usize, const NV: usize, const R: bool>(
            s: &[Segment<$t>],
            k: usize,
            ar: usize,
            br: usize,
            c: *mut $t,
            cr: usize,
            n: usize,
            add: bool,
        ) {
            tile::<$v, MR, NV, R>(s, k, ar, br, c, cr, n, add)
        }
    };
}

macro_rules! pick {
    ($run:ident, $mr:expr, $nv:expr, $by_rows:expr; $($v:literal: $($m:literal)*;)*) => {
        match ($mr, $nv, $by_rows) {
            $($(
                ($m, $v, true) => $run::<$m, $v, true>,
                ($m, $v, false) => $run::<$m, $v, false>,
            )*)*
            (rows, vectors, _) => unreachable!("no tile of {rows} rows by {vectors} vectors"),
        }
    };
}

macro_rules! tables {
    ($t:ty, $module:ident, $wide:ident, $half:ident, $lanes:literal,
     [$($wide_tiles:tt)*], [$($half_tiles:tt)*]) => {
        mod $module {
            use super::*;

            #[cfg(target_arch = "x86_64")]
            one_tier!(wide, $t, simd::$wide, [target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]);
            #[cfg(target_arch = "x86_64")]
            one_tier!(half, $t, simd::$half, [target_feature(enable = "avx2,fma")]);
            one_tier!(plain, $t, Lanes<$t, $lanes>, [inline]);

            pub fn pick(mr: usize, nv: usize, by_rows: bool) -> Tile<$t> {
                match simd::tier() {
                    #[cfg(target_arch = "x86_64")]
                    Tier::Avx512 => pick!(wide, mr, nv, by_rows; $($wide_tiles)*),
                    #[cfg(target_arch = "x86_64")]
                    Tier::Avx2 => pick!(half, mr, nv, by_rows; $($half_tiles)*),
                    _ => pick!(plain, mr, nv, by_rows; 1: 1 2 3 4;),
                }
            }
        }
    };
}

tables!(f32, single, F512, F256, 8,
    [1: 1 2 3 4 5 6 7 8 9 10; 2: 1 2 3 4 5 6 7 8 9 10; 3: 1 2 3 4 5 6 7 8; 4: 1 2 3 4 5 6;],
    [1: 1 2 3 4 5 6 7 8; 2: 1 2 3 4 5 6;]);
// Fewer for float64: each tile costs compile time.
tables!(f64, double, D512, D256, 4,
    [1: 1 2 3 4; 2: 1 2 3 4 5 6;],
    [1: 1 2 3 4; 2: 1 2 3 4 5 6;]);

/// A type with tiles.
pub trait Real: Element {
    /// The most rows of tiles of 1, 2, 3 and 4 vectors, by tier; 0 where there is no such tile.
    const MOST_ROWS: [MostRows; 2];

    /// The tile of so many rows and vectors of columns, over an A that lies by rows or by columns.
    fn tile(rows: usize, vectors: usize, by_rows: bool) -> Tile<Self>;
}

impl Real for f32 {
    const MOST_ROWS: [MostRows; 2] = [[8, 6, 0, 0], [10, 10, 8, 6]];

    fn tile(rows: usize, vectors: usize, by_rows: bool) -> Tile<f32> {
        single::pick(rows, vectors, by_rows)
    }
}

impl Real for f64 {
    const MOST_ROWS: [MostRows; 2] = [[4, 6, 0, 0], [4, 6, 0, 0]];

    fn tile(rows: usize, vectors: usize, by_rows: bool) -> Tile<f64> {
        double::pick(rows, vectors, by_rows)
    }
}

/// Elements in a vector.
pub fn lanes<T: Real>() -> usize {
    let bytes = match simd::tier() {
        Tier::Avx512 => 64,
        _ => 32,
    };
    bytes / size_of::<T>()
}

/// The best tile for `n` columns: most rows, and vectors.
pub fn best_tile<T: Real>(n: usize) -> (usize, usize) {
    let vectors = n.div_ceil(lanes::<T>());
    let most = match simd::tier() {
        Tier::Avx512 => T::MOST_ROWS[1],
        Tier::Avx2 => T::MOST_ROWS[0],
        Tier::Plain => [4, 0, 0, 0],
    };
    let nv = match vectors {
        3 if most[2] > 0 => 3,
        _ if vectors.is_multiple_of(4) && most[3] > 0 => 4,
        _ if most[1] > 0 => vectors.clamp(1, 2),
        _ => 1,
    };
    (most[nv - 1], nv)
}
