//! Draws by rejection: gamma and Poisson numbers, and candidates for sampled losses. Each result has words of its own in
//! the stream, so it does not depend on how many its neighbours took (`random_op.cc`, `random_poisson_op.cc`,
//! `range_sampler.cc`).

use rustc_hash::FxHashSet;

use crate::backend::cpu::map::lgamma;
use crate::backend::cpu::philox::{Philox, Random, Words};
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::Op;
use super::kernel::KernelContext;
use super::random::reserve;

pub(super) const OPS: &[Op] = &[
    Op::new("RandomGamma", "shape: S, alpha: T -> output: T").attr("seed: int = 0").attr("seed2: int = 0").attr("S: {int32, int64}").attr("T: {float16, float32, float64}").stateful().shape(gamma_shape).host(gamma),
    Op::new("RandomPoissonV2", "shape: S, rate: R -> output: dtype").attr("seed: int = 0").attr("seed2: int = 0").attr("S: {int32, int64}").attr("R: {float16, float32, float64, int32, int64} = DT_FLOAT64").attr("dtype: {float16, float32, float64, int32, int64} = DT_INT64").stateful().shape(poisson_shape).host(poisson),
    Op::new("UniformCandidateSampler", "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32").attr("num_true: int >= 1").attr("num_sampled: int >= 1").attr("unique: bool").attr("range_max: int >= 1").attr("seed: int = 0").attr("seed2: int = 0").stateful().shape(sampler_shape).host(|c| sample(c, Sampler::Uniform)),
    Op::new("LogUniformCandidateSampler", "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32").attr("num_true: int >= 1").attr("num_sampled: int >= 1").attr("unique: bool").attr("range_max: int >= 1").attr("seed: int = 0").attr("seed2: int = 0").stateful().shape(sampler_shape).host(|c| sample(c, Sampler::LogUniform)),
];

/// Groups of words that are set aside for each result.
const GROUPS: u64 = 256;

/// The shape that input 0 says, then that of input 1.
fn gamma_shape(c: &mut ShapeContext) -> Result<()> {
    let (first, last) = (c.constant_shape(0)?, c.input(1));
    if let (Some(a), Some(b)) = (first.dims(), last.dims()) {
        c.set(0, PartialShape::from_dims([a, b].concat()));
    }
    Ok(())
}

fn poisson_shape(c: &mut ShapeContext) -> Result<()> {
    gamma_shape(c)
}

/// Uniform doubles of one result's stretch of the stream, two a group, the second first.
struct Draws {
    philox: Philox,
    uniform: [f64; 2],
    uniforms_left: usize,
    normal: [f64; 2],
    normals_left: usize,
}

impl Draws {
    fn of(mut philox: Philox, result: u64) -> Draws {
        philox.skip(GROUPS.wrapping_mul(result));
        Draws {
            philox,
            uniform: [0.0; 2],
            uniforms_left: 0,
            normal: [0.0; 2],
            normals_left: 0,
        }
    }

    fn uniform(&mut self) -> f64 {
        if self.uniforms_left == 0 {
            f64::uniform(self.philox.next(), &mut self.uniform);
            self.uniforms_left = 2;
        }
        self.uniforms_left -= 1;
        self.uniform[self.uniforms_left]
    }

    fn normal(&mut self) -> f64 {
        if self.normals_left == 0 {
            f64::normal(self.philox.next(), &mut self.normal);
            self.normals_left = 2;
        }
        self.normals_left -= 1;
        self.normal[self.normals_left]
    }
}

