//! Elementwise ops of two operands that broadcast, and sums of many.

use crate::error::Result;
use crate::expr::Expr;
use crate::graph::{Endpoint, ShapeContext};
use crate::value::DType;

use super::super::build::number;
use super::super::gradient::{Grad, GradientContext, Grads};
use super::super::{Op, shape};
use super::broadcast::{Broadcast, Reduction};
use super::unary::nothing;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Add", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, int16, int32, int64, complex64, complex128, string}").shape(shape::broadcast).grad(add_grad).map(|x| &x[0] + &x[1]),
    Op::new("AddV2", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(add_grad).map(|x| &x[0] + &x[1]),
    Op::new("Sub", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, uint16, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(sub_grad).map(|x| &x[0] - &x[1]),
    Op::new("Mul", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, uint16, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(mul_grad).map(|x| &x[0] * &x[1]),
    Op::new("MulNoNan", "x: T, y: T -> z: T").attr("T: {float16, float32, float64, complex64, complex128}").shape(shape::broadcast).grad(mul_no_nan_grad).map(|x| x[1].eq(x[1].like(0.0)).select(x[0].like(0.0), &x[0] * &x[1])),
    Op::new("Div", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, uint16, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(|g| div_grad(g, "truediv", "RealDiv")).map(|x| &x[0] / &x[1]),
    Op::new("RealDiv", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, uint16, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(|g| div_grad(g, "RealDiv", "RealDiv")).map(|x| &x[0] / &x[1]),
    Op::new("DivNoNan", "x: T, y: T -> z: T").attr("T: {float16, float32, float64, complex64, complex128}").shape(shape::broadcast).grad(|g| div_grad(g, "div_no_nan", "DivNoNan")).map(|x| x[1].eq(x[1].like(0.0)).select(x[0].like(0.0), &x[0] / &x[1])),
    Op::new("FloorDiv", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, uint16, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(nothing).map(|x| x[0].floor_div(&x[1])),
    Op::new("FloorMod", "x: T, y: T -> z: T").attr("T: {int32, int64, bfloat16, float16, float32, float64}").shape(shape::broadcast).grad(floor_mod_grad).map(|x| x[0].floor_mod(&x[1])),
    Op::new("TruncateDiv", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, uint8, int8, uint16, int16, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(nothing).map(|x| x[0].trunc_div(&x[1])),
    Op::new("TruncateMod", "x: T, y: T -> z: T").attr("T: {int32, int64, bfloat16, float16, float32, float64}").shape(shape::broadcast).map(|x| x[0].trunc_mod(&x[1])),
    Op::new("Mod", "x: T, y: T -> z: T").attr("T: {int32, int64, float16, float16, bfloat16, float32, float64}").shape(shape::broadcast).map(|x| x[0].trunc_mod(&x[1])),
    Op::new("Pow", "x: T, y: T -> z: T").attr("T: {bfloat16, float32, float16, float64, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(pow_grad).map(|x| x[0].pow(&x[1])),
    Op::new("Maximum", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, int32, int64}").shape(shape::broadcast).grad(|g| extremum_grad(g, "GreaterEqual")).map(|x| x[0].max(&x[1])),
    Op::new("Minimum", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, int32, int64}").shape(shape::broadcast).grad(|g| extremum_grad(g, "LessEqual")).map(|x| x[0].min(&x[1])),
    Op::new("SquaredDifference", "x: T, y: T -> z: T").attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}").shape(shape::broadcast).grad(squared_difference_grad).map(|x| x[0].squared_difference(&x[1])),
    Op::new("Xdivy", "x: T, y: T -> z: T").attr("T: {float16, float32, float64, complex64, complex128}").shape(shape::broadcast).grad(xdivy_grad).map(|x| x[0].eq(x[0].like(0.0)).select(x[0].like(0.0), &x[0] / &x[1])),
    Op::new("Xlogy", "x: T, y: T -> z: T").attr("T: {float16, float32, float64, complex64, complex128}").shape(shape::broadcast).grad(xlogy_grad).map(|x| x[0].eq(x[0].like(0.0)).select(x[0].like(0.0), &x[0] * x[1].log())),
    Op::new("Atan2", "y: T, x: T -> z: T").attr("T: {bfloat16, float16, float32, float64}").shape(shape::broadcast).grad(atan2_grad).map(|x| x[0].atan2(&x[1])),
    Op::new("Complex", "real: T, imag: T -> out: Tout").attr("T: {float32, float64} = DT_FLOAT32").attr("Tout: {complex64, complex128} = DT_COMPLEX64").shape(shape::broadcast).grad(complex_grad).map(|x| Expr::complex(&x[0], &x[1])),
    Op::new("Igamma", "a: T, x: T -> z: T").attr("T: {float32, float64}").shape(shape::broadcast).map(|x| x[0].igamma(&x[1])),
    Op::new("Igammac", "a: T, x: T -> z: T").attr("T: {float32, float64}").shape(shape::broadcast).map(|x| x[0].igammac(&x[1])),
    Op::new("Zeta", "x: T, q: T -> z: T").attr("T: {float32, float64}").shape(shape::broadcast).map(|x| x[0].zeta(&x[1])),
    Op::new("Polygamma", "a: T, x: T -> z: T").attr("T: {float32, float64}").shape(shape::broadcast).map(|x| x[0].polygamma(&x[1])),
    Op::new("NextAfter", "x1: T, x2: T -> output: T").attr("T: {float64, float32} = DT_FLOAT32").shape(shape::broadcast).map(|x| x[0].next_after(&x[1])),
    Op::new("BitwiseAnd", "x: T, y: T -> z: T").attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}").no_grad().shape(shape::broadcast).map(|x| x[0].bit_and(&x[1])),
    Op::new("BitwiseOr", "x: T, y: T -> z: T").attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}").no_grad().shape(shape::broadcast).map(|x| x[0].bit_or(&x[1])),
    Op::new("BitwiseXor", "x: T, y: T -> z: T").attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}").no_grad().shape(shape::broadcast).map(|x| x[0].bit_xor(&x[1])),
    Op::new("LeftShift", "x: T, y: T -> z: T").attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}").no_grad().shape(shape::broadcast).map(|x| x[0].shift_left(&x[1])),
    Op::new("RightShift", "x: T, y: T -> z: T").attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}").no_grad().shape(shape::broadcast).map(|x| x[0].shift_right(&x[1])),
    Op::new("AddN", "inputs: N * T -> sum: T").attr("N: int >= 1").attr("T: {float32, float64, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, uint16, complex128, float16, uint32, uint64, variant}").shape(shape::merged).grad(same_for_all).map(sum),
    Op::new("AccumulateNV2", "inputs: N * T -> sum: T").attr("N: int >= 1").attr("T: numbertype").attr("shape: shape").shape(accumulate_shape).grad(same_for_all).map(sum),
    Op::new("ClipByValue", "t: T, clip_value_min: T, clip_value_max: T -> output: T").attr("T: numbertype").shape(shape::unchanged).map(|x| x[0].min(&x[2]).max(&x[1])),
];

fn sum(terms: &[Expr]) -> Expr {
    let first = terms[0].clone();
    terms[1..].iter().fold(first, |sum, term| sum + term)
}

fn accumulate_shape(c: &mut ShapeContext) -> Result<()> {
    shape::merged(c)?;
    let known = c.attrs().shape("shape")?.clone();
    c.set(0, known);
    Ok(())
}

fn same_for_all(g: &mut GradientContext) -> Result<Grads> {
    Ok(vec![g.out_grad(0); g.num_inputs()])
}

fn pair(a: Endpoint, b: Endpoint) -> Grads {
    vec![Some(a.into()), Some(b.into())]
}

/// Whether both operands and the gradient have one shape, known in full.
fn have_one_shape(g: &GradientContext, dy: Endpoint) -> bool {
    let shape = g.shape(dy);
    shape.is_fully_defined() && (0..2).all(|i| g.shape(g.input(i)) == shape)
}

fn add_grad(g: &mut GradientContext) -> Result<Grads> {
    if let Some(Grad::Dense(dy)) = g.out_grad(0)
        && have_one_shape(g, dy)
    {
        return Ok(pair(dy, dy));
    }
    let dy = g.dy(0)?;
    let sides = Broadcast::smart(g, dy)?;
    let gx = sides.x.reduce_if_needed(g, dy)?;
    let gy = sides.y.reduce_if_needed(g, dy)?;
    Ok(pair(gx, gy))
}

fn sub_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    if have_one_shape(g, dy) {
        let negative = g.graph.neg(dy)?;
        return Ok(pair(dy, negative));
    }
    let sides = Broadcast::smart(g, dy)?;
    let gx = sides.x.reduce_if_needed(g, dy)?;
    let negative = g.graph.neg(dy)?;
    let gy = sides.y.reduce_if_needed(g, negative)?;
    Ok(pair(gx, gy))
}

