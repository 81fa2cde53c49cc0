//! Sums for each channel and maps by channel over `[…, channels]` of `float32`: batch normalization and biases.
//!
//! Rows of few channels are laid side by side until a row fills vectors. Blocks are cut by size alone and their sums are
//! combined in order, so threads do not change a bit.

use super::simd::{self, Loop};
use super::threads;

/// Elements that a row should have at least.
const WIDTH: usize = 64;
/// Elements of a block: it stays in the cache when it is read a second time.
const BLOCK: usize = 16 << 10;

/// Elements of so many rows of channels that vectors are filled.
fn width(channels: usize) -> usize {
    channels * WIDTH.div_ceil(channels)
}

/// Elements of a block of whole rows.
fn block(channels: usize) -> usize {
    let width = width(channels);
    width * (BLOCK / width).max(1)
}

fn is_worth_threads(n: usize) -> bool {
    n * size_of::<f32>() >= threads::WORTH_BYTES
}

/// A value for each channel, for each element of a row.
fn repeated(by_channel: &[f32]) -> Vec<f32> {
    let times = WIDTH.div_ceil(by_channel.len().max(1));
    by_channel.repeat(times)
}

/// Adds what stands in a row for the same channel.
fn folded(row: &[f32], channels: usize, to: &mut [f64]) {
    to.fill(0.0);
    for part in row.chunks_exact(channels) {
        to.iter_mut()
            .zip(part)
            .for_each(|(t, x)| *t += f64::from(*x));
    }
}

/// `sums[j] += x[…, j]`.
struct Sums<'a> {
    x: &'a [f32],
    sums: &'a mut [f32],
}

impl Loop for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let w = self.sums.len();
        let mut fours = self.x.chunks_exact(4 * w);
        for four in &mut fours {
            let (ab, cd) = four.split_at(2 * w);
            let ((a, b), (c, d)) = (ab.split_at(w), cd.split_at(w));
            for j in 0..w {
                self.sums[j] += (a[j] + b[j]) + (c[j] + d[j]);
            }
        }
        for row in fours.remainder().chunks(w) {
            self.sums.iter_mut().zip(row).for_each(|(s, x)| *s += x);
        }
    }
}

/// `sums[j] += x[…, j] - mean[j]` and `squares[j] += (x[…, j] - mean[j])^2`.
struct Squares<'a> {
    x: &'a [f32],
    mean: &'a [f32],
    sums: &'a mut [f32],
    squares: &'a mut [f32],
}

impl Loop for Squares<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let w = self.sums.len();
        let mut pairs = self.x.chunks_exact(2 * w);
        let (mean, squares) = (&self.mean[..w], &mut self.squares[..w]);
        for pair in &mut pairs {
            let (a, b) = pair.split_at(w);
            for j in 0..w {
                let (a, b) = (a[j] - mean[j], b[j] - mean[j]);
                self.sums[j] += a + b;
                squares[j] += a * a + b * b;
            }
        }
        for row in pairs.remainder().chunks(w) {
            for j in 0..row.len() {
                let a = row[j] - mean[j];
                self.sums[j] += a;
                squares[j] += a * a;
            }
        }
    }
}

/// `sums[j] += d[…, j]` and `products[j] += d[…, j] * (x[…, j] - mean[j])`.
struct Products<'a> {
    x: &'a [f32],
    d: &'a [f32],
    mean: &'a [f32],
    sums: &'a mut [f32],
    products: &'a mut [f32],
}

impl Loop for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let w = self.sums.len();
        let (mean, products) = (&self.mean[..w], &mut self.products[..w]);
        let (mut xs, mut ds) = (self.x.chunks_exact(2 * w), self.d.chunks_exact(2 * w));
        for (x, d) in (&mut xs).zip(&mut ds) {
            let ((x, y), (d, e)) = (x.split_at(w), d.split_at(w));
            for j in 0..w {
                self.sums[j] += d[j] + e[j];
                products[j] += d[j] * (x[j] - mean[j]) + e[j] * (y[j] - mean[j]);
            }
        }
        for (x, d) in xs.remainder().chunks(w).zip(ds.remainder().chunks(w)) {
            for j in 0..x.len() {
                self.sums[j] += d[j];
                products[j] += d[j] * (x[j] - mean[j]);
            }
        }
    }
}

/// For each block two values a channel, and the rows of each block.
fn by_block(
    n: usize,
    channels: usize,
    job: impl Fn(std::ops::Range<usize>, &mut [f64], &mut [f64]) + Sync,
) -> Vec<f64> {
    let block = block(channels);
    let mut made = vec![0.0; n.div_ceil(block) * 2 * channels];
    threads::run_rows(&mut made, 2 * channels, is_worth_threads(n), |i, to| {
        let (first, second) = to.split_at_mut(channels);
        job(i * block..((i + 1) * block).min(n), first, second);
    });
    made
}

