//! Numbers put into order or into bins: bounds in sorted rows, counts, histograms, places of flat indices.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::build::integers;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};
use crate::{dispatch, ensure};

#[rustfmt::skip]
pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("LowerBound", "sorted_inputs: T, values: T -> output: out_type").attr("T: type").attr("out_type: {int32, int64} = DT_INT32").shape(bound_shape).kernel(|c| bound(c, false)),
    Op::new("UpperBound", "sorted_inputs: T, values: T -> output: out_type").attr("T: type").attr("out_type: {int32, int64} = DT_INT32").shape(bound_shape).kernel(|c| bound(c, true)),
    Op::new("Bincount", "arr: int32, size: int32, weights: T -> bins: T").attr("T: {int32, int64, float32, float64}").shape(bincount_shape).kernel(bincount),
    Op::new("HistogramFixedWidth", "values: T, value_range: T, nbins: int32 -> out: dtype").attr("T: {int32, int64, float32, float64}").attr("dtype: {int32, int64} = DT_INT32").shape(histogram_shape).kernel(histogram),
    Op::new("Bucketize", "input: T -> output: int32").attr("T: {int32, int64, float32, float64}").attr("boundaries: list(float)").shape(shape::unchanged).kernel(bucketize),
    Op::new("UnravelIndex", "indices: Tidx, dims: Tidx -> output: Tidx").attr("Tidx: {int32, int64} = DT_INT32").shape(unravel_shape).kernel(unravel),
    Op::new("Cross", "a: T, b: T -> product: T").attr("T: realnumbertype").shape(cross_shape).grad(cross_grad).kernel(cross),
];

fn bound_shape(c: &mut ShapeContext) -> Result<()> {
    let (sorted, values) = (c.input_of_rank(0, 2)?, c.input_of_rank(1, 2)?);
    let batch = shape::merge_dim(sorted.dim(0), values.dim(0))?;
    c.set(0, PartialShape::from_dims(vec![batch, values.dim(1)]));
    Ok(())
}

/// For each value the first place in its sorted row that is not less than it; with `after`, that is greater.
fn bound(c: &mut KernelContext, after: bool) -> Result<()> {
    let (sorted, values) = (c.input(0)?, c.input(1)?);
    let (s, v) = (sorted.shape(), values.shape());
    ensure!(
        s.rank() == 2 && v.rank() == 2 && s.dim(0) == v.dim(0),
        invalid,
        "Leading dim_size of both tensors must match."
    );
    let (rows, width, count) = (s.dim(0), s.dim(1), v.dim(1));
    let mut places = Vec::with_capacity(rows * count);
    dispatch!(real, values.dtype(), T => {
        let (sorted, values) = (sorted.slice::<T>()?, values.slice::<T>()?);
        for row in 0..rows {
            let line = &sorted[row * width..(row + 1) * width];
            for x in &values[row * count..(row + 1) * count] {
                let place = line.partition_point(|y| if after { y <= x } else { y < x });
                places.push(place as i64);
            }
        }
    });
    let made = integers(c.attrs().dtype("out_type")?, &places)?.with_shape(v.clone())?;
    c.set_output(0, made);
    Ok(())
}

fn bincount_shape(c: &mut ShapeContext) -> Result<()> {
    crate::graph::with_rank(&c.input(1), 0)?;
    let size = c.constant_ints(1).and_then(|v| v.first().copied());
    if let Some(size) = size {
        ensure!(size >= 0, invalid, "size ({size}) must be non-negative");
    }
    c.set(0, PartialShape::vector(size.unwrap_or(-1)));
    Ok(())
}

/// How often each number below `size` occurs, or the sum of its weights; greater numbers do not count.
fn bincount(c: &mut KernelContext) -> Result<()> {
    let (arr, weights) = (c.input(0)?, c.input(2)?);
    let size = c.scalar_input(1, "size")?.ints()?[0];
    ensure!(size >= 0, invalid, "size ({size}) must be non-negative");
    let numbers = arr.slice::<i32>()?;
    ensure!(
        numbers.iter().all(|x| *x >= 0),
        invalid,
        "Input arr must be non-negative!"
    );
    let has_weights = weights.num_elements() > 0;
    ensure!(
        !has_weights || weights.num_elements() == numbers.len(),
        invalid,
        "weights must have the shape of arr or no elements, but got {} and {}",
        weights.shape(),
        arr.shape()
    );
    let mut bins = Value::zeros(weights.dtype(), Shape::new(&[size])?)?;
    dispatch!(real, weights.dtype(), T => {
        let weights = weights.slice::<T>()?;
        let bins = bins.slice_mut::<T>()?;
        let one = <T as num_traits::One>::one();
        for (i, x) in numbers.iter().enumerate() {
            if let Some(bin) = bins.get_mut(*x as usize) {
                *bin += if has_weights { weights[i] } else { one };
            }
        }
    });
    c.set_output(0, bins);
    Ok(())
}

fn histogram_shape(c: &mut ShapeContext) -> Result<()> {
    let range = c.input_of_rank(1, 1)?;
    shape::dim_is(range.dim(0), 2)?;
    let count = c.constant_ints(2).and_then(|v| v.first().copied());
    if let Some(count) = count {
        ensure!(
            count > 0,
            invalid,
            "Requires nbins to be a positive integer: {count}"
        );
    }
    c.set(0, PartialShape::vector(count.unwrap_or(-1)));
    Ok(())
}

