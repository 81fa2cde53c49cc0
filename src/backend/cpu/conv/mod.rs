//! Convolutions. Flat images of floats go to the loops in `direct` and `filter`. All others become matrix products: the
//! patches that the filter sees are the rows of a matrix, a few output pixels at a time so that the matrix stays in the
//! cache. Images are `[batch, depth, height, width, channels]`.

mod depthwise;
mod direct;
mod filter;
mod narrow;

use bytemuck::{cast_slice, cast_slice_mut};

use super::gemm::{self, Number};
use super::threads;
use super::window::Window;
use crate::value::DType;

pub use depthwise::{depthwise_backward_filter, depthwise_backward_input, depthwise_forward};

/// How many elements of patches lie in memory at once.
const PATCH_ELEMENTS: usize = 1 << 17;
/// Filters up to so many elements have a gradient for each part of the batch.
const MOST_PARTIAL: usize = 1 << 20;

/// Sizes of a convolution. Two-dimensional ones have a depth of one.
#[derive(Clone, Debug)]
pub struct Geometry {
    pub batch: usize,
    /// Depth, height, width.
    pub windows: [Window; 3],
    pub in_channels: usize,
    pub out_channels: usize,
}

impl Geometry {
    pub fn in_pixels(&self) -> usize {
        self.windows.iter().map(|w| w.input).product()
    }

    pub fn out_pixels(&self) -> usize {
        self.windows.iter().map(|w| w.output).product()
    }

    /// Places of the filter.
    pub fn taps(&self) -> usize {
        self.windows.iter().map(|w| w.size).product()
    }

    fn patch(&self) -> usize {
        self.taps() * self.in_channels
    }

    /// The patches are the image itself.
    fn is_pointwise(&self) -> bool {
        self.windows
            .iter()
            .all(|w| w.size == 1 && w.stride == 1 && w.before == 0 && w.output == w.input)
    }

    fn chunk(&self) -> usize {
        (PATCH_ELEMENTS / self.patch().max(1)).clamp(1, self.out_pixels().max(1))
    }

    /// Whether several images repay several threads; a single one is shared inside its products.
    fn is_worth_threads(&self) -> bool {
        let one = self.out_pixels() * self.patch() * self.out_channels;
        self.batch > 1 && one.saturating_mul(self.batch) >= threads::WORTH_FLOPS
    }

    fn is_empty(&self) -> bool {
        self.batch == 0 || self.out_pixels() == 0 || self.patch() == 0 || self.out_channels == 0
    }

    /// As `each_tap`, for neighbouring taps together that see neighbouring places: `body(pixel, tap, place, count)`.
    fn each_run(
        &self,
        pixels: std::ops::Range<usize>,
        mut body: impl FnMut(usize, usize, usize, usize),
    ) {
        let [d, h, w] = &self.windows;
        if w.dilation != 1 {
            return self.each_tap(pixels, |pixel, tap, place| body(pixel, tap, place, 1));
        }
        for pixel in pixels {
            let (x, rest) = (pixel % w.output, pixel / w.output);
            let (y, z) = (rest % h.output, rest / h.output);
            let seen = w.range(x);
            if seen.is_empty() {
                continue;
            }
            let skipped = (seen.start + w.before).saturating_sub(x * w.stride);
            for i in 0..d.size {
                let Some(zi) = d.at(z, i) else { continue };
                for j in 0..h.size {
                    let Some(yj) = h.at(y, j) else { continue };
                    let tap = (i * h.size + j) * w.size + skipped;
                    let place = (zi * h.input + yj) * w.input + seen.start;
                    body(pixel, tap, place, seen.len());
                }
            }
        }
    }

