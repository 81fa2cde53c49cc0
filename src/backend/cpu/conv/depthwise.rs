//! Convolutions of each channel with filters of its own, `[depth, height, width, in_channels, multiplier]`: channel `c` of
//! the input makes channels `c * multiplier ..` of the output. One filter a channel over flat `float32` images runs in
//! vectors over channels; all else in plain loops.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "offsets of pixels within images whose lengths the public functions check"
)]

use bytemuck::{cast_slice, cast_slice_mut};

use crate::backend::cpu::gemm::Number;
use crate::backend::cpu::simd::Vector32;
use crate::backend::cpu::threads;
use crate::backend::cpu::window::Window;
use crate::tiers;
use crate::value::DType;

use super::Geometry;

/// For a place of one axis: which taps it meets, and the places there.
type Meetings = Vec<(usize, usize)>;

/// For each place of the output, the taps that lie in the input.
fn read_by(w: &Window) -> Vec<Meetings> {
    let of = |o: usize| (0..w.size).filter_map(|t| Some((t, w.at(o, t)?))).collect();
    (0..w.output).map(of).collect()
}

/// For each place of the input, the taps through which places of the output read it.
fn read_from(w: &Window) -> Vec<Meetings> {
    let mut all = vec![Meetings::new(); w.input];
    for (o, meetings) in read_by(w).into_iter().enumerate() {
        for (tap, at) in meetings {
            all[at].push((tap, o));
        }
    }
    all
}

/// `to = sum over rows and columns of from[row, column] * weights[tap row, tap column]`, channel by channel.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn pixel_loop<V: Vector32>(
    rows: &[(usize, usize)],
    columns: &[(usize, usize)],
    from: *const f32,
    from_row: usize,
    weights: *const f32,
    weights_row: usize,
    channels: usize,
    to: *mut f32,
) {
    let mut k = 0;
    while k < channels {
        let n = channels - k;
        if n >= 4 * V::LANES {
            let mut sums = [V::splat(0.0); 4];
            for (i, y) in rows {
                for (j, x) in columns {
                    let a = from.add(y * from_row + x * channels + k);
                    let w = weights.add(i * weights_row + j * channels + k);
                    for v in 0..4 {
                        let at = v * V::LANES;
                        sums[v] = V::load(a.add(at)).mul_add(V::load(w.add(at)), sums[v]);
                    }
                }
            }
            for v in 0..4 {
                sums[v].store(to.add(k + v * V::LANES));
            }
            k += 4 * V::LANES;
            continue;
        }
        let mut sum = V::splat(0.0);
        for (i, y) in rows {
            for (j, x) in columns {
                let a = from.add(y * from_row + x * channels + k);
                let w = weights.add(i * weights_row + j * channels + k);
                sum = V::load_first(a, n).mul_add(V::load_first(w, n), sum);
            }
        }
        sum.store_first(to.add(k), n);
        k += V::LANES;
    }
}

/// A row of pixels.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn row_loop<V: Vector32>(
    rows: &[(usize, usize)],
    columns: &[Meetings],
    from: *const f32,
    from_row: usize,
    weights: *const f32,
    weights_row: usize,
    channels: usize,
    to: *mut f32,
) {
    for (x, columns) in columns.iter().enumerate() {
        let to = to.add(x * channels);
        pixel_loop::<V>(
            rows,
            columns,
            from,
            from_row,
            weights,
            weights_row,
            channels,
            to,
        );
    }
}

tiers!(fn row_tier(
    rows: &[(usize, usize)], columns: &[Meetings], from: *const f32, from_row: usize, weights: *const f32,
    weights_row: usize, channels: usize, to: *mut f32,
) = row_loop);

/// `to[k] += sum over pixels of a[k] * d[k]`, where `step` lies between pixels of `a`.
#[inline(always)]
unsafe fn products_loop<V: Vector32>(
    a: *const f32,
    step: usize,
    d: *const f32,
    pixels: usize,
    channels: usize,
    to: *mut f32,
) {
    let mut k = 0;
    while k < channels {
        let n = channels - k;
        if n >= 4 * V::LANES {
            let mut sums = [V::splat(0.0); 4];
            for p in 0..pixels {
                for v in 0..4 {
                    let at = k + v * V::LANES;
                    let x = V::load(a.add(p * step + at));
                    sums[v] = x.mul_add(V::load(d.add(p * channels + at)), sums[v]);
                }
            }
            for v in 0..4 {
                let to = to.add(k + v * V::LANES);
                V::load(to).add(sums[v]).store(to);
            }
            k += 4 * V::LANES;
            continue;
        }
        let mut sum = V::splat(0.0);
        for p in 0..pixels {
            let x = V::load_first(a.add(p * step + k), n);
            sum = x.mul_add(V::load_first(d.add(p * channels + k), n), sum);
        }
        let to = to.add(k);
        V::load_first(to, n).add(sum).store_first(to, n);
        k += V::LANES;
    }
}

