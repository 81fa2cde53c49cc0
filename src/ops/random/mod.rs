//! Random numbers: TensorFlow's Philox streams, seed for seed. Each node has its own stream in a session, and each run
//! takes 256 groups of words an element from it, as TensorFlow does, however few it uses.

pub(super) mod candidates;
mod gpu;
pub(super) mod laws;

use std::any::Any;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use half::{bf16, f16};
use parking_lot::Mutex;

use crate::backend::cpu::philox::{
    Philox, Random, Words, fill_normal, fill_truncated_normal, fill_uniform, fill_uniform_i32,
    fill_uniform_i64,
};
use crate::error::{Error, Result};
use crate::graph::{Attrs, Node, NodeId, ShapeContext};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::kernel::{KernelContext, SessionState};
use super::{Op, shape};

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("RandomUniform", "shape: T -> output: dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("dtype: {float16, bfloat16, float32, float64}").attr("T: {int32, int64}").stateful().no_grad().shape(shape_of_input).kernel(|c| stateful(c, Kind::Uniform)).gpu(|c| gpu::stateful(c, Kind::Uniform)).ends().on_host(&[0]),
    Op::new("RandomStandardNormal", "shape: T -> output: dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("dtype: {float16, bfloat16, float32, float64}").attr("T: {int32, int64}").stateful().no_grad().shape(shape_of_input).kernel(|c| stateful(c, Kind::Normal)).gpu(|c| gpu::stateful(c, Kind::Normal)).ends().on_host(&[0]),
    Op::new("TruncatedNormal", "shape: T -> output: dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("dtype: {float16, bfloat16, float32, float64}").attr("T: {int32, int64}").stateful().no_grad().shape(shape_of_input).kernel(|c| stateful(c, Kind::Truncated)).gpu(|c| gpu::stateful(c, Kind::Truncated)).ends().on_host(&[0]),
    Op::new("RandomUniformInt", "shape: T, minval: Tout, maxval: Tout -> output: Tout").attr("seed: int = 0").attr("seed2: int = 0").attr("Tout: {int32, int64}").attr("T: {int32, int64}").stateful().shape(shape_of_input).kernel(uniform_int).gpu(gpu::uniform_int).on_host(&[0, 1, 2]),
    Op::new("RandomShuffle", "value: T -> output: T").attr("seed: int = 0").attr("seed2: int = 0").attr("T: type").stateful().shape(shape::unchanged).kernel(shuffle),
    Op::new("Multinomial", "logits: T, num_samples: int32 -> output: output_dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("T: realnumbertype").attr("output_dtype: {int32, int64} = DT_INT64").stateful().no_grad().shape(multinomial_shape).kernel(multinomial),
    Op::new("StatelessRandomUniform", "shape: T, seed: Tseed -> output: dtype").attr("dtype: {float16, bfloat16, float32, float64} = DT_FLOAT32").attr("T: {int32, int64} = DT_INT32").attr("Tseed: {int32, int64} = DT_INT64").no_grad().shape(shape_of_input).kernel(|c| stateless(c, Kind::Uniform)).gpu(|c| gpu::stateless(c, Kind::Uniform)).ends().on_host(&[0, 1]),
    Op::new("StatelessRandomNormal", "shape: T, seed: Tseed -> output: dtype").attr("dtype: {float16, bfloat16, float32, float64} = DT_FLOAT32").attr("T: {int32, int64} = DT_INT32").attr("Tseed: {int32, int64} = DT_INT64").no_grad().shape(shape_of_input).kernel(|c| stateless(c, Kind::Normal)).gpu(|c| gpu::stateless(c, Kind::Normal)).ends().on_host(&[0, 1]),
    Op::new("StatelessTruncatedNormal", "shape: T, seed: Tseed -> output: dtype").attr("dtype: {float16, bfloat16, float32, float64} = DT_FLOAT32").attr("T: {int32, int64} = DT_INT32").attr("Tseed: {int32, int64} = DT_INT64").no_grad().shape(shape_of_input).kernel(|c| stateless(c, Kind::Truncated)).gpu(|c| gpu::stateless(c, Kind::Truncated)).ends().on_host(&[0, 1]),
    Op::new("StatelessRandomUniformInt", "shape: T, seed: Tseed, minval: dtype, maxval: dtype -> output: dtype").attr("dtype: {int32, int64}").attr("T: {int32, int64}").attr("Tseed: {int32, int64} = DT_INT64").no_grad().shape(shape_of_input).kernel(stateless_int).gpu(gpu::stateless_int).on_host(&[0, 1, 2, 3]),
];

/// A distribution of floats.
#[derive(Clone, Copy)]
enum Kind {
    Uniform,
    Normal,
    Truncated,
}

/// Groups of words that a run takes for each element.
const GROUPS: u64 = 256;

fn shape_of_input(c: &mut ShapeContext) -> Result<()> {
    let shape = c.constant_shape(0)?;
    c.set(0, shape);
    Ok(())
}

fn multinomial_shape(c: &mut ShapeContext) -> Result<()> {
    let logits = c.input_of_rank(0, 2)?;
    let samples = c.constant(1).and_then(|v| v.int().ok()).unwrap_or(-1);
    c.set(0, PartialShape::new(&[logits.dim(0), samples])?);
    Ok(())
}

/// The stream of the node's seeds. Two zeros ask for numbers that nobody can foretell.
pub(super) fn seeded(attrs: &Attrs) -> Result<Philox> {
    let (seed, seed2) = (attrs.int("seed")? as u64, attrs.int("seed2")? as u64);
    if seed == 0 && seed2 == 0 {
        // The standard library keys its hash maps from the system's source of randomness.
        let draw = || RandomState::new().build_hasher().finish();
        return Ok(Philox::new(draw(), draw()));
    }
    Ok(Philox::new(seed, seed2))
}

/// Takes `groups` groups of words from the node's stream and returns where they begin.
pub(super) fn reserve(c: &KernelContext, groups: u64) -> Result<Philox> {
    reserve_of(c.session, c.id, c.node, groups)
}

/// As `reserve`, for a node of that number in a session.
fn reserve_of(session: &dyn SessionState, id: NodeId, node: &Node, groups: u64) -> Result<Philox> {
    let mut make =
        || -> Result<Arc<dyn Any + Send + Sync>> { Ok(Arc::new(Mutex::new(seeded(&node.attrs)?))) };
    let stream = session.node_state(id, &mut make)?;
    let stream = stream.downcast::<Mutex<Philox>>();
    let stream = stream.map_err(|_| Error::internal("a generator's state of another type"))?;
    let mut stream = stream.lock();
    let start = *stream;
    stream.skip(groups);
    Ok(start)
}

fn output_shape(c: &KernelContext) -> Result<Shape> {
    shape_in(c.input(0)?)
}

fn shape_in(dims: &Value) -> Result<Shape> {
    ensure!(
        dims.shape().rank() == 1,
        invalid,
        "shape must be a vector of {{int32,int64}}, got shape {}",
        dims.shape()
    );
    Shape::new(&dims.ints()?)
}

fn stateful(c: &mut KernelContext, kind: Kind) -> Result<()> {
    let out = c.allocate(0, output_shape(c)?)?;
    let philox = reserve(c, (out.num_elements() as u64).wrapping_mul(GROUPS))?;
    let out = fill(out, philox, kind)?;
    c.set_output(0, out);
    Ok(())
}

fn fill(mut out: Value, philox: Philox, kind: Kind) -> Result<Value> {
    fn of<T: Random + crate::value::Element>(
        out: &mut Value,
        philox: Philox,
        kind: Kind,
    ) -> Result<()> {
        let out = out.slice_mut::<T>()?;
        match kind {
            Kind::Uniform => fill_uniform(philox, out),
            Kind::Normal => fill_normal(philox, out),
            Kind::Truncated => fill_truncated_normal(philox, out),
        }
        Ok(())
    }
    match out.dtype() {
        DType::F32 => of::<f32>(&mut out, philox, kind)?,
        DType::F64 => of::<f64>(&mut out, philox, kind)?,
        DType::F16 => of::<f16>(&mut out, philox, kind)?,
        DType::BF16 => of::<bf16>(&mut out, philox, kind)?,
        other => bail!(
            unimplemented,
            "no random numbers of type {}",
            other.short_name()
        ),
    }
    Ok(out)
}

fn uniform_int(c: &mut KernelContext) -> Result<()> {
    let out = c.allocate(0, output_shape(c)?)?;
    check_range(c, 1)?;
    let philox = if out.num_elements() == 0 {
        Philox::new(0, 0)
    } else {
        reserve(c, (out.num_elements() as u64).wrapping_mul(GROUPS))?
    };
    integers(c, out, philox, 1)
}

/// Inputs `at` and after it are the bounds, scalars.
fn check_range(c: &KernelContext, at: usize) -> Result<()> {
    c.scalar_input(at, "minval")?;
    c.scalar_input(at + 1, "maxval")?;
    Ok(())
}

fn integers(c: &mut KernelContext, mut out: Value, philox: Philox, at: usize) -> Result<()> {
    let (low, high) = (c.input(at)?.int()?, c.input(at + 1)?.int()?);
    if out.num_elements() > 0 {
        ensure!(
            low < high,
            invalid,
            "Need minval < maxval, got {low} >= {high}"
        );
        match out.dtype() {
            DType::I32 => {
                fill_uniform_i32(philox, low as i32, high as i32, out.slice_mut()?);
            }
            _ => fill_uniform_i64(philox, low, high, out.slice_mut()?),
        }
    }
    c.set_output(0, out);
    Ok(())
}

/// The stream of two seeds given in a run; mixed, so that no part of them matters more than another.
fn mixed(c: &KernelContext) -> Result<Philox> {
    mixed_of(c.input(1)?)
}

fn mixed_of(seeds: &Value) -> Result<Philox> {
    ensure!(
        seeds.shape().dims() == [2],
        invalid,
        "seed must have shape [2], not {}",
        seeds.shape()
    );
    let seeds = seeds.ints()?;
    let words = [seeds[0] as u64, seeds[1] as u64];
    let counter = [
        words[0] as u32,
        (words[0] >> 32) as u32,
        words[1] as u32,
        (words[1] >> 32) as u32,
    ];
    let mix = Philox::with_counter(counter, [0x3ec8_f720, 0x0246_1e29]).next_words();
    Ok(Philox::with_counter(
        [0, 0, mix[2], mix[3]],
        [mix[0], mix[1]],
    ))
}

fn stateless(c: &mut KernelContext, kind: Kind) -> Result<()> {
    let out = c.allocate(0, output_shape(c)?)?;
    let out = fill(out, mixed(c)?, kind)?;
    c.set_output(0, out);
    Ok(())
}

fn stateless_int(c: &mut KernelContext) -> Result<()> {
    let out = c.allocate(0, output_shape(c)?)?;
    check_range(c, 2)?;
    let philox = mixed(c)?;
    integers(c, out, philox, 2)
}

/// Swaps each row with one that is drawn from those that follow (and itself).
fn shuffle(c: &mut KernelContext) -> Result<()> {
    let value = c.input(0)?;
    let rows = value.shape().dims().first().copied().unwrap_or(0) as usize;
    if value.num_elements() <= 1 || rows <= 1 {
        let value = c.take_input(0)?;
        c.set_output(0, value);
        return Ok(());
    }
    let philox = reserve(c, (rows as u64 - 1).div_ceil(4))?;
    let mut words = Words::new(philox);
    let mut order: Vec<usize> = (0..rows).collect();
    for i in 0..rows - 1 {
        // Counts above 32 bits are cut, as TensorFlow cuts them.
        let left = ((rows - i) as u32).max(1);
        order.swap(i, i + (words.word() % left) as usize);
    }
    let out = take_rows(c.input(0)?, &order)?;
    c.set_output(0, out);
    Ok(())
}

fn take_rows(value: &Value, order: &[usize]) -> Result<Value> {
    if value.dtype() == DType::String {
        let strings = value.string_slice()?;
        let width = strings.len() / order.len();
        let rows = order
            .iter()
            .flat_map(|i| &strings[i * width..(i + 1) * width]);
        return Value::strings(value.shape().clone(), rows.cloned().collect());
    }
    let mut out = Value::uninit(value.dtype(), value.shape().clone())?;
    let from = value.bytes()?;
    let width = from.len() / order.len();
    for (to, i) in out.bytes_mut()?.chunks_exact_mut(width).zip(order) {
        to.copy_from_slice(&from[i * width..(i + 1) * width]);
    }
    Ok(out)
}

/// Draws classes with the probabilities that the logits say, row by row.
fn multinomial(c: &mut KernelContext) -> Result<()> {
    let logits = c.input(0)?;
    ensure!(
        logits.shape().rank() == 2,
        invalid,
        "logits should be a matrix, got shape {}",
        logits.shape()
    );
    let samples = c.scalar_input(1, "num_samples")?.int()?;
    ensure!(
        samples >= 0,
        invalid,
        "num_samples should be nonnegative, got {samples}"
    );
    let (rows, classes) = (logits.shape().dim(0), logits.shape().dim(1));
    ensure!(
        classes > 0,
        invalid,
        "num_classes should be positive, got {classes}"
    );
    let logits = as_doubles(logits)?;
    let shape = Shape::new(&[rows as i64, samples])?;
    let words = (samples as u64).div_ceil(4) * 4 * 2;
    let philox = reserve(c, (rows as u64).wrapping_mul(words).wrapping_mul(GROUPS))?;
    let mut words = Words::new(philox);
    let mut drawn: Vec<i64> = Vec::with_capacity(shape.num_elements());
    for row in logits.chunks_exact(classes) {
        let sums = running_sums(row)?;
        let total = sums[classes - 1];
        for _ in 0..samples {
            let wanted = words.unit() * total;
            drawn.push(sums.partition_point(|sum| *sum <= wanted) as i64);
        }
    }
    let out = if c.node.outputs[0].dtype == DType::I32 {
        let narrow: Vec<i32> = drawn.iter().map(|x| *x as i32).collect();
        Value::from_slice(shape, &narrow)?
    } else {
        Value::from_slice(shape, &drawn)?
    };
    c.set_output(0, out);
    Ok(())
}

/// Unnormalized probabilities added up; those of infinite logits are nothing.
fn running_sums(logits: &[f64]) -> Result<Vec<f64>> {
    ensure!(
        !logits.iter().any(|x| x.is_nan()),
        invalid,
        "logits must not be NaN"
    );
    let finite = logits.iter().copied().filter(|x| x.is_finite());
    let max = finite.fold(f64::MIN, f64::max);
    let mut total = 0.0;
    let sums = logits.iter().map(|x| {
        if x.is_finite() {
            total += (x - max).exp();
        }
        total
    });
    let sums: Vec<f64> = sums.collect();
    ensure!(
        total > 0.0,
        invalid,
        "logits must have a finite element in each row"
    );
    Ok(sums)
}

fn as_doubles(value: &Value) -> Result<Vec<f64>> {
    fn widen<T: crate::value::Element>(value: &Value, f: impl Fn(T) -> f64) -> Result<Vec<f64>> {
        Ok(value.slice::<T>()?.iter().map(|x| f(*x)).collect())
    }
    match value.dtype() {
        DType::F32 => widen::<f32>(value, f64::from),
        DType::F64 => widen::<f64>(value, |x| x),
        DType::F16 => widen::<f16>(value, |x| x.to_f64()),
        DType::BF16 => widen::<bf16>(value, |x| x.to_f64()),
        DType::I32 => widen::<i32>(value, f64::from),
        DType::I64 => widen::<i64>(value, |x| x as f64),
        other => Err(Error::unimplemented(format!(
            "no kernel for Multinomial of {}",
            other.short_name()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::graph::{Endpoint, NodeSpec};
    use crate::ops::new_graph;
    use crate::plan::RunSpec;
    use crate::session::{RunOptions, Session};

    /// Two runs of one op with the seeds that `tf.random_*(..., seed=7)` has.
    fn two_runs(op: &'static str, dtype: DType, inputs: &[Value]) -> [Value; 2] {
        let mut spec = NodeSpec::new(op);
        if ["RandomUniform", "RandomStandardNormal", "TruncatedNormal"].contains(&op) {
            spec = spec.attr("dtype", dtype);
        }
        runs_of(spec, inputs, 1).map(|mut outputs| outputs.remove(0))
    }

    /// The outputs of two runs of a node.
    fn runs_of(spec: NodeSpec, inputs: &[Value], outputs: usize) -> [Vec<Value>; 2] {
        let mut g = new_graph();
        let mut spec = spec.attr("seed", 87_654_321i64).attr("seed2", 7i64);
        for value in inputs {
            let constant = NodeSpec::new("Const").attr("dtype", value.dtype());
            spec = spec.input(
                g.create_tensor(constant.attr("value", value.clone()))
                    .unwrap(),
            );
        }
        let node = g.create(spec).unwrap();
        let session = Session::new(Arc::new(Mutex::new(g)), None);
        let spec = RunSpec {
            fetches: (0..outputs).map(|i| Endpoint::new(node, i)).collect(),
            ..Default::default()
        };
        let run = || {
            session
                .run(&spec, Vec::new(), RunOptions::default())
                .unwrap()
        };
        [run(), run()]
    }

    fn shape(n: i32) -> Value {
        Value::vector(&[n]).unwrap()
    }

    #[test]
    fn uniform_numbers_are_those_of_tensorflow() {
        let [a, b] = two_runs("RandomUniform", DType::F32, &[shape(5)]);
        let want = [
            0.483_940_96,
            0.506_203_06,
            0.255_143_76,
            0.124_742_27,
            0.933_010_1,
        ];
        assert_eq!(a.slice::<f32>().unwrap(), want);
        assert_eq!(b.slice::<f32>().unwrap()[..2], [0.618_986_96, 0.501_250_27]);
        let [a, b] = two_runs("RandomUniform", DType::F64, &[shape(3)]);
        assert_eq!(
            a.slice::<f64>().unwrap(),
            [
                0.8715283824246434,
                0.041150670730960126,
                0.46408134636396414
            ]
        );
        assert_ne!(a, b);
        let [a, _] = two_runs("RandomUniform", DType::F16, &[shape(2)]);
        let halves: Vec<f32> = a
            .slice::<f16>()
            .unwrap()
            .iter()
            .map(|x| x.to_f32())
            .collect();
        assert_eq!(halves, [0.4443359375, 0.8154296875]);
    }

    #[test]
    fn normal_numbers_are_those_of_tensorflow() {
        let close = |x: f32, y: f32| assert!((x - y).abs() <= 2e-7 * y.abs(), "{x} {y}");
        let [a, b] = two_runs("RandomStandardNormal", DType::F32, &[shape(5)]);
        let want = [-0.046945684, -1.2039024, 1.1668352, 1.1706204, -0.32007024];
        for (x, y) in a.slice::<f32>().unwrap().iter().zip(want) {
            close(*x, y);
        }
        close(b.slice::<f32>().unwrap()[2], -1.577923);
        let [a, b] = two_runs("TruncatedNormal", DType::F32, &[shape(5)]);
        close(a.slice::<f32>().unwrap()[4], 0.7166261);
        close(b.slice::<f32>().unwrap()[4], 0.19957623);
        let [a, _] = two_runs("TruncatedNormal", DType::F64, &[shape(5)]);
        assert!((a.slice::<f64>().unwrap()[2] + 0.3353157984791955).abs() < 1e-15);
    }

    #[test]
    fn integers_shuffles_and_draws_are_those_of_tensorflow() {
        let bounds = [
            Value::scalar(-3i32).unwrap(),
            Value::scalar(100i32).unwrap(),
        ];
        let [a, b] = two_runs(
            "RandomUniformInt",
            DType::I32,
            &[shape(5), bounds[0].clone(), bounds[1].clone()],
        );
        assert_eq!(a.ints().unwrap(), [16, 91, 91, 13, 81]);
        assert_eq!(b.ints().unwrap(), [15, 36, 11, 17, 71]);
        let bounds = [
            Value::scalar(-3i64).unwrap(),
            Value::scalar(100i64).unwrap(),
        ];
        let [a, _] = two_runs(
            "RandomUniformInt",
            DType::I64,
            &[shape(5), bounds[0].clone(), bounds[1].clone()],
        );
        assert_eq!(a.ints().unwrap(), [67, 69, 76, 6, 9]);
        let ten: Vec<i32> = (0..10).collect();
        let ten = Value::vector(&ten).unwrap();
        let [a, b] = two_runs("RandomShuffle", DType::I32, std::slice::from_ref(&ten));
        assert_eq!(a.ints().unwrap(), [7, 2, 0, 9, 8, 4, 5, 1, 6, 3]);
        assert_eq!(b.ints().unwrap(), [3, 7, 9, 5, 8, 4, 2, 0, 6, 1]);
        let pairs = ten.with_shape(Shape::new(&[5, 2]).unwrap()).unwrap();
        let [a, _] = two_runs("RandomShuffle", DType::I32, &[pairs]);
        assert_eq!(a.ints().unwrap(), [4, 5, 8, 9, 6, 7, 0, 1, 2, 3]);
        let logits = [1f32, 2.0, 3.0, 0.0, 0.0, 5.0];
        let logits = Value::from_slice(Shape::new(&[2, 3]).unwrap(), &logits).unwrap();
        let [a, b] = two_runs(
            "Multinomial",
            DType::I64,
            &[logits, Value::scalar(6i32).unwrap()],
        );
        assert_eq!(a.ints().unwrap(), [2, 0, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(b.ints().unwrap(), [2, 2, 2, 2, 2, 2, 2, 2, 0, 2, 2, 2]);
    }

    #[test]
    fn gamma_and_poisson_numbers_are_those_of_tensorflow() {
        let alpha = Value::vector(&[0.5f64, 1.0, 3.0]).unwrap();
        let [a, b] = two_runs("RandomGamma", DType::F64, &[shape(3), alpha]);
        let want = [
            0.388620734,
            0.694679554,
            3.583503973,
            0.702301278,
            0.034579409,
            0.6751402,
            3.407857033,
            0.350243471,
            4.792065273,
        ];
        for (x, y) in a.slice::<f64>().unwrap().iter().zip(want) {
            assert!((x - y).abs() < 1e-8, "{x} {y}");
        }
        assert!((b.slice::<f64>().unwrap()[6] - 1.428409840e-03).abs() < 1e-11);
        let rate = Value::vector(&[2f32, 50.0]).unwrap();
        let spec = NodeSpec::new("RandomPoissonV2").attr("dtype", DType::I64);
        let [a, b] = runs_of(spec, &[shape(4), rate], 1);
        assert_eq!(a[0].ints().unwrap(), [0, 60, 1, 46, 1, 43, 1, 50]);
        assert_eq!(b[0].ints().unwrap(), [2, 60, 2, 40, 3, 46, 1, 71]);
    }

    #[test]
    fn candidates_are_those_of_tensorflow() {
        let classes = [0i64, 5, 1, 2];
        let classes = Value::from_slice(Shape::new(&[2, 2]).unwrap(), &classes).unwrap();
        let draw = |op: &'static str, is_unique: bool| {
            let spec = NodeSpec::new(op)
                .attr("num_true", 2i64)
                .attr("num_sampled", 5i64);
            let spec = spec.attr("unique", is_unique).attr("range_max", 20i64);
            let [first, _] = runs_of(spec, std::slice::from_ref(&classes), 3);
            let counts = first[2].slice::<f32>().unwrap().to_vec();
            (
                first[0].ints().unwrap(),
                counts,
                first[1].slice::<f32>().unwrap().to_vec(),
            )
        };
        let (drawn, counts, of_true) = draw("LogUniformCandidateSampler", true);
        assert_eq!(drawn, [13, 0, 3, 11, 5]);
        for (x, y) in counts
            .iter()
            .zip([0.14824316, 0.8360848, 0.4130574, 0.1701394, 0.304909])
        {
            assert!((x - y).abs() <= 1e-7);
        }
        assert_eq!(of_true[3], 0.5008316);
        assert_eq!(
            draw("LogUniformCandidateSampler", false).0,
            [13, 0, 3, 11, 0]
        );
        let (drawn, counts, _) = draw("UniformCandidateSampler", true);
        assert_eq!((drawn, counts), (vec![19, 9, 8, 14, 16], vec![0.25; 5]));
    }
}
