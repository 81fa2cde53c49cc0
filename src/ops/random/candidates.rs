//! Candidate sampling: classes drawn from a range, and how often each was to be expected.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::backend::cpu::philox::Words;
use crate::ensure;
use crate::error::Result;
use crate::graph::{ShapeContext, with_rank};
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};

use super::reserve;

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("LogUniformCandidateSampler", "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32").attr("num_true: int >= 1").attr("num_sampled: int >= 1").attr("unique: bool").attr("range_max: int >= 1").attr("seed: int = 0").attr("seed2: int = 0").stateful().shape(sampler_shape).kernel(|c| sample(c, Law::LogUniform)),
    Op::new("UniformCandidateSampler", "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32").attr("num_true: int >= 1").attr("num_sampled: int >= 1").attr("unique: bool").attr("range_max: int >= 1").attr("seed: int = 0").attr("seed2: int = 0").stateful().shape(sampler_shape).kernel(|c| sample(c, Law::Uniform)),
    Op::new("AllCandidateSampler", "true_classes: int64 -> sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32").attr("num_true: int >= 1").attr("num_sampled: int >= 1").attr("unique: bool").attr("seed: int = 0").attr("seed2: int = 0").stateful().shape(sampler_shape).kernel(|c| sample(c, Law::All)),
    Op::new("ComputeAccidentalHits", "true_classes: int64, sampled_candidates: int64 -> indices: int32, ids: int64, weights: float32").attr("num_true: int").attr("seed: int = 0").attr("seed2: int = 0").shape(hits_shape).kernel(accidental_hits),
];

/// How classes are drawn from `0..range`.
#[derive(Clone, Copy, PartialEq)]
enum Law {
    Uniform,
    /// Class `k` with probability `log((k + 2) / (k + 1)) / log(range + 1)`.
    LogUniform,
    /// Each class once, in order.
    All,
}

/// Words that a run takes for each candidate, however few it uses.
const WORDS_PER_CANDIDATE: u64 = 2048;

fn sampler_shape(c: &mut ShapeContext) -> Result<()> {
    let (sampled, num_true) = (c.attrs().int("num_sampled")?, c.attrs().int("num_true")?);
    let batch = with_rank(&c.input(0), 2)?.dim(0);
    c.set(0, PartialShape::vector(sampled));
    c.set(1, PartialShape::from_dims([batch, num_true]));
    c.set(2, PartialShape::vector(sampled));
    Ok(())
}

fn hits_shape(c: &mut ShapeContext) -> Result<()> {
    let num_true = c.attrs().int("num_true")?;
    shape::dim_is(with_rank(&c.input(0), 2)?.dim(1), num_true)?;
    with_rank(&c.input(1), 1)?;
    shape::vector(c)
}

impl Law {
    fn draw(self, range: u64, words: &mut Words) -> i64 {
        match self {
            Law::LogUniform => {
                let log_range = (range as f64).ln_1p();
                let value = (words.unit() * log_range).exp() as i64 - 1;
                // Rounding may lead to the range itself.
                value % range as i64
            }
            _ => below(range, words) as i64,
        }
    }

    fn probability(self, class: i64, range: u64) -> f32 {
        match self {
            Law::LogUniform => {
                let class = class as f64;
                (((class + 2.0) / (class + 1.0)).ln() / (range as f64).ln_1p()) as f32
            }
            _ => (1.0 / range as f64) as f32,
        }
    }
}

/// A number below `n`, each as likely as the others: draws that would favour small ones are thrown away.
fn below(n: u64, words: &mut Words) -> u64 {
    let mut draw = || u64::from(words.word()) | u64::from(words.word()) << 32;
    if n.is_power_of_two() {
        return draw() & (n - 1);
    }
    let refused = u64::MAX % n + 1;
    loop {
        let x = draw();
        if x >= refused {
            return x % n;
        }
    }
}

/// How often a class of probability `p` is to be expected among `count` candidates that took `tries` draws.
fn expected(p: f32, count: usize, tries: usize) -> f32 {
    if tries == count {
        return p * count as f32;
    }
    -(tries as f32 * (-p).ln_1p()).exp_m1()
}

