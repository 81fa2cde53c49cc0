//! One element of any plain type: the constants of formulas.

use half::{bf16, f16};
use num_complex::Complex;

use crate::error::{Error, Result};
use crate::value::{DType, Element};
use crate::{bail, ensure};

/// One element, as its type and bytes. Equality is of bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scalar {
    dtype: DType,
    bytes: [u8; 16],
}

impl Scalar {
    pub fn new<T: Element>(x: T) -> Scalar {
        let mut bytes = [0; 16];
        bytes[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&x));
        Scalar {
            dtype: T::DTYPE,
            bytes,
        }
    }

    pub fn bool(x: bool) -> Scalar {
        Scalar {
            dtype: DType::Bool,
            ..Scalar::new(u8::from(x))
        }
    }

    /// The number `x` in type `dtype`, rounded where need be; an error for integers that cannot hold it.
    pub fn of(dtype: DType, x: f64) -> Result<Scalar> {
        macro_rules! int {
            ($t:ty) => {{
                ensure!(
                    x as $t as f64 == x,
                    internal,
                    "the constant {x} in a formula of {}",
                    dtype.short_name()
                );
                Scalar::new(x as $t)
            }};
        }
        Ok(match dtype {
            DType::F32 => Scalar::new(x as f32),
            DType::F64 => Scalar::new(x),
            DType::F16 => Scalar::new(f16::from_f32(x as f32)),
            DType::BF16 => Scalar::new(bf16::from_f32(x as f32)),
            DType::C64 => Scalar::new(Complex::new(x as f32, 0.0)),
            DType::C128 => Scalar::new(Complex::new(x, 0.0)),
            DType::Bool => Scalar::bool(x != 0.0),
            DType::I8 => int!(i8),
            DType::I16 => int!(i16),
            DType::I32 => int!(i32),
            DType::I64 => int!(i64),
            DType::U8 => int!(u8),
            DType::U16 => int!(u16),
            DType::U32 => int!(u32),
            DType::U64 => int!(u64),
            other => bail!(internal, "a constant of type {}", other.short_name()),
        })
    }

    /// The element whose bytes these are.
    pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Result<Scalar> {
        if dtype.size() != Some(bytes.len()) {
            return Err(Error::internal(format!(
                "{} bytes for one {}",
                bytes.len(),
                dtype.short_name()
            )));
        }
        let mut all = [0; 16];
        all[..bytes.len()].copy_from_slice(bytes);
        Ok(Scalar { dtype, bytes: all })
    }

    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The bytes of the element.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.dtype.size().expect("a scalar's type is plain")]
    }

    /// The element as `T`, when that is its type.
    pub fn get<T: Element>(&self) -> Option<T> {
        T::holds(self.dtype).then(|| bytemuck::pod_read_unaligned(self.bytes()))
    }

    /// The number, when it is real (or boolean); 64-bit integers may be rounded.
    pub fn as_f64(&self) -> Option<f64> {
        Some(match self.dtype {
            DType::F32 => self.get::<f32>()?.into(),
            DType::F64 => self.get::<f64>()?,
            DType::F16 => self.get::<f16>()?.to_f64(),
            DType::BF16 => self.get::<bf16>()?.to_f64(),
            DType::I8 => self.get::<i8>()?.into(),
            DType::I16 => self.get::<i16>()?.into(),
            DType::I32 => self.get::<i32>()?.into(),
            DType::I64 => self.get::<i64>()? as f64,
            DType::U8 | DType::Bool => self.get::<u8>()?.into(),
            DType::U16 => self.get::<u16>()?.into(),
            DType::U32 => self.get::<u32>()?.into(),
            DType::U64 => self.get::<u64>()? as f64,
            _ => return None,
        })
    }
}

impl std::fmt::Debug for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.dtype {
            DType::I64 => write!(f, "{}", self.get::<i64>().unwrap_or_default()),
            DType::U64 => write!(f, "{}", self.get::<u64>().unwrap_or_default()),
            DType::C64 => write!(f, "{}", self.get::<Complex<f32>>().unwrap_or_default()),
            DType::C128 => write!(f, "{}", self.get::<Complex<f64>>().unwrap_or_default()),
            _ => match self.as_f64() {
                Some(x) => write!(f, "{x:?}"),
                None => write!(f, "{:?}", self.bytes()),
            },
        }
    }
}
