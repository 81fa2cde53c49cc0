//! Elementwise loops over `float32` and `float64`.

use crate::error::Result;
use crate::expr::{Binary, Unary};
use crate::value::DType;

use super::missing::no_kernel;
use super::special;

macro_rules! floats {
    ($t:ident, $dtype:expr, $unary:ident, $binary:ident) => {
        pub fn $unary(op: Unary, x: &[$t], out: &mut [u8]) -> Result<()> {
            fn each(x: &[$t], out: &mut [u8], f: impl Fn($t) -> $t) {
                let out: &mut [$t] = bytemuck::cast_slice_mut(out);
                for (out, x) in out.iter_mut().zip(x) {
                    *out = f(*x);
                }
            }
            fn test(x: &[$t], out: &mut [u8], f: impl Fn($t) -> bool) {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = u8::from(f(*x));
                }
            }
            match op {
                Unary::Neg => each(x, out, |x| -x),
                Unary::Abs => each(x, out, |x| x.abs()),
                Unary::Sign => each(x, out, |x| {
                    if x > 0.0 {
                        1.0
                    } else if x < 0.0 {
                        -1.0
                    } else {
                        0.0
                    }
                }),
                Unary::Exp => each(x, out, |x| x.exp()),
                Unary::Expm1 => each(x, out, |x| x.exp_m1()),
                Unary::Log => each(x, out, |x| x.ln()),
                Unary::Log1p => each(x, out, |x| x.ln_1p()),
                Unary::Sqrt => each(x, out, |x| x.sqrt()),
                Unary::Rsqrt => each(x, out, |x| 1.0 / x.sqrt()),
                Unary::Square => each(x, out, |x| x * x),
                Unary::Recip => each(x, out, |x| 1.0 / x),
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
                Unary::Sigmoid => each(x, out, |x| 1.0 / (1.0 + (-x).exp())),
                Unary::Erf => each(x, out, |x| special::erf(x as f64) as $t),
                Unary::Erfc => each(x, out, |x| special::erfc(x as f64) as $t),
                Unary::Lgamma => each(x, out, |x| special::lgamma(x as f64) as $t),
                Unary::Digamma => each(x, out, |x| special::digamma(x as f64) as $t),
                Unary::BesselI0e => each(x, out, |x| special::bessel_ie(0, x as f64) as $t),
                Unary::BesselI1e => each(x, out, |x| special::bessel_ie(1, x as f64) as $t),
                Unary::Floor => each(x, out, |x| x.floor()),
                Unary::Ceil => each(x, out, |x| x.ceil()),
                Unary::Rint => each(x, out, |x| x.round_ties_even()),
                Unary::Round => each(x, out, |x| x.round_ties_even() + 0.0),
                Unary::IsNan => test(x, out, |x| x.is_nan()),
                Unary::IsInf => test(x, out, |x| x.is_infinite()),
                Unary::IsFinite => test(x, out, |x| x.is_finite()),
                _ => return Err(no_kernel(op, $dtype)),
            }
            Ok(())
        }

        pub fn $binary(op: Binary, a: &[$t], b: &[$t], out: &mut [u8]) -> Result<()> {
            fn each(a: &[$t], b: &[$t], out: &mut [u8], f: impl Fn($t, $t) -> $t) {
                let out: &mut [$t] = bytemuck::cast_slice_mut(out);
                for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = f(*a, *b);
                }
            }
            fn test(a: &[$t], b: &[$t], out: &mut [u8], f: impl Fn($t, $t) -> bool) {
                for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                    *out = u8::from(f(*a, *b));
                }
            }
            match op {
                Binary::Add => each(a, b, out, |a, b| a + b),
                Binary::Sub => each(a, b, out, |a, b| a - b),
                Binary::Mul => each(a, b, out, |a, b| a * b),
                Binary::Div => each(a, b, out, |a, b| a / b),
                Binary::Min => each(a, b, out, |a, b| if b < a { b } else { a }),
                Binary::Max => each(a, b, out, |a, b| if a < b { b } else { a }),
                Binary::Pow => each(a, b, out, |a, b| a.powf(b)),
                Binary::Atan2 => each(a, b, out, |a, b| a.atan2(b)),
                Binary::FloorDiv => each(a, b, out, |a, b| (a / b).floor()),
                Binary::FloorMod => each(a, b, out, |a, b| {
                    let rest = a % b;
                    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
                        rest + b
                    } else {
                        rest
                    }
                }),
                Binary::TruncDiv => each(a, b, out, |a, b| (a / b).trunc()),
                Binary::TruncMod => each(a, b, out, |a, b| a % b),
                Binary::SquaredDifference => each(a, b, out, |a, b| (a - b) * (a - b)),
                Binary::Equal => test(a, b, out, |a, b| a == b),
                Binary::NotEqual => test(a, b, out, |a, b| a != b),
                Binary::Less => test(a, b, out, |a, b| a < b),
                Binary::LessEqual => test(a, b, out, |a, b| a <= b),
                Binary::Greater => test(a, b, out, |a, b| a > b),
                Binary::GreaterEqual => test(a, b, out, |a, b| a >= b),
                Binary::Complex => {
                    let out: &mut [[$t; 2]] = bytemuck::cast_slice_mut(out);
                    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                        *out = [*a, *b];
                    }
                }
                Binary::NextAfter => each(a, b, out, |a, b| {
                    if a.is_nan() || b.is_nan() {
                        <$t>::NAN
                    } else if a == b {
                        b
                    } else if a == 0.0 {
                        <$t>::from_bits(1).copysign(b)
                    } else if (a < b) == (a > 0.0) {
                        <$t>::from_bits(a.to_bits() + 1)
                    } else {
                        <$t>::from_bits(a.to_bits() - 1)
                    }
                }),
                Binary::Igamma => each(a, b, out, |a, x| special::igamma(a as f64, x as f64) as $t),
                Binary::Igammac => {
                    each(a, b, out, |a, x| special::igammac(a as f64, x as f64) as $t)
                }
                Binary::Zeta => each(a, b, out, |s, q| special::zeta(s as f64, q as f64) as $t),
                Binary::Polygamma => each(a, b, out, |n, x| {
                    special::polygamma(n as f64, x as f64) as $t
                }),
                _ => return Err(no_kernel(op, $dtype)),
            }
            Ok(())
        }
    };
}

floats!(f32, DType::F32, unary_f32, binary_f32);
floats!(f64, DType::F64, unary_f64, binary_f64);
