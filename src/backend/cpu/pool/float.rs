//! Pools of `float32` images with all lanes over channels. An image is one job; its rows are taken from top to bottom, so
//! that a gradient's rows are cleared just before the first window reaches them and stay in the cache.
//!
//! Each element is computed in one order whatever the tier and the number of threads.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "every offset is a window's range within an image whose length the callers check"
)]

use std::ops::Range;

use crate::backend::cpu::simd::{Shared, Vector32};
use crate::backend::cpu::threads;
use crate::tiers;

use super::Geometry;

/// The places that one window sees: along the depth, the height and the width.
type Places = [Range<usize>; 3];

#[inline(always)]
unsafe fn load<V: Vector32>(p: *const f32, n: usize) -> V {
    if n >= V::LANES {
        V::load(p)
    } else {
        V::load_first(p, n)
    }
}

#[inline(always)]
unsafe fn store<V: Vector32>(x: V, p: *mut f32, n: usize) {
    if n >= V::LANES {
        x.store(p)
    } else {
        x.store_first(p, n)
    }
}

/// Calls `body(first element of the output pixel, places)` for the pixels of one image, row by row.
#[inline(always)]
unsafe fn each_pixel(g: &Geometry, mut body: impl FnMut(usize, Places)) {
    let [d, h, w] = &g.windows;
    let mut at = 0;
    for z in 0..d.output {
        for y in 0..h.output {
            for x in 0..w.output {
                body(at, [d.range(z), h.range(y), w.range(x)]);
                at += g.channels;
            }
        }
    }
}

/// Calls `body(first element of an input pixel)` for the places of a window in order.
#[inline(always)]
unsafe fn each_place(g: &Geometry, [d, h, w]: &Places, mut body: impl FnMut(usize)) {
    let [_, high, wide] = &g.windows;
    for z in d.start..d.end {
        for y in h.start..h.end {
            let row = (z * high.input + y) * wide.input;
            for x in w.start..w.end {
                body((row + x) * g.channels);
            }
        }
    }
}

/// Calls `$body::<V, G>(…, k, n)` for groups of vectors of channels from `k` on, `n` channels in each: several vectors at a
/// time share the walk over a window.
macro_rules! each_group {
    ($v:ident, $channels:expr, $body:ident($($a:expr),*)) => {{
        let mut k = 0;
        while k < $channels {
            let n = $channels - k;
            if n >= 4 * $v::LANES {
                $body::<$v, 4>($($a,)* k, n);
                k += 4 * $v::LANES;
            } else if n >= 2 * $v::LANES {
                $body::<$v, 2>($($a,)* k, n);
                k += 2 * $v::LANES;
            } else {
                $body::<$v, 1>($($a,)* k, n);
                k += $v::LANES;
            }
        }
    }};
}

/// Vectors of a group; only a group of one may be cut short.
#[inline(always)]
unsafe fn load_group<V: Vector32, const G: usize>(p: *const f32, n: usize) -> [V; G] {
    if G == 1 {
        return [load::<V>(p, n); G];
    }
    std::array::from_fn(|v| V::load(p.add(v * V::LANES)))
}

#[inline(always)]
unsafe fn store_group<V: Vector32, const G: usize>(x: [V; G], p: *mut f32, n: usize) {
    for v in 0..G {
        match G {
            1 => store(x[v], p, n),
            _ => x[v].store(p.add(v * V::LANES)),
        }
    }
}

#[inline(always)]
unsafe fn max_group<V: Vector32, const G: usize>(
    g: &Geometry,
    places: &Places,
    from: *const f32,
    to: *mut f32,
    k: usize,
    n: usize,
) {
    // As in TensorFlow, nothing is below the lowest finite float.
    let mut most = [V::splat(f32::MIN); G];
    each_place(g, places, |place| {
        let x = load_group::<V, G>(from.add(place + k), n);
        for v in 0..G {
            // NaN is passed over.
            most[v] = x[v].max(most[v]);
        }
    });
    store_group(most, to.add(k), n);
}

#[inline(always)]
unsafe fn max_loop<V: Vector32>(g: &Geometry, from: *const f32, to: *mut f32) {
    each_pixel(g, |at, places| {
        each_group!(V, g.channels, max_group(g, &places, from, to.add(at)));
    });
}

/// Sets the elements of `to` up to `end` to zero, from where the last call stopped.
#[inline(always)]
unsafe fn clear(to: *mut f32, done: &mut usize, end: usize) {
    if end > *done {
        to.add(*done).write_bytes(0, end - *done);
        *done = end;
    }
}

/// Where the rows end that a window reaches: no window before it, in the order of `each_pixel`, has touched later ones
/// unless the depth has several places, where all is cleared at once.
#[inline(always)]
fn reached(g: &Geometry, places: &Places, len: usize) -> usize {
    let [_, high, wide] = &g.windows;
    match g.windows[0].input {
        1 => (places[1].end.min(high.input)) * wide.input * g.channels,
        _ => len,
    }
}