/// Marsaglia and Tsang, ACM TOMS 26 (2000); below 1 by way of `alpha + 1`.
fn gamma_of(draws: &mut Draws, alpha: f64) -> f64 {
    if alpha == 1.0 {
        return -(-draws.uniform()).ln_1p();
    }
    let is_below_one = alpha < 1.0;
    let d = alpha + if is_below_one { 2.0 / 3.0 } else { -1.0 / 3.0 };
    let c = 1.0 / 3.0 / d.sqrt();
    loop {
        let x = draws.normal();
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u = draws.uniform();
        let is_inside = u < 1.0 - 0.0331 * (x * x) * (x * x);
        if is_inside || u.ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
            let drawn = d * v;
            return match is_below_one {
                true => drawn * draws.uniform().powf(1.0 / alpha),
                false => drawn,
            };
        }
    }
}

/// Knuth's product of uniforms for small rates; Hormann's transformed rejection (Insurance 12, 1993) for others.
fn poisson_of(draws: &mut Draws, rate: f64) -> f64 {
    if rate < 10.0 {
        let limit = (-rate).exp();
        let (mut product, mut count) = (1.0, 0.0);
        loop {
            product *= draws.uniform();
            if product <= limit {
                return count;
            }
            count += 1.0;
        }
    }
    let log_rate = rate.ln();
    let b = 0.931 + 2.53 * rate.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    loop {
        let u = draws.uniform() - 0.5;
        let v = draws.uniform();
        let shifted = 0.5 - u.abs();
        let k = ((2.0 * a / shifted + b) * u + rate + 0.43).floor();
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

/// Numbers of input 1 as doubles, and the shape of the result: input 0's, then input 1's.
fn parameters(c: &KernelContext) -> Result<(Vec<f64>, Shape)> {
    let (dims, given) = (c.ints_input(0)?, c.input(1)?);
    let numbers = match given.dtype() {
        DType::F64 => given.slice::<f64>()?.to_vec(),
        DType::F32 => given
            .slice::<f32>()?
            .iter()
            .map(|x| f64::from(*x))
            .collect(),
        DType::F16 => given
            .slice::<half::f16>()?
            .iter()
            .map(|x| x.to_f64())
            .collect(),
        _ => given.ints()?.iter().map(|x| *x as f64).collect(),
    };
    let shape = Shape::new(&[&dims, given.shape().dims()].concat())?;
    Ok((numbers, shape))
}

/// One number for each place of `shape`: those of one parameter are drawn one after the other.
fn draw_all(
    c: &KernelContext,
    parameters: &[f64],
    shape: &Shape,
    draw: impl Fn(&mut Draws, f64) -> f64,
) -> Result<Vec<f64>> {
    let total = shape.num_elements();
    let count = parameters.len();
    let mut drawn = vec![0.0; total];
    if total == 0 {
        return Ok(drawn);
    }
    let philox = reserve(c, (total as u64).wrapping_mul(GROUPS))?;
    let each = total / count;
    for result in 0..total {
        let (which, sample) = (result / each, result % each);
        let mut draws = Draws::of(philox, result as u64);
        drawn[sample * count + which] = draw(&mut draws, parameters[which]);
    }
    Ok(drawn)
}

fn as_type(dtype: DType, shape: Shape, drawn: &[f64]) -> Result<Value> {
    macro_rules! narrow {
        ($t:ty) => {
            Value::from_slice(shape, &drawn.iter().map(|x| *x as $t).collect::<Vec<$t>>())
        };
    }
    match dtype {
        DType::F64 => Value::from_slice(shape, drawn),
        DType::F32 => narrow!(f32),
        DType::I32 => narrow!(i32),
        DType::I64 => narrow!(i64),
        _ => {
            let halves: Vec<half::f16> = drawn.iter().map(|x| half::f16::from_f64(*x)).collect();
            Value::from_slice(shape, &halves)
        }
    }
}

fn gamma(c: &mut KernelContext) -> Result<()> {
    let (alphas, shape) = parameters(c)?;
    ensure!(
        alphas.iter().all(|a| *a > 0.0),
        invalid,
        "alpha must be positive"
    );
    let drawn = draw_all(c, &alphas, &shape, gamma_of)?;
    let made = as_type(c.input(1)?.dtype(), shape, &drawn)?;
    c.set_output(0, made);
    Ok(())
}

fn poisson(c: &mut KernelContext) -> Result<()> {
    let (rates, shape) = parameters(c)?;
    ensure!(
        rates.iter().all(|r| r.is_finite() && *r >= 0.0),
        invalid,
        "rate must be finite and not negative"
    );
    let drawn = draw_all(c, &rates, &shape, poisson_of)?;
    let made = as_type(c.attrs().dtype("dtype")?, shape, &drawn)?;
    c.set_output(0, made);
    Ok(())
}

#[derive(Clone, Copy)]
enum Sampler {
    Uniform,
    LogUniform,
}

fn sampler_shape(c: &mut ShapeContext) -> Result<()> {
    let (count, width) = (c.attrs().int("num_sampled")?, c.attrs().int("num_true")?);
    let classes = c.input_of_rank(0, 2)?;
    c.set(0, PartialShape::vector(count));
    c.set(1, PartialShape::from_dims([classes.dim(0), width]));
    c.set(2, PartialShape::vector(count));
    Ok(())
}

impl Sampler {
    fn draw(self, words: &mut Words, range: u64) -> i64 {
        match self {
            Sampler::Uniform => {
                let (low, high) = (u64::from(words.word()), u64::from(words.word()));
                let x = low | high << 32;
                (if range.is_power_of_two() {
                    x & (range - 1)
                } else {
                    x % range
                }) as i64
            }
            Sampler::LogUniform => {
                let x = (words.unit() * (range as f64).ln_1p()).exp() as i64 - 1;
                x.rem_euclid(range as i64)
            }
        }
    }

    fn probability(self, class: i64, range: u64) -> f32 {
        match self {
            Sampler::Uniform => (1.0 / range as f64) as f32,
            Sampler::LogUniform => {
                (((class as f64 + 2.0) / (class as f64 + 1.0)).ln() / (range as f64).ln_1p()) as f32
            }
        }
    }
}

/// How often a class of probability `p` is expected among `count` draws that took `tries`.
fn expected(p: f32, count: usize, tries: usize) -> f32 {
    if tries == count {
        return p * count as f32;
    }
    -(tries as f64 * (-f64::from(p)).ln_1p()).exp_m1() as f32
}

fn sample(c: &mut KernelContext, sampler: Sampler) -> Result<()> {
    let attrs = c.attrs();
    let (count, width) = (attrs.int("num_sampled")? as usize, attrs.int("num_true")?);
    let (range, unique) = (attrs.int("range_max")? as u64, attrs.bool("unique")?);
    let classes = c.input(0)?;
    ensure!(
        classes.shape().rank() == 2,
        invalid,
        "true_classes must be a matrix"
    );
    ensure!(
        classes.shape().dims()[1] == width,
        invalid,
        "true_classes must have num_true columns, expected: {} was: {width}",
        classes.shape().dims()[1]
    );
    if unique && count as u64 > range {
        bail!(invalid, "Sampler's range is too small.");
    }
    let classes_shape = classes.shape().clone();
    let classes = classes.ints()?;
    let philox = reserve(c, (2048 * count as u64).div_ceil(4))?;
    let mut words = Words::new(philox);
    let mut drawn = Vec::with_capacity(count);
    let mut used = FxHashSet::default();
    let mut tries = 0;
    while drawn.len() < count {
        tries += 1;
        let class = sampler.draw(&mut words, range);
        if !unique || used.insert(class) {
            drawn.push(class);
        }
    }
    let expect = |class: &i64| expected(sampler.probability(*class, range), count, tries);
    let of_true: Vec<f32> = classes.iter().map(expect).collect();
    let of_drawn: Vec<f32> = drawn.iter().map(expect).collect();
    c.set_output(0, Value::vector(&drawn)?);
    c.set_output(1, Value::from_slice(classes_shape, &of_true)?);
    c.set_output(2, Value::vector(&of_drawn)?);
    Ok(())
}