fn mul_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    if have_one_shape(g, dy) && matches!(g.dtype(dy), DType::F32 | DType::I32) {
        let gx = g.op("Mul", [dy, y])?;
        let gy = g.op("Mul", [dy, x])?;
        return Ok(pair(gx, gy));
    }
    let sides = Broadcast::smart(g, dy)?;
    let (x, y) = (g.graph.conj(x)?, g.graph.conj(y)?);
    let gx = g.op("Mul", [dy, y])?;
    let gx = sides.x.reduce_if_needed(g, gx)?;
    let gy = g.op("Mul", [x, dy])?;
    let gy = sides.y.reduce_if_needed(g, gy)?;
    Ok(pair(gx, gy))
}

fn mul_no_nan_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    if have_one_shape(g, dy) {
        let gx = g.op("MulNoNan", [dy, y])?;
        let gy = g.op("MulNoNan", [x, dy])?;
        return Ok(pair(gx, gy));
    }
    let sides = Broadcast::plain(g, x, y)?;
    let gx = g.op("MulNoNan", [dy, y])?;
    let gx = sides.x.reduce(g, gx)?;
    let gy = g.op("MulNoNan", [x, dy])?;
    let gy = sides.y.reduce(g, gy)?;
    Ok(pair(gx, gy))
}

