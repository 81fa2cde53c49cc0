//! Conversion between element types, as C converts: floats to integers towards zero, complex numbers to their real
//! parts, integers by their low bits.

use half::{bf16, f16};
use num_complex::Complex;

use crate::error::Result;
use crate::value::DType;

use super::missing::no_kernel;

/// A number on its way from one type to another.
trait Source: bytemuck::Pod {
    fn wide(self) -> Wide;
}

/// Enough for any element: integers keep their 64 bits.
#[derive(Clone, Copy)]
enum Wide {
    Signed(i64),
    Unsigned(u64),
    Real(f64),
    Single(f32),
    Complex(f64, f64),
}

macro_rules! sources {
    ($($t:ty, $x:ident => $wide:expr);* $(;)?) => {$(
        impl Source for $t {
            #[inline(always)]
            fn wide(self) -> Wide {
                let $x = self;
                $wide
            }
        }
    )*};
}

sources! {
    i8, x => Wide::Signed(x.into());
    i16, x => Wide::Signed(x.into());
    i32, x => Wide::Signed(x.into());
    i64, x => Wide::Signed(x);
    u8, x => Wide::Unsigned(x.into());
    u16, x => Wide::Unsigned(x.into());
    u32, x => Wide::Unsigned(x.into());
    u64, x => Wide::Unsigned(x);
    f16, x => Wide::Single(x.to_f32());
    bf16, x => Wide::Single(x.to_f32());
    f32, x => Wide::Single(x);
    f64, x => Wide::Real(x);
    Complex<f32>, x => Wide::Complex(x.re.into(), x.im.into());
    Complex<f64>, x => Wide::Complex(x.re, x.im);
}

trait Target: bytemuck::Pod {
    fn of(x: Wide) -> Self;
}

macro_rules! int_targets {
    ($($t:ty, $by:ty);*) => {$(
        impl Target for $t {
            #[inline(always)]
            fn of(x: Wide) -> Self {
                // Towards zero; what does not fit gives the least integer, as x86 converts.
                let from_real = |x: f64| {
                    let fits = x > <$by>::MIN as f64 - 1.0 && x < <$by>::MAX as f64 + 1.0;
                    (if fits { x as $by } else { <$by>::MIN }) as $t
                };
                match x {
                    Wide::Signed(x) => x as $t,
                    Wide::Unsigned(x) => x as $t,
                    Wide::Real(x) => from_real(x),
                    Wide::Single(x) => from_real(x.into()),
                    Wide::Complex(x, _) => from_real(x),
                }
            }
        }
    )*};
}

int_targets!(i8, i32; i16, i32; i32, i32; i64, i64; u8, i32; u16, i32; u32, i64; u64, u64);

macro_rules! float_targets {
    ($($t:ty, $x:ident: $from_f64:expr, $y:ident: $from_f32:expr);* $(;)?) => {$(
        impl Target for $t {
            #[inline(always)]
            fn of(x: Wide) -> Self {
                let from_f64 = |$x: f64| $from_f64;
                match x {
                    Wide::Signed(x) => from_f64(x as f64),
                    Wide::Unsigned(x) => from_f64(x as f64),
                    Wide::Real(x) => from_f64(x),
                    Wide::Single($y) => $from_f32,
                    Wide::Complex(x, _) => from_f64(x),
                }
            }
        }
    )*};
}

float_targets! {
    f64, x: x, y: y.into();
    f16, x: f16::from_f32(x as f32), y: f16::from_f32(y);
    bf16, x: bf16::from_f32(x as f32), y: bf16::from_f32(y);
}

impl Target for f32 {
    #[inline(always)]
    fn of(x: Wide) -> Self {
        match x {
            // Straight from the integer: by way of float64 it would be rounded twice.
            Wide::Signed(x) => x as f32,
            Wide::Unsigned(x) => x as f32,
            Wide::Real(x) => x as f32,
            Wide::Single(x) => x,
            Wide::Complex(x, _) => x as f32,
        }
    }
}

macro_rules! complex_targets {
    ($($t:ty),*) => {$(
        impl Target for Complex<$t> {
            #[inline(always)]
            fn of(x: Wide) -> Self {
                match x {
                    Wide::Complex(re, im) => Complex::new(re as $t, im as $t),
                    real => Complex::new(<$t>::of(real), 0.0),
                }
            }
        }
    )*};
}

complex_targets!(f32, f64);

macro_rules! with_type {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            DType::F32 => {
                type $t = f32;
                $body
            }
            DType::F64 => {
                type $t = f64;
                $body
            }
            DType::F16 => {
                type $t = f16;
                $body
            }
            DType::BF16 => {
                type $t = bf16;
                $body
            }
            DType::I8 | DType::QI8 => {
                type $t = i8;
                $body
            }
            DType::I16 | DType::QI16 => {
                type $t = i16;
                $body
            }
            DType::I32 | DType::QI32 => {
                type $t = i32;
                $body
            }
            DType::I64 => {
                type $t = i64;
                $body
            }
            DType::U8 | DType::QU8 | DType::Bool => {
                type $t = u8;
                $body
            }
            DType::U16 | DType::QU16 => {
                type $t = u16;
                $body
            }
            DType::U32 => {
                type $t = u32;
                $body
            }
            DType::U64 => {
                type $t = u64;
                $body
            }
            DType::C64 => {
                type $t = Complex<f32>;
                $body
            }
            DType::C128 => {
                type $t = Complex<f64>;
                $body
            }
            other => Err(no_kernel("Cast", other)),
        }
    };
}

pub fn cast(from: DType, to: DType, x: &[u8], out: &mut [u8]) -> Result<()> {
    if to == DType::Bool {
        return with_type!(from, T => to_bool::<T>(bytemuck::cast_slice(x), out));
    }
    with_type!(from, S => with_type!(to, T => {
        let x: &[S] = bytemuck::cast_slice(x);
        let out: &mut [T] = bytemuck::cast_slice_mut(out);
        for (out, x) in out.iter_mut().zip(x) {
            *out = T::of(x.wide());
        }
        Ok(())
    }))
}

/// Whatever is not zero is true.
fn to_bool<T: Source>(x: &[T], out: &mut [u8]) -> Result<()> {
    for (out, x) in out.iter_mut().zip(x) {
        *out = u8::from(match x.wide() {
            Wide::Signed(x) => x != 0,
            Wide::Unsigned(x) => x != 0,
            Wide::Real(x) => x != 0.0,
            Wide::Single(x) => x != 0.0,
            Wide::Complex(re, im) => re != 0.0 || im != 0.0,
        });
    }
    Ok(())
}
