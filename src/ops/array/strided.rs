//! What a strided slice means: NumPy's `x[begin:end:step, ..., newaxis, i]` in five masks (`util/strided_slice_op.cc`).

use crate::error::Result;
use crate::value::PartialShape;
use crate::{bail, ensure};

/// Bit `i` speaks of entry `i` of begin, end and strides.
pub(super) struct Masks {
    pub begin: i64,
    pub end: i64,
    pub ellipsis: i64,
    pub new_axis: i64,
    pub shrink: i64,
}

/// What one entry does, or an axis that no entry speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Entry {
    /// Takes the whole of an input axis.
    Whole,
    NewAxis,
    /// Entry `i` slices an input axis, or picks one place of it.
    Slice(usize),
    Pick(usize),
}

fn bit(mask: i64, i: usize) -> bool {
    i < 64 && mask >> i & 1 == 1
}

/// The entries with the ellipsis written out for an input of `rank` axes.
fn entries(rank: usize, count: usize, masks: &Masks) -> Result<Vec<Entry>> {
    ensure!(
        masks.ellipsis & (masks.ellipsis - 1) == 0,
        invalid,
        "Multiple ellipses in slice spec not allowed"
    );
    let takes_axis = |i: &usize| !bit(masks.ellipsis, *i) && !bit(masks.new_axis, *i);
    let taken = (0..count).filter(takes_axis).count();
    ensure!(
        taken <= rank,
        invalid,
        "Index out of range using input dim {rank}; input has only {rank} dims"
    );
    let mut all = Vec::new();
    let mut has_ellipsis = false;
    for i in 0..count {
        if bit(masks.ellipsis, i) {
            has_ellipsis = true;
            all.extend(std::iter::repeat_n(Entry::Whole, rank - taken));
        } else if bit(masks.new_axis, i) {
            all.push(Entry::NewAxis);
        } else if bit(masks.shrink, i) {
            all.push(Entry::Pick(i));
        } else {
            all.push(Entry::Slice(i));
        }
    }
    if !has_ellipsis {
        all.extend(std::iter::repeat_n(Entry::Whole, rank - taken));
    }
    Ok(all)
}

/// First place, number of places and step of entry `i` on an axis of `size`.
fn bounds(
    size: i64,
    i: usize,
    [begin, end, step]: [i64; 3],
    masks: &Masks,
) -> Result<(i64, i64, i64)> {
    ensure!(step != 0, invalid, "strides[{i}] must be non-zero");
    let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let clamp = |x: i64| (if x < 0 { x.saturating_add(size) } else { x }).clamp(low, high);
    let from = match bit(masks.begin, i) {
        true => {
            if step > 0 {
                low
            } else {
                high
            }
        }
        false => clamp(begin),
    };
    let to = match bit(masks.end, i) {
        true => {
            if step > 0 {
                high
            } else {
                low
            }
        }
        false => clamp(end),
    };
    let span = to - from;
    let count = if (span < 0) != (step < 0) || span == 0 {
        0
    } else {
        (span + step - step.signum()) / step
    };
    Ok((from, count, step))
}

fn pick(size: i64, i: usize, begin: i64, step: i64, masks: &Masks) -> Result<i64> {
    ensure!(
        step > 0,
        invalid,
        "only stride 1 allowed on non-range indexing."
    );
    let begin = if bit(masks.begin, i) { 0 } else { begin };
    let at = if begin < 0 { begin + size } else { begin };
    if !(0..size).contains(&at) {
        bail!(
            invalid,
            "slice index {begin} of dimension {i} out of bounds."
        );
    }
    Ok(at)
}

/// A slice of a tensor whose shape is known.
pub(super) struct Spec {
    /// For each input axis: where to begin, how many, how far apart.
    begin: Vec<i64>,
    pub counts: Vec<i64>,
    step: Vec<i64>,
    /// The shape of the result.
    pub shape: Vec<i64>,
}