fn sample(c: &mut KernelContext, law: Law) -> Result<()> {
    let attrs = c.attrs();
    let (num_true, count) = (attrs.int("num_true")?, attrs.int("num_sampled")?);
    let range = match law {
        Law::All => count,
        _ => attrs.int("range_max")?,
    };
    let classes = c.input(0)?;
    ensure!(
        classes.shape().rank() == 2,
        invalid,
        "true_classes must be a matrix"
    );
    ensure!(
        classes.shape().dims()[1] == num_true,
        invalid,
        "true_classes must have num_true columns, expected: {} was: {num_true}",
        classes.shape().dims()[1]
    );
    let is_unique = attrs.bool("unique")?;
    ensure!(
        !is_unique || count <= range,
        invalid,
        "Sampler's range is too small."
    );
    let (classes, truth) = (classes.slice::<i64>()?.to_vec(), classes.shape().clone());
    let (count, range) = (count as usize, range as u64);
    let groups = (count as u64).wrapping_mul(WORDS_PER_CANDIDATE).div_ceil(4);
    let mut words = Words::new(reserve(c, groups)?);
    let (drawn, tries) = match (law, is_unique) {
        (Law::All, _) => ((0..count as i64).collect(), 0),
        (_, true) => draw_unique(c, law, range, count, &mut words)?,
        (_, false) => {
            let all = (0..count).map(|_| law.draw(range, &mut words));
            (all.collect(), count)
        }
    };
    let counts = |classes: &[i64]| -> Vec<f32> {
        let one = |class: &i64| match law {
            Law::All => 1.0,
            _ => expected(law.probability(*class, range), count, tries),
        };
        classes.iter().map(one).collect()
    };
    c.set_output(1, Value::from_slice(truth, &counts(&classes))?);
    c.set_output(2, Value::vector(&counts(&drawn))?);
    c.set_output(0, Value::vector(&drawn)?);
    Ok(())
}

/// Candidates that differ from each other, and how many draws they took.
fn draw_unique(
    c: &KernelContext,
    law: Law,
    range: u64,
    count: usize,
    words: &mut Words,
) -> Result<(Vec<i64>, usize)> {
    let mut seen = FxHashSet::default();
    let mut drawn = Vec::new();
    let mut tries = 0;
    while drawn.len() < count {
        tries += 1;
        if tries % (1 << 16) == 0 {
            c.cancellation.check()?;
        }
        let class = law.draw(range, words);
        if seen.insert(class) {
            drawn.push(class);
        }
    }
    Ok((drawn, tries))
}

/// Where sampled candidates are among the true classes of a row: `(row, place of the candidate, lowest float)`.
fn accidental_hits(c: &mut KernelContext) -> Result<()> {
    let (classes, sampled) = (c.input(0)?, c.input(1)?);
    let num_true = c.attrs().int("num_true")?;
    ensure!(
        classes.shape().rank() == 2,
        invalid,
        "In_true_candidates must be a matrix"
    );
    ensure!(
        classes.shape().dims()[1] == num_true,
        invalid,
        "in_true_candidates must have num_true columns, expected: {} was: {num_true}",
        classes.shape().dims()[1]
    );
    ensure!(
        sampled.shape().rank() == 1,
        invalid,
        "in_sampled_candidates must be a vector, which is typically generated from CandidateSampler."
    );
    let places: FxHashMap<i64, i64> = (sampled.slice::<i64>()?.iter().copied()).zip(0..).collect();
    let (mut rows, mut ids) = (Vec::new(), Vec::new());
    for (i, class) in classes.slice::<i64>()?.iter().enumerate() {
        if let Some(place) = places.get(class) {
            rows.push((i / num_true.max(1) as usize) as i32);
            ids.push(*place);
        }
    }
    let weights = Value::from_slice(Shape::vector(ids.len()), &vec![f32::MIN; ids.len()])?;
    c.set_output(0, Value::vector(&rows)?);
    c.set_output(1, Value::vector(&ids)?);
    c.set_output(2, weights);
    Ok(())
}
