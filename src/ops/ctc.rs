//! Connectionist temporal classification: the loss of label sequences without alignment, and the greedy decoder.

use crate::error::Result;
use crate::graph::{NodeSpec, ShapeContext};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::gradient::{GradientContext, Grads};
use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("CTCLoss", "inputs: T, labels_indices: int64, labels_values: int32, sequence_length: int32 -> loss: T, gradient: T").attr("preprocess_collapse_repeated: bool = false").attr("ctc_merge_repeated: bool = true").attr("ignore_longer_outputs_than_inputs: bool = false").attr("T: {float32, float64} = DT_FLOAT32").shape(loss_shape).grad(loss_grad).kernel(loss),
    Op::new("CTCGreedyDecoder", "inputs: T, sequence_length: int32 -> decoded_indices: int64, decoded_values: int64, decoded_shape: int64, log_probability: T").attr("merge_repeated: bool = false").attr("T: {float32, float64} = DT_FLOAT32").no_grad().shape(greedy_shape).kernel(greedy),
];

fn loss_shape(c: &mut ShapeContext) -> Result<()> {
    let logits = c.input_of_rank(0, 3)?;
    c.input_of_rank(1, 2)?;
    c.input_of_rank(2, 1)?;
    let lengths = c.input_of_rank(3, 1)?;
    let batch = shape::merge_dim(logits.dim(1), lengths.dim(0))?;
    c.set(0, PartialShape::vector(batch));
    c.set(1, logits);
    Ok(())
}

fn greedy_shape(c: &mut ShapeContext) -> Result<()> {
    let logits = c.input_of_rank(0, 3)?;
    let lengths = c.input_of_rank(1, 1)?;
    let batch = shape::merge_dim(logits.dim(1), lengths.dim(0))?;
    c.set(0, PartialShape::from_dims([-1, 2]));
    c.set(1, PartialShape::vector(-1));
    c.set(2, PartialShape::vector(2));
    c.set(3, PartialShape::from_dims([batch, 1]));
    Ok(())
}

fn loss_grad(g: &mut GradientContext) -> Result<Grads> {
    let (dy, made) = (g.dy(0)?, g.output(1));
    let message = "Currently there is no way to take the second  derivative of ctc_loss due to the fused implementation's interaction  with tf.gradients()";
    let spec = NodeSpec::new("PreventGradient").input(made);
    let made = g.make(spec.attr("message", message))?;
    let dy = g.graph.expand_dims(dy, -1)?;
    let grad = g.graph.mul(dy, made)?;
    Ok(vec![Some(grad.into()), None, None, None])
}

/// Logits `[time, batch, classes]`, in float64, with the length of each sequence.
struct Logits {
    batch: usize,
    classes: usize,
    all: Vec<f64>,
    lengths: Vec<usize>,
}

impl Logits {
    fn of(c: &KernelContext, lengths: usize) -> Result<Logits> {
        let inputs = c.input(0)?;
        ensure!(
            inputs.shape().rank() == 3,
            invalid,
            "inputs is not a 3-Tensor"
        );
        let size = |axis: usize| inputs.shape().dim(axis);
        let (time, batch, classes) = (size(0), size(1), size(2));
        let given = c.ints_input(lengths)?;
        ensure!(
            c.input(lengths)?.shape().rank() == 1,
            invalid,
            "sequence_length is not a vector"
        );
        ensure!(
            given.len() == batch,
            invalid,
            "len(sequence_length) != batch_size.  len(sequence_length):  {} batch_size: {batch}",
            given.len()
        );
        ensure!(classes > 0, invalid, "num_classes must be at least 1");
        let mut checked = Vec::with_capacity(batch);
        for (b, length) in given.into_iter().enumerate() {
            match usize::try_from(length).ok().filter(|n| *n <= time) {
                Some(length) => checked.push(length),
                None => bail!(invalid, "sequence_length({b}) <= {time}"),
            }
        }
        let all = match inputs.dtype() {
            DType::F64 => inputs.slice::<f64>()?.to_vec(),
            _ => inputs
                .slice::<f32>()?
                .iter()
                .map(|x| f64::from(*x))
                .collect(),
        };
        Ok(Logits {
            batch,
            classes,
            all,
            lengths: checked,
        })
    }

    fn at(&self, t: usize, b: usize) -> &[f64] {
        let from = (t * self.batch + b) * self.classes;
        &self.all[from..from + self.classes]
    }
}