    /// Calls `body(pixel, tap, place in the input)` for each place that lies in the image, where a place is an index of
    /// pixels; taps in the padding are passed over.
    fn each_tap(&self, pixels: std::ops::Range<usize>, mut body: impl FnMut(usize, usize, usize)) {
        let [d, h, w] = &self.windows;
        for pixel in pixels {
            let (x, rest) = (pixel % w.output, pixel / w.output);
            let (y, z) = (rest % h.output, rest / h.output);
            for i in 0..d.size {
                let Some(zi) = d.at(z, i) else { continue };
                for j in 0..h.size {
                    let Some(yj) = h.at(y, j) else { continue };
                    for k in 0..w.size {
                        let Some(xk) = w.at(x, k) else { continue };
                        let tap = (i * h.size + j) * w.size + k;
                        body(pixel, tap, (zi * h.input + yj) * w.input + xk);
                    }
                }
            }
        }
    }
}

fn gather<T: Number>(g: &Geometry, image: &[T], first: usize, patches: &mut [T]) {
    let (c, patch) = (g.in_channels, g.patch());
    patches.fill(T::zero());
    let pixels = first..first + patches.len() / patch;
    g.each_run(pixels, |pixel, tap, place, count| {
        let at = (pixel - first) * patch + tap * c;
        let n = count * c;
        patches[at..at + n].copy_from_slice(&image[place * c..place * c + n]);
    });
}

fn scatter<T: Number>(g: &Geometry, patches: &[T], first: usize, image: &mut [T]) {
    let (c, patch) = (g.in_channels, g.patch());
    let pixels = first..first + patches.len() / patch;
    g.each_run(pixels, |pixel, tap, place, count| {
        let at = (pixel - first) * patch + tap * c;
        let n = count * c;
        let to = image[place * c..place * c + n].iter_mut();
        to.zip(&patches[at..at + n])
            .for_each(|(to, x)| *to = T::plus(*to, *x));
    });
}

/// `out = input * filter`; the filter is `[depth, height, width, in_channels, out_channels]`.
pub fn forward<T: Number>(g: &Geometry, input: &[T], filter: &[T], out: &mut [T]) {
    if g.is_empty() {
        return out.fill(T::zero());
    }
    let (patch, n) = (g.patch(), g.out_channels);
    if g.is_pointwise() {
        let pixels = g.batch * g.out_pixels();
        return gemm::matmul(input, filter, out, [pixels, patch, n], false, false);
    }
    if direct::is_for(g, size_of::<T>()) {
        let (x, w) = (input, filter);
        match T::DTYPE {
            DType::F32 => {
                let out = cast_slice_mut::<T, f32>(out);
                return direct::forward(g, cast_slice(x), cast_slice(w), out);
            }
            DType::F64 => {
                let out = cast_slice_mut::<T, f64>(out);
                return direct::forward(g, cast_slice(x), cast_slice(w), out);
            }
            _ => {}
        }
    }
    forward_patches(g, input, filter, out);
}

fn forward_patches<T: Number>(g: &Geometry, input: &[T], filter: &[T], out: &mut [T]) {
    let (patch, n) = (g.patch(), g.out_channels);
    let image = g.in_pixels() * g.in_channels;
    threads::run_rows(out, g.out_pixels() * n, g.is_worth_threads(), |b, out| {
        let image = &input[b * image..(b + 1) * image];
        let mut patches = vec![T::zero(); g.chunk() * patch];
        for (i, out) in out.chunks_mut(g.chunk() * n).enumerate() {
            let m = out.len() / n;
            let patches = &mut patches[..m * patch];
            gather(g, image, i * g.chunk(), patches);
            gemm::matmul(patches, filter, out, [m, patch, n], false, false);
        }
    });
}

