//! Softmax along the last axis, row by row.

use crate::backend::cpu::{softmax, threads};
use crate::dispatch;
use crate::error::Result;
use crate::value::Value;

use super::kernel::KernelContext;

pub(super) mod gpu;

/// Arithmetic in a type wide enough for sums: halves are computed in float32.
pub(super) trait Float: Copy {
    type Wide: num_traits::Float + std::ops::AddAssign + Send + Sync;
    fn widen(self) -> Self::Wide;
    fn narrow(x: Self::Wide) -> Self;
    fn wide(x: f32) -> Self::Wide;

    /// Writes the softmax of a row; returns its largest element and the logarithm of the sum of `exp(x - max)`.
    fn softmax(from: &[Self], to: &mut [Self]) -> [Self::Wide; 2] {
        plain_softmax(from, to)
    }
}

macro_rules! floats {
    ($($t:ty => $wide:ty, $widen:expr, $narrow:expr $(, $softmax:item)?;)*) => {$(
        impl Float for $t {
            type Wide = $wide;
            fn widen(self) -> $wide {
                $widen(self)
            }
            fn narrow(x: $wide) -> $t {
                $narrow(x)
            }
            fn wide(x: f32) -> $wide {
                x.into()
            }
            $($softmax)?
        }
    )*};
}

floats! {
    f32 => f32, |x| x, |x| x,
        fn softmax(from: &[f32], to: &mut [f32]) -> [f32; 2] {
            let [max, sum] = softmax::row(from, to);
            [max, sum.ln()]
        };
    f64 => f64, |x| x, |x| x;
    half::f16 => f32, half::f16::to_f32, half::f16::from_f32;
    half::bf16 => f32, half::bf16::to_f32, half::bf16::from_f32;
}

/// The largest element; NaN when there is one.
fn largest<T: num_traits::Float>(row: impl Iterator<Item = T>) -> T {
    row.fold(
        T::neg_infinity(),
        |m, x| if x > m || x.is_nan() { x } else { m },
    )
}

fn plain_softmax<T: Float>(from: &[T], to: &mut [T]) -> [T::Wide; 2] {
    use num_traits::{Float as _, Zero as _};
    let max = largest(from.iter().map(|x| x.widen()));
    let mut sum = T::Wide::zero();
    for x in from {
        sum += (x.widen() - max).exp();
    }
    for (to, x) in to.iter_mut().zip(from) {
        *to = T::narrow((x.widen() - max).exp() / sum);
    }
    [max, sum.ln()]
}

/// The logarithm of the softmax of one row.
fn log_softmax<T: Float>(from: &[T], to: &mut [T]) {
    let [max, log] = T::softmax(from, to);
    for (to, x) in to.iter_mut().zip(from) {
        *to = T::narrow(x.widen() - max - log);
    }
}

pub(super) fn softmax_kernel(c: &mut KernelContext, is_log: bool) -> Result<()> {
    let logits = c.input(0)?;
    let shape = logits.shape().clone();
    let width = shape.dims().last().map_or(1, |d| *d as usize);
    let mut out: Value = c.allocate(0, shape)?;
    if width > 0 {
        let logits = c.input(0)?;
        dispatch!(floats, logits.dtype(), T => {
            let from = logits.slice::<T>()?;
            let is_worth_it = from.len() * 32 >= threads::WORTH_BYTES;
            threads::run_rows(out.slice_mut::<T>()?, width, is_worth_it, |i, to| {
                let row = &from[i * width..(i + 1) * width];
                match is_log {
                    true => log_softmax(row, to),
                    false => _ = T::softmax(row, to),
                }
            });
        });
    }
    c.set_output(0, out);
    Ok(())
}
