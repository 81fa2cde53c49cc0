//! Histograms as summaries hold them: buckets that grow by a tenth, from 1e-12 to 1e20 on both sides of zero
//! (`core/lib/histogram/histogram.cc`).

use std::sync::OnceLock;

use crate::ensure;
use crate::error::{Error, Result};
use crate::formats::proto::HistogramProto;
use crate::value::{DType, Value};

/// Upper ends of the buckets, rising; a value lies in the first bucket whose end is greater.
fn limits() -> &'static [f64] {
    static LIMITS: OnceLock<Vec<f64>> = OnceLock::new();
    LIMITS.get_or_init(|| {
        let mut positive = Vec::new();
        // By repeated products, as TensorFlow makes them: powers would differ in the last bits.
        let mut limit = 1e-12;
        while limit < 1e20 {
            positive.push(limit);
            limit *= 1.1;
        }
        positive.push(f64::MAX);
        let negative = positive.iter().rev().map(|limit| -limit);
        negative
            .chain([0.0])
            .chain(positive.iter().copied())
            .collect()
    })
}

/// Counts of values by bucket.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<f64>,
    min: f64,
    max: f64,
    num: f64,
    sum: f64,
    sum_squares: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0.0; limits().len()],
            min: f64::MAX,
            max: -f64::MAX,
            num: 0.0,
            sum: 0.0,
            sum_squares: 0.0,
        }
    }
}

impl Histogram {
    /// Counts `value`, which must be finite.
    pub fn add(&mut self, value: f64) {
        let bucket = limits().partition_point(|limit| *limit <= value);
        // The greatest double lies in the last bucket, though it is not below its end.
        self.counts[bucket.min(limits().len() - 1)] += 1.0;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.num += 1.0;
        self.sum += value;
        self.sum_squares += value * value;
    }

    /// The message: each run of empty buckets is one.
    pub fn to_proto(&self) -> HistogramProto {
        let mut proto = HistogramProto {
            min: self.min,
            max: self.max,
            num: self.num,
            sum: self.sum,
            sum_squares: self.sum_squares,
            ..Default::default()
        };
        let same_run = |a: &(f64, f64), b: &(f64, f64)| a.1 <= 0.0 && b.1 <= 0.0;
        let buckets: Vec<(f64, f64)> = std::iter::zip(limits(), &self.counts)
            .map(|(limit, count)| (*limit, *count))
            .collect();
        for run in buckets.chunk_by(same_run) {
            if let Some((limit, count)) = run.last() {
                proto.bucket_limit.push(*limit);
                proto.bucket.push(*count);
            }
        }
        proto
    }
}

/// The histogram of a value's elements, whatever the real type.
///
/// InvalidArgument for NaN and infinity, in the words that TensorFlow uses for the summary op called `node`.
pub fn of_value(value: &Value, node: &str) -> Result<HistogramProto> {
    let mut histogram = Histogram::default();
    let mut add = |x: f64| {
        ensure!(!x.is_nan(), invalid, "Nan in summary histogram for: {node}");
        ensure!(
            !x.is_infinite(),
            invalid,
            "Infinity in summary histogram for: {node}"
        );
        histogram.add(x);
        Ok(())
    };
    macro_rules! each {
        ($t:ty, $to_f64:expr) => {
            value
                .slice::<$t>()?
                .iter()
                .try_for_each(|x| add($to_f64(*x)))?
        };
    }
    match value.dtype() {
        DType::F32 => each!(f32, f64::from),
        DType::F64 => each!(f64, |x| x),
        DType::F16 => each!(half::f16, f64::from),
        DType::BF16 => each!(half::bf16, f64::from),
        DType::I8 => each!(i8, f64::from),
        DType::I16 => each!(i16, f64::from),
        DType::I32 => each!(i32, f64::from),
        DType::I64 => each!(i64, |x| x as f64),
        DType::U8 | DType::Bool => each!(u8, f64::from),
        DType::U16 => each!(u16, f64::from),
        DType::U32 => each!(u32, f64::from),
        DType::U64 => each!(u64, |x| x as f64),
        other => {
            return Err(Error::unimplemented(format!(
                "a histogram of {} values",
                other.short_name()
            )));
        }
    }
    Ok(histogram.to_proto())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::proto::{self, Summary, summary};
    use crate::formats::testing::{fixture_summaries, floats};

    #[test]
    fn there_are_tensorflows_buckets() {
        assert_eq!(limits().len(), 1551);
        assert!(limits().windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn runs_of_empty_buckets_are_one() {
        let proto = of_value(&Value::vector(&[0.0f32, 1.0, 1.0, -3.0]).unwrap(), "h").unwrap();
        assert_eq!(proto.bucket.iter().sum::<f64>(), 4.0);
        assert_eq!(proto.bucket.len(), 7);
        assert_eq!(proto.bucket, [0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 0.0]);
        assert_eq!(proto.bucket_limit[6], f64::MAX);
        assert_eq!(
            (
                proto.min,
                proto.max,
                proto.num,
                proto.sum,
                proto.sum_squares
            ),
            (-3.0, 1.0, 4.0, -1.0, 11.0)
        );
    }

    #[test]
    fn nothing_gives_one_empty_bucket() {
        let proto = of_value(&Value::vector::<f64>(&[]).unwrap(), "h").unwrap();
        assert_eq!(
            (proto.bucket_limit.as_slice(), proto.bucket.as_slice()),
            ([f64::MAX].as_slice(), [0.0].as_slice())
        );
    }

    #[test]
    fn the_ends_of_the_range_have_a_bucket() {
        let proto = of_value(&Value::vector(&[f64::MAX, -f64::MAX]).unwrap(), "h").unwrap();
        assert_eq!(proto.bucket.iter().sum::<f64>(), 2.0);
    }

    #[test]
    fn what_is_not_finite_is_refused_with_the_nodes_name() {
        for (x, text) in [(f32::NAN, "Nan"), (f32::NEG_INFINITY, "Infinity")] {
            let error = of_value(&Value::vector(&[1.0, x]).unwrap(), "layer/h").unwrap_err();
            assert_eq!(
                error.message,
                format!("{text} in summary histogram for: layer/h")
            );
        }
    }

    #[test]
    fn the_message_is_that_of_tensorflow() {
        let records = fixture_summaries();
        let x: Vec<f64> = floats(&records[0], f64::from_le_bytes);
        let summary: Summary = proto::decode(&records[2], "a summary").unwrap();
        let ours = of_value(&Value::vector(&x).unwrap(), "h").unwrap();
        assert_eq!(
            summary.value[0].value,
            Some(summary::value::Value::Histo(ours))
        );
    }
}
