//! Parts of tensors: what a partitioned variable saves of the whole.

use crate::error::{Error, Result};
use crate::formats::proto::TensorSliceProto;
use crate::formats::proto::tensor_slice_proto::{Extent, extent::HasLength};
use crate::value::{Shape, Value};
use crate::{bail, ensure};

/// A range in each dimension; `None` for all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice(Vec<Option<(i64, i64)>>);

/// What a `shape_and_slice` string says: the whole tensor's shape, and the part meant.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeAndSlice {
    pub shape: Shape,
    pub slice: Slice,
}

impl ShapeAndSlice {
    /// Reads `"4 6 0,2:-"`: the whole is [4, 6]; the part begins at row 0, has 2 rows, and all columns.
    pub fn parse(text: &str) -> Result<ShapeAndSlice> {
        let bad = || {
            Error::invalid(format!(
                "Need dimensions, then a slice, in the shape_and_slice specification: {text}"
            ))
        };
        let mut words: Vec<&str> = text.split(' ').collect();
        let slice = words.pop().filter(|_| !words.is_empty()).ok_or_else(bad)?;
        let dims: Vec<i64> = words
            .iter()
            .map(|word| word.parse().map_err(|_| bad()))
            .collect::<Result<_>>()?;
        let shape = Shape::new(&dims)?;
        let slice = Slice::parse(slice)?;
        slice.shape_in(&shape)?;
        Ok(ShapeAndSlice { shape, slice })
    }

    /// The shape of the part.
    pub fn part_shape(&self) -> Result<Shape> {
        self.slice.shape_in(&self.shape)
    }
}

impl Slice {
    fn parse(text: &str) -> Result<Slice> {
        let parse = |part: &str| {
            if part == "-" {
                return Ok(None);
            }
            let range = part.split_once(',').and_then(|(start, length)| {
                Some((start.parse::<i64>().ok()?, length.parse::<i64>().ok()?))
            });
            match range {
                Some((start, length)) if start >= 0 && length > 0 => Ok(Some((start, length))),
                _ => Err(Error::invalid(format!(
                    "Expected non-negative start and positive length but got '{part}' in '{text}'"
                ))),
            }
        };
        Ok(Slice(text.split(':').map(parse).collect::<Result<_>>()?))
    }

    /// All of a tensor of this rank.
    pub fn full(rank: usize) -> Slice {
        Slice(vec![None; rank])
    }

    pub fn from_proto(proto: &TensorSliceProto) -> Result<Slice> {
        let part = |extent: &Extent| match extent.has_length {
            None => Ok(None),
            Some(HasLength::Length(length)) => {
                let fits = extent.start >= 0 && length > 0;
                ensure!(
                    fits,
                    data_loss,
                    "a tensor slice with a negative start or no length"
                );
                Ok(Some((extent.start, length)))
            }
        };
        Ok(Slice(proto.extent.iter().map(part).collect::<Result<_>>()?))
    }

    pub fn to_proto(&self) -> TensorSliceProto {
        let extent = self.0.iter().map(|part| match part {
            None => Extent::default(),
            Some((start, length)) => Extent {
                start: *start,
                has_length: Some(HasLength::Length(*length)),
            },
        });
        TensorSliceProto {
            extent: extent.collect(),
        }
    }

    /// The shape of this part of a tensor of `shape`.
    pub fn shape_in(&self, shape: &Shape) -> Result<Shape> {
        let ranges = self.ranges(shape)?;
        Shape::new(&ranges.iter().map(|(_, length)| *length).collect::<Vec<_>>())
    }

    /// Start and length in each dimension of a tensor of `shape`.
    fn ranges(&self, shape: &Shape) -> Result<Vec<(i64, i64)>> {
        if self.0.len() != shape.rank() {
            bail!(
                invalid,
                "a slice of {} dimensions for a tensor of shape {shape}",
                self.0.len()
            );
        }
        let mut ranges = Vec::with_capacity(self.0.len());
        for (part, &size) in self.0.iter().zip(shape.dims()) {
            let (start, length) = part.unwrap_or((0, size));
            let fits = start.checked_add(length).is_some_and(|end| end <= size);
            ensure!(
                fits,
                invalid,
                "a slice of {start}+{length} in a dimension of {size}"
            );
            ranges.push((start, length));
        }
        Ok(ranges)
    }

    /// Whether two parts of a tensor of `shape` have an element in common.
    pub fn overlaps(&self, other: &Slice, shape: &Shape) -> Result<bool> {
        let (ours, theirs) = (self.ranges(shape)?, other.ranges(shape)?);
        let meet = |((a, n), (b, m)): (&(i64, i64), &(i64, i64))| a.max(b) < &(a + n).min(b + m);
        Ok(ours.iter().zip(&theirs).all(meet))
    }

    /// The key under which an index has this part of the tensor `name`.
    pub fn key(&self, name: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        write_unsigned(&mut key, 0);
        write_string(&mut key, name);
        write_unsigned(&mut key, self.0.len() as u64);
        for part in &self.0 {
            let (start, length) = part.unwrap_or((0, -1));
            write_signed(&mut key, start);
            write_signed(&mut key, length);
        }
        key
    }
}

