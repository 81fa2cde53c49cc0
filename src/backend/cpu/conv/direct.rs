//! Convolutions of float images without a matrix of patches: a band of the image, filled up with zeros at its edges, lies
//! in the cache, and each tile of output pixels is one call of the micro-kernel with a segment for each row of the filter
//! (in `[height, width, channels]` a row of the window is contiguous).
//!
//! Work is cut by sizes alone and every output is one chain of additions, so threads change no bit.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "offsets into images and bands whose sizes the public functions check"
)]

use std::ops::Range;

use crate::backend::cpu::gemm::tile::{Real, Segment, best_tile, lanes};
use crate::backend::cpu::gemm::turn;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::simd::Shared;
use crate::backend::cpu::threads;
use crate::backend::cpu::window::Window;
use crate::value::DType;

use super::{Geometry, narrow};

/// Bytes of a band: half a core's second-level cache holds it beside a panel of the filter.
const BAND_BYTES: usize = 160 << 10;
/// A band of one output row that is larger is left to the matrix of patches.
const MOST_BAND_BYTES: usize = 4 << 20;
/// Parts that a convolution is cut into at least, when it is worth threads.
const LEAST_PARTS: usize = 8;

/// One axis: place `o` of the output reads the input at `o * stride - before + tap * dilation`.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    pub taps: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Negative where the input's first places are not read.
    pub before: isize,
}

impl Axis {
    pub fn of(w: &Window) -> Axis {
        Axis {
            input: w.input,
            output: w.output,
            taps: w.size,
            stride: w.stride,
            dilation: w.dilation,
            before: w.before as isize,
        }
    }

    /// Places of the input, padding included, that so many places of the output read.
    pub fn span(&self, places: usize) -> usize {
        (places - 1) * self.stride + (self.taps - 1) * self.dilation + 1
    }
}

/// Whether the loops here do this convolution.
pub(super) fn is_for(g: &Geometry, element_bytes: usize) -> bool {
    let [d, h, w] = &g.windows;
    let is_flat = d.size == 1 && d.input == 1 && d.output == 1 && d.before == 0;
    // Steps of both kinds at once would leave holes that phases do not describe.
    let is_even = [h, w].iter().all(|w| w.stride == 1 || w.dilation == 1);
    let reach = |w: &Window| (w.size - 1).saturating_mul(w.dilation).saturating_add(1);
    let across = |places: usize, w: &Window| {
        let steps = places.saturating_sub(1).saturating_mul(w.stride);
        steps.saturating_add(reach(w))
    };
    let channels = g.in_channels.max(g.out_channels);
    // The band of one output row, of the input or of the gradient, whichever is larger.
    let wide = across(w.output, w).max(across(w.input, w));
    let bytes = reach(h).saturating_mul(wide).saturating_mul(channels);
    is_flat && is_even && bytes.saturating_mul(element_bytes) <= MOST_BAND_BYTES
}

/// Copies the rows that output rows from `first` on read into `to`, `rows` of them, with zeros beyond the edges.
///
/// # Safety
/// `image` holds an image of the axes' inputs, and `to` has room for `rows` rows of the width's span.
pub(super) unsafe fn fill_band<T: Real>(
    image: *const T,
    [h, w]: [&Axis; 2],
    channels: usize,
    first: usize,
    rows: usize,
    to: *mut T,
) {
    let wide = w.span(w.output);
    let left = (w.before.max(0) as usize).min(wide);
    let skipped = (-w.before).max(0) as usize;
    let count = (wide - left).min(w.input.saturating_sub(skipped));
    for r in 0..rows {
        let row = to.add(r * wide * channels);
        let y = (first * h.stride + r) as isize - h.before;
        if y < 0 || y >= h.input as isize || count == 0 {
            row.write_bytes(0, wide * channels);
            continue;
        }
        let from = image.add((y as usize * w.input + skipped) * channels);
        row.write_bytes(0, left * channels);
        std::ptr::copy_nonoverlapping(from, row.add(left * channels), count * channels);
        let end = left + count;
        row.add(end * channels)
            .write_bytes(0, (wide - end) * channels);
    }
}

/// A convolution with packed weights: panels of columns, in each the rows `[height, width, channels]` of the filter.
struct Core<T> {
    batch: usize,
    axes: [Axis; 2],
    channels: usize,
    input: Shared<T>,
    weights: Shared<T>,
    out: Shared<T>,
    /// Elements between images, rows and pixels of the output.
    steps: [usize; 3],
    columns: usize,
}

impl<T: Real> Core<T> {
    /// Output rows in a job.
    fn rows(&self, is_parallel: bool) -> usize {
        let [h, w] = &self.axes;
        let row_bytes = w.span(w.output) * self.channels * size_of::<T>();
        let fit = BAND_BYTES / row_bytes.max(1);
        let fit = (fit.saturating_sub(h.span(1)) / h.stride + 1).clamp(1, h.output);
        let bands = match is_parallel {
            true => LEAST_PARTS.div_ceil(self.batch).min(h.output),
            false => 1,
        };
        h.output.div_ceil(bands.max(h.output.div_ceil(fit)))
    }

