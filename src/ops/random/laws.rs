//! Gamma and Poisson numbers by rejection. Each number has a stretch of 256 groups of words of its own, so that how many
//! words one takes says nothing about the others.

use half::f16;

use crate::backend::cpu::map::lgamma;
use crate::backend::cpu::philox::{Philox, normal_pair_f64, unit_f64};
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::{GROUPS, as_doubles, output_shape, reserve};

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("RandomGamma", "shape: S, alpha: T -> output: T").attr("seed: int = 0").attr("seed2: int = 0").attr("S: {int32, int64}").attr("T: {float16, float32, float64}").stateful().shape(samples_shape).kernel(gamma),
    Op::new("RandomGammaGrad", "alpha: T, sample: T -> output: T").attr("T: {float32, float64}").shape(shape::broadcast),
    Op::new("RandomPoisson", "shape: S, rate: dtype -> output: dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("S: {int32, int64}").attr("dtype: {float16, float32, float64}").stateful().shape(samples_shape).kernel(poisson),
    Op::new("RandomPoissonV2", "shape: S, rate: R -> output: dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("S: {int32, int64}").attr("R: {float16, float32, float64, int32, int64} = DT_FLOAT64").attr("dtype: {float16, float32, float64, int32, int64} = DT_INT64").stateful().shape(samples_shape).kernel(poisson),
];

/// Samples of the shape that input 0 says for each parameter in input 1.
fn samples_shape(c: &mut ShapeContext) -> Result<()> {
    let samples = c.constant_shape(0)?;
    let parameters = c.input(1);
    if let (Some(a), Some(b)) = (samples.dims(), parameters.dims()) {
        c.set(0, PartialShape::from_dims(a.iter().chain(b).copied()));
    }
    Ok(())
}

/// Numbers in the order in which they are drawn from a stretch of words: pairs, of which the second is taken first.
struct Draws {
    philox: Philox,
    uniforms: Vec<f64>,
    normals: Vec<f64>,
}

impl Draws {
    fn new(mut philox: Philox, number: usize) -> Draws {
        philox.skip((number as u64).wrapping_mul(GROUPS));
        Draws {
            philox,
            uniforms: Vec::with_capacity(2),
            normals: Vec::with_capacity(2),
        }
    }

    fn uniform(&mut self) -> f64 {
        if self.uniforms.is_empty() {
            let x = self.philox.next_words();
            self.uniforms = vec![unit_f64(x[0], x[1]), unit_f64(x[2], x[3])];
        }
        self.uniforms.pop().unwrap_or_default()
    }

    fn normal(&mut self) -> f64 {
        if self.normals.is_empty() {
            self.normals = normal_pair_f64(self.philox.next_words()).to_vec();
        }
        self.normals.pop().unwrap_or_default()
    }
}

/// Fills the output with what `draw` gives for each parameter; the samples of one parameter are drawn one after the other.
fn fill_samples(c: &mut KernelContext, draw: impl Fn(f64, &mut Draws) -> f64) -> Result<()> {
    let samples = output_shape(c)?;
    let parameters = c.input(1)?;
    let shape = Shape::new(&[samples.dims(), parameters.shape().dims()].concat())?;
    let parameters = as_doubles(parameters)?;
    let dtype = c.node.outputs[0].dtype;
    if shape.num_elements() == 0 {
        c.set_output(0, Value::zeros(dtype, shape)?);
        return Ok(());
    }
    let total = shape.num_elements() as u64;
    let philox = reserve(c, total.wrapping_mul(GROUPS))?;
    let (count, width) = (samples.num_elements(), parameters.len());
    let mut out = vec![0f64; shape.num_elements()];
    for (p, parameter) in parameters.iter().enumerate() {
        c.cancellation.check()?;
        for sample in 0..count {
            let mut draws = Draws::new(philox, p * count + sample);
            out[sample * width + p] = draw(*parameter, &mut draws);
        }
    }
    let out = narrowed(dtype, shape, &out)?;
    c.set_output(0, out);
    Ok(())
}

fn narrowed(dtype: DType, shape: Shape, all: &[f64]) -> Result<Value> {
    fn with<T: crate::value::Element>(
        shape: Shape,
        all: &[f64],
        narrow: impl Fn(f64) -> T,
    ) -> Result<Value> {
        let all: Vec<T> = all.iter().map(|x| narrow(*x)).collect();
        Value::from_slice(shape, &all)
    }
    match dtype {
        DType::F64 => Value::from_slice(shape, all),
        DType::F32 => with(shape, all, |x| x as f32),
        DType::F16 => with(shape, all, f16::from_f64),
        DType::I32 => with(shape, all, |x| x as i32),
        DType::I64 => with(shape, all, |x| x as i64),
        other => bail!(
            unimplemented,
            "random numbers of type {}",
            other.short_name()
        ),
    }
}

fn gamma(c: &mut KernelContext) -> Result<()> {
    let alphas = as_doubles(c.input(1)?)?;
    ensure!(
        alphas.iter().all(|a| *a > 0.0),
        invalid,
        "the shape parameters alpha of a gamma distribution must be greater than 0"
    );
    fill_samples(c, gamma_sample)
}

/// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), as `random_op.cc` draws it.
fn gamma_sample(alpha: f64, draws: &mut Draws) -> f64 {
    if alpha == 1.0 {
        return -(-draws.uniform()).ln_1p();
    }
    let is_small = alpha < 1.0;
    let d = alpha + if is_small { 2.0 / 3.0 } else { -1.0 / 3.0 };
    let c = 1.0 / 3.0 / d.sqrt();
    loop {
        let x = draws.normal();
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u = draws.uniform();
        let is_in =
            u < 1.0 - 0.0331 * (x * x) * (x * x) || u.ln() < 0.5 * x * x + d * (1.0 - v + v.ln());
        if is_in {
            let boost = if is_small {
                draws.uniform().powf(1.0 / alpha)
            } else {
                1.0
            };
            return d * v * boost;
        }
    }
}

fn poisson(c: &mut KernelContext) -> Result<()> {
    let rates = as_doubles(c.input(1)?)?;
    ensure!(
        rates.iter().all(|r| r.is_finite() && *r >= 0.0),
        invalid,
        "the rates of a Poisson distribution must be finite and at least 0"
    );
    let highest = match c.node.outputs[0].dtype {
        DType::F16 => f16::MAX.to_f64(),
        DType::F32 => f64::from(f32::MAX),
        DType::I32 => f64::from(i32::MAX),
        DType::I64 => i64::MAX as f64,
        _ => f64::MAX,
    };
    fill_samples(c, |rate, draws| match rate < 10.0 {
        true => poisson_small(rate, highest, draws),
        false => poisson_large(rate, highest, draws),
    })
}

/// Knuth's way: how many uniform factors it takes to fall below `exp(-rate)`.
fn poisson_small(rate: f64, highest: f64, draws: &mut Draws) -> f64 {
    let limit = (-rate).exp();
    let (mut product, mut x) = (1.0, 0.0);
    loop {
        product *= draws.uniform();
        if product <= limit && x <= highest {
            return x;
        }
        x += 1.0;
    }
}

/// Hörmann, "The transformed rejection method for generating Poisson random variables" (1993), as `random_poisson_op.cc`
/// draws it; names are the paper's.
fn poisson_large(rate: f64, highest: f64, draws: &mut Draws) -> f64 {
    let log_rate = rate.ln();
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    loop {
        let u = draws.uniform() - 0.5;
        let v = draws.uniform();
        let shifted = 0.5 - u.abs();
        let k = ((2.0 * a / shifted + b) * u + rate + 0.43).floor();
        if k > highest {
            continue;
        }
        if shifted >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2.0) {
            return k;
        }
        if k < 0.0 || (shifted < 0.013 && v > shifted) {
            continue;
        }
        let s = (v * inverse_alpha / (a / (shifted * shifted) + b)).ln();
        if s <= -rate + k * log_rate - lgamma(k + 1.0) {
            return k;
        }
    }
}