/// `dy / y` and `dy * -x / y / y`, with nodes of type `op`.
fn div_grad(g: &mut GradientContext, name: &'static str, op: &'static str) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let sides = Broadcast::plain(g, x, y)?;
    let (x, y) = (g.graph.conj(x)?, g.graph.conj(y)?);
    let divide =
        |g: &mut GradientContext, a: Endpoint, b: Endpoint| g.graph.call(op, name, [a, b], &[]);
    let gx = divide(g, dy, y)?;
    let gx = sides.x.reduce(g, gx)?;
    let negative = g.graph.neg(x)?;
    let once = divide(g, negative, y)?;
    let twice = divide(g, once, y)?;
    let gy = g.graph.mul(dy, twice)?;
    let gy = sides.y.reduce(g, gy)?;
    Ok(pair(gx, gy))
}

fn floor_mod_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    let (x, y) = (g.input_conj(0)?, g.input_conj(1)?);
    let sides = Broadcast::plain(g, x, y)?;
    let floor = g.op("FloorDiv", [x, y])?;
    let gx = sides.x.reduce(g, dy)?;
    let negative = g.graph.neg(floor)?;
    let gy = g.graph.mul(dy, negative)?;
    let gy = sides.y.reduce(g, gy)?;
    Ok(pair(gx, gy))
}

fn pow_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    let sides = Broadcast::smart(g, dy)?;
    let (x, y) = (g.input_conj(0)?, g.input_conj(1)?);
    let scaled = g.graph.mul(dy, y)?;
    let one = g.graph.plain("y", y, 1.0)?;
    let less = g.graph.sub(y, one)?;
    let power = g.op("Pow", [x, less])?;
    let gx = g.graph.mul(scaled, power)?;
    let gx = sides.x.reduce_if_needed(g, gx)?;
    let z = g.output_conj(0)?;
    let compare = if g.dtype(x).is_complex() {
        "NotEqual"
    } else {
        "Greater"
    };
    let zero = g.graph.plain("y", x, 0.0)?;
    let mask = g.graph.call(compare, "", [x.into(), zero], &[])?;
    let ones = g.graph.ones_like(x)?;
    let safe = g.graph.where_(mask, x, ones)?;
    let log = g.op("Log", [safe])?;
    let zeros = g.graph.zeros_like(x)?;
    let log = g.graph.where_(mask, log, zeros)?;
    let scaled = g.graph.mul(dy, z)?;
    let gy = g.graph.mul(scaled, log)?;
    let gy = sides.y.reduce_if_needed(g, gy)?;
    Ok(pair(gx, gy))
}

