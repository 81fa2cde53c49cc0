//! How element types lie in memory and in registers of a shader, and what each operation is in WGSL.

use crate::expr::{Binary, Op, Scalar, Ternary, Unary};
use crate::value::DType;

/// The type of a value in a shader's register; bytes are widened, `int64` is two words.
pub fn register(dtype: DType) -> Option<&'static str> {
    Some(match dtype {
        DType::F32 => "f32",
        DType::I32 => "i32",
        DType::I64 => "vec2<u32>",
        DType::Bool => "bool",
        DType::U8 => "u32",
        _ => return None,
    })
}

/// A constant of this value. Floats are made of a parameter, so that no compiler takes x * 0 for 0.
pub fn constant(x: &Scalar) -> Option<String> {
    let bytes = x.bytes();
    let word = |at: usize| {
        let mut word = [0u8; 4];
        for (to, from) in word.iter_mut().zip(&bytes[at.min(bytes.len())..]) {
            *to = *from;
        }
        u32::from_le_bytes(word)
    };
    Some(match x.dtype() {
        DType::F32 => format!("bitcast<f32>({:#x}u ^ p.zero)", word(0)),
        DType::I32 => format!("bitcast<i32>({:#x}u)", word(0)),
        DType::I64 => format!("vec2<u32>({:#x}u, {:#x}u)", word(0), word(4)),
        DType::Bool => (word(0) & 255 != 0).to_string(),
        DType::U8 => format!("{}u", word(0) & 255),
        _ => return None,
    })
}

/// The expression of an operation over operands of type `from`; `None` for what shaders do not know.
pub fn operation(op: Op, from: DType, to: DType, x: &[String]) -> Option<String> {
    match op {
        Op::Unary(op) => unary(op, from, &x[0]),
        Op::Binary(op) => binary(op, from, &x[0], &x[1]),
        Op::Ternary(Ternary::Select) => Some(format!("select({}, {}, {})", x[2], x[1], x[0])),
        Op::Ternary(_) => None,
        Op::Cast => cast(from, to, &x[0]),
    }
}

fn unary(op: Unary, t: DType, x: &str) -> Option<String> {
    match t {
        DType::F32 => unary_float(op, x),
        DType::I32 => Some(match op {
            Unary::Neg => format!("bitcast<i32>(0u - bitcast<u32>({x}))"),
            Unary::Abs => format!("abs({x})"),
            Unary::Sign => format!("sign({x})"),
            Unary::Square => format!("({x} * {x})"),
            Unary::Floor | Unary::Ceil | Unary::Rint | Unary::Round => x.to_string(),
            Unary::Invert => format!("(~{x})"),
            _ => return None,
        }),
        DType::I64 => Some(match op {
            Unary::Neg => format!("wide_sub(vec2<u32>(), {x})"),
            Unary::Abs => format!("wide_abs({x})"),
            Unary::Square => format!("wide_mul({x}, {x})"),
            Unary::Floor | Unary::Ceil | Unary::Rint | Unary::Round => x.to_string(),
            Unary::Invert => format!("(~{x})"),
            _ => return None,
        }),
        DType::U8 => Some(match op {
            Unary::Square => format!("(({x} * {x}) & 255u)"),
            Unary::Invert => format!("(~{x} & 255u)"),
            _ => return None,
        }),
        DType::Bool => matches!(op, Unary::Not).then(|| format!("(!{x})")),
        _ => None,
    }
}

fn unary_float(op: Unary, x: &str) -> Option<String> {
    let function = match op {
        Unary::Neg => return Some(format!("(-{x})")),
        Unary::Square => return Some(format!("({x} * {x})")),
        Unary::Recip => return Some(format!("(1.0 / {x})")),
        Unary::Rsqrt => return Some(format!("(1.0 / sqrt({x}))")),
        Unary::Sign => {
            return Some(format!(
                "select(select(0.0, -1.0, {x} < 0.0), 1.0, {x} > 0.0)"
            ));
        }
        Unary::Abs => "abs",
        Unary::Exp => "math_exp",
        Unary::Expm1 => "math_expm1",
        Unary::Log => "math_log",
        Unary::Log1p => "math_log1p",
        Unary::Sqrt => "sqrt",
        Unary::Sin => "math_sin",
        Unary::Cos => "math_cos",
        Unary::Tan => "math_tan",
        Unary::Asin => "math_asin",
        Unary::Acos => "math_acos",
        Unary::Atan => "math_atan",
        Unary::Sinh => "math_sinh",
        Unary::Cosh => "math_cosh",
        Unary::Asinh => "math_asinh",
        Unary::Acosh => "math_acosh",
        Unary::Atanh => "math_atanh",
        Unary::Tanh => "math_tanh",
        Unary::Sigmoid => "math_sigmoid",
        Unary::Erf => "math_erf",
        Unary::Erfc => "math_erfc",
        Unary::Lgamma => "math_lgamma",
        Unary::Digamma => "math_digamma",
        Unary::Floor => "floor",
        Unary::Ceil => "ceil",
        Unary::Rint | Unary::Round => "round",
        Unary::IsNan => "is_nan",
        Unary::IsInf => "is_inf",
        Unary::IsFinite => "is_finite",
        _ => return None,
    };
    Some(format!("{function}({x})"))
}

