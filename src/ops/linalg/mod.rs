//! Linear algebra: diagonals, bands, decompositions.

use num_complex::Complex;

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::shape;
use crate::value::{DType, PartialShape, Value};

pub mod decompose;
pub mod diagonal;
pub mod eigen;
mod gradients;
mod matrix;

/// The complex conjugate when `is_wanted` and the type is complex; else the value as it is.
pub(in crate::ops) fn conjugate_if(value: &Value, is_wanted: bool) -> Result<Value> {
    if !is_wanted {
        return Ok(value.clone());
    }
    match value.dtype() {
        DType::C64 => {
            let all: Vec<Complex<f32>> = value
                .slice::<Complex<f32>>()?
                .iter()
                .map(|z| z.conj())
                .collect();
            Value::from_slice(value.shape().clone(), &all)
        }
        DType::C128 => {
            let all: Vec<Complex<f64>> = value
                .slice::<Complex<f64>>()?
                .iter()
                .map(|z| z.conj())
                .collect();
            Value::from_slice(value.shape().clone(), &all)
        }
        _ => Ok(value.clone()),
    }
}

/// The batch and the last two dimensions of input `i`; `None` when its rank is unknown.
fn split_matrix(c: &ShapeContext, i: usize) -> Result<Option<(PartialShape, i64, i64)>> {
    let input = c.input(i);
    shape::at_least(&input, 2)?;
    Ok(input.dims().map(|dims| {
        let (batch, last) = dims.split_at(dims.len() - 2);
        (PartialShape::from_dims(batch.to_vec()), last[0], last[1])
    }))
}

/// A batch of shapes `last`.
fn join(batch: &PartialShape, last: &[i64]) -> PartialShape {
    let batch = batch.dims().unwrap_or_default();
    PartialShape::from_dims(batch.iter().chain(last).copied().collect::<Vec<_>>())
}