/// Mean and variance (the mean square of the distances) of each channel. Distances are taken from a mean near by, so
/// nothing is lost when the mean is far from zero.
pub fn moments(x: &[f32], channels: usize) -> [Vec<f64>; 2] {
    let mut made = [vec![0.0; channels], vec![0.0; channels]];
    if channels == 0 || x.is_empty() {
        return made;
    }
    let parts = by_block(x.len(), channels, |at, mean, spread| {
        let x = &x[at];
        let rows = (x.len() / channels) as f64;
        let mut sums = vec![0.0; width(channels)];
        simd::run(Sums { x, sums: &mut sums });
        folded(&sums, channels, mean);
        mean.iter_mut().for_each(|m| *m /= rows);
        let narrow: Vec<f32> = mean.iter().map(|m| *m as f32).collect();
        sums.fill(0.0);
        let mut squares = sums.clone();
        let by_row = repeated(&narrow);
        simd::run(Squares {
            x,
            mean: &by_row,
            sums: &mut sums,
            squares: &mut squares,
        });
        folded(&squares, channels, spread);
        // The distances say how far the first mean was off.
        folded(&sums, channels, mean);
        for k in 0..channels {
            let off = mean[k] / rows;
            mean[k] = f64::from(narrow[k]) + off;
            spread[k] -= rows * off * off;
        }
    });
    let [mean, variance] = &mut made;
    let n = (x.len() / channels) as f64;
    let rows_of = |i: usize| {
        let from = i * block(channels);
        ((x.len() - from).min(block(channels)) / channels) as f64
    };
    for (i, part) in parts.chunks_exact(2 * channels).enumerate() {
        let weight = rows_of(i) / n;
        mean.iter_mut()
            .zip(part)
            .for_each(|(m, p)| *m += p * weight);
    }
    for (i, part) in parts.chunks_exact(2 * channels).enumerate() {
        let (means, spreads) = part.split_at(channels);
        for k in 0..channels {
            let apart = means[k] - mean[k];
            variance[k] += (spreads[k] + rows_of(i) * apart * apart) / n;
        }
    }
    made
}

/// For each channel the sum of `d`, and of `d * (x - mean)`.
pub fn products(x: &[f32], d: &[f32], mean: &[f32]) -> [Vec<f64>; 2] {
    assert_eq!(x.len(), d.len());
    let channels = mean.len();
    let mut made = [vec![0.0; channels], vec![0.0; channels]];
    if channels == 0 {
        return made;
    }
    let mean = repeated(mean);
    let parts = by_block(x.len(), channels, |at, first, second| {
        let (x, d) = (&x[at.clone()], &d[at]);
        let (mut sums, mut products) = (vec![0.0; width(channels)], vec![0.0; width(channels)]);
        simd::run(Products {
            x,
            d,
            mean: &mean,
            sums: &mut sums,
            products: &mut products,
        });
        folded(&sums, channels, first);
        folded(&products, channels, second);
    });
    add_parts(&parts, &mut made);
    made
}

fn add_parts(parts: &[f64], [first, second]: &mut [Vec<f64>; 2]) {
    for part in parts.chunks_exact(2 * first.len()) {
        let (a, b) = part.split_at(first.len());
        first.iter_mut().zip(a).for_each(|(s, x)| *s += x);
        second.iter_mut().zip(b).for_each(|(s, x)| *s += x);
    }
}

/// For each channel the sum of `x`.
pub fn sums(x: &[f32], channels: usize) -> Vec<f64> {
    let mut made = [vec![0.0; channels], vec![0.0; channels]];
    if channels > 0 {
        let parts = by_block(x.len(), channels, |at, first, _| {
            let mut sums = vec![0.0; width(channels)];
            simd::run(Sums {
                x: &x[at],
                sums: &mut sums,
            });
            folded(&sums, channels, first);
        });
        add_parts(&parts, &mut made);
    }
    let [made, _] = made;
    made
}

/// `to = (x - mean) * factor + offset`.
struct Affine<'a> {
    x: &'a [f32],
    by_channel: [&'a [f32]; 3],
    to: &'a mut [f32],
}

impl Loop for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [mean, factor, offset] = self.by_channel;
        let w = mean.len();
        for (x, to) in self.x.chunks(w).zip(self.to.chunks_mut(w)) {
            let n = x.len();
            let (mean, factor, offset, to) = (&mean[..n], &factor[..n], &offset[..n], &mut to[..n]);
            for j in 0..n {
                to[j] = (x[j] - mean[j]) * factor[j] + offset[j];
            }
        }
    }
}

/// `to = (x - mean) * factor + offset`, each by channel.
pub fn affine(x: &[f32], by_channel: [&[f32]; 3], to: &mut [f32]) {
    let channels = by_channel[0].len();
    assert!(x.len() == to.len() && by_channel.iter().all(|v| v.len() == channels));
    if channels == 0 {
        return;
    }
    let (n, block) = (x.len(), block(channels));
    let rows = by_channel.map(repeated);
    threads::run_chunks(to, block, is_worth_threads(n), |i, to| {
        let x = &x[i * block..][..to.len()];
        let by_channel = [&rows[0][..], &rows[1], &rows[2]];
        simd::run(Affine { x, by_channel, to });
    });
}