fn narrowed(dtype: DType, shape: Shape, all: &[f64]) -> Result<Value> {
    match dtype {
        DType::F64 => Value::from_slice(shape, all),
        _ => {
            let all: Vec<f32> = all.iter().map(|x| *x as f32).collect();
            Value::from_slice(shape, &all)
        }
    }
}

/// `ln(eᵃ + eᵇ)`.
fn log_sum(a: f64, b: f64) -> f64 {
    let (more, less) = if a > b { (a, b) } else { (b, a) };
    match more == f64::NEG_INFINITY {
        true => more,
        false => more + (less - more).exp().ln_1p(),
    }
}

/// The labels of each sequence, in order.
fn labels(c: &KernelContext, logits: &Logits) -> Result<Vec<Vec<usize>>> {
    let (indices, values) = (c.input(1)?, c.ints_input(2)?);
    ensure!(
        indices.shape().rank() == 2 && indices.shape().dim(1) == 2,
        invalid,
        "labels_indices is not a matrix of two columns"
    );
    ensure!(
        indices.shape().dim(0) == values.len(),
        invalid,
        "labels_indices and labels_values must contain the same number of rows, but saw shapes: {} vs. [{}]",
        indices.shape(),
        values.len()
    );
    let does_collapse = c.attrs().bool("preprocess_collapse_repeated")?;
    let mut made: Vec<Vec<usize>> = vec![Vec::new(); logits.batch];
    let places = indices.ints()?;
    for (place, label) in places.chunks(2).zip(values) {
        let (batch, count) = (logits.batch, logits.classes);
        let row = usize::try_from(place[0]).ok().filter(|b| *b < batch);
        let Some(row) = row else {
            bail!(
                invalid,
                "labels batch index must be between 0 and {batch} but saw: {}",
                place[0]
            );
        };
        let label = usize::try_from(label).ok().filter(|l| *l + 1 < count);
        let Some(label) = label else {
            bail!(
                invalid,
                "Saw a non-null label (index >= num_classes - 1) following a null label, batch: {row} num_classes: {count}"
            );
        };
        if !(does_collapse && made[row].last() == Some(&label)) {
            made[row].push(label);
        }
    }
    Ok(made)
}

/// One sequence: what follows what, and the probabilities of its steps.
struct Sequence<'a> {
    /// The labels with a blank before, between and behind them.
    path: Vec<usize>,
    blank: usize,
    does_merge: bool,
    /// Logarithms of the classes' probabilities at each time.
    logs: &'a [Vec<f64>],
}

impl Sequence<'_> {
    fn may_stay(&self, u: usize) -> bool {
        self.does_merge || self.path[u] == self.blank
    }

    /// Whether the blank between `u - 2` and `u` may be left out.
    fn may_skip(&self, u: usize) -> bool {
        u > 1
            && self.path[u] != self.blank
            && !(self.does_merge && self.path[u] == self.path[u - 2])
    }

    /// For each time and place the probability of all beginnings that lead there, that step included.
    fn forward(&self) -> Vec<Vec<f64>> {
        let size = self.path.len();
        let mut made = vec![vec![f64::NEG_INFINITY; size]; self.logs.len()];
        for u in 0..size.min(2) {
            made[0][u] = self.logs[0][self.path[u]];
        }
        for t in 1..self.logs.len() {
            for u in 0..size {
                let mut sum = f64::NEG_INFINITY;
                if self.may_stay(u) {
                    sum = made[t - 1][u];
                }
                if u > 0 {
                    sum = log_sum(sum, made[t - 1][u - 1]);
                }
                if self.may_skip(u) {
                    sum = log_sum(sum, made[t - 1][u - 2]);
                }
                made[t][u] = sum + self.logs[t][self.path[u]];
            }
        }
        made
    }

    /// For each time and place the probability of all endings from there, that step not included.
    fn backward(&self) -> Vec<Vec<f64>> {
        let (size, time) = (self.path.len(), self.logs.len());
        let mut made = vec![vec![f64::NEG_INFINITY; size]; time];
        for u in size.saturating_sub(2)..size {
            made[time - 1][u] = 0.0;
        }
        for t in (0..time - 1).rev() {
            let step = |u: usize| made[t + 1][u] + self.logs[t + 1][self.path[u]];
            let sums: Vec<f64> = (0..size)
                .map(|u| {
                    let mut sum = f64::NEG_INFINITY;
                    if self.may_stay(u) {
                        sum = step(u);
                    }
                    if u + 1 < size {
                        sum = log_sum(sum, step(u + 1));
                    }
                    if u + 2 < size && self.may_skip(u + 2) {
                        sum = log_sum(sum, step(u + 2));
                    }
                    sum
                })
                .collect();
            made[t] = sums;
        }
        made
    }
}

