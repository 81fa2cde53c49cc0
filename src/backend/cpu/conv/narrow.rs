//! Convolutions to a few channels: a tile's vector of columns would stand nearly empty, so each output is a dot product
//! along the row of its window instead, four pixels at once.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "offsets into a band and packed weights, whose sizes `direct` knows"
)]

use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::simd::Vector32;
use crate::tiers;

/// The most columns that are narrow.
pub(super) const MOST: usize = 4;
/// Shorter rows of a window are not worth dot products.
pub(super) const SHORTEST: usize = 32;
/// Rows of weights end at multiples of the widest vector.
const LANES: usize = 16;

/// The weights by columns: `[columns, segments, k]`, each row filled up with zeros.
pub(super) struct Weights {
    packed: Scratch,
    k: usize,
    segments: usize,
    columns: usize,
}

impl Weights {
    /// Of rows `[segments, k]` that lie `width` apart.
    ///
    /// # Safety
    /// `from` holds so many rows.
    pub unsafe fn new(from: *const f32, width: usize, sizes: [usize; 3]) -> Weights {
        let [segments, k, columns] = sizes;
        let padded = k.next_multiple_of(LANES);
        let mut packed = Scratch::new(columns * segments * padded * size_of::<f32>());
        let to = packed.ptr::<f32>();
        to.write_bytes(0, columns * segments * padded);
        for o in 0..columns {
            for row in 0..segments * k {
                let at = (o * segments + row / k) * padded + row % k;
                *to.add(at) = *from.add(row * width + o);
            }
        }
        Weights {
            packed,
            k,
            segments,
            columns,
        }
    }

    /// What a job shares with others.
    pub fn shared(&mut self) -> Shared {
        Shared {
            at: crate::backend::cpu::simd::Shared(self.packed.ptr::<f32>()),
            k: self.k,
            segments: self.segments,
            columns: self.columns,
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Shared {
    at: crate::backend::cpu::simd::Shared<f32>,
    k: usize,
    segments: usize,
    columns: usize,
}

impl Shared {
    /// A row of `pixels`: `rows` is where the window of the first begins in each segment, `step` how far the next lies;
    /// the outputs lie `to_step` apart.
    ///
    /// # Safety
    /// All that these sizes reach is valid, and nobody else uses the outputs.
    pub unsafe fn row(
        self,
        rows: &[*const f32],
        step: usize,
        to: *mut f32,
        to_step: usize,
        pixels: usize,
    ) {
        debug_assert_eq!(rows.len(), self.segments);
        let run = match self.columns {
            1 => row_tier::<1>,
            2 => row_tier::<2>,
            3 => row_tier::<3>,
            _ => row_tier::<4>,
        };
        run(rows, self.k, step, self.at.ptr(), to, to_step, pixels);
    }
}

tiers!(fn row_tier<const N: usize>(
    rows: &[*const f32], k: usize, step: usize, weights: *const f32, to: *mut f32, to_step: usize, pixels: usize,
) = row_loop);

#[inline(always)]
unsafe fn row_loop<V: Vector32, const N: usize>(
    rows: &[*const f32],
    k: usize,
    step: usize,
    weights: *const f32,
    to: *mut f32,
    to_step: usize,
    pixels: usize,
) {
    let padded = k.next_multiple_of(LANES);
    for x in (0..pixels).step_by(4) {
        let count = (pixels - x).min(4);
        // Pixels beyond the row repeat its last; their sums are not stored.
        let offsets: [usize; 4] = std::array::from_fn(|u| (x + u.min(count - 1)) * step);
        let mut sums = [[V::splat(0.0); 4]; N];
        for (i, row) in rows.iter().enumerate() {
            let mut q = 0;
            while q < k {
                let is_whole = q + V::LANES <= k;
                let w: [V; N] = std::array::from_fn(|o| {
                    V::load(weights.add((o * rows.len() + i) * padded + q))
                });
                for u in 0..4 {
                    let at = row.add(offsets[u] + q);
                    let v = match is_whole {
                        true => V::load(at),
                        false => V::load_first(at, k - q),
                    };
                    for o in 0..N {
                        sums[o][u] = v.mul_add(w[o], sums[o][u]);
                    }
                }
                q += V::LANES;
            }
        }
        for u in 0..count {
            for o in 0..N {
                *to.add((x + u) * to_step + o) = sums[o][u].sum();
            }
        }
    }
}
