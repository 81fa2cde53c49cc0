//! Sums of looked-up rows on a GPU, where the table lies. Indices and segments are read on the host: how many segments
//! there are, they alone say. What is wrong is left to the CPU's kernels, which say so.

use crate::error::Result;
use crate::ops::array::rows::{self, are_few, is_countable, sums_of_rows};
use crate::ops::gpu::GpuContext;
use crate::value::{DType, Shape, Value};

use super::{Scale, check_places, counts, divisor, sorted_ids, stacked};

fn wide(all: &[usize]) -> Vec<i64> {
    all.iter().map(|x| *x as i64).collect()
}

/// Elements of one row.
fn width_of(dims: &[i64]) -> usize {
    dims[1..].iter().map(|d| *d as usize).product()
}

pub(super) fn sparse(c: &mut GpuContext, scale: Scale) -> Result<()> {
    let (indices, dims) = (c.ints_input(1)?, c.shape(0)?.dims().to_vec());
    let (Ok((ids, mut rows)), false) = (sorted_ids(&c.host_input(2)?), dims.is_empty()) else {
        return c.leave_to_host();
    };
    if c.num_inputs() > 3 {
        match usize::try_from(c.host_input(3)?.int()?) {
            Ok(wanted) if wanted >= rows => rows = wanted,
            _ => return c.leave_to_host(),
        }
    }
    let is_right = indices.len() == ids.len()
        && c.dtype(0)? == DType::F32
        && check_places(&indices, dims[0] as usize, "").is_ok();
    let width = width_of(&dims);
    let is_right = is_right
        && is_countable(&[c.shape(0)?.num_elements(), rows * width])
        && (scale == Scale::Sum || are_few(&wide(&ids)));
    if !is_right {
        return c.leave_to_host();
    }
    let data = c.input(0)?;
    let shape = stacked(rows, &dims[1..])?;
    let scale = match scale {
        Scale::Sum => rows::Scale::Sum,
        Scale::Mean => rows::Scale::Mean,
        Scale::SqrtN => rows::Scale::RootOfCount,
    };
    let made = sums_of_rows(c, &data, (&wide(&ids), &indices), (shape, width), scale)?;
    c.set_output(0, made);
    Ok(())
}

/// Rows of the gradient, divided by what their segments were divided by, added up where they were looked up.
pub(super) fn sparse_grad(c: &mut GpuContext, scale: Scale) -> Result<()> {
    let (indices, dims) = (c.ints_input(1)?, c.shape(0)?.dims().to_vec());
    let ids = sorted_ids(&c.host_input(2)?);
    let rows = usize::try_from(c.host_input(3)?.int()?);
    let (Ok((ids, _)), Ok(rows), false) = (ids, rows, dims.is_empty()) else {
        return c.leave_to_host();
    };
    let segments = dims[0] as usize;
    let width = width_of(&dims);
    let is_right = indices.len() == ids.len()
        && c.dtype(0)? == DType::F32
        && check_places(&indices, rows, "").is_ok()
        && ids.iter().all(|id| *id < segments)
        && is_countable(&[c.shape(0)?.num_elements(), rows * width])
        && c.shape(0)?.num_elements() > 0;
    if !is_right {
        return c.leave_to_host();
    }
    let dy = c.input(0)?;
    let divisors: Vec<f32> = counts(&ids, segments)
        .into_iter()
        .map(|n| divisor(scale, n.max(1)) as f32)
        .collect();
    let mut column = vec![1; dims.len()];
    column[0] = dims[0];
    let divisors = c.upload(&Value::from_slice(Shape::new(&column)?, &divisors)?)?;
    let shape = dy.shape().clone();
    let divided = c.map(|x| &x[0] / &x[1], &[&dy, &divisors], &shape, None)?;
    let to = (stacked(rows, &dims[1..])?, width);
    let made = sums_of_rows(c, &divided, (&indices, &wide(&ids)), to, rows::Scale::Sum)?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, floats_of};
    use crate::value::Value;

    #[test]
    fn sums_of_looked_up_rows_are_the_cpus() {
        let data = floats_of(&[7, 2, 3]);
        let indices = Value::vector(&[6i64, 0, 3, 3, 1, 6]).unwrap();
        let ids = Value::vector(&[0i32, 0, 0, 2, 2, 3]).unwrap();
        let (five, seven) = (Value::scalar(5i32).unwrap(), Value::scalar(7i32).unwrap());
        for op in [
            "SparseSegmentSum",
            "SparseSegmentMean",
            "SparseSegmentSqrtN",
        ] {
            let inputs = [data.clone(), indices.clone(), ids.clone()];
            agrees_on_gpu(op, &inputs, &[], 1e-6);
        }
        let inputs = [data, indices.clone(), ids.clone(), five];
        agrees_on_gpu("SparseSegmentSumWithNumSegments", &inputs, &[], 1e-6);
        for op in ["SparseSegmentMeanGrad", "SparseSegmentSqrtNGrad"] {
            let inputs = [
                floats_of(&[4, 2, 3]),
                indices.clone(),
                ids.clone(),
                seven.clone(),
            ];
            agrees_on_gpu(op, &inputs, &[], 1e-6);
        }
    }

    #[test]
    fn extremes_and_products_of_segments_are_the_cpus() {
        let data = floats_of(&[6, 5]);
        let ids = Value::vector(&[0i32, 0, 0, 2, 2, 3]).unwrap();
        let mixed = Value::vector(&[3i32, 0, -1, 3, 1, 0]).unwrap();
        let count = Value::scalar(5i32).unwrap();
        for op in ["SegmentMax", "SegmentMin", "SegmentProd"] {
            agrees_on_gpu(op, &[data.clone(), ids.clone()], &[], 1e-6);
        }
        for op in [
            "UnsortedSegmentMax",
            "UnsortedSegmentMin",
            "UnsortedSegmentProd",
        ] {
            let inputs = [data.clone(), mixed.clone(), count.clone()];
            agrees_on_gpu(op, &inputs, &[], 1e-6);
        }
    }
}
