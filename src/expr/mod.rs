//! Formulas of elementwise ops: stated once, run by the CPU, rendered to WGSL by the GPU, composed by the planner.
//!
//! An op's entry says `.map(|x| x[0].clone() / (x[0].abs() + 1.0))`: a function from operands to an [`Expr`]. Given
//! element types, a formula becomes straight-line code over registers. No data is here.

mod op;
mod program;
mod scalar;

use std::ops;
use std::sync::Arc;

use crate::value::DType;

pub use op::{Binary, Ternary, Unary, part_of};
pub use program::{Arg, Builder, Instr, Op, Program};
pub use scalar::Scalar;

/// A formula over operands whose element types are not yet known. Cheap to clone: clones share.
///
/// A plain number in a formula (`x + 1.0`) takes the type of what it meets; where it meets nothing typed, say whose
/// type it has: `x.like(1.0)`.
#[derive(Clone, Debug)]
pub struct Expr(pub(crate) Arc<Kind>);

/// The formula of an op: from its operands to its result.
pub type Formula = fn(&[Expr]) -> Expr;

#[derive(Debug)]
pub(crate) enum Kind {
    Input(usize),
    /// A number that takes its type from its surroundings.
    Number(f64),
    Typed(Scalar),
    Like(f64, Expr),
    Unary(Unary, Expr),
    Binary(Binary, Expr, Expr),
    Ternary(Ternary, [Expr; 3]),
    Cast(Expr, DType),
    CastLike(Expr, Expr),
}

impl Expr {
    /// Operand number `index` of the formula.
    pub fn input(index: usize) -> Expr {
        Expr(Arc::new(Kind::Input(index)))
    }

    /// The operands of a formula of `n` inputs.
    pub fn inputs(n: usize) -> Vec<Expr> {
        (0..n).map(Expr::input).collect()
    }

    /// A number of the type of whatever it meets.
    pub fn number(x: f64) -> Expr {
        Expr(Arc::new(Kind::Number(x)))
    }

    /// A constant of a given type.
    pub fn constant(x: Scalar) -> Expr {
        Expr(Arc::new(Kind::Typed(x)))
    }

    /// The number `x` in this expression's type.
    pub fn like(&self, x: f64) -> Expr {
        Expr(Arc::new(Kind::Like(x, self.clone())))
    }

    pub fn unary(&self, op: Unary) -> Expr {
        Expr(Arc::new(Kind::Unary(op, self.clone())))
    }

    pub fn binary(&self, op: Binary, other: impl Into<Expr>) -> Expr {
        Expr(Arc::new(Kind::Binary(op, self.clone(), other.into())))
    }

    pub fn ternary(
        op: Ternary,
        a: impl Into<Expr>,
        b: impl Into<Expr>,
        c: impl Into<Expr>,
    ) -> Expr {
        Expr(Arc::new(Kind::Ternary(op, [a.into(), b.into(), c.into()])))
    }

    /// `if self { a } else { b }`, for a boolean expression.
    pub fn select(&self, a: impl Into<Expr>, b: impl Into<Expr>) -> Expr {
        Expr::ternary(Ternary::Select, self.clone(), a, b)
    }

    /// Converted to `dtype` as TensorFlow's `Cast` does.
    pub fn cast(&self, dtype: DType) -> Expr {
        Expr(Arc::new(Kind::Cast(self.clone(), dtype)))
    }

    /// Converted to the type of `other`.
    pub fn cast_like(&self, other: &Expr) -> Expr {
        Expr(Arc::new(Kind::CastLike(self.clone(), other.clone())))
    }

    /// `a + bi`.
    pub fn complex(re: impl Into<Expr>, im: impl Into<Expr>) -> Expr {
        re.into().binary(Binary::Complex, im)
    }

    /// The regularised incomplete beta function.
    pub fn betainc(a: impl Into<Expr>, b: impl Into<Expr>, x: impl Into<Expr>) -> Expr {
        Expr::ternary(Ternary::Betainc, a, b, x)
    }

    /// `max(self, 0)`, NaN passing.
    pub fn relu(&self) -> Expr {
        self.max(0.0)
    }
}

macro_rules! unary_methods {
    ($($name:ident $op:ident),* $(,)?) => {
        impl Expr {$(
            pub fn $name(&self) -> Expr {
                self.unary(Unary::$op)
            }
        )*}
    };
}

unary_methods! {
    neg Neg, abs Abs, sign Sign, exp Exp, expm1 Expm1, log Log, log1p Log1p, sqrt Sqrt, rsqrt Rsqrt, square Square,
    recip Recip, sin Sin, cos Cos, tan Tan, asin Asin, acos Acos, atan Atan, sinh Sinh, cosh Cosh, asinh Asinh,
    acosh Acosh, atanh Atanh, tanh Tanh, sigmoid Sigmoid, erf Erf, erfc Erfc, lgamma Lgamma, digamma Digamma,
    bessel_i0e BesselI0e, bessel_i1e BesselI1e, floor Floor, ceil Ceil, rint Rint, round Round, is_nan IsNan,
    is_inf IsInf, is_finite IsFinite, not Not, invert Invert, population_count PopulationCount, conj Conj, real Real,
    imag Imag, angle Angle,
}

macro_rules! binary_methods {
    ($($name:ident $op:ident),* $(,)?) => {
        impl Expr {$(
            pub fn $name(&self, other: impl Into<Expr>) -> Expr {
                self.binary(Binary::$op, other)
            }
        )*}
    };
}

binary_methods! {
    add Add, sub Sub, mul Mul, div Div, min Min, max Max, pow Pow, atan2 Atan2, floor_div FloorDiv,
    floor_mod FloorMod, trunc_div TruncDiv, trunc_mod TruncMod, squared_difference SquaredDifference, eq Equal,
    ne NotEqual, lt Less, le LessEqual, gt Greater, ge GreaterEqual, and And, or Or, bit_and BitAnd, bit_or BitOr,
    bit_xor BitXor, shift_left ShiftLeft, shift_right ShiftRight, next_after NextAfter, igamma Igamma,
    igammac Igammac, zeta Zeta, polygamma Polygamma,
}

impl From<&Expr> for Expr {
    fn from(x: &Expr) -> Expr {
        x.clone()
    }
}

impl From<f64> for Expr {
    fn from(x: f64) -> Expr {
        Expr::number(x)
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident),*) => {$(
        impl<R: Into<Expr>> ops::$trait<R> for Expr {
            type Output = Expr;
            fn $method(self, other: R) -> Expr {
                self.binary(Binary::$op, other)
            }
        }
        impl<R: Into<Expr>> ops::$trait<R> for &Expr {
            type Output = Expr;
            fn $method(self, other: R) -> Expr {
                self.binary(Binary::$op, other)
            }
        }
        impl ops::$trait<Expr> for f64 {
            type Output = Expr;
            fn $method(self, other: Expr) -> Expr {
                Expr::number(self).binary(Binary::$op, other)
            }
        }
        impl ops::$trait<&Expr> for f64 {
            type Output = Expr;
            fn $method(self, other: &Expr) -> Expr {
                Expr::number(self).binary(Binary::$op, other)
            }
        }
    )*};
}

operators!(Add add Add, Sub sub Sub, Mul mul Mul, Div div Div);

impl ops::Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(Unary::Neg)
    }
}

impl ops::Neg for &Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        self.unary(Unary::Neg)
    }
}
