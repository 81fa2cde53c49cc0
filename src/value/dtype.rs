//! Element types: TensorFlow's numbers, sizes and names, and the Rust type of each.

use half::{bf16, f16};
use num_complex::Complex;

use crate::error::{Error, Result};

/// An element type. The discriminants are TensorFlow's `DataType` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DType {
    F32 = 1,
    F64 = 2,
    I32 = 3,
    U8 = 4,
    I16 = 5,
    I8 = 6,
    String = 7,
    C64 = 8,
    I64 = 9,
    Bool = 10,
    QI8 = 11,
    QU8 = 12,
    QI32 = 13,
    BF16 = 14,
    QI16 = 15,
    QU16 = 16,
    U16 = 17,
    C128 = 18,
    F16 = 19,
    Resource = 20,
    Variant = 21,
    U32 = 22,
    U64 = 23,
}

use DType::*;

/// Added to a `DataType` number to say "a reference to".
pub const REF_OFFSET: i32 = 100;

impl DType {
    pub const ALL: [DType; 23] = [
        F32, F64, I32, U8, I16, I8, String, C64, I64, Bool, QI8, QU8, QI32, BF16, QI16, QU16, U16,
        C128, F16, Resource, Variant, U32, U64,
    ];

    /// The type with TensorFlow's number `n` (a reference type gives its base type).
    pub fn from_number(n: i32) -> Result<DType> {
        let base = if n > REF_OFFSET { n - REF_OFFSET } else { n };
        Self::ALL
            .into_iter()
            .find(|d| *d as i32 == base)
            .ok_or_else(|| Error::invalid(format!("{n} is not a DataType that can hold values")))
    }

    /// The type with TensorFlow's Python name (`float32`) or op-definition name (`float`).
    pub fn from_name(name: &str) -> Option<DType> {
        Self::ALL
            .into_iter()
            .find(|d| d.name() == name || d.short_name() == name)
    }

    /// TensorFlow's number of the type.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The name in Python: `float32`.
    pub fn name(self) -> &'static str {
        match self {
            F32 => "float32",
            F64 => "float64",
            F16 => "float16",
            other => other.short_name(),
        }
    }

    /// The name in op definitions and in the messages of kernels: `float`.
    pub fn short_name(self) -> &'static str {
        match self {
            F32 => "float",
            F64 => "double",
            I32 => "int32",
            U8 => "uint8",
            I16 => "int16",
            I8 => "int8",
            String => "string",
            C64 => "complex64",
            I64 => "int64",
            Bool => "bool",
            QI8 => "qint8",
            QU8 => "quint8",
            QI32 => "qint32",
            BF16 => "bfloat16",
            QI16 => "qint16",
            QU16 => "quint16",
            U16 => "uint16",
            C128 => "complex128",
            F16 => "half",
            Resource => "resource",
            Variant => "variant",
            U32 => "uint32",
            U64 => "uint64",
        }
    }

    /// The name of the enumerator: `DT_FLOAT`.
    pub fn enum_name(self) -> std::string::String {
        format!("DT_{}", self.short_name().to_ascii_uppercase())
    }

    /// Bytes of one element; `None` for strings, resources and variants, which do not lie in plain memory.
    pub fn size(self) -> Option<usize> {
        Some(match self {
            U8 | I8 | Bool | QI8 | QU8 => 1,
            I16 | U16 | F16 | BF16 | QI16 | QU16 => 2,
            F32 | I32 | U32 | QI32 => 4,
            F64 | I64 | U64 | C64 => 8,
            C128 => 16,
            String | Resource | Variant => return None,
        })
    }

    pub fn is_plain(self) -> bool {
        self.size().is_some()
    }

    pub fn is_floating(self) -> bool {
        matches!(self, F16 | BF16 | F32 | F64)
    }

    pub fn is_complex(self) -> bool {
        matches!(self, C64 | C128)
    }

    /// A plain (not quantized) integer type.
    pub fn is_integer(self) -> bool {
        matches!(self, I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64)
    }

    pub fn is_quantized(self) -> bool {
        matches!(self, QI8 | QU8 | QI16 | QU16 | QI32)
    }
}