/// `to = factor * ((d - mean_d) - (x - mean) * slope)`.
struct Backward<'a> {
    x: &'a [f32],
    d: &'a [f32],
    by_channel: [&'a [f32]; 4],
    to: &'a mut [f32],
}

impl Loop for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [mean, mean_d, slope, factor] = self.by_channel;
        let w = mean.len();
        let rows = self.x.chunks(w).zip(self.d.chunks(w));
        for ((x, d), to) in rows.zip(self.to.chunks_mut(w)) {
            let n = x.len();
            let (mean, mean_d, slope) = (&mean[..n], &mean_d[..n], &slope[..n]);
            let (factor, d, to) = (&factor[..n], &d[..n], &mut to[..n]);
            for j in 0..n {
                to[j] = factor[j] * ((d[j] - mean_d[j]) - (x[j] - mean[j]) * slope[j]);
            }
        }
    }
}

/// `to = factor * ((d - mean_d) - (x - mean) * slope)`, where `by_channel` is `[mean, mean_d, slope, factor]`.
pub fn backward(x: &[f32], d: &[f32], by_channel: [&[f32]; 4], to: &mut [f32]) {
    let channels = by_channel[0].len();
    assert!(x.len() == to.len() && d.len() == to.len());
    assert!(by_channel.iter().all(|v| v.len() == channels));
    if channels == 0 {
        return;
    }
    let (n, block) = (x.len(), block(channels));
    let rows = by_channel.map(repeated);
    threads::run_chunks(to, block, is_worth_threads(n), |i, to| {
        let (x, d) = (&x[i * block..][..to.len()], &d[i * block..][..to.len()]);
        let by_channel = [&rows[0][..], &rows[1], &rows[2], &rows[3]];
        simd::run(Backward {
            x,
            d,
            by_channel,
            to,
        });
    });
}

/// `x += bias`.
struct Add<'a> {
    x: &'a mut [f32],
    bias: &'a [f32],
}

impl Loop for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for row in self.x.chunks_mut(self.bias.len()) {
            row.iter_mut().zip(self.bias).for_each(|(x, b)| *x += b);
        }
    }
}

/// Adds `bias[k]` to channel `k`.
pub fn add(x: &mut [f32], bias: &[f32]) {
    if bias.is_empty() {
        return;
    }
    let (n, block) = (x.len(), block(bias.len()));
    let bias = repeated(bias);
    threads::run_chunks(x, block, is_worth_threads(n), |_, x| {
        simd::run(Add { x, bias: &bias });
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(n: usize, salt: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * 7919 + salt * 104_729) % 997) as f32 / 100.0 + 1000.0)
            .collect()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-4 * b.abs().max(1.0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn sums_by_channel_agree_with_float64(
            channels in 1usize..140, rows in 0usize..700, salt in 0usize..100,
        ) {
            let n = channels * rows;
            let (x, d) = (numbers(n, salt), numbers(n, salt + 1));
            let column = |v: &[f32], k: usize| -> Vec<f64> {
                v.iter().skip(k).step_by(channels).map(|x| f64::from(*x)).collect()
            };
            let [mean, variance] = moments(&x, channels);
            let all = sums(&x, channels);
            let narrow: Vec<f32> = mean.iter().map(|m| *m as f32).collect();
            let [total, product] = products(&x, &d, &narrow);
            for k in 0..channels {
                let (x, d) = (column(&x, k), column(&d, k));
                let m = x.iter().sum::<f64>() / (rows as f64).max(1.0);
                let v = x.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / (rows as f64).max(1.0);
                prop_assert!(near(mean[k], m) && near(variance[k], v), "{k}: {} {v}", variance[k]);
                prop_assert!(near(all[k], x.iter().sum()) && near(total[k], d.iter().sum()));
                let p: f64 = x.iter().zip(&d).map(|(x, d)| d * (x - f64::from(narrow[k]))).sum();
                let size: f64 = x.iter().zip(&d).map(|(x, d)| (d * (x - m)).abs()).sum();
                prop_assert!((product[k] - p).abs() <= 1e-5 * size.max(1.0));
            }
        }

        #[test]
        fn maps_by_channel_are_the_formulas(channels in 1usize..140, rows in 0usize..300) {
            let n = channels * rows;
            let (x, d) = (numbers(n, 1), numbers(n, 2));
            let by: Vec<Vec<f32>> = (3..7).map(|salt| numbers(channels, salt)).collect();
            let (mut y, mut dx, mut plus) = (vec![0.0; n], vec![0.0; n], x.clone());
            affine(&x, [&by[0], &by[1], &by[2]], &mut y);
            backward(&x, &d, [&by[0], &by[1], &by[2], &by[3]], &mut dx);
            add(&mut plus, &by[0]);
            for i in 0..n {
                let k = i % channels;
                prop_assert_eq!(y[i], (x[i] - by[0][k]) * by[1][k] + by[2][k]);
                let slope = (x[i] - by[0][k]) * by[2][k];
                prop_assert_eq!(dx[i], by[3][k] * ((d[i] - by[1][k]) - slope));
                prop_assert_eq!(plus[i], x[i] + by[0][k]);
            }
        }
    }
}
