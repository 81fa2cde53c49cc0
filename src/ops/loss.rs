//! Losses: cross-entropies of softmax, the L2 norm, and the count of right guesses.

use crate::backend::cpu::threads;
use crate::error::Result;
use crate::graph::{Attr, Endpoint, ShapeContext, with_rank};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::array::largest;
use super::gradient::{GradientContext, Grads};
use super::kernel::KernelContext;
use super::math::unary::one;
use super::softmax::Float;
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new(
        "SoftmaxCrossEntropyWithLogits",
        "features: T, labels: T -> loss: T, backprop: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .shape(cross_entropy_shape)
    .grad(cross_entropy_grad)
    .kernel(cross_entropy)
    .gpu(super::softmax::gpu::cross_entropy),
    Op::new(
        "SparseSoftmaxCrossEntropyWithLogits",
        "features: T, labels: Tlabels -> loss: T, backprop: T",
    )
    .attr("T: {float16, bfloat16, float32, float64}")
    .attr("Tlabels: {int32, int64} = DT_INT64")
    .shape(sparse_cross_entropy_shape)
    .grad(sparse_cross_entropy_grad)
    .kernel(sparse_cross_entropy)
    .gpu(super::softmax::gpu::sparse_cross_entropy),
    Op::new("L2Loss", "t: T -> output: T")
        .attr("T: {float16, bfloat16, float32, float64}")
        .shape(shape::scalar)
        .grad(l2_loss_grad)
        .kernel(l2_loss)
        .gpu(super::softmax::gpu::l2_loss),
    Op::new(
        "InTopK",
        "predictions: float32, targets: T -> precision: bool",
    )
    .attr("k: int")
    .attr("T: {int32, int64} = DT_INT32")
    .shape(in_top_k_shape)
    .kernel(in_top_k)
    .gpu(largest::in_top_k),
    Op::new(
        "InTopKV2",
        "predictions: float32, targets: T, k: T -> precision: bool",
    )
    .attr("T: {int32, int64} = DT_INT32")
    .shape(in_top_k_shape)
    .kernel(in_top_k)
    .gpu(largest::in_top_k)
    .on_host(&[2]),
];

fn cross_entropy_shape(c: &mut ShapeContext) -> Result<()> {
    let both = shape::broadcast_shapes(&c.input(0), &c.input(1))?;
    let both = with_rank(&both, 2)?;
    c.set(0, PartialShape::vector(both.dim(0)));
    c.set(1, both);
    Ok(())
}

fn sparse_cross_entropy_shape(c: &mut ShapeContext) -> Result<()> {
    let features = c.input_of_rank(0, 2)?;
    let labels = c.input_of_rank(1, 1)?;
    let batch = shape::merge_dim(features.dim(0), labels.dim(0))?;
    c.set(0, PartialShape::vector(batch));
    c.set(1, PartialShape::from_dims([batch, features.dim(1)]));
    Ok(())
}

fn in_top_k_shape(c: &mut ShapeContext) -> Result<()> {
    let predictions = c.input_of_rank(0, 2)?;
    let targets = c.input_of_rank(1, 1)?;
    let batch = shape::merge_dim(predictions.dim(0), targets.dim(0))?;
    c.set(0, PartialShape::vector(batch));
    Ok(())
}

/// `vec[:, newaxis] * mat`.
fn scale_rows(g: &mut GradientContext, vec: Endpoint, mat: Endpoint) -> Result<Endpoint> {
    let column = g.graph.expand_dims(vec, -1)?;
    g.graph.mul(column, mat)
}

fn cross_entropy_grad(g: &mut GradientContext) -> Result<Grads> {
    let (logits, slope) = (g.input(0), g.output(1));
    let dy = g.dy(0)?;
    let mut first = scale_rows(g, dy, slope)?;
    if let Some(grad) = g.out_grad(1) {
        let of_slope = g.densify(grad)?;
        if !is_zero(g, of_slope) {
            let more = through_slope(g, of_slope, logits)?;
            first = g.graph.add(first, more)?;
        }
    }
    let log = g.op("LogSoftmax", [logits])?;
    let negative = g.graph.neg(log)?;
    let second = scale_rows(g, dy, negative)?;
    Ok(vec![Some(first.into()), Some(second.into())])
}

fn is_zero(g: &mut GradientContext, e: Endpoint) -> bool {
    if g.graph.node(e.node).op() == "ZerosLike" {
        return true;
    }
    let value = super::constant_value(g.graph, e);
    value.is_some_and(|v| v.bytes().is_ok_and(|b| b.iter().all(|x| *x == 0)))
}