    unsafe fn run(&self, is_parallel: bool) {
        let [h, _] = &self.axes;
        let rows = self.rows(is_parallel);
        let bands = h.output.div_ceil(rows);
        let mut narrow = self.narrow_weights();
        let narrow = narrow.as_mut().map(narrow::Weights::shared);
        threads::run_pieces(self.batch * bands, 1, is_parallel, |job, _| {
            let (image, band) = (job / bands, job % bands);
            let rows = band * rows..(band * rows + rows).min(h.output);
            self.band(image, rows, narrow);
        });
    }

    /// The taps of a row in a segment of their own (they are neighbours unless they are dilated), and their elements.
    fn segments(&self) -> [usize; 2] {
        let w = &self.axes[1];
        match w.dilation {
            1 => [1, w.taps * self.channels],
            _ => [w.taps, self.channels],
        }
    }

    /// The weights for dot products, where they are better than tiles.
    unsafe fn narrow_weights(&self) -> Option<narrow::Weights> {
        let [across, k] = self.segments();
        let is_narrow = self.columns <= narrow::MOST && k >= narrow::SHORTEST;
        (is_narrow && T::DTYPE == DType::F32).then(|| {
            let width = best_tile::<T>(self.columns).1 * lanes::<T>();
            let sizes = [self.axes[0].taps * across, k, self.columns];
            // SAFETY: the elements are `f32`, and few columns are packed in one panel of all rows.
            unsafe { narrow::Weights::new(self.weights.ptr().cast(), width, sizes) }
        })
    }

    /// Some output rows of an image.
    unsafe fn band(&self, image: usize, rows: Range<usize>, narrow: Option<narrow::Shared>) {
        let ([h, w], c) = (&self.axes, self.channels);
        let wide = w.span(w.output) * c;
        let count = h.span(rows.len());
        let mut scratch = Scratch::new(count * wide * size_of::<T>());
        let band = scratch.ptr::<T>();
        let input = self.input.ptr().add(image * h.input * w.input * c);
        fill_band(input, [h, w], c, rows.start, count, band);
        let [across, _] = self.segments();
        let segment = |y: usize, i: usize, u: usize| -> *const T {
            let row = (y - rows.start) * h.stride + i * h.dilation;
            band.add(row * wide + u * w.dilation * c)
        };
        if let Some(weights) = narrow {
            for y in rows.clone() {
                let taps = (0..h.taps).flat_map(|i| (0..across).map(move |u| (i, u)));
                let starts: Vec<*const f32> = taps.map(|(i, u)| segment(y, i, u).cast()).collect();
                let to = self
                    .out
                    .ptr()
                    .add(image * self.steps[0] + y * self.steps[1]);
                weights.row(&starts, w.stride * c, to.cast(), self.steps[2], w.output);
            }
            return;
        }
        let width = best_tile::<T>(self.columns).1 * lanes::<T>();
        for j in 0..self.columns.div_ceil(width) {
            for y in rows.clone() {
                self.row(image, y, j, |i, u| segment(y, i, u));
            }
        }
    }

    /// Panel `j` of an output row, tile by tile.
    unsafe fn row(
        &self,
        image: usize,
        y: usize,
        j: usize,
        segment: impl Fn(usize, usize) -> *const T,
    ) {
        let ([h, w], [across, k]) = (&self.axes, self.segments());
        let (most, nv) = best_tile::<T>(self.columns);
        let width = nv * lanes::<T>();
        let tile = w.output.div_ceil(w.output.div_ceil(most));
        let weights = self.weights.ptr().add(j * h.taps * across * k * width);
        let n = width.min(self.columns - j * width);
        let out = image * self.steps[0] + y * self.steps[1] + j * width;
        let step = w.stride * self.channels;
        let mut segments: Vec<Segment<T>> = (0..h.taps * across)
            .map(|i| Segment {
                a: segment(i / across, i % across),
                b: weights.add(i * k * width),
            })
            .collect();
        for x in (0..w.output).step_by(tile) {
            let count = tile.min(w.output - x);
            let to = self.out.ptr().add(out + x * self.steps[2]);
            T::tile(count, nv, true)(&segments, k, step, width, to, self.steps[2], n, false);
            for s in &mut segments {
                s.a = s.a.wrapping_add(tile * step);
            }
        }
    }
}

/// Room for `rows` rows of `columns`, packed in panels.
fn panels<T: Real>(rows: usize, columns: usize) -> (Scratch, usize) {
    let (_, nv) = best_tile::<T>(columns);
    let width = nv * lanes::<T>();
    let padded = columns.next_multiple_of(width);
    (Scratch::new(rows * padded * size_of::<T>()), width)
}

