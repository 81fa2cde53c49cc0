//! Softmax along the last axis, row by row.

use crate::dispatch;
use crate::error::Result;
use crate::value::Value;

use super::kernel::KernelContext;

/// Arithmetic in a type wide enough for sums: halves are computed in float32.
pub(super) trait Float: Copy {
    type Wide: num_traits::Float;
    fn widen(self) -> Self::Wide;
    fn narrow(x: Self::Wide) -> Self;
    fn wide(x: f32) -> Self::Wide;
}

macro_rules! floats {
    ($($t:ty => $wide:ty, $widen:expr, $narrow:expr;)*) => {$(
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
        }
    )*};
}

floats! {
    f32 => f32, |x| x, |x| x;
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

/// Softmax of one row, or its logarithm; returns nothing else.
pub(super) fn softmax_row<T: Float>(from: &[T], to: &mut [T], is_log: bool) {
    use num_traits::{Float as _, Zero as _};
    let max = largest(from.iter().map(|x| x.widen()));
    let mut sum = T::Wide::zero();
    for x in from {
        sum = sum + (x.widen() - max).exp();
    }
    let log = sum.ln();
    for (to, x) in to.iter_mut().zip(from) {
        let centred = x.widen() - max;
        *to = T::narrow(if is_log {
            centred - log
        } else {
            centred.exp() / sum
        });
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
            let from = logits.slice::<T>()?.chunks_exact(width);
            for (from, to) in from.zip(out.slice_mut::<T>()?.chunks_exact_mut(width)) {
                softmax_row(from, to, is_log);
            }
        });
    }
    c.set_output(0, out);
    Ok(())
}