/// What the gradient of the loss's gradient adds: `(dg - <dg, softmax>) * softmax`.
fn through_slope(g: &mut GradientContext, dg: Endpoint, logits: Endpoint) -> Result<Endpoint> {
    let softmax = g.op("Softmax", [logits])?;
    let row = g.graph.expand_dims(dg, 1)?;
    let column = g.graph.expand_dims(softmax, 2)?;
    let product = g
        .graph
        .call("BatchMatMulV2", "MatMul", [row, column], &[])?;
    let dims = [("squeeze_dims", Attr::from(vec![1i64]))];
    let product = g.graph.call("Squeeze", "", [product], &dims)?;
    let centred = g.graph.sub(dg, product)?;
    g.graph.mul(centred, softmax)
}

const NO_SECOND_DERIVATIVE: &str = "Currently there is no way to take the second derivative of \
    sparse_softmax_cross_entropy_with_logits due to the fused implementation's interaction with tf.gradients()";

fn sparse_cross_entropy_grad(g: &mut GradientContext) -> Result<Grads> {
    let slope = g.output(1);
    let message = [("message", Attr::from(NO_SECOND_DERIVATIVE))];
    let slope = g.graph.call("PreventGradient", "", [slope], &message)?;
    let dy = g.dy(0)?;
    let made = scale_rows(g, dy, slope)?;
    Ok(vec![Some(made.into()), None])
}

fn l2_loss_grad(g: &mut GradientContext) -> Result<Grads> {
    let x = g.input(0);
    one(g, |g, dy| g.graph.mul(x, dy))
}

fn l2_loss(c: &mut KernelContext) -> Result<()> {
    let x = c.input(0)?;
    let mut out = c.allocate(0, Shape::scalar())?;
    dispatch!(floats, x.dtype(), T => {
        let sum = sum_of_squares(x.slice::<T>()?);
        out.slice_mut::<T>()?[0] = T::narrow(sum * T::wide(0.5));
    });
    c.set_output(0, out);
    Ok(())
}

/// In blocks, so that small terms are not lost against a large sum.
fn sum_of_squares<T: Float>(all: &[T]) -> T::Wide {
    use num_traits::Zero as _;
    let mut total = T::Wide::zero();
    for block in all.chunks(256) {
        let mut sum = T::Wide::zero();
        for x in block {
            sum += x.widen() * x.widen();
        }
        total += sum;
    }
    total
}

/// Rows of a matrix whose size may be 1 where the other operand's is more.
struct Rows {
    rows: usize,
    columns: usize,
}

impl Rows {
    fn of(shape: &Shape) -> Rows {
        Rows {
            rows: shape.dim(0),
            columns: shape.dim(1),
        }
    }

    fn at(&self, row: usize, column: usize) -> usize {
        let row = if self.rows == 1 { 0 } else { row };
        let column = if self.columns == 1 { 0 } else { column };
        row * self.columns + column
    }
}

/// Exponentials cost more than the memory they lie in.
fn is_worth_threads(rows: usize, columns: usize) -> bool {
    rows.saturating_mul(columns).saturating_mul(32) >= threads::WORTH_BYTES
}

fn cross_entropy(c: &mut KernelContext) -> Result<()> {
    let (logits, labels) = (c.input(0)?, c.input(1)?);
    let (a, b) = (logits.shape(), labels.shape());
    let both = shape::broadcast_shapes(&a.into(), &b.into());
    let both = both
        .ok()
        .and_then(|s| s.to_shape())
        .filter(|s| s.rank() == 2);
    let Some(both) = both else {
        bail!(
            invalid,
            "logits and labels must be broadcastable: logits_size={a} labels_size={b}"
        );
    };
    ensure!(
        a.rank() == 2 && b.rank() == 2,
        invalid,
        "logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional"
    );
    let (rows, columns) = (both.dim(0), both.dim(1));
    let mut loss = c.allocate(0, Shape::vector(rows))?;
    let mut slope = c.allocate(1, both.clone())?;
    let (at, bt) = (Rows::of(a), Rows::of(b));
    dispatch!(floats, logits.dtype(), T => {
        let (x, y) = (logits.slice::<T>()?, labels.slice::<T>()?);
        let (loss, slope) = (loss.slice_mut::<T>()?, slope.slice_mut::<T>()?);
        threads::run_pairs(loss, slope, columns, is_worth_threads(rows, columns), |r, loss, to| {
            let mut broadcast = Vec::new();
            let row = match at.columns == columns {
                true => &x[at.at(r, 0)..][..columns],
                false => {
                    broadcast.extend((0..columns).map(|k| x[at.at(r, k)]));
                    &broadcast[..]
                }
            };
            let [max, log] = T::softmax(row, to);
            use num_traits::Zero as _;
            let mut total = <T as Float>::Wide::zero();
            for k in 0..columns {
                let label = y[bt.at(r, k)].widen();
                if !label.is_zero() {
                    total += label * (log - (row[k].widen() - max));
                }
                to[k] = T::narrow(to[k].widen() - label);
            }
            *loss = T::narrow(total);
        });
    });
    c.set_output(0, loss);
    c.set_output(1, slope);
    Ok(())
}

