//! Rows named by indices that only the device knows: checked there, and put in order there, so that no run waits for
//! them. A row of the result takes its updates in the order in which they came, as with rows that the host sorts.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::{Error, Result};
use crate::ops::gpu::{GpuContext, words};
use crate::ops::moves::strides;
use crate::value::{DType, Shape, Value};

use super::gather::show_place;

/// Most numbers of an index vector.
const MAX_DEPTH: usize = 8;
/// Up to so many pairs one workgroup sorts alone.
const ALONE: usize = 2048;
/// Most workgroups that sort together.
const TOGETHER: usize = 512;

/// What an index that names nothing is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant {
    /// A row of a matrix.
    Row,
    /// A segment; negative ones are left out.
    Segment,
    /// A slice of a tensor, which the text calls so.
    Slice(&'static str),
    /// An element of an image, where a maximum was found.
    Maximum,
}

/// Index vectors on the device.
pub(super) struct Vectors {
    indices: Value,
    /// What the numbers of a vector must lie below.
    limits: Vec<i64>,
    /// The shape that messages show.
    shown: String,
    meant: Meant,
    /// So many vectors belong together, and so many rows lie between their first row and that of the next ones.
    images: (usize, usize),
}

impl Vectors {
    /// `None`: there is nothing to name, or the vectors are too long.
    pub fn new(indices: &Value, dims: &[i64], depth: usize, meant: Meant) -> Option<Vectors> {
        let limits = dims.get(..depth)?.to_vec();
        let is_fit = (1..=MAX_DEPTH).contains(&depth)
            && indices.num_elements() > 0
            && limits.iter().all(|limit| *limit > 0)
            && matches!(indices.dtype(), DType::I32 | DType::I64);
        let shown: Vec<String> = dims.iter().map(i64::to_string).collect();
        is_fit.then(|| Vectors {
            indices: indices.clone(),
            limits,
            shown: shown.join(","),
            meant,
            images: (1, 0),
        })
    }

    /// Vectors of several images, `each` of them with `ahead` rows of its own.
    pub fn of_images(self, each: usize, ahead: usize) -> Vectors {
        Vectors {
            images: (each, ahead),
            ..self
        }
    }

    pub fn count(&self) -> usize {
        self.indices.num_elements() / self.limits.len()
    }

    /// How many rows there are to name.
    pub fn limit(&self) -> usize {
        let (each, ahead) = self.images;
        let rows = self.limits.iter().product::<i64>() as usize;
        rows + (self.count() / each).saturating_sub(1) * ahead
    }

    /// The rows, as they come.
    pub fn rows(&self, c: &GpuContext) -> Result<Value> {
        self.launch(c, false)
    }

    /// Pairs (row, place), in order of the rows; the last ones have no row.
    pub fn sorted(&self, c: &GpuContext) -> Result<Value> {
        let pairs = self.launch(c, true)?;
        sort(c, pairs, self.limit())
    }

    fn launch(&self, c: &GpuContext, pairs: bool) -> Result<Value> {
        let (count, depth) = (self.count(), self.limits.len());
        let dtype = if pairs { DType::I64 } else { DType::I32 };
        let made = c.allocate_as(dtype, Shape::vector(count))?;
        let width = self.indices.dtype().size().unwrap_or(4) as u32;
        let constants = [
            ("INDEX_WIDTH", width),
            ("DEPTH", depth as u32),
            ("PAIRS", u32::from(pairs)),
            ("DROP", u32::from(matches!(self.meant, Meant::Segment))),
        ];
        let (each, ahead) = self.images;
        let mut params = words([count, self.limit(), each, ahead])?.to_vec();
        for (limit, step) in self.limits.iter().zip(strides(&self.limits)) {
            params.extend(words([*limit as usize, step])?);
        }
        let (shape, shown, meant) = (self.indices.shape().clone(), self.shown.clone(), self.meant);
        let limit = self.limits[0] as usize;
        c.launch_checked(
            &Shader::file("row_keys", &constants),
            &[&self.indices, &made],
            &params,
            groups_for(count),
            move |found| wrong(meant, &shape, found, (depth, limit, &shown)),
        )?;
        Ok(made)
    }
}

/// The numbers of an index vector, out of the two words that the shader packs them into.
fn unpacked([low, high]: [u32; 2], depth: usize) -> Vec<i64> {
    let packed = (u64::from(high) << 32 | u64::from(low)) as i64;
    let bits = 64 / depth as u32;
    let field = |k: usize| {
        let behind = bits * (depth - 1 - k) as u32;
        packed << (64 - bits - behind) >> (64 - bits)
    };
    (0..depth).map(field).collect()
}

fn wrong(
    meant: Meant,
    shape: &Shape,
    [place, low, high]: [u32; 3],
    (depth, limit, shown): (usize, usize, &str),
) -> Error {
    let index = unpacked([low, high], depth);
    let at = show_place(shape, place as usize);
    Error::invalid(match meant {
        Meant::Row => format!("indices{at} = {} is not in [0, {limit})", index[0]),
        Meant::Segment => format!(
            "segment_ids{at} = {} is out of range [0, {limit})",
            index[0]
        ),
        Meant::Maximum => format!(
            "Invalid argmax index {} for an image of shape [{shown}]",
            index[0]
        ),
        Meant::Slice(what) => {
            format!("indices[{place}] = {index:?} does not index into {what}shape [{shown}]")
        }
    })
}