/// Logarithms of a softmax.
fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|x| (x - most).exp()).sum();
    logits.iter().map(|x| x - most - sum.ln()).collect()
}

fn loss(c: &mut KernelContext) -> Result<()> {
    let logits = Logits::of(c, 3)?;
    let dtype = c.input(0)?.dtype();
    let does_ignore = c.attrs().bool("ignore_longer_outputs_than_inputs")?;
    let does_merge = c.attrs().bool("ctc_merge_repeated")?;
    let blank = logits.classes - 1;
    let mut losses = vec![0.0; logits.batch];
    let mut grads = vec![0.0; logits.all.len()];
    for (b, labels) in labels(c, &logits)?.into_iter().enumerate() {
        let time = logits.lengths[b];
        let repeats = labels.windows(2).filter(|w| w[0] == w[1]).count();
        let needed = labels.len() + if does_merge { repeats } else { 0 };
        if time == 0 {
            continue;
        }
        if needed > time {
            ensure!(
                does_ignore,
                invalid,
                "Not enough time for target transition sequence (required: {needed}, available: {time}){b}You can turn this error into a warning by using the flag ignore_longer_outputs_than_inputs"
            );
            continue;
        }
        let mut path = vec![blank];
        labels.iter().for_each(|label| path.extend([*label, blank]));
        let logs: Vec<Vec<f64>> = (0..time).map(|t| log_softmax(logits.at(t, b))).collect();
        let sequence = Sequence {
            path,
            blank,
            does_merge,
            logs: &logs,
        };
        let (alpha, beta) = (sequence.forward(), sequence.backward());
        let total = |t: usize| {
            let each = alpha[t].iter().zip(&beta[t]).map(|(a, b)| a + b);
            each.fold(f64::NEG_INFINITY, log_sum)
        };
        let all = total(0);
        losses[b] = -all;
        for (t, logs) in logs.iter().enumerate() {
            let mut by_class = vec![f64::NEG_INFINITY; logits.classes];
            for (u, label) in sequence.path.iter().enumerate() {
                by_class[*label] = log_sum(by_class[*label], alpha[t][u] + beta[t][u]);
            }
            let from = (t * logits.batch + b) * logits.classes;
            for (k, sum) in by_class.into_iter().enumerate() {
                let found = if all == f64::NEG_INFINITY {
                    0.0
                } else {
                    (sum - all).exp()
                };
                grads[from + k] = logs[k].exp() - found;
            }
        }
    }
    let shape = c.input(0)?.shape().clone();
    c.set_output(0, narrowed(dtype, Shape::vector(logits.batch), &losses)?);
    c.set_output(1, narrowed(dtype, shape, &grads)?);
    Ok(())
}

/// The likeliest class at each time, blanks and (when asked for) repeats left out.
fn greedy(c: &mut KernelContext) -> Result<()> {
    let logits = Logits::of(c, 1)?;
    let dtype = c.input(0)?.dtype();
    let does_merge = c.attrs().bool("merge_repeated")?;
    let (mut places, mut values, mut widest) = (Vec::new(), Vec::new(), 0);
    let mut scores = vec![0.0; logits.batch];
    for (b, score) in scores.iter_mut().enumerate() {
        let (mut last, mut count) = (None, 0);
        for t in 0..logits.lengths[b] {
            let row = logits.at(t, b);
            let best = (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
            *score -= row[best];
            if best + 1 < logits.classes && !(does_merge && last == Some(best)) {
                places.extend([b as i64, count]);
                values.push(best as i64);
                count += 1;
            }
            last = Some(best);
        }
        widest = widest.max(count);
    }
    let places = Value::from_slice(Shape::new(&[values.len() as i64, 2])?, &places)?;
    let scores_shape = Shape::new(&[logits.batch as i64, 1])?;
    c.set_output(0, places);
    c.set_output(1, Value::vector(&values)?);
    c.set_output(2, Value::vector(&[logits.batch as i64, widest])?);
    c.set_output(3, narrowed(dtype, scores_shape, &scores)?);
    Ok(())
}