/// A Rust type whose values are elements of tensors.
pub trait Element: bytemuck::Pod + Send + Sync + PartialEq + std::fmt::Debug {
    const DTYPE: DType;

    /// Whether values of `dtype` lie in memory as this type does.
    fn holds(dtype: DType) -> bool {
        dtype == Self::DTYPE
    }
}

macro_rules! elements {
    ($($t:ty = $d:ident $(| $q:ident)?),* $(,)?) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$d;
            $(fn holds(dtype: DType) -> bool {
                dtype == DType::$d || dtype == DType::$q
            })?
        }
    )*};
}

elements! {
    f32 = F32, f64 = F64, f16 = F16, bf16 = BF16, i8 = I8 | QI8, i16 = I16 | QI16, i32 = I32 | QI32, i64 = I64,
    u16 = U16 | QU16, u32 = U32, u64 = U64, Complex<f32> = C64, Complex<f64> = C128,
}

/// Bytes hold `uint8`, its quantized twin, and `bool` (0 or 1).
impl Element for u8 {
    const DTYPE: DType = DType::U8;

    fn holds(dtype: DType) -> bool {
        matches!(dtype, U8 | QU8 | Bool)
    }
}

/// Runs `$body` with `$t` bound to the Rust type of `$dtype`, for one of the listed kinds of types.
///
/// Kinds: `numbers` (all plain numeric types), `floats` (f16, bf16, f32, f64), `real` (numbers without complex),
/// `plain` (numbers and bool, by memory layout). The other types give `Unimplemented`.
#[macro_export]
macro_rules! dispatch {
    (@ $dtype:expr, $t:ident, $body:expr, $($d:ident = $ty:ty),*) => {
        match $dtype {
            $($crate::value::DType::$d => { type $t = $ty; $body })*
            other => return Err($crate::error::Error::unimplemented(
                format!("no kernel for elements of type {}", other.short_name()))),
        }
    };
    (floats, $dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@ $dtype, $t, $body, F32 = f32, F64 = f64, F16 = half::f16, BF16 = half::bf16)
    };
    (indices, $dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@ $dtype, $t, $body, I32 = i32, I64 = i64)
    };
    (real, $dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@ $dtype, $t, $body, F32 = f32, F64 = f64, F16 = half::f16, BF16 = half::bf16,
            I8 = i8, I16 = i16, I32 = i32, I64 = i64, U8 = u8, U16 = u16, U32 = u32, U64 = u64)
    };
    (numbers, $dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@ $dtype, $t, $body, F32 = f32, F64 = f64, F16 = half::f16, BF16 = half::bf16,
            I8 = i8, I16 = i16, I32 = i32, I64 = i64, U8 = u8, U16 = u16, U32 = u32, U64 = u64,
            C64 = num_complex::Complex<f32>, C128 = num_complex::Complex<f64>)
    };
    (plain, $dtype:expr, $t:ident => $body:expr) => {
        $crate::dispatch!(@ $dtype, $t, $body, F32 = f32, F64 = f64, F16 = half::f16, BF16 = half::bf16,
            I8 = i8, I16 = i16, I32 = i32, I64 = i64, U8 = u8, U16 = u16, U32 = u32, U64 = u64, Bool = u8,
            QI8 = i8, QU8 = u8, QI16 = i16, QU16 = u16, QI32 = i32,
            C64 = num_complex::Complex<f32>, C128 = num_complex::Complex<f64>)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_the_type() {
        for d in DType::ALL {
            assert_eq!(DType::from_number(d.number()).unwrap(), d);
            assert_eq!(DType::from_number(d.number() + REF_OFFSET).unwrap(), d);
            assert_eq!(DType::from_name(d.name()), Some(d));
            assert_eq!(DType::from_name(d.short_name()), Some(d));
        }
        assert!(DType::from_number(0).is_err() && DType::from_number(24).is_err());
    }
}