fn sparse_cross_entropy(c: &mut KernelContext) -> Result<()> {
    let (logits, labels) = (c.input(0)?, c.input(1)?);
    let (shape, label_shape) = (logits.shape().clone(), labels.shape());
    ensure!(
        shape.rank() == 2,
        invalid,
        "logits must be 2-D, but got shape {shape}"
    );
    ensure!(
        label_shape.rank() == 1,
        invalid,
        "labels must be 1-D, but got shape {label_shape}"
    );
    ensure!(
        shape.dim(0) == label_shape.dim(0),
        invalid,
        "logits and labels must have the same first dimension, got logits shape {shape} and labels shape {label_shape}"
    );
    let (rows, columns) = (shape.dim(0), shape.dim(1));
    ensure!(
        columns > 0 || rows == 0,
        invalid,
        "Must have at least one class, but got logits shape {shape}"
    );
    let labels = labels.ints()?;
    if let Some(bad) = labels.iter().find(|l| **l < 0 || **l >= columns as i64) {
        bail!(
            invalid,
            "Received a label value of {bad} which is outside the valid range of [0, {columns}).  Label values: {}",
            labels
                .iter()
                .map(|l| l.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        );
    }
    let mut loss = c.allocate(0, Shape::vector(rows))?;
    let mut slope = c.allocate(1, shape)?;
    dispatch!(floats, logits.dtype(), T => {
        let x = logits.slice::<T>()?;
        let (loss, slope) = (loss.slice_mut::<T>()?, slope.slice_mut::<T>()?);
        threads::run_pairs(loss, slope, columns, is_worth_threads(rows, columns), |r, loss, to| {
            let row = &x[r * columns..(r + 1) * columns];
            let label = labels[r] as usize;
            let [max, log] = T::softmax(row, to);
            use num_traits::One as _;
            *loss = T::narrow(log - (row[label].widen() - max));
            to[label] = T::narrow(to[label].widen() - <T as Float>::Wide::one());
        });
    });
    c.set_output(0, loss);
    c.set_output(1, slope);
    Ok(())
}

fn in_top_k(c: &mut KernelContext) -> Result<()> {
    let (predictions, targets) = (c.input(0)?, c.input(1)?);
    let k = match c.num_inputs() {
        3 => c.scalar_input(2, "k")?.int()?,
        _ => c.attrs().int("k")?,
    };
    let shape = predictions.shape();
    ensure!(
        shape.rank() == 2,
        invalid,
        "predictions must be 2-dimensional"
    );
    ensure!(
        targets.shape().rank() == 1,
        invalid,
        "targets must be 1-dimensional"
    );
    ensure!(
        shape.dim(0) == targets.shape().dim(0),
        invalid,
        "First dimension of predictions {} must match length of targets {}",
        shape.dim(0),
        targets.shape().dim(0)
    );
    let width = shape.dim(1);
    let scores = predictions.slice::<f32>()?;
    let mut hits = Vec::with_capacity(shape.dim(0));
    for (r, target) in targets.ints()?.into_iter().enumerate() {
        let row = &scores[r * width..(r + 1) * width];
        let Some(score) = usize::try_from(target).ok().and_then(|t| row.get(t)) else {
            hits.push(false);
            continue;
        };
        let better = row.iter().filter(|x| *x > score).count() as i64;
        hits.push(better < k && score.is_finite() && row.iter().all(|x| x.is_finite()));
    }
    let hits: Value = Value::from_bools(Shape::vector(hits.len()), &hits)?;
    c.set_output(0, hits);
    Ok(())
}
