//! Products of float matrices: panels of B are packed, tiles run over them.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "offsets into matrices whose sizes `product` checks"
)]

use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::simd::Shared;
use crate::backend::cpu::threads;

use super::tile::{Real, Segment, best_tile, lanes};
use super::vector;

/// A matrix as it lies: the stride between its rows in memory, and whether those are the columns of what is meant.
#[derive(Clone, Copy)]
struct Matrix<T> {
    ptr: Shared<T>,
    stride: usize,
    is_transposed: bool,
}

/// Up to so many rows of A, each job packs its panels of B for itself: they are hot in its cache.
const FEW_ROWS: usize = 256;
/// Bytes of packed B at a time.
const PACKED: usize = 1 << 20;
/// Deeper blocks of k from so many rows on: each block reads and writes all of C.
const MANY_ROWS: usize = 512;
/// Panels that a job packs at once, so that rows of B are read in longer runs.
const AT_ONCE: usize = 4;

/// `out = op(a) · op(b)`; sizes as in [`super::matmul`].
pub fn product<T: Real + vector::Dots>(
    a: &[T],
    b: &[T],
    out: &mut [T],
    [m, k, n]: [usize; 3],
    ta: bool,
    tb: bool,
) {
    assert!(a.len() == m * k && b.len() == k * n && out.len() == m * n);
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        return out.fill(bytemuck::Zeroable::zeroed());
    }
    if m == 1 {
        return vector::row_by_matrix(a, b, out, tb);
    }
    if n == 1 {
        // The column's transpose by that of A.
        return vector::row_by_matrix(b, a, out, !ta);
    }
    if k == 1 {
        return vector::column_by_row(a, b, out);
    }
    let a = Matrix {
        ptr: Shared(a.as_ptr().cast_mut()),
        stride: if ta { m } else { k },
        is_transposed: ta,
    };
    let b = Matrix {
        ptr: Shared(b.as_ptr().cast_mut()),
        stride: if tb { k } else { n },
        is_transposed: tb,
    };
    // SAFETY: the lengths were checked above.
    unsafe { blocks(a, b, Shared::of(out), [m, k, n]) }
}

unsafe fn blocks<T: Real>(a: Matrix<T>, b: Matrix<T>, c: Shared<T>, [m, k, n]: [usize; 3]) {
    let (most, nv) = best_tile::<T>(n);
    let width = nv * lanes::<T>();
    let panels = n.div_ceil(width);
    let tiles = m.div_ceil(most);
    let rows = m.div_ceil(tiles);
    // Balanced blocks of k, multiples of four.
    let most_k = match nv {
        _ if m >= MANY_ROWS => 384,
        3.. => 160,
        _ => 256,
    };
    let depth = k.div_ceil(k.div_ceil(most_k)).next_multiple_of(4);
    let is_parallel = m * n * k >= threads::WORTH_FLOPS;
    let has_few_rows = m <= FEW_ROWS;
    let at_once = if has_few_rows {
        panels
    } else {
        (PACKED / (depth * width * size_of::<T>())).clamp(1, panels)
    };
    let mut packed = Scratch::new(if has_few_rows {
        0
    } else {
        at_once * depth * width * size_of::<T>()
    });
    let packed = Shared(packed.ptr::<T>());
    for first in (0..panels).step_by(at_once) {
        let here = at_once.min(panels - first);
        for p0 in (0..k).step_by(depth) {
            let kk = depth.min(k - p0);
            let block = Block {
                a,
                b,
                c,
                size: [m, n],
                k: [p0, kk],
                width,
                nv,
                rows,
                packed,
                first,
            };
            let run = |parts: usize, job: &(dyn Fn(usize) + Sync)| {
                if is_parallel {
                    threads::run(parts, job);
                } else {
                    (0..parts).for_each(job);
                }
            };
            if has_few_rows {
                let parts = if is_parallel { here.min(16) } else { 1 };
                let per = here.div_ceil(parts);
                run(here.div_ceil(per), &|part| {
                    block.all_rows(part * per, (part * per + per).min(here));
                });
            } else {
                run(here, &|j| {
                    let to = packed.ptr().add(j * depth * width);
                    block.pack(first + j, to);
                });
                let per = (96 / rows).max(1) * rows;
                run(m.div_ceil(per), &|part| {
                    block.some_rows(part * per, (part * per + per).min(m), here, depth);
                });
            }
        }
    }
}