/// The gradient with respect to the input.
pub fn backward_input<T: Number>(g: &Geometry, filter: &[T], dy: &[T], dx: &mut [T]) {
    if g.is_empty() || dx.is_empty() {
        return dx.fill(T::zero());
    }
    let (patch, n) = (g.patch(), g.out_channels);
    if g.is_pointwise() {
        let pixels = g.batch * g.out_pixels();
        return gemm::matmul(dy, filter, dx, [pixels, n, patch], false, true);
    }
    if direct::is_for(g, size_of::<T>()) {
        let (w, dy) = (filter, dy);
        match T::DTYPE {
            DType::F32 => {
                let dx = cast_slice_mut::<T, f32>(dx);
                return direct::backward_input(g, cast_slice(w), cast_slice(dy), dx);
            }
            DType::F64 => {
                let dx = cast_slice_mut::<T, f64>(dx);
                return direct::backward_input(g, cast_slice(w), cast_slice(dy), dx);
            }
            _ => {}
        }
    }
    input_patches(g, filter, dy, dx);
}

fn input_patches<T: Number>(g: &Geometry, filter: &[T], dy: &[T], dx: &mut [T]) {
    dx.fill(T::zero());
    let (patch, n) = (g.patch(), g.out_channels);
    let mut turned = vec![T::zero(); n * patch];
    for (i, row) in filter.chunks_exact(n).enumerate() {
        for (j, x) in row.iter().enumerate() {
            turned[j * patch + i] = *x;
        }
    }
    let slopes = g.out_pixels() * n;
    let image = g.in_pixels() * g.in_channels;
    threads::run_rows(dx, image, g.is_worth_threads(), |b, image| {
        let dy = &dy[b * slopes..(b + 1) * slopes];
        let mut patches = vec![T::zero(); g.chunk() * patch];
        for (i, dy) in dy.chunks(g.chunk() * n).enumerate() {
            let m = dy.len() / n;
            let patches = &mut patches[..m * patch];
            gemm::matmul(dy, &turned, patches, [m, n, patch], false, false);
            scatter(g, patches, i * g.chunk(), image);
        }
    });
}

/// The gradient with respect to the filter.
pub fn backward_filter<T: Number>(g: &Geometry, input: &[T], dy: &[T], dw: &mut [T]) {
    if g.is_empty() {
        return dw.fill(T::zero());
    }
    if direct::is_for(g, size_of::<T>()) {
        match T::DTYPE {
            DType::F32 => {
                let dw = cast_slice_mut::<T, f32>(dw);
                return filter::backward(g, cast_slice(input), cast_slice(dy), dw);
            }
            DType::F64 => {
                let dw = cast_slice_mut::<T, f64>(dw);
                return filter::backward(g, cast_slice(input), cast_slice(dy), dw);
            }
            _ => {}
        }
    }
    filter_patches(g, input, dy, dw);
}

fn filter_patches<T: Number>(g: &Geometry, input: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::zero());
    if !g.is_worth_threads() || dw.len() > MOST_PARTIAL {
        return filter_sums(g, input, dy, 0..g.batch, dw);
    }
    // The batch is cut by its size alone and the sums are added in order: the same bits for any number of threads.
    let groups = g.batch.min(8);
    let mut sums = vec![T::zero(); groups * dw.len()];
    threads::run_rows(&mut sums, dw.len(), true, |i, dw| {
        let images = i * g.batch / groups..(i + 1) * g.batch / groups;
        filter_sums(g, input, dy, images, dw);
    });
    for sum in sums.chunks_exact(dw.len()) {
        add(dw, sum);
    }
}

fn add<T: Number>(to: &mut [T], from: &[T]) {
    to.iter_mut()
        .zip(from)
        .for_each(|(to, x)| *to = T::plus(*to, *x));
}