impl std::fmt::Display for Slice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(":")?;
            }
            match part {
                None => f.write_str("-")?,
                Some((start, length)) => write!(f, "{start},{length}")?,
            }
        }
        Ok(())
    }
}

/// Copies what the part `from` of a tensor of shape `whole` has of the part `to` into `out`; returns how many elements.
pub fn copy_overlap(
    whole: &Shape,
    (from, value): (&Slice, &Value),
    (to, out): (&Slice, &mut Value),
) -> Result<usize> {
    let (from, to) = (from.ranges(whole)?, to.ranges(whole)?);
    let mut overlap = Vec::with_capacity(from.len());
    for ((a, n), (b, m)) in from.iter().zip(&to) {
        let (start, end) = ((*a).max(*b), (a + n).min(b + m));
        if start >= end {
            return Ok(0);
        }
        overlap.push((start, end - start));
    }
    let runs = Runs::new(&from, &to, &overlap);
    if let Ok(strings) = value.string_slice() {
        let mut all = out.string_slice()?.to_vec();
        runs.each(|a, b, n| all[b..b + n].clone_from_slice(&strings[a..a + n]));
        *out = Value::strings(out.shape().clone(), all)?;
        return Ok(runs.elements());
    }
    let size = value.dtype().size().unwrap_or(1);
    let bytes = value.bytes()?;
    let out = out.bytes_mut()?;
    runs.each(|a, b, n| {
        out[b * size..(b + n) * size].copy_from_slice(&bytes[a * size..(a + n) * size]);
    });
    Ok(runs.elements())
}

/// Runs of elements that lie side by side in both parts: the last dimension of their overlap.
struct Runs {
    /// Lengths of the overlap.
    lengths: Vec<usize>,
    from_start: usize,
    to_start: usize,
    from_strides: Vec<usize>,
    to_strides: Vec<usize>,
}

impl Runs {
    fn new(from: &[(i64, i64)], to: &[(i64, i64)], overlap: &[(i64, i64)]) -> Runs {
        let strides = |ranges: &[(i64, i64)]| {
            let mut strides = vec![1usize; ranges.len()];
            for i in (1..ranges.len()).rev() {
                strides[i - 1] = strides[i] * ranges[i].1 as usize;
            }
            strides
        };
        let (from_strides, to_strides) = (strides(from), strides(to));
        let start = |ranges: &[(i64, i64)], strides: &[usize]| {
            let offsets = overlap
                .iter()
                .zip(ranges)
                .map(|((a, _), (b, _))| (a - b) as usize);
            offsets
                .zip(strides)
                .map(|(offset, stride)| offset * stride)
                .sum()
        };
        Runs {
            lengths: overlap.iter().map(|(_, n)| *n as usize).collect(),
            from_start: start(from, &from_strides),
            to_start: start(to, &to_strides),
            from_strides,
            to_strides,
        }
    }

    fn elements(&self) -> usize {
        self.lengths.iter().product()
    }

    fn each(&self, mut copy: impl FnMut(usize, usize, usize)) {
        let rank = self.lengths.len();
        let run = self.lengths.last().copied().unwrap_or(1);
        let mut index = vec![0usize; rank];
        loop {
            let at = |strides: &[usize]| -> usize {
                index
                    .iter()
                    .zip(strides)
                    .map(|(i, stride)| i * stride)
                    .sum()
            };
            copy(
                self.from_start + at(&self.from_strides),
                self.to_start + at(&self.to_strides),
                run,
            );
            let mut axis = rank.saturating_sub(1);
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                if index[axis] < self.lengths[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
    }
}

// ---- OrderedCode: numbers and strings whose bytes sort as they do (`core/lib/strings/ordered_code.cc`) ----

fn write_unsigned(out: &mut Vec<u8>, x: u64) {
    let bytes = x.to_be_bytes();
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    out.push((8 - zeros) as u8);
    out.extend_from_slice(&bytes[zeros..]);
}

fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        match byte {
            0x00 => out.extend([0x00, 0xff]),
            0xff => out.extend([0xff, 0x00]),
            other => out.push(other),
        }
    }
    out.extend([0x00, 0x01]);
}

/// The length stands in the first bits; negative numbers are the complements of the others.
fn write_signed(out: &mut Vec<u8>, x: i64) {
    let magnitude = if x < 0 { !x } else { x } as u64;
    let bits = (64 - magnitude.leading_zeros()) as usize;
    let len = bits / 7 + 1;
    let mut bytes = [if x < 0 { 0xff } else { 0 }; 10];
    bytes[2..].copy_from_slice(&x.to_be_bytes());
    let begin = 10 - len;
    let header: u16 = !(0xffffu32 >> len) as u16;
    bytes[begin] ^= (header >> 8) as u8;
    if len > 1 {
        bytes[begin + 1] ^= header as u8;
    }
    out.extend_from_slice(&bytes[begin..]);
}