/// A block of k of the product, over some panels of B.
struct Block<T> {
    a: Matrix<T>,
    b: Matrix<T>,
    c: Shared<T>,
    size: [usize; 2],
    k: [usize; 2],
    width: usize,
    nv: usize,
    rows: usize,
    packed: Shared<T>,
    first: usize,
}

impl<T: Real> Block<T> {
    /// Writes panel `j` of B to `to`, row by row, zeros where B has no more columns.
    unsafe fn pack(&self, j: usize, to: *mut T) {
        let [p0, kk] = self.k;
        let column = j * self.width;
        let w = self.width.min(self.size[1] - column);
        let b = self.b.ptr.ptr();
        if w < self.width {
            to.write_bytes(0, kk * self.width);
        }
        if self.b.is_transposed {
            turn(
                b.add(column * self.b.stride + p0),
                self.b.stride,
                to,
                self.width,
                kk,
                w,
            );
        } else {
            for p in 0..kk {
                let from = b.add((p0 + p) * self.b.stride + column);
                std::ptr::copy_nonoverlapping(from, to.add(p * self.width), w);
            }
        }
    }

    /// Writes whole panels of B, from panel `j` on, to `to`, all of them row by row.
    unsafe fn pack_rows(&self, j: usize, panels: usize, to: *mut T) {
        let [p0, kk] = self.k;
        let b = self.b.ptr.ptr().add(j * self.width);
        for p in 0..kk {
            let row = b.add((p0 + p) * self.b.stride);
            for i in 0..panels {
                let to = to.add((i * kk + p) * self.width);
                std::ptr::copy_nonoverlapping(row.add(i * self.width), to, self.width);
            }
        }
    }

    /// Panels `from..to` for all rows; each is packed just before it is used.
    unsafe fn all_rows(&self, from: usize, to: usize) {
        let [m, n] = self.size;
        let kk = self.k[1];
        let at_once = AT_ONCE.min(to - from);
        let mut scratch = Scratch::new(at_once * self.width * kk * size_of::<T>());
        let packed = scratch.ptr::<T>();
        let (a, stride, _kept) = self.strip(0, m, to - from);
        for group in (from..to).step_by(at_once) {
            let end = (group + at_once).min(to);
            let is_whole = (self.first + end) * self.width <= n;
            // Few rows do not repay the packing of B, unless it must be turned or padded.
            let is_direct = m <= 16 && !self.b.is_transposed && is_whole;
            if is_whole && !is_direct && !self.b.is_transposed {
                self.pack_rows(self.first + group, end - group, packed);
            } else if !is_direct {
                for j in group..end {
                    let to = packed.add((j - group) * kk * self.width);
                    self.pack(self.first + j, to);
                }
            }
            for j in group..end {
                let column = (self.first + j) * self.width;
                let (b, br): (*const T, usize) = if is_direct {
                    let at = self.k[0] * self.b.stride + column;
                    (self.b.ptr.ptr().add(at), self.b.stride)
                } else {
                    (packed.add((j - group) * kk * self.width), self.width)
                };
                self.panel(0, m, a, stride, b, br, column);
            }
        }
    }

    /// Rows `from..to` over all the packed panels.
    unsafe fn some_rows(&self, from: usize, to: usize, panels: usize, depth: usize) {
        let (a, stride, _kept) = self.strip(from, to, panels);
        for j in 0..panels {
            let b = self.packed.ptr().add(j * depth * self.width);
            let column = (self.first + j) * self.width;
            self.panel(from, to, a, stride, b, self.width, column);
        }
    }