/// Pairs of words (key, place) in order of their keys, none larger than `largest`; equal ones as they came.
pub(in crate::ops) fn sort(c: &GpuContext, pairs: Value, largest: usize) -> Result<Value> {
    let count = pairs.num_elements();
    let digits = (usize::BITS - largest.leading_zeros()).div_ceil(8).max(1);
    let (mut from, mut to) = (pairs, c.allocate_as(DType::I64, Shape::vector(count))?);
    let tiles = count.div_ceil(256);
    if count <= ALONE {
        let params = [count as u32, tiles as u32, 1, digits];
        let shader = Shader::file("sort", &[("MODE", 2)]);
        c.launch(&shader, &[&from, &to], &params, [1, 1, 1])?;
        return Ok(if digits % 2 == 1 { to } else { from });
    }
    let each = tiles.div_ceil(TOGETHER).max(4);
    let groups = tiles.div_ceil(each);
    let counts = c.allocate_as(DType::I32, Shape::vector(256 * groups))?;
    for digit in 0..digits {
        let params = [count as u32, each as u32, groups as u32, 8 * digit];
        let along = [groups as u32, 1, 1];
        let shader = Shader::file("sort", &[("MODE", 0)]);
        c.launch(&shader, &[&from, &counts], &params, along)?;
        let shader = Shader::file("sort", &[("MODE", 1)]);
        c.launch(&shader, &[&from, &counts, &to], &params, along)?;
        std::mem::swap(&mut from, &mut to);
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_come_back() {
        assert_eq!(unpacked([7, 0], 1), [7]);
        assert_eq!(unpacked([!6, !0], 1), [-7]);
        assert_eq!(unpacked([3, !1], 2), [-2, 3]);
        let packed = (5i64 << 42) | (((1 << 21) - 4) << 21) | 9;
        assert_eq!(
            unpacked([packed as u32, (packed >> 32) as u32], 3),
            [5, -4, 9]
        );
    }

    #[test]
    fn messages_are_the_hosts() {
        let (at, shape) = ([5, 7, 0], Shape::new(&[2, 3]).unwrap());
        let text = |meant| wrong(meant, &shape, at, (1, 4, "4,2")).to_string();
        assert!(text(Meant::Row).contains("indices[1,2] = 7 is not in [0, 4)"));
        assert!(text(Meant::Segment).contains("segment_ids[1,2] = 7 is out of range [0, 4)"));
        let slice = text(Meant::Slice("param "));
        assert!(slice.contains("indices[5] = [7] does not index into param shape [4,2]"));
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests_on_gpu {
    use crate::ops::testing::{agrees_on_gpu_with, floats_of};
    use crate::value::{DType, Shape, Value};

    /// Numbers below `limit` without order.
    fn below(limit: u32, dims: &[i64]) -> Value {
        let shape = Shape::new(dims).unwrap();
        let all = (0..shape.num_elements() as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 7);
        let all: Vec<i32> = all.map(|x| (x % limit) as i32).collect();
        Value::from_slice(shape, &all).unwrap()
    }

    #[test]
    fn rows_that_only_the_device_knows_are_summed_in_their_order() {
        // The last ones are sorted by many workgroups, by one digit and by three.
        for (rows, limit, block) in [
            (1, 1, 3),
            (70, 9, 5),
            (300, 300, 4),
            (9000, 7, 1),
            (9000, 70_000, 1),
        ] {
            let data = floats_of(&[rows, block]);
            let count = Value::scalar(limit as i32).unwrap();
            let inputs = [data, below(limit, &[rows]), count];
            agrees_on_gpu_with("UnsortedSegmentSum", &inputs, &[], 0.0, &[1]);
        }
    }

    #[test]
    fn slices_that_only_the_device_knows_are_gathered_and_scattered() {
        let (tensor, indices) = (floats_of(&[6, 5, 4, 3]), below(4, &[7, 3]));
        agrees_on_gpu_with(
            "GatherNd",
            &[tensor.clone(), indices.clone()],
            &[],
            0.0,
            &[1],
        );
        let wide: Vec<i64> = indices.ints().unwrap();
        let wide = Value::from_slice(indices.shape().clone(), &wide).unwrap();
        assert_eq!(wide.dtype(), DType::I64);
        let updates = floats_of(&[7, 3]);
        for op in [
            "TensorScatterAdd",
            "TensorScatterSub",
            "TensorScatterUpdate",
        ] {
            let inputs = [tensor.clone(), wide.clone(), updates.clone()];
            agrees_on_gpu_with(op, &inputs, &[], 0.0, &[1]);
        }
        let shape = Value::vector(&[6i32, 5, 4, 3]).unwrap();
        agrees_on_gpu_with("ScatterNd", &[indices, updates, shape], &[], 0.0, &[0]);
    }
}