tiers!(fn products_tier(a: *const f32, step: usize, d: *const f32, pixels: usize, channels: usize, to: *mut f32) = products_loop);

/// Whether the vector loops do it.
fn is_plain<T: Number>(g: &Geometry) -> bool {
    let d = &g.windows[0];
    let is_flat = d.size == 1 && d.input == 1 && d.output == 1 && d.before == 0;
    T::DTYPE == DType::F32 && is_flat && g.in_channels == g.out_channels
}

fn is_worth_threads(g: &Geometry) -> bool {
    let moved = g.batch * (g.in_pixels() + g.out_pixels()) * g.in_channels * size_of::<f32>();
    moved * 2 >= threads::WORTH_BYTES
}

fn check<T>(g: &Geometry, input: &[T], filter: &[T], out: &[T]) {
    assert!(input.len() == g.batch * g.in_pixels() * g.in_channels);
    assert!(filter.len() == g.taps() * g.out_channels);
    assert!(out.len() == g.batch * g.out_pixels() * g.out_channels);
}

/// The sums of `from`, whose rows have `columns` pixels, through the taps that the places of `to` meet.
fn meet(
    g: &Geometry,
    [down, across]: [Vec<Meetings>; 2],
    (from, columns): (&[f32], usize),
    filter: &[f32],
    to: &mut [f32],
) {
    let (c, image) = (g.in_channels, from.len() / g.batch);
    threads::run_rows(to, across.len() * c, is_worth_threads(g), |i, to| {
        let (b, y) = (i / down.len(), i % down.len());
        let from = &from[b * image..(b + 1) * image];
        // SAFETY: the meetings are places within the image and taps of the filter; the row holds its columns.
        unsafe {
            row_tier(
                &down[y],
                &across,
                from.as_ptr(),
                columns * c,
                filter.as_ptr(),
                g.windows[2].size * c,
                c,
                to.as_mut_ptr(),
            )
        }
    });
}

pub fn depthwise_forward<T: Number>(g: &Geometry, input: &[T], filter: &[T], out: &mut [T]) {
    out.fill(T::zero());
    if g.is_empty() {
        return;
    }
    check(g, input, filter, out);
    if is_plain::<T>(g) {
        let meetings = [read_by(&g.windows[1]), read_by(&g.windows[2])];
        let from = (cast_slice(input), g.windows[2].input);
        return meet(g, meetings, from, cast_slice(filter), cast_slice_mut(out));
    }
    forward_plain(g, input, filter, out);
}

fn forward_plain<T: Number>(g: &Geometry, input: &[T], filter: &[T], out: &mut [T]) {
    let (c, n) = (g.in_channels, g.out_channels);
    let images = input.chunks_exact(g.in_pixels() * c);
    for (image, out) in images.zip(out.chunks_exact_mut(g.out_pixels() * n)) {
        g.each_tap(0..g.out_pixels(), |pixel, tap, place| {
            let from = &image[place * c..(place + 1) * c];
            let weights = &filter[tap * n..(tap + 1) * n];
            let to = &mut out[pixel * n..(pixel + 1) * n];
            spread(from, weights, to);
        });
    }
}

/// `to[c * multiplier + i] += from[c] * weights[c * multiplier + i]`.
fn spread<T: Number>(from: &[T], weights: &[T], to: &mut [T]) {
    let multiplier = to.len() / from.len();
    let groups = to
        .chunks_exact_mut(multiplier)
        .zip(weights.chunks_exact(multiplier));
    for ((to, weights), x) in groups.zip(from) {
        for (to, w) in to.iter_mut().zip(weights) {
            *to = T::mul_add(*to, *x, *w);
        }
    }
}

pub fn depthwise_backward_input<T: Number>(g: &Geometry, filter: &[T], dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    if g.is_empty() || dx.is_empty() {
        return;
    }
    check(g, dx, filter, dy);
    if is_plain::<T>(g) {
        let meetings = [read_from(&g.windows[1]), read_from(&g.windows[2])];
        let from = (cast_slice(dy), g.windows[2].output);
        return meet(g, meetings, from, cast_slice(filter), cast_slice_mut(dx));
    }
    input_plain(g, filter, dy, dx);
}

fn input_plain<T: Number>(g: &Geometry, filter: &[T], dy: &[T], dx: &mut [T]) {
    let (c, n) = (g.in_channels, g.out_channels);
    let multiplier = n / c;
    let images = dx.chunks_exact_mut(g.in_pixels() * c);
    for (image, dy) in images.zip(dy.chunks_exact(g.out_pixels() * n)) {
        g.each_tap(0..g.out_pixels(), |pixel, tap, place| {
            let to = &mut image[place * c..(place + 1) * c];
            let dy = dy[pixel * n..(pixel + 1) * n].chunks_exact(multiplier);
            let weights = filter[tap * n..(tap + 1) * n].chunks_exact(multiplier);
            for ((to, dy), w) in to.iter_mut().zip(dy).zip(weights) {
                *to = dy
                    .iter()
                    .zip(w)
                    .fold(*to, |sum, (d, w)| T::mul_add(sum, *d, *w));
            }
        });
    }
}