/// Whether every pixel of the image is in one window.
fn is_covered_once(g: &Geometry) -> bool {
    let covers = |w: &crate::backend::cpu::window::Window| {
        w.stride == w.size && w.before == 0 && w.output * w.stride >= w.input
    };
    g.windows.iter().all(covers)
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn max_grad_group<V: Vector32, const G: usize>(
    g: &Geometry,
    places: &Places,
    from: *const f32,
    dy: *const f32,
    to: *mut f32,
    is_only: bool,
    k: usize,
    n: usize,
) {
    let [d, h, w] = places;
    if d.is_empty() || h.is_empty() || w.is_empty() {
        return;
    }
    let [_, high, wide] = &g.windows;
    let first = ((d.start * high.input + h.start) * wide.input + w.start) * g.channels;
    // The first of equal elements takes the gradient; a NaN only as the first of all.
    let mut most = load_group::<V, G>(from.add(first + k), n);
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    let (mut winner, mut tap) = ([zero; G], zero);
    each_place(g, places, |place| {
        let x = load_group::<V, G>(from.add(place + k), n);
        for v in 0..G {
            winner[v] = V::if_less(most[v], x[v], tap, winner[v]);
            most[v] = V::if_less(most[v], x[v], x[v], most[v]);
        }
        tap = tap.add(one);
    });
    let d = load_group::<V, G>(dy.add(k), n);
    let mut tap = zero;
    each_place(g, places, |place| {
        let at = to.add(place + k);
        let mut all = match is_only {
            true => [zero; G],
            false => load_group::<V, G>(at, n),
        };
        for v in 0..G {
            all[v] = V::if_equal(tap, winner[v], all[v].add(d[v]), all[v]);
        }
        store_group(all, at, n);
        tap = tap.add(one);
    });
}

#[inline(always)]
unsafe fn max_grad_loop<V: Vector32>(
    g: &Geometry,
    from: *const f32,
    dy: *const f32,
    to: *mut f32,
    len: usize,
) {
    let is_only = is_covered_once(g);
    let mut done = if is_only { len } else { 0 };
    each_pixel(g, |at, places| {
        clear(to, &mut done, reached(g, &places, len));
        let dy = dy.add(at);
        each_group!(
            V,
            g.channels,
            max_grad_group(g, &places, from, dy, to, is_only)
        );
    });
    clear(to, &mut done, len);
}

#[inline(always)]
unsafe fn mean_loop<V: Vector32>(g: &Geometry, from: *const f32, to: *mut f32) {
    each_pixel(g, |at, places| {
        let count = places.iter().map(|p| p.len()).product::<usize>();
        let count = V::splat(count as f32);
        let mut k = 0;
        while k < g.channels {
            let n = g.channels - k;
            let mut sum = V::splat(0.0);
            each_place(g, &places, |place| {
                sum = sum.add(load::<V>(from.add(place + k), n));
            });
            store(sum.div(count), to.add(at + k), n);
            k += V::LANES;
        }
    });
}

#[inline(always)]
unsafe fn mean_grad_loop<V: Vector32>(g: &Geometry, dy: *const f32, to: *mut f32, len: usize) {
    let mut done = 0;
    each_pixel(g, |at, places| {
        clear(to, &mut done, reached(g, &places, len));
        let count = places.iter().map(|p| p.len()).product::<usize>();
        let count = V::splat(count as f32);
        let mut k = 0;
        while k < g.channels {
            let n = g.channels - k;
            let d = load::<V>(dy.add(at + k), n).div(count);
            each_place(g, &places, |place| {
                store(load::<V>(to.add(place + k), n).add(d), to.add(place + k), n);
            });
            k += V::LANES;
        }
    });
    clear(to, &mut done, len);
}

tiers!(fn max_tier(g: &Geometry, from: *const f32, to: *mut f32) = max_loop);
tiers!(fn mean_tier(g: &Geometry, from: *const f32, to: *mut f32) = mean_loop);
tiers!(fn max_grad_tier(g: &Geometry, from: *const f32, dy: *const f32, to: *mut f32, len: usize) = max_grad_loop);
tiers!(fn mean_grad_tier(g: &Geometry, dy: *const f32, to: *mut f32, len: usize) = mean_grad_loop);

/// Elements of one image and of one image of the output.
fn sizes(g: &Geometry) -> [usize; 2] {
    [g.in_pixels() * g.channels, g.out_pixels() * g.channels]
}

/// Runs `job(image)` for each image.
fn each_image(g: &Geometry, job: impl Fn(usize) + Sync) {
    let [image, _] = sizes(g);
    let is_worth_it = g.batch * image * size_of::<f32>() >= threads::WORTH_BYTES;
    threads::run_pieces(g.batch, 1, is_worth_it, |b, _| job(b));
}

/// The largest element of each window; NaN where it has one.
pub fn max(g: &Geometry, input: &[f32], out: &mut [f32]) {
    let [image, made] = sizes(g);
    assert!(input.len() == g.batch * image && out.len() == g.batch * made);
    let out = Shared::of(out);
    each_image(g, |b| {
        // SAFETY: the windows of an image lie within it, and each job writes the output of its own image.
        unsafe {
            max_tier(
                g,
                input[b * image..].as_ptr(),
                out.part(b * made, made).as_mut_ptr(),
            )
        }
    });
}

/// The mean of each window.
pub fn mean(g: &Geometry, input: &[f32], out: &mut [f32]) {
    let [image, made] = sizes(g);
    assert!(input.len() == g.batch * image && out.len() == g.batch * made);
    let out = Shared::of(out);
    each_image(g, |b| {
        // SAFETY: as in `max`.
        unsafe {
            mean_tier(
                g,
                input[b * image..].as_ptr(),
                out.part(b * made, made).as_mut_ptr(),
            )
        }
    });
}

/// Adds each element of `dy` to the first of the largest elements of its window; the others of `dx` become zero.
pub fn max_grad(g: &Geometry, input: &[f32], dy: &[f32], dx: &mut [f32]) {
    let [image, made] = sizes(g);
    assert!(input.len() == g.batch * image && dy.len() == g.batch * made);
    assert_eq!(dx.len(), input.len());
    let dx = Shared::of(dx);
    each_image(g, |b| {
        // SAFETY: as in `max`; `dx` is as long as the input.
        unsafe {
            let to = dx.part(b * image, image);
            let (input, dy) = (&input[b * image..], &dy[b * made..]);
            max_grad_tier(g, input.as_ptr(), dy.as_ptr(), to.as_mut_ptr(), image)
        }
    });
}

/// Shares each element of `dy` among the elements of its window.
pub fn mean_grad(g: &Geometry, dy: &[f32], dx: &mut [f32]) {
    let [image, made] = sizes(g);
    assert!(dx.len() == g.batch * image && dy.len() == g.batch * made);
    let dx = Shared::of(dx);
    each_image(g, |b| {
        // SAFETY: as in `max`.
        unsafe {
            let to = dx.part(b * image, image);
            mean_grad_tier(g, dy[b * made..].as_ptr(), to.as_mut_ptr(), image)
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::window::{Padding, Window};
    use super::*;

    fn geometry(
        batch: usize,
        sizes: [usize; 3],
        k: usize,
        s: usize,
        same: bool,
        c: usize,
    ) -> Geometry {
        let padding = if same { Padding::Same } else { Padding::Valid };
        Geometry {
            batch,
            windows: sizes.map(|n| Window::new(n, k.min(n), s, 1, padding).unwrap()),
            channels: c,
        }
    }

    /// Numbers with many that are equal, and now and then a NaN.
    fn numbers(n: usize, salt: usize, has_nan: bool) -> Vec<f32> {
        let one = |i: usize| ((i * 7919 + salt * 104_729) % 11) as f32 - 5.0;
        let is_nan = |i: usize| has_nan && (i * 31 + salt).is_multiple_of(17);
        (0..n)
            .map(|i| if is_nan(i) { f32::NAN } else { one(i) })
            .collect()
    }

    fn bits(all: &[f32]) -> Vec<u32> {
        all.iter().map(|x| x.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pools_agree_with_plain_loops(
            batch in 0usize..4, h in 1usize..7, w in 1usize..7, d in 1usize..3, k in 1usize..4,
            s in 1usize..4, same: bool, c in 1usize..40, has_nan: bool, salt in 0usize..100,
        ) {
            let g = geometry(batch, [d, h, w], k, s, same, c);
            let (n, m) = (batch * g.in_pixels() * c, batch * g.out_pixels() * c);
            let (x, dy) = (numbers(n, salt, has_nan), numbers(m, salt + 1, false));
            let (mut y, mut wanted) = (vec![9.0; m], vec![9.0; m]);
            max(&g, &x, &mut y);
            super::super::max(&g, &x, &mut wanted);
            prop_assert!(y.iter().zip(&wanted).all(|(a, b)| a == b || (*a == f32::MIN && b.is_nan())));
            let (mut dx, mut wanted) = (vec![9.0; n], vec![0.0; n]);
            max_grad(&g, &x, &dy, &mut dx);
            for (at, d) in super::super::argmax(&g, &x).into_iter().zip(&dy) {
                wanted[at] += d;
            }
            prop_assert_eq!(bits(&dx), bits(&wanted));
            let mut wanted = vec![0.0; m];
            let mut shares = vec![0.0; n];
            g.each_window(|pixel, places| {
                let count = places.len() as f32;
                for k in 0..c {
                    let at = pixel * c + k;
                    wanted[at] = places.iter().map(|p| x[p * c + k]).fold(0.0, |s, x| s + x) / count;
                    places.iter().for_each(|p| shares[p * c + k] += dy[at] / count);
                }
            });
            mean(&g, &x, &mut y);
            prop_assert!(y.iter().zip(&wanted).all(|(a, b)| a == b || (a.is_nan() && b.is_nan())));
            mean_grad(&g, &dy, &mut dx);
            prop_assert_eq!(bits(&dx), bits(&shares));
        }
    }
}