fn extremum_grad(g: &mut GradientContext, compare: &'static str) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let sx = g.graph.shape_of(x)?;
    let sy = g.graph.shape_of(y)?;
    let shape = g.graph.shape_of(dy)?;
    let dtype = g.dtype(dy);
    let zeros = g.graph.zeros(shape, dtype)?;
    let mask = g.op(compare, [x, y])?;
    let sides = Broadcast::of_shapes(g, sx, sy)?;
    let gx = g.graph.where_(mask, dy, zeros)?;
    let gx = sides.x.reduce(g, gx)?;
    let gy = g.graph.where_(mask, zeros, dy)?;
    let gy = sides.y.reduce(g, gy)?;
    Ok(pair(gx, gy))
}

fn squared_difference_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let gx = g.after(dy, |g| {
        let two = g.constant("scalar", number(g.dtype(dy), 2.0)?)?;
        let twice = g.op("Mul", [two, dy])?;
        let difference = g.graph.sub(x, y)?;
        g.graph.mul(twice, difference)
    })?;
    if have_one_shape(g, dy) {
        let gy = g.graph.neg(gx)?;
        return Ok(pair(gx, gy));
    }
    let sides = Broadcast::smart(g, dy)?;
    let left = sides.x.reduce_if_needed(g, gx)?;
    let right = sides.y.reduce_if_needed(g, gx)?;
    let right = g.graph.neg(right)?;
    Ok(pair(left, right))
}

/// 1 where x is not zero, in x's type.
fn not_zero(g: &mut GradientContext, x: Endpoint) -> Result<Endpoint> {
    let dtype = g.dtype(x);
    let zero = g.graph.in_scope("Cast", |graph| {
        let zero = graph.constant_node("x", number(DType::F32, 0.0)?)?;
        if dtype == DType::F32 {
            return Ok(zero);
        }
        let name = graph.scope_as_name();
        graph.call("Cast", &name, [zero], &[("DstT", dtype.into())])
    })?;
    let mask = g.op("NotEqual", [x, zero])?;
    g.graph.cast_to(mask, dtype)
}

fn xdivy_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let sides = Broadcast::plain(g, x, y)?;
    g.after(dy, |g| {
        let mask = not_zero(g, x)?;
        let partial_x = g.op("Xdivy", [mask, y])?;
        let negative = g.graph.neg(x)?;
        let two = g.graph.plain("y", y, 2.0)?;
        let square = g.graph.call("Pow", "pow", [y.into(), two], &[])?;
        let partial_y = g.op("Xdivy", [negative, square])?;
        partials(g, &sides, [partial_x, partial_y], dy)
    })
}

fn xlogy_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let sides = Broadcast::plain(g, x, y)?;
    g.after(dy, |g| {
        let mask = not_zero(g, x)?;
        let partial_x = g.op("Xlogy", [mask, y])?;
        let partial_y = g.op("Xdivy", [x, y])?;
        partials(g, &sides, [partial_x, partial_y], dy)
    })
}

/// Partial derivatives times the gradient, each reduced to its operand's shape.
fn partials(
    g: &mut GradientContext,
    sides: &Broadcast,
    [x, y]: [Endpoint; 2],
    dy: Endpoint,
) -> Result<Grads> {
    let gx = g.graph.mul(x, dy)?;
    let gx = sides.x.reduce(g, gx)?;
    let gy = g.graph.mul(y, dy)?;
    let gy = sides.y.reduce(g, gy)?;
    Ok(pair(gx, gy))
}

fn atan2_grad(g: &mut GradientContext) -> Result<Grads> {
    let (y, x, dy) = (g.input(0), g.input(1), g.dy(0)?);
    g.after(dy, |g| {
        let (xx, yy) = (g.op("Square", [x])?, g.op("Square", [y])?);
        let norm = g.graph.add(xx, yy)?;
        let scaled = g.graph.truediv(dy, norm)?;
        let gy = g.graph.mul(x, scaled)?;
        let negative = g.graph.neg(y)?;
        let gx = g.graph.mul(negative, scaled)?;
        Ok(pair(gy, gx))
    })
}

fn complex_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let sides = Broadcast::plain(g, x, y)?;
    let part = g.dtype(x);
    let take = |g: &mut GradientContext, op: &'static str| {
        g.graph.call(op, "", [dy], &[("Tout", part.into())])
    };
    let real = take(g, "Real")?;
    let gx = sides.x.reduce(g, real)?;
    let imaginary = take(g, "Imag")?;
    let gy = sides.y.reduce(g, imaginary)?;
    Ok(pair(gx, gy))
}
