//! Elementwise ops of one operand, and the ops that their gradients are made of.

use crate::error::Result;
use crate::graph::Endpoint;
use crate::value::DType;

use super::super::build::number;
use super::super::gradient::{GradientContext, Grads};
use super::super::{Op, shape};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Abs", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int8, int16, int32, int64}")
        .shape(shape::unchanged)
        .grad(abs_grad)
        .map(|x| x[0].abs()),
    Op::new("ComplexAbs", "x: T -> y: Tout")
        .attr("T: {complex64, complex128} = DT_COMPLEX64")
        .attr("Tout: {float32, float64} = DT_FLOAT32")
        .shape(shape::unchanged)
        .map(|x| x[0].abs()),
    Op::new("Neg", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| one(g, |g, dy| g.graph.neg(dy)))
        .map(|x| x[0].neg()),
    Op::new("Inv", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| of_output(g, "ReciprocalGrad"))
        .map(|x| x[0].recip()),
    Op::new("InvGrad", "y: T, dy: T -> z: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::merged_pair)
        .grad(reciprocal_grad_grad)
        .map(|x| -(&x[1] * &x[0] * &x[0])),
    Op::new("Reciprocal", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| of_output(g, "ReciprocalGrad"))
        .map(|x| x[0].recip()),
    Op::new("ReciprocalGrad", "y: T, dy: T -> z: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::merged_pair)
        .grad(reciprocal_grad_grad)
        .map(|x| -(&x[1] * &x[0] * &x[0])),
    Op::new("Square", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(square_grad)
        .map(|x| x[0].square()),
    Op::new("Sqrt", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| of_output(g, "SqrtGrad"))
        .map(|x| x[0].sqrt()),
    Op::new("SqrtGrad", "y: T, dy: T -> z: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::merged_pair)
        .grad(sqrt_grad_grad)
        .map(|x| &x[1] * 0.5 / &x[0]),
    Op::new("Rsqrt", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| of_output(g, "RsqrtGrad"))
        .map(|x| x[0].rsqrt()),
    Op::new("RsqrtGrad", "y: T, dy: T -> z: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::merged_pair)
        .grad(rsqrt_grad_grad)
        .map(|x| &x[1] * -0.5 * (&x[0] * &x[0] * &x[0])),
    Op::new("Round", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(nothing)
        .map(|x| x[0].round()),
    Op::new("Rint", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(nothing)
        .map(|x| x[0].rint()),
    Op::new("Floor", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(nothing)
        .map(|x| x[0].floor()),
    Op::new("Ceil", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(nothing)
        .map(|x| x[0].ceil()),
    Op::new("Exp", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| after_dy(g, |g, dy| g.output_conj(0).and_then(|y| g.graph.mul(dy, y))))
        .map(|x| x[0].exp()),
    Op::new("Expm1", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let x = g.input_conj(0)?;
                let y = g.op("Exp", [x])?;
                g.graph.mul(dy, y)
            })
        })
        .map(|x| x[0].expm1()),
    Op::new("Log", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let x = g.input_conj(0)?;
                let r = g.op("Reciprocal", [x])?;
                g.graph.mul(dy, r)
            })
        })
        .map(|x| x[0].log()),
    Op::new("Log1p", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let x = g.input_conj(0)?;
                let one = g.graph.plain("x", x, 1.0)?;
                let x = g.graph.add(one, x)?;
                let r = g.op("Reciprocal", [x])?;
                g.graph.mul(dy, r)
            })
        })
        .map(|x| x[0].log1p()),
    Op::new("Sin", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| times(g, "Cos"))
        .map(|x| x[0].sin()),
    Op::new("Cos", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let x = g.input_conj(0)?;
                let dy = g.graph.neg(dy)?;
                let sin = g.op("Sin", [x])?;
                g.graph.mul(dy, sin)
            })
        })
        .map(|x| x[0].cos()),
    Op::new("Tan", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(tan_grad)
        .map(|x| x[0].tan()),
    Op::new("Asin", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| arc_grad(g, false))
        .map(|x| x[0].asin()),
    Op::new("Acos", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| arc_grad(g, true))
        .map(|x| x[0].acos()),
    Op::new("Atan", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let one_plus = plus_square(g, dy, "Add")?;
                let inverse = g.op("Reciprocal", [one_plus])?;
                g.graph.mul(dy, inverse)
            })
        })
        .map(|x| x[0].atan()),
    Op::new("Sinh", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| times(g, "Cosh"))
        .map(|x| x[0].sinh()),
    Op::new("Cosh", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| times(g, "Sinh"))
        .map(|x| x[0].cosh()),
    Op::new("Tanh", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let y = g.output_conj(0)?;
                g.op("TanhGrad", [y, dy])
            })
        })
        .map(|x| x[0].tanh()),
    Op::new("TanhGrad", "y: T, dy: T -> z: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::merged_pair)
        .grad(tanh_grad_grad)
        .map(|x| &x[1] * (1.0 - &x[0] * &x[0])),
    Op::new("Asinh", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let y = g.output_conj(0)?;
                let cosh = g.op("Cosh", [y])?;
                g.graph.truediv(dy, cosh)
            })
        })
        .map(|x| x[0].asinh()),
    Op::new("Acosh", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let y = g.output_conj(0)?;
                let sinh = g.op("Sinh", [y])?;
                g.graph.truediv(dy, sinh)
            })
        })
        .map(|x| x[0].acosh()),
    Op::new("Atanh", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let one_minus = plus_square(g, dy, "Sub")?;
                let inverse = g.op("Reciprocal", [one_minus])?;
                g.graph.mul(dy, inverse)
            })
        })
        .map(|x| x[0].atanh()),
    Op::new("Sigmoid", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(|g| {
            after_dy(g, |g, dy| {
                let y = g.output_conj(0)?;
                g.op("SigmoidGrad", [y, dy])
            })
        })
        .map(|x| x[0].sigmoid()),
    Op::new("SigmoidGrad", "y: T, dy: T -> z: T")
        .attr("T: {bfloat16, float16, float32, float64, complex64, complex128}")
        .shape(shape::merged_pair)
        .grad(sigmoid_grad_grad)
        .map(|x| &x[1] * &x[0] * (1.0 - &x[0])),
    Op::new("Erf", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(|g| erf_grad(g, 2.0))
        .map(|x| x[0].erf()),
    Op::new("Erfc", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(|g| erf_grad(g, -2.0))
        .map(|x| x[0].erfc()),
    Op::new("Lgamma", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(|g| times(g, "Digamma"))
        .map(|x| x[0].lgamma()),
    Op::new("Digamma", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .grad(digamma_grad)
        .map(|x| x[0].digamma()),
    Op::new("BesselI0e", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .map(|x| x[0].bessel_i0e()),
    Op::new("BesselI1e", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .map(|x| x[0].bessel_i1e()),
    Op::new("Sign", "x: T -> y: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(shape::unchanged)
        .grad(sign_grad)
        .map(|x| x[0].sign()),
    Op::new("IsNan", "x: T -> y: bool")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .map(|x| x[0].is_nan()),
    Op::new("IsInf", "x: T -> y: bool")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .map(|x| x[0].is_inf()),
    Op::new("IsFinite", "x: T -> y: bool")
        .attr("T: {bfloat16, float16, float32, float64}")
        .shape(shape::unchanged)
        .map(|x| x[0].is_finite()),
    Op::new("Invert", "x: T -> y: T")
        .attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}")
        .no_grad()
        .shape(shape::unchanged)
        .map(|x| x[0].invert()),
    Op::new("PopulationCount", "x: T -> y: uint8")
        .attr("T: {int8, int16, int32, int64, uint8, uint16, uint32, uint64}")
        .no_grad()
        .shape(shape::unchanged)
        .map(|x| x[0].population_count()),
    Op::new("Conj", "input: T -> output: T")
        .attr("T: {complex64, complex128, variant} = DT_COMPLEX64")
        .shape(shape::unchanged)
        .grad(|g| one(g, |g, dy| g.graph.conj(dy)))
        .map(|x| x[0].conj()),
    Op::new("Real", "input: T -> output: Tout")
        .attr("T: {complex64, complex128} = DT_COMPLEX64")
        .attr("Tout: {float32, float64} = DT_FLOAT32")
        .shape(shape::unchanged)
        .grad(|g| {
            one(g, |g, dy| {
                let zero = g.constant("Const", number(g.dtype(dy), 0.0)?)?;
                complex(g, dy, zero)
            })
        })
        .map(|x| x[0].real()),
    Op::new("Imag", "input: T -> output: Tout")
        .attr("T: {complex64, complex128} = DT_COMPLEX64")
        .attr("Tout: {float32, float64} = DT_FLOAT32")
        .shape(shape::unchanged)
        .grad(|g| {
            one(g, |g, dy| {
                let zero = g.constant("Const", number(g.dtype(dy), 0.0)?)?;
                complex(g, zero, dy)
            })
        })
        .map(|x| x[0].imag()),
    Op::new("Angle", "input: T -> output: Tout")
        .attr("T: {complex64, complex128} = DT_COMPLEX64")
        .attr("Tout: {float32, float64} = DT_FLOAT32")
        .shape(shape::unchanged)
        .map(|x| x[0].angle()),
];

/// The gradient of an op with one input, made of the gradient of its output.
pub(in crate::ops) fn one(
    g: &mut GradientContext,
    make: impl FnOnce(&mut GradientContext, Endpoint) -> Result<Endpoint>,
) -> Result<Grads> {
    let dy = g.dy(0)?;
    Ok(vec![Some(make(g, dy)?.into())])
}

/// As `one`, with nodes that wait for the gradient, so that nothing is computed earlier than needed.
pub(in crate::ops) fn after_dy(
    g: &mut GradientContext,
    make: impl FnOnce(&mut GradientContext, Endpoint) -> Result<Endpoint>,
) -> Result<Grads> {
    let dy = g.dy(0)?;
    let made = g.after(dy, |g| make(g, dy))?;
    Ok(vec![Some(made.into())])
}

/// No gradient for any input.
pub(in crate::ops) fn nothing(g: &mut GradientContext) -> Result<Grads> {
    Ok(vec![None; g.num_inputs()])
}

/// `op(y, dy)`.
fn of_output(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let y = g.output(0);
    one(g, |g, dy| g.op(op, [y, dy]))
}

/// `dy * op(x)`.
fn times(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    after_dy(g, |g, dy| {
        let x = g.input_conj(0)?;
        let factor = g.op(op, [x])?;
        g.graph.mul(dy, factor)
    })
}

fn complex(g: &mut GradientContext, real: Endpoint, imaginary: Endpoint) -> Result<Endpoint> {
    let dtype = match g.dtype(real) {
        DType::F64 => DType::C128,
        _ => DType::C64,
    };
    g.graph
        .call("Complex", "", [real, imaginary], &[("Tout", dtype.into())])
}

fn abs_grad(g: &mut GradientContext) -> Result<Grads> {
    let x = g.input(0);
    one(g, |g, dy| {
        let sign = g.op("Sign", [x])?;
        g.graph.mul(dy, sign)
    })
}

fn square_grad(g: &mut GradientContext) -> Result<Grads> {
    after_dy(g, |g, dy| {
        let x = g.input_conj(0)?;
        let two = g.constant("Const", number(g.dtype(x), 2.0)?)?;
        let twice = g.op("Mul", [x, two])?;
        g.op("Mul", [dy, twice])
    })
}

fn sqrt_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let (a, y, dy) = (g.input(0), g.output(0), g.dy(0)?);
    g.after(dy, |g| {
        let ga = g.graph.truediv(dy, a)?;
        let conj = g.graph.conj(ga)?;
        let negative = g.graph.neg(conj)?;
        let first = g.graph.mul(negative, y)?;
        let half = g.graph.plain("x", ga, 0.5)?;
        let second = g.graph.mul(half, ga)?;
        Ok(vec![Some(first.into()), Some(second.into())])
    })
}

fn rsqrt_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let (b, dy) = (g.input(1), g.dy(0)?);
    g.after(dy, |g| {
        let ca = g.input_conj(0)?;
        let cg = g.graph.conj(dy)?;
        let factor = g.graph.plain("x", cg, -1.5)?;
        let scaled = g.graph.mul(factor, cg)?;
        let scaled = g.graph.mul(scaled, b)?;
        let square = g.op("Square", [ca])?;
        let first = g.graph.mul(scaled, square)?;
        let second = g.op("RsqrtGrad", [ca, dy])?;
        Ok(vec![Some(first.into()), Some(second.into())])
    })
}

fn reciprocal_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let (b, dy) = (g.input(1), g.dy(0)?);
    g.after(dy, |g| {
        let ca = g.input_conj(0)?;
        let cg = g.graph.conj(dy)?;
        let factor = g.graph.plain("y", cg, -2.0)?;
        let scaled = g.graph.mul(cg, factor)?;
        let scaled = g.graph.mul(scaled, b)?;
        let first = g.graph.mul(scaled, ca)?;
        let second = g.op("ReciprocalGrad", [ca, dy])?;
        Ok(vec![Some(first.into()), Some(second.into())])
    })
}

fn tanh_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    g.after(dy, |g| {
        let (a, b) = (g.input_conj(0)?, g.input_conj(1)?);
        let factor = g.graph.plain("y", dy, -2.0)?;
        let scaled = g.graph.mul(dy, factor)?;
        let scaled = g.graph.mul(scaled, b)?;
        let first = g.graph.mul(scaled, a)?;
        let second = g.op("TanhGrad", [a, dy])?;
        Ok(vec![Some(first.into()), Some(second.into())])
    })
}

fn sigmoid_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    g.after(dy, |g| {
        let (a, b) = (g.input_conj(0)?, g.input_conj(1)?);
        let gb = g.graph.mul(dy, b)?;
        let two = g.graph.plain("x", gb, 2.0)?;
        let twice = g.graph.mul(two, gb)?;
        let twice = g.graph.mul(twice, a)?;
        let first = g.graph.sub(gb, twice)?;
        let second = g.op("SigmoidGrad", [a, dy])?;
        Ok(vec![Some(first.into()), Some(second.into())])
    })
}

fn tan_grad(g: &mut GradientContext) -> Result<Grads> {
    after_dy(g, |g, dy| {
        let x = g.input_conj(0)?;
        let cos = g.op("Cos", [x])?;
        let secant = g.op("Reciprocal", [cos])?;
        let square = g.op("Square", [secant])?;
        g.graph.mul(square, dy)
    })
}

/// `1 + x²` (`Add`) or `1 - x²` (`Sub`).
fn plus_square(g: &mut GradientContext, dy: Endpoint, op: &'static str) -> Result<Endpoint> {
    let x = g.input_conj(0)?;
    let square = g.op("Square", [x])?;
    let one = g.constant("Const", number(g.dtype(dy), 1.0)?)?;
    g.op(op, [one, square])
}

fn arc_grad(g: &mut GradientContext, is_negative: bool) -> Result<Grads> {
    after_dy(g, |g, dy| {
        let rest = plus_square(g, dy, "Sub")?;
        let root = g.op("Sqrt", [rest])?;
        let inverse = g.op("Reciprocal", [root])?;
        let dy = if is_negative { g.graph.neg(dy)? } else { dy };
        g.graph.mul(dy, inverse)
    })
}

/// `±2/√π · exp(-x²) · dy`.
fn erf_grad(g: &mut GradientContext, two: f64) -> Result<Grads> {
    let dy = g.dy(0)?;
    let factor = number(g.dtype(dy), two / std::f64::consts::PI.sqrt())?;
    let factor = g.constant("Const", factor)?;
    after_dy(g, |g, dy| {
        let x = g.input_conj(0)?;
        let scaled = g.graph.mul(dy, factor)?;
        let square = g.op("Square", [x])?;
        let square = g.graph.neg(square)?;
        let bell = g.op("Exp", [square])?;
        g.graph.mul(scaled, bell)
    })
}

fn digamma_grad(g: &mut GradientContext) -> Result<Grads> {
    after_dy(g, |g, dy| {
        let x = g.input_conj(0)?;
        let one = g.constant("Const", number(g.dtype(x), 1.0)?)?;
        let partial = g.op("Polygamma", [one, x])?;
        g.graph.mul(dy, partial)
    })
}

fn sign_grad(g: &mut GradientContext) -> Result<Grads> {
    let x = g.input(0);
    let shape = g.graph.shape_of(x)?;
    let dtype = g.dtype(x);
    Ok(vec![Some(g.graph.zeros(shape, dtype)?.into())])
}
