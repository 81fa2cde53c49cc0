//! Activations and softmax.

use crate::error::Result;
use crate::expr::Expr;
use crate::graph::{Attr, Attrs, Endpoint, ShapeContext};

use super::build::{In, int};
use super::gradient::{GradientContext, Grads};
use super::math::unary::one;
use super::softmax::softmax_kernel;
use super::{Op, shape};

/// The constants of self-normalizing networks (Klambauer et al., NIPS 2017).
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_SCALE_ALPHA: f64 = 1.758_099_340_847_376_8;

pub(super) const OPS: &[Op] = &[
    Op::new("Relu", "features: T -> activations: T").attr("T: {float32, float64, int32, uint8, int16, int8, int64, bfloat16, uint16, float16, uint32, uint64, qint8}").shape(shape::unchanged).grad(|g| of_output(g, "ReluGrad")).map(|x| x[0].relu()),
    Op::new("ReluGrad", "gradients: T, features: T -> backprops: T").attr("T: realnumbertype").shape(shape::merged_pair).grad(|g| second(g, "ReluGrad")).map(|x| x[1].gt(x[1].like(0.0)).select(&x[0], x[0].like(0.0))),
    Op::new("Relu6", "features: T -> activations: T").attr("T: realnumbertype").shape(shape::unchanged).grad(|g| of_output(g, "Relu6Grad")).map(|x| x[0].relu().min(6.0)),
    Op::new("Relu6Grad", "gradients: T, features: T -> backprops: T").attr("T: realnumbertype").shape(shape::merged_pair).grad(|g| second(g, "Relu6Grad")).map(|x| x[1].gt(x[1].like(0.0)).and(x[1].lt(x[1].like(6.0))).select(&x[0], x[0].like(0.0))),
    Op::new("LeakyRelu", "features: T -> activations: T").attr("alpha: float = 0.20000000298023224").attr("T: {float16, bfloat16, float32, float64} = DT_FLOAT32").shape(shape::unchanged).grad(leaky_relu_grad).map_with(|x, attrs| Ok(x[0].gt(x[0].like(0.0)).select(&x[0], &x[0] * alpha(attrs)?))),
    Op::new("LeakyReluGrad", "gradients: T, features: T -> backprops: T").attr("alpha: float = 0.20000000298023224").attr("T: {float16, bfloat16, float32, float64} = DT_FLOAT32").shape(shape::merged_pair).grad(leaky_relu_grad_grad).map_with(|x, attrs| Ok(x[1].gt(x[1].like(0.0)).select(&x[0], &x[0] * alpha(attrs)?))),
    Op::new("Elu", "features: T -> activations: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::unchanged).grad(|g| of_output(g, "EluGrad")).map(|x| x[0].lt(x[0].like(0.0)).select(x[0].expm1(), &x[0])),
    Op::new("EluGrad", "gradients: T, outputs: T -> backprops: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::merged_pair).grad(|g| elu_grad_grad(g, "EluGrad")).map(|x| x[1].lt(x[1].like(0.0)).select((&x[1] + 1.0) * &x[0], &x[0])),
    Op::new("Selu", "features: T -> activations: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::unchanged).grad(|g| of_output(g, "SeluGrad")).map(|x| x[0].lt(x[0].like(0.0)).select(x[0].expm1() * SELU_SCALE_ALPHA, &x[0] * SELU_SCALE)),
    Op::new("SeluGrad", "gradients: T, outputs: T -> backprops: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::merged_pair).grad(|g| elu_grad_grad(g, "SeluGrad")).map(|x| x[1].lt(x[1].like(0.0)).select((&x[1] + SELU_SCALE_ALPHA) * &x[0], &x[0] * SELU_SCALE)),
    Op::new("Softplus", "features: T -> activations: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::unchanged).grad(softplus_grad).map(softplus),
    Op::new("SoftplusGrad", "gradients: T, features: T -> backprops: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::merged_pair).grad(softplus_grad_grad).map(|x| &x[0] / ((-&x[1]).exp() + 1.0)),
    Op::new("Softsign", "features: T -> activations: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::unchanged).grad(softsign_grad).map(|x| &x[0] / (x[0].abs() + 1.0)),
    Op::new("SoftsignGrad", "gradients: T, features: T -> backprops: T").attr("T: {float16, bfloat16, float32, float64}").shape(shape::merged_pair).map(|x| &x[0] / (x[1].abs() + 1.0).square()),
    Op::new("Softmax", "logits: T -> softmax: T").attr("T: {float16, bfloat16, float32, float64}").shape(at_least_vector).grad(softmax_grad).kernel(|c| softmax_kernel(c, false)).gpu(|c| super::softmax::gpu::softmax(c, false)),
    Op::new("LogSoftmax", "logits: T -> logsoftmax: T").attr("T: {float16, bfloat16, float32, float64}").shape(at_least_vector).grad(log_softmax_grad).kernel(|c| softmax_kernel(c, true)).gpu(|c| super::softmax::gpu::softmax(c, true)),
];

fn alpha(attrs: &Attrs) -> Result<f64> {
    Ok(f64::from(attrs.float("alpha")?))
}

fn at_least_vector(c: &mut ShapeContext) -> Result<()> {
    shape::at_least(&c.input(0), 1)?;
    shape::unchanged(c)
}

/// `log(1 + exp(x))`, exact where either end of the formula would lose all digits.
fn softplus(x: &[Expr]) -> Expr {
    let x = &x[0];
    // log(eps) + 2 of float32 and float64; one bound serves both: beyond it the two sides agree to the last digit.
    let threshold = x.like(-13.942_385);
    let is_large = x.gt(-threshold.clone());
    let is_small = x.lt(threshold);
    is_large.select(x, is_small.select(x.exp(), x.exp().log1p()))
}

/// `op(dy, y)`.
fn of_output(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let y = g.output(0);
    one(g, |g, dy| g.op(op, [dy, y]))
}

/// The gradient of a gradient that is linear in its first operand, and flat in its second.
fn second(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (x, dy) = (g.input(1), g.dy(0)?);
    let first = g.op(op, [dy, x])?;
    let zeros = zeros_shaped_as(g, x)?;
    Ok(vec![Some(first.into()), Some(zeros.into())])
}

/// `tf.zeros(tf.shape(x), x.dtype)`.
fn zeros_shaped_as(g: &mut GradientContext, x: Endpoint) -> Result<Endpoint> {
    let shape = g.graph.shape_of(x)?;
    let dtype = g.dtype(x);
    g.graph.zeros(shape, dtype)
}

fn leaky_relu_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, alpha) = (g.input(0), Attr::Float(g.node().attrs.float("alpha")?));
    one(g, |g, dy| {
        g.graph
            .call("LeakyReluGrad", "", [dy, x], &[("alpha", alpha)])
    })
}

fn leaky_relu_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, dy) = (g.input(1), g.dy(0)?);
    let alpha = Attr::Float(g.node().attrs.float("alpha")?);
    let first = g
        .graph
        .call("LeakyReluGrad", "", [dy, x], &[("alpha", alpha)])?;
    let zeros = zeros_shaped_as(g, x)?;
    Ok(vec![Some(first.into()), Some(zeros.into())])
}

fn elu_grad_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (before, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let first = g.op(op, [dy, y])?;
    let zero = g.graph.plain("y", y, 0.0)?;
    let is_negative = g.graph.call("Less", "", [y.into(), zero], &[])?;
    let scaled = g.graph.mul(dy, before)?;
    let zeros = g.graph.zeros_like(y)?;
    let picked = g.graph.where_(is_negative, scaled, zeros)?;
    Ok(vec![Some(first.into()), Some(picked.into())])
}

fn softplus_grad(g: &mut GradientContext) -> Result<Grads> {
    let x = g.input(0);
    one(g, |g, dy| {
        let slope = g.op("Sigmoid", [x])?;
        g.graph.mul(dy, slope)
    })
}

fn softplus_grad_grad(g: &mut GradientContext) -> Result<Grads> {
    let (before, x, dy) = (g.input(0), g.input(1), g.dy(0)?);
    g.after(dy, |g| {
        let first = g.op("SoftplusGrad", [dy, x])?;
        let scaled = g.graph.mul(dy, before)?;
        let negative = g.graph.neg(x)?;
        let falling = g.op("Exp", [negative])?;
        let two = g.graph.plain("y", x, 2.0)?;
        let sum = g.graph.add(falling, two)?;
        let rising = g.op("Exp", [x])?;
        let sum = g.graph.add(sum, rising)?;
        let second = g.graph.truediv(scaled, sum)?;
        Ok(vec![Some(first.into()), Some(second.into())])
    })
}

fn softsign_grad(g: &mut GradientContext) -> Result<Grads> {
    let x = g.input(0);
    one(g, |g, dy| g.op("SoftsignGrad", [dy, x]))
}

/// `tf.reduce_sum(e, -1, keepdims=True)`.
fn sum_last(g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
    let keep = [("keep_dims", Attr::Bool(true))];
    let last = In::Plain("reduction_indices", int(-1)?);
    g.graph.call("Sum", "", [e.into(), last], &keep)
}

fn softmax_grad(g: &mut GradientContext) -> Result<Grads> {
    let y = g.output(0);
    one(g, |g, dy| {
        let scaled = g.graph.mul(dy, y)?;
        let sum = sum_last(g, scaled)?;
        let centred = g.graph.sub(dy, sum)?;
        g.graph.mul(centred, y)
    })
}

fn log_softmax_grad(g: &mut GradientContext) -> Result<Grads> {
    let y = g.output(0);
    one(g, |g, dy| {
        let softmax = g.op("Exp", [y])?;
        let sum = sum_last(g, dy)?;
        let scaled = g.graph.mul(sum, softmax)?;
        g.graph.sub(dy, scaled)
    })
}