impl Spec {
    pub fn new(
        dims: &[i64],
        begin: &[i64],
        end: &[i64],
        step: &[i64],
        masks: &Masks,
    ) -> Result<Spec> {
        let mut spec = Spec {
            begin: Vec::new(),
            counts: Vec::new(),
            step: Vec::new(),
            shape: Vec::new(),
        };
        let mut axis = 0;
        for entry in entries(dims.len(), begin.len(), masks)? {
            let (from, count, by) = match entry {
                Entry::NewAxis => {
                    spec.shape.push(1);
                    continue;
                }
                Entry::Whole => (0, dims[axis], 1),
                Entry::Slice(i) => bounds(dims[axis], i, [begin[i], end[i], step[i]], masks)?,
                Entry::Pick(i) => (pick(dims[axis], i, begin[i], step[i], masks)?, 1, 1),
            };
            spec.begin.push(from);
            spec.counts.push(count);
            spec.step.push(by);
            if !matches!(entry, Entry::Pick(_)) {
                spec.shape.push(count);
            }
            axis += 1;
        }
        Ok(spec)
    }

    /// The first element, and how far apart neighbours lie along each axis.
    pub fn walk(&self, dims: &[i64]) -> (i64, Vec<i64>) {
        let strides = crate::ops::moves::strides(dims);
        let start = self
            .begin
            .iter()
            .zip(&strides)
            .map(|(b, s)| b * *s as i64)
            .sum();
        let steps = self.step.iter().zip(&strides).map(|(b, s)| b * *s as i64);
        (start, steps.collect())
    }
}

/// The shape of the result as far as sizes and bounds are known.
pub(super) fn infer(
    dims: &[i64],
    count: usize,
    given: &[Option<Vec<i64>>],
    masks: &Masks,
) -> Result<Option<PartialShape>> {
    let known = |which: usize, i: usize| given[which].as_ref().and_then(|v| v.get(i).copied());
    let mut shape = Vec::new();
    let mut axis = 0;
    for entry in entries(dims.len(), count, masks)? {
        if entry == Entry::NewAxis {
            shape.push(1);
            continue;
        }
        let size = dims[axis];
        axis += 1;
        match entry {
            Entry::Whole => shape.push(size),
            Entry::Pick(i) => {
                if let (Some(begin), true) = (known(0, i), size >= 0) {
                    pick(size, i, begin, known(2, i).unwrap_or(1), masks)?;
                }
            }
            Entry::Slice(i) => shape.push(infer_slice(
                size,
                i,
                [known(0, i), known(1, i), known(2, i)],
                masks,
            )?),
            Entry::NewAxis => {}
        }
    }
    Ok(Some(PartialShape::from_dims(shape)))
}

fn infer_slice(
    size: i64,
    i: usize,
    [begin, end, step]: [Option<i64>; 3],
    masks: &Masks,
) -> Result<i64> {
    let begin = begin.or(bit(masks.begin, i).then_some(0));
    let end = end.or(bit(masks.end, i).then_some(0));
    let (Some(begin), Some(end), Some(step)) = (begin, end, step) else {
        return Ok(-1);
    };
    if size < 0 {
        return Ok(-1);
    }
    Ok(bounds(size, i, [begin, end, step], masks)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Masks = Masks {
        begin: 0,
        end: 0,
        ellipsis: 0,
        new_axis: 0,
        shrink: 0,
    };

    fn shape(dims: &[i64], b: &[i64], e: &[i64], s: &[i64], masks: Masks) -> Vec<i64> {
        Spec::new(dims, b, e, s, &masks).unwrap().shape
    }

    #[test]
    fn slices_mean_what_they_mean_in_numpy() {
        assert_eq!(shape(&[10], &[2], &[8], &[3], NONE), [2]);
        assert_eq!(shape(&[10], &[-1], &[-11], &[-1], NONE), [10]);
        assert_eq!(shape(&[10], &[5], &[2], &[1], NONE), [0]);
        let all = Masks {
            begin: 1,
            end: 1,
            ..NONE
        };
        assert_eq!(shape(&[10, 4], &[0], &[0], &[2], all), [5, 4]);
        let mixed = Masks {
            ellipsis: 1,
            new_axis: 2,
            shrink: 4,
            ..NONE
        };
        assert_eq!(
            shape(&[2, 3, 4], &[0, 0, 1], &[0, 0, 2], &[1, 1, 1], mixed),
            [2, 3, 1]
        );
        assert!(Spec::new(&[3], &[3], &[4], &[1], &Masks { shrink: 1, ..NONE }).is_err());
        assert!(Spec::new(&[3], &[0], &[3], &[0], &NONE).is_err());
    }
}