    /// Rows `from..to` of A in this block of k: in place, or copied where rows would collide in the cache.
    unsafe fn strip(&self, from: usize, to: usize, panels: usize) -> (*const T, usize, Scratch) {
        let [p0, kk] = self.k;
        let count = to - from;
        let (a, stride) = (self.a.ptr.ptr(), self.a.stride);
        if self.a.is_transposed {
            let start = a.add(p0 * stride + from);
            if panels <= 2 || count * stride <= 1 << 14 {
                return (start, stride, Scratch::new(0));
            }
            let ld = count.next_multiple_of(16) + 16;
            let mut copy = Scratch::new(ld * kk * size_of::<T>());
            let to = copy.ptr::<T>();
            for p in 0..kk {
                std::ptr::copy_nonoverlapping(start.add(p * stride), to.add(p * ld), count);
            }
            return (to, ld, copy);
        }
        let start = a.add(from * stride + p0);
        let collides = stride.is_multiple_of(128) || self.size[0] > FEW_ROWS;
        if panels <= 2 || count * kk <= 1 << 13 || !collides {
            return (start, stride, Scratch::new(0));
        }
        let ld = kk.next_multiple_of(16) + 16;
        let mut copy = Scratch::new(ld * count * size_of::<T>());
        let to = copy.ptr::<T>();
        for i in 0..count {
            std::ptr::copy_nonoverlapping(start.add(i * stride), to.add(i * ld), kk);
        }
        (to, ld, copy)
    }

    /// One panel of columns of C, tile by tile; `a` is where row `from` lies.
    #[allow(clippy::too_many_arguments)]
    unsafe fn panel(
        &self,
        from: usize,
        to: usize,
        a: *const T,
        stride: usize,
        b: *const T,
        br: usize,
        column: usize,
    ) {
        let [p0, kk] = self.k;
        let n = self.size[1];
        let w = self.width.min(n - column);
        let by_rows = !self.a.is_transposed;
        for i in (from..to).step_by(self.rows) {
            let count = self.rows.min(to - i);
            let skip = (i - from) * if by_rows { stride } else { 1 };
            let segments = [Segment { a: a.add(skip), b }];
            let c = self.c.ptr().add(i * n + column);
            T::tile(count, self.nv, by_rows)(&segments, kk, stride, br, c, n, w, p0 > 0);
        }
    }
}

/// `to[p*tw + j] = from[j*fw + p]` for `p < k`, `j < n`.
///
/// # Safety
/// `from` can be read at `(n - 1)*fw + k` elements, `to` written at `(k - 1)*tw + n`; the two do not overlap.
pub unsafe fn turn<T: Copy>(from: *const T, fw: usize, to: *mut T, tw: usize, k: usize, n: usize) {
    const SIDE: usize = 8;
    let mut p = 0;
    while p + SIDE <= k {
        let mut j = 0;
        while j + SIDE <= n {
            // A square at a time: whole rows are read, whole rows are written.
            let square: [[T; SIDE]; SIDE] = std::array::from_fn(|r| {
                from.add((j + r) * fw + p)
                    .cast::<[T; SIDE]>()
                    .read_unaligned()
            });
            for u in 0..SIDE {
                let row: [T; SIDE] = std::array::from_fn(|r| square[r][u]);
                to.add((p + u) * tw + j)
                    .cast::<[T; SIDE]>()
                    .write_unaligned(row);
            }
            j += SIDE;
        }
        for j in j..n {
            for u in 0..SIDE {
                *to.add((p + u) * tw + j) = *from.add(j * fw + p + u);
            }
        }
        p += SIDE;
    }
    for p in p..k {
        for j in 0..n {
            *to.add(p * tw + j) = *from.add(j * fw + p);
        }
    }
}
