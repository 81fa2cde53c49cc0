//! Linear algebra: diagonals, bands, decompositions.

use num_complex::Complex;

use crate::error::Result;
use crate::value::{DType, Value};

/// The complex conjugate when `is_wanted` and the type is complex; else the value as it is.
pub(super) fn conjugate_if(value: &Value, is_wanted: bool) -> Result<Value> {
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
