//! The operations that formulas are made of, and the element type that each gives.

use crate::error::{Error, Result};
use crate::value::DType;

/// An operation with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    Neg,
    /// The modulus (real) for complex operands.
    Abs,
    /// -1, 0 or 1; 0 for NaN. `z / |z|` for complex operands.
    Sign,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sqrt,
    Rsqrt,
    Square,
    Recip,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    Tanh,
    Sigmoid,
    Erf,
    Erfc,
    Lgamma,
    Digamma,
    BesselI0e,
    BesselI1e,
    Floor,
    Ceil,
    /// To the nearest integer, halves to even, keeping the sign of zero.
    Rint,
    /// As `Rint`, with +0 for every result that is zero (TensorFlow's `Round`).
    Round,
    IsNan,
    IsInf,
    IsFinite,
    Not,
    /// All bits flipped.
    Invert,
    /// Number of ones, as `uint8`.
    PopulationCount,
    Conj,
    Real,
    Imag,
    /// The argument of a complex number.
    Angle,
}

/// An operation with two operands of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    /// True division of floats; C's division of integers, an error when the divisor is zero.
    Div,
    /// `b < a ? b : a`: NaN passes when it is the first operand, as in TensorFlow on CPUs.
    Min,
    /// `a < b ? b : a`.
    Max,
    /// For integers, an error when the exponent is negative.
    Pow,
    Atan2,
    FloorDiv,
    /// The remainder with the divisor's sign.
    FloorMod,
    /// C's division; the quotient rounded to zero for floats.
    TruncDiv,
    /// C's remainder (`fmod` for floats).
    TruncMod,
    /// `(a - b) * conj(a - b)`.
    SquaredDifference,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    BitAnd,
    BitOr,
    BitXor,
    /// The amount is clamped to `0..bits`.
    ShiftLeft,
    /// Arithmetic for signed types; the amount is clamped to `0..bits`.
    ShiftRight,
    /// A complex number of its real and imaginary parts.
    Complex,
    NextAfter,
    Igamma,
    Igammac,
    Zeta,
    Polygamma,
}

/// An operation with three operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ternary {
    /// `cond ? a : b`.
    Select,
    /// The regularised incomplete beta function of (a, b, x).
    Betainc,
}

fn refuse<T>(op: impl std::fmt::Debug, dtype: DType) -> Result<T> {
    Err(Error::unimplemented(format!(
        "no kernel for {op:?} of elements of type {}",
        dtype.short_name()
    )))
}

impl Unary {
    /// The type of the result for an operand of type `t`.
    pub fn result(self, t: DType) -> Result<DType> {
        use Unary::*;
        let real = t.is_floating();
        let ok = match self {
            Neg | Sign | Square => real || t.is_complex() || t.is_integer(),
            Abs => real || t.is_complex() || t.is_integer(),
            Exp | Expm1 | Log | Log1p | Sqrt | Rsqrt | Recip | Sin | Cos | Tan | Asin | Acos
            | Atan | Sinh | Cosh | Asinh | Acosh | Atanh | Tanh | Sigmoid => real || t.is_complex(),
            Erf | Erfc | Lgamma | Digamma | BesselI0e | BesselI1e | IsNan | IsInf | IsFinite => {
                real
            }
            Floor | Ceil | Rint | Round => real || t.is_integer(),
            Not => t == DType::Bool,
            Invert | PopulationCount => t.is_integer(),
            Conj | Real | Imag | Angle => t.is_complex(),
        };
        if !ok {
            return refuse(self, t);
        }
        Ok(match self {
            IsNan | IsInf | IsFinite => DType::Bool,
            PopulationCount => DType::U8,
            Abs | Real | Imag | Angle => part_of(t),
            _ => t,
        })
    }
}

/// The type of a complex number's parts; other types are themselves.
pub fn part_of(t: DType) -> DType {
    match t {
        DType::C64 => DType::F32,
        DType::C128 => DType::F64,
        other => other,
    }
}

impl Binary {
    /// The type of the result for two operands of type `t`.
    pub fn result(self, t: DType) -> Result<DType> {
        use Binary::*;
        let (real, complex, int) = (t.is_floating(), t.is_complex(), t.is_integer());
        let ok = match self {
            Add | Sub | Mul | Div | SquaredDifference | Pow => real || complex || int,
            Min | Max | FloorDiv | FloorMod | TruncDiv | TruncMod => real || int,
            Atan2 | NextAfter | Igamma | Igammac | Zeta | Polygamma => real,
            Equal | NotEqual => real || complex || int || t == DType::Bool,
            Less | LessEqual | Greater | GreaterEqual => real || int,
            And | Or => t == DType::Bool,
            BitAnd | BitOr | BitXor | ShiftLeft | ShiftRight => int,
            Complex => t == DType::F32 || t == DType::F64,
        };
        if !ok {
            return refuse(self, t);
        }
        Ok(match self {
            Complex if t == DType::F32 => DType::C64,
            Complex => DType::C128,
            op if op.is_comparison() => DType::Bool,
            _ => t,
        })
    }

    pub fn is_comparison(self) -> bool {
        use Binary::*;
        matches!(
            self,
            Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual
        )
    }

    /// Whether `op(a, b)` and `op(b, a)` have the same bits.
    pub fn is_commutative(self) -> bool {
        use Binary::*;
        matches!(
            self,
            Add | Mul | Equal | NotEqual | And | Or | BitAnd | BitOr | BitXor
        )
    }
}

impl Ternary {
    /// The type of the result for operands of the given types.
    pub fn result(self, [c, a, b]: [DType; 3]) -> Result<DType> {
        let ok = match self {
            Ternary::Select => c == DType::Bool && a == b && a.is_plain(),
            Ternary::Betainc => c.is_floating() && a == c && b == c,
        };
        if ok {
            Ok(a)
        } else {
            refuse(self, if c == DType::Bool { a } else { c })
        }
    }
}
