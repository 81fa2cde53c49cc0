//! Results that are made of runs of elements of other values: no arithmetic, any element type.

use crate::error::Result;
use crate::value::{DType, Data, Shape, Value};
use crate::{bail, ensure};

/// `len` elements of source `source` from `from` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub source: usize,
    pub from: usize,
    pub len: usize,
}

/// A value of `shape` made of the runs one after the other. Every run must lie within its source.
pub(super) fn assemble(
    dtype: DType,
    shape: Shape,
    sources: &[&Value],
    runs: impl Iterator<Item = Run>,
) -> Result<Value> {
    let within = |run: &Run| -> Result<()> {
        let n = sources[run.source].num_elements();
        ensure!(
            run.from <= n && run.len <= n - run.from,
            internal,
            "a run of {} elements from {} in a value of {n}",
            run.len,
            run.from
        );
        Ok(())
    };
    if let Some(size) = dtype.size() {
        let mut out = Value::uninit(dtype, shape)?;
        let to = out.bytes_mut()?;
        let mut at = 0;
        for run in runs {
            within(&run)?;
            let bytes = sources[run.source].bytes()?;
            let (from, len) = (run.from * size, run.len * size);
            ensure!(len <= to.len() - at, internal, "runs overflow their result");
            to[at..at + len].copy_from_slice(&bytes[from..from + len]);
            at += len;
        }
        ensure!(at == to.len(), internal, "runs do not fill their result");
        return Ok(out);
    }
    if dtype != DType::String {
        bail!(
            unimplemented,
            "moving elements of type {}",
            dtype.short_name()
        );
    }
    let mut strings = Vec::with_capacity(shape.num_elements());
    for run in runs {
        within(&run)?;
        strings
            .extend_from_slice(&sources[run.source].string_slice()?[run.from..run.from + run.len]);
    }
    Value::strings(shape, strings)
}

/// `count` copies of one element.
pub(super) fn splat(element: &Value, shape: Shape) -> Result<Value> {
    ensure!(
        element.num_elements() == 1,
        invalid,
        "expected a scalar but got shape {}",
        element.shape()
    );
    match element.data() {
        Data::Plain(_) | Data::Device(_) => {
            let mut out = Value::uninit(element.dtype(), shape)?;
            let from = element.bytes()?;
            let to = out.bytes_mut()?;
            if from.iter().all(|b| *b == from[0]) {
                to.fill(from[0]);
            } else {
                to.chunks_exact_mut(from.len())
                    .for_each(|to| to.copy_from_slice(from));
            }
            Ok(out)
        }
        _ => {
            let string = element.item_string()?.to_vec();
            let n = shape.num_elements();
            Value::strings(shape, vec![string; n])
        }
    }
}

/// The number of elements of these sizes.
pub(super) fn product(dims: &[i64]) -> usize {
    dims.iter().map(|d| *d as usize).product()
}

/// Row-major strides of a shape, in elements.
pub(super) fn strides(dims: &[i64]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis] as usize;
    }
    strides
}

/// For each element of a tensor of sizes `dims`, in order: the offset that `steps` (elements per axis) lead to.
pub(super) struct Offsets<'a> {
    dims: &'a [i64],
    steps: &'a [i64],
    index: Vec<i64>,
    offset: i64,
    left: usize,
}

impl<'a> Offsets<'a> {
    pub fn new(start: i64, dims: &'a [i64], steps: &'a [i64]) -> Offsets<'a> {
        Offsets {
            dims,
            steps,
            index: vec![0; dims.len()],
            offset: start,
            left: dims.iter().map(|d| *d as usize).product(),
        }
    }
}

impl Iterator for Offsets<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let now = self.offset;
        for axis in (0..self.dims.len()).rev() {
            self.index[axis] += 1;
            self.offset += self.steps[axis];
            if self.index[axis] < self.dims[axis] {
                break;
            }
            self.offset -= self.steps[axis] * self.dims[axis];
            self.index[axis] = 0;
        }
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_follow_their_steps() {
        let all: Vec<i64> = Offsets::new(10, &[2, 3], &[1, -2]).collect();
        assert_eq!(all, [10, 8, 6, 11, 9, 7]);
        assert_eq!(Offsets::new(0, &[2, 0], &[1, 1]).count(), 0);
        assert_eq!(Offsets::new(5, &[], &[]).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn runs_outside_their_source_are_errors() {
        let v = Value::vector(&[1i32, 2, 3]).unwrap();
        let run = |from, len| {
            [Run {
                source: 0,
                from,
                len,
            }]
            .into_iter()
        };
        let make = |from, len| assemble(DType::I32, Shape::vector(2), &[&v], run(from, len));
        assert_eq!(make(1, 2).unwrap().ints().unwrap(), [2, 3]);
        assert!(make(2, 2).is_err() && make(0, 3).is_err() && make(0, 1).is_err());
    }
}
