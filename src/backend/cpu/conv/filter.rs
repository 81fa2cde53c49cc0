//! The gradient of a convolution with respect to its filter, without a matrix of patches: for each row of the filter the
//! tile's rows are neighbouring elements of the padded band, its columns the output's channels, and the sum runs over
//! pixels. Few output channels change places with the band's elements.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "offsets into images and bands whose sizes `backward` checks"
)]

use std::ops::Range;

use crate::backend::cpu::gemm::Number;
use crate::backend::cpu::gemm::tile::{Real, Segment, best_tile, lanes};
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::simd::Shared;
use crate::backend::cpu::threads;

use super::Geometry;
use super::direct::{Axis, fill_band, is_worth_threads};

/// Bytes of the gradient in a band.
const BAND_BYTES: usize = 64 << 10;
/// Bytes of the padded images in a band.
const MOST_IMAGE_BYTES: usize = 256 << 10;
/// Parts that the pixels, or else the tiles, are cut into.
const PARTS: usize = 8;
/// Filters of more elements are not summed in parts.
const MOST_PARTIAL: usize = 1 << 17;

/// Images and the output rows in each of them.
#[derive(Clone)]
struct Band {
    images: Range<usize>,
    rows: Range<usize>,
}

struct Filter<'a, T> {
    axes: [Axis; 2],
    channels: usize,
    columns: usize,
    input: &'a [T],
    dy: &'a [T],
    /// Rows of tiles for each tap row (or each tap, when they are dilated), and how many of those there are.
    k: usize,
    groups: usize,
    /// Rows and vectors of a tile.
    rows: usize,
    nv: usize,
    /// Whether the output's channels are the rows of a tile, and the band's elements its columns.
    is_swapped: bool,
}

/// `dw`, the gradient of the filter; the lengths are those of the geometry, and nothing is empty.
pub(super) fn backward<T: Real + Number>(g: &Geometry, input: &[T], dy: &[T], dw: &mut [T]) {
    let (c, n) = (g.in_channels, g.out_channels);
    assert!(input.len() == g.batch * g.in_pixels() * c);
    assert!(dy.len() == g.batch * g.out_pixels() * n && dw.len() == g.patch() * n);
    let filter = Filter::new(g, input, dy);
    let bands = filter.bands(g.batch);
    let is_parallel = is_worth_threads(g);
    let tiles = filter.tiles();
    let (parts, shares) = match (is_parallel, dw.len() <= MOST_PARTIAL) {
        (false, _) => (1, 1),
        (true, true) => (bands.len().min(PARTS), 1),
        (true, false) => (1, tiles.min(PARTS)),
    };
    let mut sums = match parts > 1 || filter.is_swapped {
        true => vec![<T as bytemuck::Zeroable>::zeroed(); parts * dw.len()],
        false => Vec::new(),
    };
    let len = dw.len();
    let to = match sums.is_empty() {
        true => Shared::of(dw),
        false => Shared::of(&mut sums),
    };
    threads::run_pieces(parts * shares, 1, is_parallel, |job, _| {
        let (part, share) = (job / shares, job % shares);
        let cut = |n: usize, i: usize, of: usize| i * n / of..(i + 1) * n / of;
        let bands = &bands[cut(bands.len(), part, parts)];
        // SAFETY: the lengths were checked; each part has sums of its own, and shares hold different tiles.
        unsafe {
            let to = to.ptr().add(part * len);
            filter.add(bands, cut(tiles, share, shares), to);
        }
    });
    if sums.is_empty() {
        return;
    }
    for (i, part) in sums.chunks_exact(len).enumerate() {
        let at = |j: usize| match filter.is_swapped {
            true => part[j % n * (len / n) + j / n],
            false => part[j],
        };
        for (j, to) in dw.iter_mut().enumerate() {
            *to = if i == 0 { at(j) } else { T::plus(*to, at(j)) };
        }
    }
}

impl<'a, T: Real> Filter<'a, T> {
    fn new(g: &Geometry, input: &'a [T], dy: &'a [T]) -> Self {
        let [_, h, w] = &g.windows;
        let (c, n, l) = (g.in_channels, g.out_channels, lanes::<T>());
        let (k, groups) = match w.dilation {
            1 => (w.size * c, h.size),
            _ => (c, h.size * w.size),
        };
        let is_swapped = n < l && n < k && n <= best_tile::<T>(k.min(2 * l)).0;
        let (rows, nv) = match is_swapped {
            // One row needs several vectors, or additions wait for each other.
            true => match best_tile::<T>(4 * l) {
                (most, nv) if n <= most => (n, nv),
                _ => (n, best_tile::<T>(k.min(2 * l)).1),
            },
            false => {
                let vectors = n.div_ceil(l);
                let at_once = if vectors.is_multiple_of(3) {
                    3
                } else {
                    vectors.min(2)
                };
                let (most, nv) = best_tile::<T>(at_once * l);
                let most = most.min(8);
                (k.div_ceil(k.div_ceil(most)), nv)
            }
        };
        Filter {
            axes: [Axis::of(h), Axis::of(w)],
            channels: c,
            columns: n,
            input,
            dy,
            k,
            groups,
            rows,
            nv,
            is_swapped,
        }
    }

    fn width(&self) -> usize {
        self.nv * lanes::<T>()
    }

    /// Tiles of rows, and of columns, in a group.
    fn tiles_of_group(&self) -> [usize; 2] {
        match self.is_swapped {
            true => [1, self.k.div_ceil(self.width())],
            false => [
                self.k.div_ceil(self.rows),
                self.columns.div_ceil(self.width()),
            ],
        }
    }

