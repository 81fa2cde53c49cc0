//! One instruction on one block, by the type of its elements.

use half::{bf16, f16};
use num_complex::Complex;

use crate::bail;
use crate::error::Result;
use crate::expr::{Binary, Unary};
use crate::value::DType;

use super::missing::no_kernel;
use super::{complex, float, int, vector};

pub(super) fn select(size: usize, c: &[u8], a: &[u8], b: &[u8], out: &mut [u8]) {
    macro_rules! as_type {
        ($t:ty) => {{
            let (a, b): (&[$t], &[$t]) = (bytemuck::cast_slice(a), bytemuck::cast_slice(b));
            let out: &mut [$t] = bytemuck::cast_slice_mut(out);
            for (i, out) in out.iter_mut().enumerate() {
                *out = if c[i] != 0 { a[i] } else { b[i] };
            }
        }};
    }
    match size {
        1 => as_type!(u8),
        2 => as_type!(u16),
        4 => as_type!(u32),
        8 => as_type!(u64),
        _ => as_type!([u64; 2]),
    }
}

pub(super) fn unary(op: Unary, dtype: DType, x: &[u8], out: &mut [u8]) -> Result<()> {
    match dtype {
        DType::F32 => vector::unary(op, bytemuck::cast_slice(x), out),
        DType::F64 => float::unary_f64(op, bytemuck::cast_slice(x), out),
        DType::F16 => narrow_unary::<f16>(op, x, out),
        DType::BF16 => narrow_unary::<bf16>(op, x, out),
        DType::C64 => complex::unary_f32(op, bytemuck::cast_slice::<_, Complex<f32>>(x), out),
        DType::C128 => complex::unary_f64(op, bytemuck::cast_slice::<_, Complex<f64>>(x), out),
        DType::Bool => match op {
            Unary::Not => {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = u8::from(*x == 0);
                }
                Ok(())
            }
            _ => Err(no_kernel(op, dtype)),
        },
        _ => int::unary(op, dtype, x, out),
    }
}

pub(super) fn binary(op: Binary, dtype: DType, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    use bytemuck::cast_slice as cast;
    match dtype {
        DType::F32 => vector::binary(op, cast(a), cast(b), out),
        DType::F64 => float::binary_f64(op, cast(a), cast(b), out),
        DType::F16 => narrow_binary::<f16>(op, a, b, out),
        DType::BF16 => narrow_binary::<bf16>(op, a, b, out),
        DType::C64 => complex::binary_f32(op, cast::<_, Complex<f32>>(a), cast(b), out),
        DType::C128 => complex::binary_f64(op, cast::<_, Complex<f64>>(a), cast(b), out),
        DType::Bool => bool_binary(op, a, b, out),
        _ => int::binary(op, dtype, a, b, out),
    }
}

fn bool_binary(op: Binary, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    let f: fn(bool, bool) -> bool = match op {
        Binary::And => |a, b| a && b,
        Binary::Or => |a, b| a || b,
        Binary::Equal => |a, b| a == b,
        Binary::NotEqual => |a, b| a != b,
        _ => return Err(no_kernel(op, DType::Bool)),
    };
    for (i, out) in out.iter_mut().enumerate() {
        *out = u8::from(f(a[i] != 0, b[i] != 0));
    }
    Ok(())
}

/// A 16-bit float: computed as `float32` and rounded after each instruction, as TensorFlow does.
trait Narrow: bytemuck::Pod {
    fn widen(self) -> f32;
    fn narrow(x: f32) -> Self;
}

impl Narrow for f16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn narrow(x: f32) -> Self {
        f16::from_f32(x)
    }
}

impl Narrow for bf16 {
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn narrow(x: f32) -> Self {
        bf16::from_f32(x)
    }
}

fn widen<T: Narrow>(x: &[u8]) -> Vec<f32> {
    bytemuck::cast_slice::<u8, T>(x)
        .iter()
        .map(|x| x.widen())
        .collect()
}

/// Runs `f` into a block of `float32`, or straight into `out` when its result is of bytes.
fn narrowed<T: Narrow>(
    n: usize,
    out: &mut [u8],
    f: impl FnOnce(&mut [u8]) -> Result<()>,
) -> Result<()> {
    if out.len() == n {
        return f(out);
    }
    let mut wide = vec![0f32; n];
    f(bytemuck::cast_slice_mut(&mut wide))?;
    for (out, x) in bytemuck::cast_slice_mut::<u8, T>(out).iter_mut().zip(wide) {
        *out = T::narrow(x);
    }
    Ok(())
}

fn narrow_unary<T: Narrow>(op: Unary, x: &[u8], out: &mut [u8]) -> Result<()> {
    let x = widen::<T>(x);
    narrowed::<T>(x.len(), out, |out| vector::unary(op, &x, out))
}

fn narrow_binary<T: Narrow>(op: Binary, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    if op == Binary::NextAfter {
        bail!(unimplemented, "no kernel for NextAfter of 16-bit floats");
    }
    let (a, b) = (widen::<T>(a), widen::<T>(b));
    narrowed::<T>(a.len(), out, |out| vector::binary(op, &a, &b, out))
}