pub fn depthwise_backward_filter<T: Number>(g: &Geometry, input: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::zero());
    if g.is_empty() {
        return;
    }
    check(g, input, dw, dy);
    if is_plain::<T>(g) {
        return filter_rows(g, cast_slice(input), cast_slice(dy), cast_slice_mut(dw));
    }
    filter_plain(g, input, dy, dw);
}

fn filter_plain<T: Number>(g: &Geometry, input: &[T], dy: &[T], dw: &mut [T]) {
    let (c, n) = (g.in_channels, g.out_channels);
    let images = input.chunks_exact(g.in_pixels() * c);
    for (image, dy) in images.zip(dy.chunks_exact(g.out_pixels() * n)) {
        g.each_tap(0..g.out_pixels(), |pixel, tap, place| {
            let from = &image[place * c..(place + 1) * c];
            let dy = &dy[pixel * n..(pixel + 1) * n];
            spread(from, dy, &mut dw[tap * n..(tap + 1) * n]);
        });
    }
}

/// Up to so many parts of the batch have sums of their own.
const PARTS: usize = 8;

fn filter_rows(g: &Geometry, input: &[f32], dy: &[f32], dw: &mut [f32]) {
    let ([_, h, w], c) = (&g.windows, g.in_channels);
    let parts = g.batch.min(PARTS);
    let mut sums = vec![0.0f32; parts * dw.len()];
    let rows = read_by(h);
    threads::run_rows(&mut sums, dw.len(), is_worth_threads(g), |part, to| {
        for b in part * g.batch / parts..(part + 1) * g.batch / parts {
            for (y, meetings) in rows.iter().enumerate() {
                for (i, from) in meetings {
                    for j in 0..w.size {
                        // The places that a tap meets are neighbours.
                        let Some(first) = (0..w.output).find(|x| w.at(*x, j).is_some()) else {
                            continue;
                        };
                        let last = (first..w.output).rev().find(|x| w.at(*x, j).is_some());
                        let count = last.map_or(0, |last| last + 1 - first);
                        let column = w.at(first, j).unwrap_or(0);
                        let a = ((b * h.input + from) * w.input + column) * c;
                        let d = ((b * h.output + y) * w.output + first) * c;
                        let at = (i * w.size + j) * c;
                        // SAFETY: the first and the last of `count` pixels lie in their rows, and so do those between;
                        // the tap has `c` sums.
                        unsafe {
                            products_tier(
                                input[a..].as_ptr(),
                                w.stride * c,
                                dy[d..].as_ptr(),
                                count,
                                c,
                                to[at..at + c].as_mut_ptr(),
                            );
                        }
                    }
                }
            }
        }
    });
    for part in sums.chunks_exact(dw.len()) {
        dw.iter_mut().zip(part).for_each(|(to, x)| *to += x);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::backend::cpu::window::Padding;

    fn numbers(n: usize, salt: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 7919 + salt * 104_729) % 13) as f32 - 6.0)
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn vectors_over_channels_agree_with_plain_loops(
            batch in 1usize..12, size in (1usize..10, 1usize..10), taps in (1usize..4, 1usize..4),
            stride in 1usize..4, dilation in 1usize..3, is_same: bool, channels in 1usize..100,
        ) {
            let padding = if is_same { Padding::Same } else { Padding::Valid };
            let axis = |n: usize, k: usize| Window::new(n, k, stride, dilation, padding);
            let (Ok(h), Ok(w)) = (axis(size.0, taps.0), axis(size.1, taps.1)) else {
                return Ok(());
            };
            let g = Geometry {
                batch,
                windows: [Window::POINT, h, w],
                in_channels: channels,
                out_channels: channels,
            };
            let x = numbers(batch * g.in_pixels() * channels, 1);
            let filter = numbers(g.taps() * channels, 2);
            let dy = numbers(batch * g.out_pixels() * channels, 3);
            // Whole numbers are added without rounding, so the order of additions does not show.
            let (mut y, mut wanted) = (vec![f32::NAN; dy.len()], vec![0.0; dy.len()]);
            depthwise_forward(&g, &x, &filter, &mut y);
            let (mut dx, mut wanted_dx) = (vec![f32::NAN; x.len()], vec![0.0; x.len()]);
            depthwise_backward_input(&g, &filter, &dy, &mut dx);
            let (mut dw, mut wanted_dw) = (vec![f32::NAN; filter.len()], vec![0.0; filter.len()]);
            depthwise_backward_filter(&g, &x, &dy, &mut dw);
            if !g.is_empty() {
                forward_plain(&g, &x, &filter, &mut wanted);
                input_plain(&g, &filter, &dy, &mut wanted_dx);
                filter_plain(&g, &x, &dy, &mut wanted_dw);
            }
            prop_assert_eq!((y, dx, dw), (wanted, wanted_dx, wanted_dw));
        }
    }
}
