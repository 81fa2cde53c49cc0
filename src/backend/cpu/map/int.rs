//! Elementwise loops over integers. Arithmetic wraps; dividing by zero is an error.

use crate::bail;
use crate::error::Result;
use crate::expr::{Binary, Unary};
use crate::value::DType;

use super::missing::no_kernel;

/// What the loops need of an integer type.
trait Int: bytemuck::Pod + PartialEq + PartialOrd {
    const ZERO: Self;
    const ONE: Self;
    fn add(self, b: Self) -> Self;
    fn sub(self, b: Self) -> Self;
    fn mul(self, b: Self) -> Self;
    /// Towards zero; `b` is not zero.
    fn div(self, b: Self) -> Self;
    fn rem(self, b: Self) -> Self;
    fn neg(self) -> Self;
    fn bit_not(self) -> Self;
    fn bit_and(self, b: Self) -> Self;
    fn bit_or(self, b: Self) -> Self;
    fn bit_xor(self, b: Self) -> Self;
    fn shl(self, n: u32) -> Self;
    fn shr(self, n: u32) -> Self;
    fn ones(self) -> u8;
    /// As a shift amount, within the type's bits.
    fn amount(self) -> u32;
}

macro_rules! ints {
    ($($t:ty),*) => {$(
        impl Int for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            fn add(self, b: Self) -> Self { self.wrapping_add(b) }
            fn sub(self, b: Self) -> Self { self.wrapping_sub(b) }
            fn mul(self, b: Self) -> Self { self.wrapping_mul(b) }
            fn div(self, b: Self) -> Self { self.wrapping_div(b) }
            fn rem(self, b: Self) -> Self { self.wrapping_rem(b) }
            fn neg(self) -> Self { self.wrapping_neg() }
            fn bit_not(self) -> Self { !self }
            fn bit_and(self, b: Self) -> Self { self & b }
            fn bit_or(self, b: Self) -> Self { self | b }
            fn bit_xor(self, b: Self) -> Self { self ^ b }
            fn shl(self, n: u32) -> Self { self.wrapping_shl(n) }
            fn shr(self, n: u32) -> Self { self.wrapping_shr(n) }
            fn ones(self) -> u8 { self.count_ones() as u8 }
            fn amount(self) -> u32 {
                (self as i128).clamp(0, i128::from(<$t>::BITS) - 1) as u32
            }
        }
    )*};
}

ints!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! of_type {
    ($dtype:expr, $op:expr, $t:ident => $body:expr) => {
        match $dtype {
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
            DType::U8 | DType::QU8 => {
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
            other => Err(no_kernel($op, other)),
        }
    };
}

pub fn unary(op: Unary, dtype: DType, x: &[u8], out: &mut [u8]) -> Result<()> {
    of_type!(dtype, op, T => unary_of::<T>(op, dtype, bytemuck::cast_slice(x), out))
}

pub fn binary(op: Binary, dtype: DType, a: &[u8], b: &[u8], out: &mut [u8]) -> Result<()> {
    use bytemuck::cast_slice as cast;
    of_type!(dtype, op, T => binary_of::<T>(op, dtype, cast(a), cast(b), out))
}

fn unary_of<T: Int>(op: Unary, dtype: DType, x: &[T], out: &mut [u8]) -> Result<()> {
    fn each<T: Int>(x: &[T], out: &mut [u8], f: impl Fn(T) -> T) {
        let out: &mut [T] = bytemuck::cast_slice_mut(out);
        for (out, x) in out.iter_mut().zip(x) {
            *out = f(*x);
        }
    }
    match op {
        Unary::Neg => each(x, out, T::neg),
        Unary::Abs => each(x, out, |x| if x < T::ZERO { x.neg() } else { x }),
        Unary::Sign => each(x, out, |x| {
            if x > T::ZERO {
                T::ONE
            } else if x < T::ZERO {
                T::ONE.neg()
            } else {
                T::ZERO
            }
        }),
        Unary::Square => each(x, out, |x| x.mul(x)),
        Unary::Invert => each(x, out, T::bit_not),
        Unary::Floor | Unary::Ceil | Unary::Rint | Unary::Round => each(x, out, |x| x),
        Unary::PopulationCount => {
            for (out, x) in out.iter_mut().zip(x) {
                *out = x.ones();
            }
        }
        _ => return Err(no_kernel(op, dtype)),
    }
    Ok(())
}

fn binary_of<T: Int>(op: Binary, dtype: DType, a: &[T], b: &[T], out: &mut [u8]) -> Result<()> {
    fn each<T: Int>(a: &[T], b: &[T], out: &mut [u8], f: impl Fn(T, T) -> T) {
        let out: &mut [T] = bytemuck::cast_slice_mut(out);
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = f(*a, *b);
        }
    }
    fn test<T: Int>(a: &[T], b: &[T], out: &mut [u8], f: impl Fn(T, T) -> bool) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = u8::from(f(*a, *b));
        }
    }
    use Binary::*;
    if matches!(op, Div | FloorDiv | FloorMod | TruncDiv | TruncMod) && b.contains(&T::ZERO) {
        bail!(invalid, "Integer division by zero");
    }
    if op == Pow && b.iter().any(|b| *b < T::ZERO) {
        bail!(
            invalid,
            "Integers to negative integer powers are not allowed"
        );
    }
    match op {
        Add => each(a, b, out, T::add),
        Sub => each(a, b, out, T::sub),
        Mul => each(a, b, out, T::mul),
        Div | TruncDiv => each(a, b, out, T::div),
        TruncMod => each(a, b, out, T::rem),
        FloorDiv => each(a, b, out, |a, b| {
            let (quotient, rest) = (a.div(b), a.rem(b));
            let is_below = rest != T::ZERO && (rest < T::ZERO) != (b < T::ZERO);
            if is_below {
                quotient.sub(T::ONE)
            } else {
                quotient
            }
        }),
        FloorMod => each(a, b, out, |a, b| {
            let rest = a.rem(b);
            let is_other = rest != T::ZERO && (rest < T::ZERO) != (b < T::ZERO);
            if is_other { rest.add(b) } else { rest }
        }),
        Min => each(a, b, out, |a, b| if b < a { b } else { a }),
        Max => each(a, b, out, |a, b| if a < b { b } else { a }),
        Pow => each(a, b, out, power),
        SquaredDifference => each(a, b, out, |a, b| a.sub(b).mul(a.sub(b))),
        BitAnd => each(a, b, out, T::bit_and),
        BitOr => each(a, b, out, T::bit_or),
        BitXor => each(a, b, out, T::bit_xor),
        ShiftLeft => each(a, b, out, |a, b| a.shl(b.amount())),
        ShiftRight => each(a, b, out, |a, b| a.shr(b.amount())),
        Equal => test(a, b, out, |a, b| a == b),
        NotEqual => test(a, b, out, |a, b| a != b),
        Less => test(a, b, out, |a, b| a < b),
        LessEqual => test(a, b, out, |a, b| a <= b),
        Greater => test(a, b, out, |a, b| a > b),
        GreaterEqual => test(a, b, out, |a, b| a >= b),
        _ => return Err(no_kernel(op, dtype)),
    }
    Ok(())
}

/// `a` to the power of `b`, which is not negative; by squaring, wrapping.
fn power<T: Int>(a: T, b: T) -> T {
    let two = T::ONE.add(T::ONE);
    let (mut result, mut base, mut left) = (T::ONE, a, b);
    while left > T::ZERO {
        if left.rem(two) != T::ZERO {
            result = result.mul(base);
        }
        base = base.mul(base);
        left = left.div(two);
    }
    result
}
