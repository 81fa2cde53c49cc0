//! Elementwise loops over complex numbers.

use num_complex::Complex;

use crate::error::Result;
use crate::expr::{Binary, Unary};
use crate::value::DType;

use super::missing::no_kernel;

macro_rules! complexes {
    ($t:ident, $dtype:expr, $unary:ident, $binary:ident) => {
        pub fn $unary(op: Unary, x: &[Complex<$t>], out: &mut [u8]) -> Result<()> {
            type C = Complex<$t>;
            fn each(x: &[C], out: &mut [u8], f: impl Fn(C) -> C) {
                let out: &mut [C] = bytemuck::cast_slice_mut(out);
                for (out, x) in out.iter_mut().zip(x) {
                    *out = f(*x);
                }
            }
            fn part(x: &[C], out: &mut [u8], f: impl Fn(C) -> $t) {
                let out: &mut [$t] = bytemuck::cast_slice_mut(out);
                for (out, x) in out.iter_mut().zip(x) {
                    *out = f(*x);
                }
            }
            let one = C::new(1.0, 0.0);
            match op {
                Unary::Neg => each(x, out, |x| -x),
                Unary::Conj => each(x, out, |x| x.conj()),
                Unary::Square => each(x, out, |x| x * x),
                Unary::Recip => each(x, out, |x| x.inv()),
                Unary::Sign => each(x, out, |x| {
                    if x == C::new(0.0, 0.0) {
                        x
                    } else {
                        x / x.norm()
                    }
                }),
                Unary::Exp => each(x, out, |x| x.exp()),
                Unary::Expm1 => each(x, out, |x| x.exp() - one),
                Unary::Log => each(x, out, |x| x.ln()),
                Unary::Log1p => each(x, out, |x| (x + one).ln()),
                Unary::Sqrt => each(x, out, |x| x.sqrt()),
                Unary::Rsqrt => each(x, out, |x| x.sqrt().inv()),
                Unary::Sin => each(x, out, |x| x.sin()),
                Unary::Cos => each(x, out, |x| x.cos()),
                Unary::Tan => each(x, out, |x| x.tan()),
                Unary::Asin => each(x, out, |x| x.asin()),
                Unary::Acos => each(x, out, |x| x.acos()),
                Unary::Atan => each(x, out, |x| x.atan()),
                Unary::Sinh => each(x, out, |x| x.sinh()),
                Unary::Cosh => each(x, out, |x| x.cosh()),
                Unary::Tanh => each(x, out, |x| x.tanh()),
                Unary::Asinh => each(x, out, |x| x.asinh()),
                Unary::Acosh => each(x, out, |x| x.acosh()),
                Unary::Atanh => each(x, out, |x| x.atanh()),
                Unary::Sigmoid => each(x, out, |x| (one + (-x).exp()).inv()),
                Unary::Abs => part(x, out, |x| x.norm()),
                Unary::Real => part(x, out, |x| x.re),
                Unary::Imag => part(x, out, |x| x.im),
                Unary::Angle => part(x, out, |x| x.arg()),
                _ => return Err(no_kernel(op, $dtype)),
            }
            Ok(())
        }

        pub fn $binary(
            op: Binary,
            a: &[Complex<$t>],
            b: &[Complex<$t>],
            out: &mut [u8],
        ) -> Result<()> {
            type C = Complex<$t>;
            let each = |f: fn(C, C) -> C, out: &mut [u8]| {
                let out: &mut [C] = bytemuck::cast_slice_mut(out);
                for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = f(*a, *b);
                }
            };
            match op {
                Binary::Add => each(|a, b| a + b, out),
                Binary::Sub => each(|a, b| a - b, out),
                Binary::Mul => each(|a, b| a * b, out),
                Binary::Div => each(|a, b| a / b, out),
                Binary::Pow => each(|a, b| a.powc(b), out),
                Binary::SquaredDifference => each(|a, b| (a - b) * (a - b).conj(), out),
                Binary::Equal | Binary::NotEqual => {
                    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                        *out = u8::from((a == b) == (op == Binary::Equal));
                    }
                }
                _ => return Err(no_kernel(op, $dtype)),
            }
            Ok(())
        }
    };
}

complexes!(f32, DType::C64, unary_f32, binary_f32);
complexes!(f64, DType::C128, unary_f64, binary_f64);