/// `out = input * filter`; the lengths are those of the geometry, and nothing is empty.
pub(super) fn forward<T: Real>(g: &Geometry, input: &[T], filter: &[T], out: &mut [T]) {
    let [_, h, w] = &g.windows;
    let (n, patch) = (g.out_channels, g.patch());
    check(g, input, filter, out);
    let (mut packed, width) = panels::<T>(patch, n);
    let to = packed.ptr::<T>();
    // SAFETY: the filter has `patch` rows of `n`; the panels have room for them; the lengths were checked.
    unsafe {
        for j in 0..n.div_ceil(width) {
            let (columns, panel) = (width.min(n - j * width), to.add(j * patch * width));
            for p in 0..patch {
                let from = filter.as_ptr().add(p * n + j * width);
                std::ptr::copy_nonoverlapping(from, panel.add(p * width), columns);
                panel
                    .add(p * width + columns)
                    .write_bytes(0, width - columns);
            }
        }
        let core = Core {
            batch: g.batch,
            axes: [Axis::of(h), Axis::of(w)],
            channels: g.in_channels,
            input: Shared(input.as_ptr().cast_mut()),
            weights: Shared(to),
            out: Shared::of(out),
            steps: [g.out_pixels() * n, w.output * n, n],
            columns: n,
        };
        core.run(is_worth_threads(g));
    }
}

fn check<T>(g: &Geometry, input: &[T], filter: &[T], out: &[T]) {
    assert!(input.len() == g.batch * g.in_pixels() * g.in_channels);
    assert!(filter.len() == g.patch() * g.out_channels);
    assert!(out.len() == g.batch * g.out_pixels() * g.out_channels);
}

pub(super) fn is_worth_threads(g: &Geometry) -> bool {
    let one = g.out_pixels() * g.patch() * g.out_channels;
    one.saturating_mul(g.batch) >= threads::WORTH_FLOPS
}

/// The places of the input whose distance from the first is a multiple of the stride: which taps reach them, the last
/// first, and where they read the gradient.
fn phases(w: &Window) -> Vec<(Vec<usize>, Axis)> {
    let stride = w.stride as isize;
    let of = |phase: usize| {
        let reads = |tap: usize| (phase + w.before) as isize - (tap * w.dilation) as isize;
        let taps: Vec<usize> = (0..w.size)
            .rev()
            .filter(|t| reads(*t).rem_euclid(stride) == 0)
            .collect();
        let first = taps.first().map_or(0, |t| reads(*t).div_euclid(stride));
        let axis = Axis {
            input: w.output,
            output: (w.input - phase).div_ceil(w.stride),
            taps: taps.len(),
            stride: 1,
            dilation: if w.stride == 1 { w.dilation } else { 1 },
            before: -first,
        };
        (taps, axis)
    };
    (0..w.stride.min(w.input)).map(of).collect()
}

/// The gradient with respect to the input: for each phase of the strides a convolution of the gradient with the taps that
/// reach it, turned around.
pub(super) fn backward_input<T: Real>(g: &Geometry, filter: &[T], dy: &[T], dx: &mut [T]) {
    let [_, h, w] = &g.windows;
    let (c, n) = (g.in_channels, g.out_channels);
    check(g, dx, filter, dy);
    let (mut packed, width) = panels::<T>(g.taps() * n, c);
    let to = packed.ptr::<T>();
    let out = Shared::of(dx);
    let across = phases(w);
    for (y, (high, h_axis)) in phases(h).into_iter().enumerate() {
        for (x, (wide, w_axis)) in across.iter().enumerate() {
            let taps = high.len() * wide.len();
            let steps = [h.input * w.input * c, h.stride * w.input * c, w.stride * c];
            let start = (y * w.input + x) * c;
            // SAFETY: the taps lie in the filter and their panels have room for all taps; the phases' pixels lie in
            // `dx`; the lengths were checked.
            unsafe {
                let out = Shared(out.ptr().add(start));
                if taps == 0 {
                    clear(out, [g.batch, h_axis.output, w_axis.output], steps, c);
                    continue;
                }
                for j in 0..c.div_ceil(width) {
                    let columns = width.min(c - j * width);
                    let panel = to.add(j * taps * n * width);
                    if columns < width {
                        panel.write_bytes(0, taps * n * width);
                    }
                    let all = high.iter().flat_map(|a| wide.iter().map(move |b| (a, b)));
                    for (i, (a, b)) in all.enumerate() {
                        let tap = ((a * w.size + b) * c + j * width) * n;
                        let from = filter.as_ptr().add(tap);
                        turn(from, n, panel.add(i * n * width), width, n, columns);
                    }
                }
                let core = Core {
                    batch: g.batch,
                    axes: [h_axis, *w_axis],
                    channels: n,
                    input: Shared(dy.as_ptr().cast_mut()),
                    weights: Shared(to),
                    out,
                    steps,
                    columns: c,
                };
                core.run(is_worth_threads(g));
            }
        }
    }
}

/// Sets pixels of `channels` elements to zero.
unsafe fn clear<T: Real>(out: Shared<T>, sizes: [usize; 3], steps: [usize; 3], channels: usize) {
    for i in 0..sizes[0] {
        for y in 0..sizes[1] {
            for x in 0..sizes[2] {
                let at = i * steps[0] + y * steps[1] + x * steps[2];
                out.ptr().add(at).write_bytes(0, channels);
            }
        }
    }
}