/// Counts in bins of equal width; what lies outside of the range counts in the first or last.
fn histogram(c: &mut KernelContext) -> Result<()> {
    let (values, range) = (c.input(0)?, c.input(1)?);
    ensure!(
        range.num_elements() == 2,
        invalid,
        "value_range should be a vector of 2 elements."
    );
    let count = c.scalar_input(2, "nbins")?.ints()?[0];
    ensure!(
        count > 0,
        invalid,
        "nbins should be a positive number, but got '{count}'"
    );
    let last = count - 1;
    let mut bins = vec![0i64; usize::try_from(count).unwrap_or(0)];
    dispatch!(real, values.dtype(), T => {
        let range = range.slice::<T>()?;
        let (low, high) = (range[0], range[1]);
        ensure!(
            low < high,
            invalid,
            "value_range should satisfy value_range[0] < value_range[1], but got '[{low}, {high}]'"
        );
        let wide = |x: T| num_traits::ToPrimitive::to_f64(&x).unwrap_or(f64::NAN);
        let step = wide(high - low) / count as f64;
        for x in values.slice::<T>()? {
            let x = if *x > low { *x } else { low };
            let place = (wide(x - low) / step).min(last as f64);
            bins[place as usize] += 1;
        }
    });
    let made = integers(c.attrs().dtype("dtype")?, &bins)?.with_shape(Shape::new(&[count])?)?;
    c.set_output(0, made);
    Ok(())
}

fn bucketize(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let boundaries = c.attrs().floats("boundaries")?;
    ensure!(
        boundaries.windows(2).all(|w| w[0] <= w[1]),
        invalid,
        "Expected sorted boundaries"
    );
    let mut made = c.allocate(0, input.shape().clone())?;
    let out = made.slice_mut::<i32>()?;
    dispatch!(real, input.dtype(), T => {
        for (to, x) in out.iter_mut().zip(input.slice::<T>()?) {
            let x = num_traits::ToPrimitive::to_f64(x).unwrap_or(f64::NAN);
            *to = boundaries.partition_point(|b| f64::from(*b) <= x) as i32;
        }
    });
    c.set_output(0, made);
    Ok(())
}

fn unravel_shape(c: &mut ShapeContext) -> Result<()> {
    let (flat, dims) = (c.input(0), c.input_of_rank(1, 1)?);
    match flat.rank() {
        Some(0) => c.set(0, PartialShape::vector(dims.dim(0))),
        Some(1) => c.set(0, PartialShape::from_dims(vec![dims.dim(0), flat.dim(0)])),
        _ => {}
    }
    Ok(())
}

/// The coordinates of places counted through an array of sizes `dims`; places beyond its end begin anew, as TensorFlow's do.
fn unravel(c: &mut KernelContext) -> Result<()> {
    let (flat, dims) = (c.input(0)?, c.input(1)?);
    ensure!(
        flat.shape().rank() <= 1,
        invalid,
        "The indices can only be scalar or vector, got \"{}\"",
        flat.shape()
    );
    ensure!(
        dims.shape().rank() == 1,
        invalid,
        "The indices can only be 1-D, got \"{}\"",
        dims.shape()
    );
    let (places, sizes) = (flat.ints()?, dims.ints()?);
    ensure!(
        sizes.iter().all(|d| *d > 0),
        invalid,
        "Input dims cannot contain a dim of zero"
    );
    let mut all = vec![0i64; places.len() * sizes.len()];
    for (i, place) in places.iter().enumerate() {
        let mut left = *place;
        for (axis, size) in sizes.iter().enumerate().rev() {
            all[axis * places.len() + i] = left % size;
            left /= size;
        }
    }
    let mut shape = vec![sizes.len() as i64];
    shape.extend_from_slice(flat.shape().dims());
    let made = integers(flat.dtype(), &all)?.with_shape(Shape::new(&shape)?)?;
    c.set_output(0, made);
    Ok(())
}

fn cross_shape(c: &mut ShapeContext) -> Result<()> {
    let (a, b) = (c.input(0), c.input(1));
    shape::at_least(&a, 1)?;
    shape::at_least(&b, 1)?;
    let both = shape::merge(&a, &b)?;
    if let Some(last) = both.dims().and_then(<[i64]>::last) {
        shape::dim_is(*last, 3)?;
    }
    c.set(0, both);
    Ok(())
}

fn cross_grad(g: &mut GradientContext) -> Result<Grads> {
    let (u, v, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let du = g.op("Cross", [v, dy])?;
    let dv = g.op("Cross", [dy, u])?;
    Ok(vec![Some(du.into()), Some(dv.into())])
}

fn cross(c: &mut KernelContext) -> Result<()> {
    let (a, b) = (c.input(0)?, c.input(1)?);
    ensure!(
        a.shape() == b.shape(),
        invalid,
        "Both inputs must be of same shape: {} vs. {}",
        a.shape(),
        b.shape()
    );
    ensure!(
        a.shape().dims().last() == Some(&3),
        invalid,
        "Cross-products are only defined for 3-element vectors."
    );
    let mut made = c.allocate(0, a.shape().clone())?;
    dispatch!(real, a.dtype(), T => {
        let (a, b, out) = (a.slice::<T>()?, b.slice::<T>()?, made.slice_mut::<T>()?);
        for ((u, v), to) in a.chunks_exact(3).zip(b.chunks_exact(3)).zip(out.chunks_exact_mut(3)) {
            for i in 0..3 {
                let (j, k) = ((i + 1) % 3, (i + 2) % 3);
                to[i] = u[j] * v[k] - u[k] * v[j];
            }
        }
    });
    c.set_output(0, made);
    Ok(())
}
