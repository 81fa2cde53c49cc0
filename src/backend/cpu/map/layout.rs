//! How operands lie relative to the result, as NumPy broadcasts them.

use smallvec::SmallVec;

use crate::bail;
use crate::error::Result;
use crate::value::{DType, Shape, Value};

/// How an operand lies relative to the result.
pub(super) enum Layout<'a> {
    /// Element for element.
    Full(&'a [u8]),
    /// One element for all.
    One(&'a [u8]),
    /// Repeats after so many elements: a row under a matrix.
    Row(&'a [u8], usize),
    /// Each element stands for so many in a row: a column beside a matrix.
    Column(&'a [u8], usize),
}

/// The shape of elementwise results.
pub fn broadcast<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> Result<Shape> {
    let mut dims: SmallVec<[i64; 5]> = SmallVec::new();
    let mut is_first = true;
    for shape in shapes {
        if is_first {
            dims = shape.dims().into();
            is_first = false;
            continue;
        }
        if dims.as_slice() == shape.dims() {
            continue;
        }
        let before = dims.clone();
        while dims.len() < shape.rank() {
            dims.insert(0, 1);
        }
        let skip = dims.len() - shape.rank();
        for (a, b) in dims[skip..].iter_mut().zip(shape.dims()) {
            match (*a, *b) {
                (x, y) if x == y => {}
                (1, y) => *a = y,
                (_, 1) => {}
                _ => bail!(
                    invalid,
                    "Incompatible shapes: {} vs. {shape}",
                    Shape::new(&before)?
                ),
            }
        }
    }
    Shape::new(&dims)
}

pub(super) fn layout_of<'a>(value: &'a Value, shape: &Shape) -> Result<Layout<'a>> {
    let bytes = value.bytes()?;
    if value.num_elements() == shape.num_elements() {
        return Ok(Layout::Full(bytes));
    }
    if value.num_elements() == 1 {
        return Ok(Layout::One(bytes));
    }
    match pattern(value.shape(), shape) {
        Some(Pattern::Row(period)) => Ok(Layout::Row(bytes, period)),
        Some(Pattern::Column(inner)) => Ok(Layout::Column(bytes, inner)),
        None => bail!(internal, "an operand was not expanded"),
    }
}

enum Pattern {
    Row(usize),
    Column(usize),
}

/// Whether `from` is a row (its dimensions are the last of `to`) or a column (the first, then ones).
fn pattern(from: &Shape, to: &Shape) -> Option<Pattern> {
    let leading = from.dims().iter().take_while(|d| **d == 1).count();
    let rest = &from.dims()[leading..];
    if to.dims().ends_with(rest) {
        return Some(Pattern::Row(from.num_elements()));
    }
    if from.rank() != to.rank() {
        return None;
    }
    let trailing = from.dims().iter().rev().take_while(|d| **d == 1).count();
    let kept = from.rank() - trailing;
    (from.dims()[..kept] == to.dims()[..kept])
        .then(|| Pattern::Column(to.dims()[kept..].iter().product::<i64>() as usize))
}

/// Operands that repeat in another way are written out in full, once.
pub(super) fn expand_irregular(
    inputs: &[&Value],
    shape: &Shape,
) -> Result<SmallVec<[Option<Value>; 4]>> {
    let mut all = SmallVec::new();
    for value in inputs {
        let n = value.num_elements();
        // Truths that repeat are rare: no vector loop brings them.
        let is_regular = n == shape.num_elements()
            || n == 1
            || (value.dtype() != DType::Bool && pattern(value.shape(), shape).is_some());
        all.push(if is_regular {
            None
        } else {
            Some(expand(value, shape)?)
        });
    }
    Ok(all)
}

/// `value` repeated to `shape`.
pub fn expand(value: &Value, shape: &Shape) -> Result<Value> {
    let mut out = Value::uninit(value.dtype(), shape.clone())?;
    let size = value.dtype().size().unwrap_or(1);
    let rank = shape.rank();
    let skip = rank - value.shape().rank();
    let mut strides: SmallVec<[usize; 8]> = SmallVec::from_elem(0, rank);
    let mut stride = size;
    for axis in (skip..rank).rev() {
        let dim = value.shape().dim(axis - skip);
        strides[axis] = if dim == 1 { 0 } else { stride };
        stride *= dim;
    }
    let from = value.bytes()?;
    let mut index: SmallVec<[usize; 8]> = SmallVec::from_elem(0, rank);
    let mut at = 0;
    for to in out.bytes_mut()?.chunks_exact_mut(size) {
        to.copy_from_slice(&from[at..at + size]);
        for axis in (0..rank).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape.dim(axis) {
                break;
            }
            at -= strides[axis] * index[axis];
            index[axis] = 0;
        }
    }
    Ok(out)
}

/// Fills `out` with `period` bytes of `from` again and again, from `start` on.
pub(super) fn repeat(from: &[u8], start: usize, period: usize, out: &mut [u8]) {
    let mut at = start;
    let mut done = 0;
    while done < out.len() {
        let n = (period - at).min(out.len() - done);
        out[done..done + n].copy_from_slice(&from[at..at + n]);
        done += n;
        at = 0;
        if done >= period && done < out.len() {
            // What is there already is copied in ever larger pieces.
            let n = done.min(out.len() - done) / period * period;
            if n > 0 {
                let whole = done / period * period;
                let n = n.min(whole);
                out.copy_within(done - whole..done - whole + n, done);
                done += n;
                at = 0;
            }
        }
    }
}

/// Fills `out` with elements `offset..` of a column, each of which stands `inner` times.
pub(super) fn stretch(from: &[u8], size: usize, offset: usize, inner: usize, out: &mut [u8]) {
    let mut element = offset / inner;
    let mut left = inner - offset % inner;
    let mut done = 0;
    while done < out.len() {
        let bytes = &from[element * size..(element + 1) * size];
        let n = left.min((out.len() - done) / size);
        for to in out[done..done + n * size].chunks_exact_mut(size) {
            to.copy_from_slice(bytes);
        }
        done += n * size;
        element += 1;
        left = inner;
    }
}