fn binary(op: Binary, t: DType, a: &str, b: &str) -> Option<String> {
    let comparison = |sign: &str| Some(format!("({a} {sign} {b})"));
    match (op, t) {
        // An ordered "not equal" would be false for NaN.
        (Binary::NotEqual, DType::F32) => return Some(format!("(!({a} == {b}))")),
        (Binary::Equal, DType::I64) => return Some(format!("all({a} == {b})")),
        (Binary::NotEqual, DType::I64) => return Some(format!("any({a} != {b})")),
        (_, DType::I64) => return binary_wide(op, a, b),
        (Binary::Equal, _) => return comparison("=="),
        (Binary::NotEqual, _) => return comparison("!="),
        (Binary::And, DType::Bool) => return comparison("&&"),
        (Binary::Or, DType::Bool) => return comparison("||"),
        (_, DType::Bool) => return None,
        (Binary::Less, _) => return comparison("<"),
        (Binary::LessEqual, _) => return comparison("<="),
        (Binary::Greater, _) => return comparison(">"),
        (Binary::GreaterEqual, _) => return comparison(">="),
        (Binary::Min, _) => return Some(format!("select({a}, {b}, {b} < {a})")),
        (Binary::Max, _) => return Some(format!("select({a}, {b}, {a} < {b})")),
        _ => {}
    }
    let text = match (op, t) {
        (Binary::Add, DType::F32 | DType::I32) => format!("({a} + {b})"),
        (Binary::Sub, DType::F32 | DType::I32) => format!("({a} - {b})"),
        (Binary::Mul, DType::F32 | DType::I32) => format!("({a} * {b})"),
        (Binary::SquaredDifference, DType::F32 | DType::I32) => {
            format!("(({a} - {b}) * ({a} - {b}))")
        }
        (Binary::Add, DType::U8) => format!("(({a} + {b}) & 255u)"),
        (Binary::Sub, DType::U8) => format!("(({a} - {b}) & 255u)"),
        (Binary::Mul, DType::U8) => format!("(({a} * {b}) & 255u)"),
        (Binary::Div, DType::F32) => format!("({a} / {b})"),
        (Binary::Pow, DType::F32) => format!("math_pow({a}, {b})"),
        (Binary::Atan2, DType::F32) => format!("math_atan2({a}, {b})"),
        (Binary::FloorDiv, DType::F32) => format!("floor({a} / {b})"),
        (Binary::TruncDiv, DType::F32) => format!("trunc({a} / {b})"),
        (Binary::FloorMod, DType::F32) => format!("float_floor_mod({a}, {b})"),
        (Binary::TruncMod, DType::F32) => format!("float_remainder({a}, {b})"),
        (Binary::Div | Binary::TruncDiv, DType::I32) => format!("int_div({a}, {b})"),
        (Binary::TruncMod, DType::I32) => format!("int_remainder({a}, {b})"),
        (Binary::FloorDiv, DType::I32) => format!("int_floor_div({a}, {b})"),
        (Binary::FloorMod, DType::I32) => format!("int_floor_mod({a}, {b})"),
        (Binary::BitAnd, DType::I32 | DType::U8) => format!("({a} & {b})"),
        (Binary::BitOr, DType::I32 | DType::U8) => format!("({a} | {b})"),
        (Binary::BitXor, DType::I32 | DType::U8) => format!("({a} ^ {b})"),
        _ => return None,
    };
    Some(text)
}

fn binary_wide(op: Binary, a: &str, b: &str) -> Option<String> {
    Some(match op {
        Binary::Add => format!("wide_add({a}, {b})"),
        Binary::Sub => format!("wide_sub({a}, {b})"),
        Binary::Mul => format!("wide_mul({a}, {b})"),
        Binary::SquaredDifference => {
            format!("wide_mul(wide_sub({a}, {b}), wide_sub({a}, {b}))")
        }
        Binary::BitAnd => format!("({a} & {b})"),
        Binary::BitOr => format!("({a} | {b})"),
        Binary::BitXor => format!("({a} ^ {b})"),
        Binary::Less => format!("wide_less({a}, {b})"),
        Binary::LessEqual => format!("(!wide_less({b}, {a}))"),
        Binary::Greater => format!("wide_less({b}, {a})"),
        Binary::GreaterEqual => format!("(!wide_less({a}, {b}))"),
        Binary::Min => format!("select({a}, {b}, wide_less({b}, {a}))"),
        Binary::Max => format!("select({a}, {b}, wide_less({a}, {b}))"),
        _ => return None,
    })
}

fn cast(from: DType, to: DType, x: &str) -> Option<String> {
    use DType::{Bool, F32, I32, I64, U8};
    Some(match (from, to) {
        (Bool, F32) => format!("select(0.0, 1.0, {x})"),
        (Bool, I32) => format!("select(0, 1, {x})"),
        (Bool, U8) => format!("select(0u, 1u, {x})"),
        (Bool, I64) => format!("vec2<u32>(select(0u, 1u, {x}), 0u)"),
        (F32, Bool) => format!("(!({x} == 0.0))"),
        (I32, Bool) => format!("({x} != 0)"),
        (U8, Bool) => format!("({x} != 0u)"),
        (I64, Bool) => format!("any({x} != vec2<u32>(0u, 0u))"),
        (F32, I32) => format!("int_of_float({x})"),
        (F32, U8) => format!("(bitcast<u32>(int_of_float({x})) & 255u)"),
        (F32, I64) => format!("wide_of_float({x})"),
        (I32, F32) | (U8, F32) => format!("f32({x})"),
        (I64, F32) => format!("float_of_wide({x})"),
        (I32, I64) => format!("vec2<u32>(bitcast<u32>({x}), select(0u, 0xffffffffu, {x} < 0))"),
        (I32, U8) => format!("(bitcast<u32>({x}) & 255u)"),
        (U8, I32) => format!("i32({x})"),
        (U8, I64) => format!("vec2<u32>({x}, 0u)"),
        (I64, I32) => format!("bitcast<i32>({x}.x)"),
        (I64, U8) => format!("({x}.x & 255u)"),
        _ => return None,
    })
}