/// Adds to `dw` what some of the images say.
fn filter_sums<T: Number>(
    g: &Geometry,
    input: &[T],
    dy: &[T],
    images: std::ops::Range<usize>,
    dw: &mut [T],
) {
    let (patch, n) = (g.patch(), g.out_channels);
    let (image, slopes) = (g.in_pixels() * g.in_channels, g.out_pixels() * n);
    let mut patches = vec![T::zero(); g.chunk() * patch];
    let mut part = vec![T::zero(); dw.len()];
    for b in images {
        let image = &input[b * image..(b + 1) * image];
        let dy = &dy[b * slopes..(b + 1) * slopes];
        for (i, dy) in dy.chunks(g.chunk() * n).enumerate() {
            let m = dy.len() / n;
            let patches = &mut patches[..m * patch];
            gather(g, image, i * g.chunk(), patches);
            gemm::matmul(patches, dy, &mut part, [patch, m, n], true, false);
            add(dw, &part);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::window::Padding;
    use super::*;

    fn geometry() -> Geometry {
        let axis = |input, size, stride, dilation, padding| {
            Window::new(input, size, stride, dilation, padding).unwrap()
        };
        Geometry {
            batch: 2,
            windows: [
                axis(2, 2, 1, 1, Padding::Same),
                axis(7, 3, 2, 2, Padding::Same),
                axis(6, 2, 1, 1, Padding::Explicit(1, 2)),
            ],
            in_channels: 3,
            out_channels: 6,
        }
    }

    fn numbers(n: usize, salt: usize) -> Vec<f64> {
        (0..n)
            .map(|i| ((i * 7919 + salt * 104_729) % 13) as f64 - 6.0)
            .collect()
    }

    /// `<y, conv(x, w)>` is linear in each operand, so each gradient must give the same number again.
    #[test]
    fn gradients_are_the_adjoints_of_the_product() {
        let g = geometry();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let x = numbers(g.batch * g.in_pixels() * g.in_channels, 1);
        let dy = numbers(g.batch * g.out_pixels() * g.out_channels, 2);
        let mut y = vec![f64::NAN; dy.len()];
        let mut dx = vec![f64::NAN; x.len()];
        for is_depthwise in [false, true] {
            let columns = if is_depthwise { 6 } else { 3 * 6 };
            let w = numbers(g.taps() * columns, 3);
            let mut dw = vec![f64::NAN; w.len()];
            if is_depthwise {
                depthwise_forward(&g, &x, &w, &mut y);
                depthwise_backward_input(&g, &w, &dy, &mut dx);
                depthwise_backward_filter(&g, &x, &dy, &mut dw);
            } else {
                forward(&g, &x, &w, &mut y);
                backward_input(&g, &w, &dy, &mut dx);
                backward_filter(&g, &x, &dy, &mut dw);
            }
            let wanted = dot(&y, &dy);
            assert!(wanted != 0.0);
            assert_eq!(dot(&x, &dx), wanted);
            assert_eq!(dot(&w, &dw), wanted);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn direct_loops_agree_with_patches(
            batch in 1usize..4, size in (1usize..20, 1usize..20), taps in (1usize..6, 1usize..6),
            stride in (1usize..4, 1usize..4), dilation in (1usize..3, 1usize..3), padding in 0usize..3,
            depth in 1usize..20, columns in 1usize..70, is_large: bool,
        ) {
            let axis = |input: usize, size: usize, stride: usize, dilation: usize| {
                let stride = if dilation > 1 { 1 } else { stride };
                let padding = match padding {
                    0 => Padding::Same,
                    1 => Padding::Valid,
                    _ => Padding::Explicit(2, 1),
                };
                Window::new(input, size, stride, dilation, padding)
            };
            let windows = (
                axis(size.0, taps.0, stride.0, dilation.0),
                axis(size.1, taps.1, stride.1, dilation.1),
            );
            let (Ok(h), Ok(w)) = windows else { return Ok(()) };
            let g = Geometry {
                batch: if is_large { 6 * batch } else { batch },
                windows: [Window::POINT, h, w],
                in_channels: depth,
                out_channels: columns,
            };
            if g.is_empty() {
                return Ok(());
            }
            prop_assert!(direct::is_for(&g, 8));
            let x = numbers(g.batch * g.in_pixels() * depth, 1);
            let dy = numbers(g.batch * g.out_pixels() * columns, 2);
            let filter = numbers(g.patch() * columns, 3);
            let nan = |n: usize| (vec![f64::NAN; n], vec![f64::NAN; n], vec![f32::NAN; n]);
            let narrow = |x: &[f64]| x.iter().map(|x| *x as f32).collect::<Vec<_>>();
            let (x32, dy32, filter32) = (narrow(&x), narrow(&dy), narrow(&filter));
            // Whole numbers are added without rounding, so the order of additions does not show.
            let (mut y, mut wanted, mut y32) = nan(dy.len());
            direct::forward(&g, &x, &filter, &mut y);
            direct::forward(&g, &x32, &filter32, &mut y32);
            forward_patches(&g, &x, &filter, &mut wanted);
            prop_assert_eq!((&y, &y32), (&wanted, &narrow(&wanted)));
            let (mut dx, mut wanted, mut dx32) = nan(x.len());
            direct::backward_input(&g, &filter, &dy, &mut dx);
            direct::backward_input(&g, &filter32, &dy32, &mut dx32);
            input_patches(&g, &filter, &dy, &mut wanted);
            prop_assert_eq!((&dx, &dx32), (&wanted, &narrow(&wanted)));
            let (mut dw, mut wanted, mut dw32) = nan(filter.len());
            filter::backward(&g, &x, &dy, &mut dw);
            filter::backward(&g, &x32, &dy32, &mut dw32);
            filter_patches(&g, &x, &dy, &mut wanted);
            prop_assert_eq!((&dw, &dw32), (&wanted, &narrow(&wanted)));
        }
    }

    #[test]
    fn large_batches_shared_among_threads_agree_with_single_images() {
        let axis = |input| Window::new(input, 5, 1, 1, Padding::Same).unwrap();
        let g = Geometry {
            batch: 11,
            windows: [Window::POINT, axis(28), axis(28)],
            in_channels: 3,
            out_channels: 16,
        };
        let one = Geometry {
            batch: 1,
            ..g.clone()
        };
        assert!(g.is_worth_threads() && !one.is_worth_threads());
        let narrow = |x: Vec<f64>| x.into_iter().map(|x| x as f32).collect::<Vec<_>>();
        let (pixels, taps) = (28 * 28, 25 * 3 * 16);
        let x = narrow(numbers(g.batch * pixels * 3, 1));
        let dy = narrow(numbers(g.batch * pixels * 16, 2));
        let w = narrow(numbers(taps, 3));
        let (mut y, mut y1) = (vec![0f32; dy.len()], vec![0f32; pixels * 16]);
        let (mut dx, mut dx1) = (vec![0f32; x.len()], vec![0f32; pixels * 3]);
        let (mut dw, mut dw1, mut sum) = (vec![0f32; taps], vec![0f32; taps], vec![0f32; taps]);
        forward(&g, &x, &w, &mut y);
        backward_input(&g, &w, &dy, &mut dx);
        backward_filter(&g, &x, &dy, &mut dw);
        for b in 0..g.batch {
            let x = &x[b * pixels * 3..(b + 1) * pixels * 3];
            let dy = &dy[b * pixels * 16..(b + 1) * pixels * 16];
            forward(&one, x, &w, &mut y1);
            backward_input(&one, &w, dy, &mut dx1);
            backward_filter(&one, x, dy, &mut dw1);
            assert_eq!(y1, y[b * pixels * 16..(b + 1) * pixels * 16]);
            assert_eq!(dx1, dx[b * pixels * 3..(b + 1) * pixels * 3]);
            add(&mut sum, &dw1);
        }
        // Whole numbers this small are added exactly.
        assert_eq!(dw, sum);
    }

    #[test]
    fn a_small_product_is_right() {
        let w = Window::new(3, 2, 1, 1, Padding::Valid).unwrap();
        let g = Geometry {
            batch: 1,
            windows: [Window::POINT, w, w],
            in_channels: 1,
            out_channels: 1,
        };
        let x: Vec<f32> = (1..10).map(|i| i as f32).collect();
        let mut y = [0.0; 4];
        forward(&g, &x, &[1.0, 2.0, 3.0, 4.0], &mut y);
        assert_eq!(y, [37.0, 47.0, 67.0, 77.0]);
    }
}