    fn tiles(&self) -> usize {
        let [rows, columns] = self.tiles_of_group();
        self.groups * rows * columns
    }

    /// Bands of a few rows of an image, or of several small images.
    fn bands(&self, batch: usize) -> Vec<Band> {
        let [h, w] = &self.axes;
        let row = (w.output * self.columns * size_of::<T>()).max(1);
        let image = h.span(h.output) * w.span(w.output) * self.channels * size_of::<T>();
        let images = (BAND_BYTES / (row * h.output)).min(MOST_IMAGE_BYTES / image);
        if images > 0 {
            let images = batch.div_ceil(batch.div_ceil(images));
            let starts = (0..batch).step_by(images);
            return starts
                .map(|i| Band {
                    images: i..(i + images).min(batch),
                    rows: 0..h.output,
                })
                .collect();
        }
        let rows = (BAND_BYTES / row).clamp(1, h.output);
        let rows = h.output.div_ceil(h.output.div_ceil(rows));
        let of_image = |i: usize| {
            let starts = (0..h.output).step_by(rows);
            starts.map(move |r| Band {
                images: i..i + 1,
                rows: r..(r + rows).min(h.output),
            })
        };
        (0..batch).flat_map(of_image).collect()
    }

    /// Sets some of the tiles of `to` to the sums over some bands.
    unsafe fn add(&self, bands: &[Band], tiles: Range<usize>, to: *mut T) {
        let ([h, w], c, n) = (&self.axes, self.channels, self.columns);
        let wide = w.span(w.output) * c;
        let most = |f: &dyn Fn(&Band) -> usize| bands.iter().map(f).max().unwrap_or(0);
        let padded = most(&|b| b.images.len() * h.span(b.rows.len())) * wide;
        // Whole vectors are read at the end of a band too.
        let mut scratch = Scratch::new((padded + self.width()) * size_of::<T>());
        let band_at = scratch.ptr::<T>();
        band_at.add(padded).write_bytes(0, self.width());
        let is_copied = !self.is_swapped && !n.is_multiple_of(self.width());
        let stride = match is_copied {
            true => n.next_multiple_of(self.width()),
            false => n,
        };
        let pixels = most(&|b| b.images.len() * b.rows.len()) * w.output;
        let mut copy = Scratch::new(if is_copied {
            pixels * stride * size_of::<T>()
        } else {
            0
        });
        let mut segments = Vec::new();
        for (i, band) in bands.iter().enumerate() {
            let rows = h.span(band.rows.len());
            for (at, image) in band.images.clone().enumerate() {
                let from = self.input.as_ptr().add(image * h.input * w.input * c);
                let to = band_at.add(at * rows * wide);
                fill_band(from, [h, w], c, band.rows.start, rows, to);
            }
            let first = (band.images.start * h.output + band.rows.start) * w.output * n;
            let mut slopes = self.dy.as_ptr().add(first);
            if is_copied {
                // Bands of several images hold all their rows, so that the pixels of a band lie together.
                let count = band.images.len() * band.rows.len() * w.output;
                let to = copy.ptr::<T>();
                for p in 0..count {
                    std::ptr::copy_nonoverlapping(slopes.add(p * n), to.add(p * stride), n);
                    to.add(p * stride + n).write_bytes(0, stride - n);
                }
                slopes = to;
            }
            for tile in tiles.clone() {
                self.tile(
                    band,
                    tile,
                    band_at,
                    slopes,
                    stride,
                    &mut segments,
                    to,
                    i > 0,
                );
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    unsafe fn tile(
        &self,
        band: &Band,
        tile: usize,
        band_at: *const T,
        slopes: *const T,
        stride: usize,
        segments: &mut Vec<Segment<T>>,
        to: *mut T,
        is_more: bool,
    ) {
        let ([h, w], c, n) = (&self.axes, self.channels, self.columns);
        let wide = w.span(w.output) * c;
        let [down, across] = self.tiles_of_group();
        let (group, rest) = (tile / (down * across), tile % (down * across));
        let (i, j) = (rest / across * self.rows, rest % across * self.width());
        let (tap_row, tap) = match w.dilation {
            1 => (group, 0),
            _ => (group / w.taps, group % w.taps),
        };
        // The first element of the band that this tile reads in an output row.
        let skip = tap * w.dilation * c + if self.is_swapped { j } else { i };
        let rows = h.span(band.rows.len());
        segments.clear();
        for image in 0..band.images.len() {
            for y in 0..band.rows.len() {
                let row = image * rows + y * h.stride + tap_row * h.dilation;
                let elements = band_at.add(row * wide + skip);
                let dy = slopes.add((image * band.rows.len() + y) * w.output * stride);
                segments.push(match self.is_swapped {
                    true => Segment { a: dy, b: elements },
                    false => Segment {
                        a: elements,
                        b: dy.add(j),
                    },
                });
            }
        }
        let (pixels, step) = (w.output, w.stride * c);
        let part = group * self.k;
        if self.is_swapped {
            // Channels of the output are rows here: the sums lie turned.
            let all = self.groups * self.k;
            let count = self.width().min(self.k - j);
            let to = to.add(part + j);
            T::tile(n, self.nv, false)(segments, pixels, stride, step, to, all, count, is_more);
        } else {
            let (rows, count) = (self.rows.min(self.k - i), self.width().min(n - j));
            let to = to.add((part + i) * n + j);
            T::tile(rows, self.nv, false)(segments, pixels, step, stride, to, n, count, is_more);
        }
    }
}
