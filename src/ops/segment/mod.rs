//! Rows gathered in segments: the extremes and products of sorted and unsorted ones, and sums and means of rows that are
//! looked up first (`SparseSegment*`, on which embedding look-ups of sparse ids rest).

mod gpu;
mod gradients;

use crate::backend::cpu::gemm::Number;
use crate::error::Result;
use crate::graph::{Endpoint, ShapeContext};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::array::rows::{self, Join};
use super::build::{In, int};
use super::gradient::{GradientContext, Grads};
use super::kernel::KernelContext;
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("SegmentMax", "data: T, segment_ids: Tindices -> output: T")
        .attr("T: realnumbertype")
        .attr("Tindices: {int32, int64}")
        .shape(|c| sorted_shape(c, 1))
        .grad(extreme_grad)
        .kernel(|c| sorted(c, Kind::Max))
        .gpu(|c| rows::sorted(c, Join::Max))
        .on_host(&[1]),
    Op::new("SegmentMin", "data: T, segment_ids: Tindices -> output: T")
        .attr("T: realnumbertype")
        .attr("Tindices: {int32, int64}")
        .shape(|c| sorted_shape(c, 1))
        .grad(extreme_grad)
        .kernel(|c| sorted(c, Kind::Min))
        .gpu(|c| rows::sorted(c, Join::Min))
        .on_host(&[1]),
    Op::new("SegmentProd", "data: T, segment_ids: Tindices -> output: T")
        .attr("T: numbertype")
        .attr("Tindices: {int32, int64}")
        .shape(|c| sorted_shape(c, 1))
        .kernel(|c| sorted(c, Kind::Product))
        .gpu(|c| rows::sorted(c, Join::Prod))
        .on_host(&[1]),
    Op::new(
        "UnsortedSegmentMax",
        "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: realnumbertype")
    .attr("Tindices: {int32, int64}")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(unsorted_shape)
    .grad(gradients::extreme)
    .kernel(|c| unsorted(c, Kind::Max))
    .gpu(|c| rows::unsorted(c, Join::Max))
    .on_host(&[1, 2]),
    Op::new(
        "UnsortedSegmentMin",
        "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: realnumbertype")
    .attr("Tindices: {int32, int64}")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(unsorted_shape)
    .grad(gradients::extreme)
    .kernel(|c| unsorted(c, Kind::Min))
    .gpu(|c| rows::unsorted(c, Join::Min))
    .on_host(&[1, 2]),
    Op::new(
        "UnsortedSegmentProd",
        "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(unsorted_shape)
    .grad(gradients::product)
    .kernel(|c| unsorted(c, Kind::Product))
    .gpu(|c| rows::unsorted(c, Join::Prod))
    .on_host(&[1, 2]),
    Op::new(
        "SparseSegmentSum",
        "data: T, indices: Tidx, segment_ids: int32 -> output: T",
    )
    .attr("T: realnumbertype")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(|c| sorted_shape(c, 2))
    .grad(sparse_sum_grad)
    .kernel(|c| sparse(c, Scale::Sum))
    .gpu(|c| gpu::sparse(c, Scale::Sum))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentSumWithNumSegments",
        "data: T, indices: Tidx, segment_ids: int32, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: realnumbertype")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(counted_shape)
    .grad(sparse_sum_grad)
    .kernel(|c| sparse(c, Scale::Sum))
    .gpu(|c| gpu::sparse(c, Scale::Sum))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentMean",
        "data: T, indices: Tidx, segment_ids: int32 -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(|c| sorted_shape(c, 2))
    .grad(|g| sparse_scaled_grad(g, "SparseSegmentMeanGrad"))
    .kernel(|c| sparse(c, Scale::Mean))
    .gpu(|c| gpu::sparse(c, Scale::Mean))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentMeanWithNumSegments",
        "data: T, indices: Tidx, segment_ids: int32, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(counted_shape)
    .grad(|g| sparse_scaled_grad(g, "SparseSegmentMeanGrad"))
    .kernel(|c| sparse(c, Scale::Mean))
    .gpu(|c| gpu::sparse(c, Scale::Mean))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentSqrtN",
        "data: T, indices: Tidx, segment_ids: int32 -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(|c| sorted_shape(c, 2))
    .grad(|g| sparse_scaled_grad(g, "SparseSegmentSqrtNGrad"))
    .kernel(|c| sparse(c, Scale::SqrtN))
    .gpu(|c| gpu::sparse(c, Scale::SqrtN))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentSqrtNWithNumSegments",
        "data: T, indices: Tidx, segment_ids: int32, num_segments: Tnumsegments -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .attr("Tnumsegments: {int32, int64} = DT_INT32")
    .shape(counted_shape)
    .grad(|g| sparse_scaled_grad(g, "SparseSegmentSqrtNGrad"))
    .kernel(|c| sparse(c, Scale::SqrtN))
    .gpu(|c| gpu::sparse(c, Scale::SqrtN))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentMeanGrad",
        "grad: T, indices: Tidx, segment_ids: int32, output_dim0: int32 -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(counted_shape)
    .kernel(|c| sparse_grad(c, Scale::Mean))
    .gpu(|c| gpu::sparse_grad(c, Scale::Mean))
    .on_host(&[1, 2, 3]),
    Op::new(
        "SparseSegmentSqrtNGrad",
        "grad: T, indices: Tidx, segment_ids: int32, output_dim0: int32 -> output: T",
    )
    .attr("T: {float32, float64}")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(counted_shape)
    .kernel(|c| sparse_grad(c, Scale::SqrtN))
    .gpu(|c| gpu::sparse_grad(c, Scale::SqrtN))
    .on_host(&[1, 2, 3]),
];

/// How rows of a segment become one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Max,
    Min,
    Product,
}

/// What a sum of looked-up rows is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Sum,
    Mean,
    SqrtN,
}

/// One row for each segment; how many is known in a run only. The ids are input `ids`.
fn sorted_shape(c: &mut ShapeContext, ids: usize) -> Result<()> {
    let data = c.input(0);
    for i in 1..=ids {
        c.input_of_rank(i, 1)?;
    }
    shape::at_least(&data, 1)?;
    if let Some([_, rest @ ..]) = data.dims() {
        c.set(0, rows_of(-1, rest));
    }
    Ok(())
}

fn rows_of(rows: i64, rest: &[i64]) -> PartialShape {
    PartialShape::from_dims([rows].iter().chain(rest).copied().collect::<Vec<_>>())
}

/// As many rows as input 3 says.
fn counted_shape(c: &mut ShapeContext) -> Result<()> {
    let data = c.input(0);
    shape::at_least(&data, 1)?;
    let (indices, ids) = (c.input_of_rank(1, 1)?, c.input_of_rank(2, 1)?);
    shape::merge(&indices, &ids)?;
    c.input_of_rank(3, 0)?;
    let rows = rows_input(c, 3)?;
    if let Some([_, rest @ ..]) = data.dims() {
        c.set(0, rows_of(rows, rest));
    }
    Ok(())
}

/// The size that a scalar input says; -1 when it is unknown.
fn rows_input(c: &mut ShapeContext, i: usize) -> Result<i64> {
    let rows = c.constant(i).and_then(|v| v.int().ok());
    if let Some(rows) = rows {
        ensure!(
            rows >= 0,
            invalid,
            "Dimension size, given by scalar input {i}, must be non-negative but is {rows}"
        );
    }
    Ok(rows.unwrap_or(-1))
}

fn unsorted_shape(c: &mut ShapeContext) -> Result<()> {
    let (data, ids) = (c.input(0), c.input(1));
    c.input_of_rank(2, 0)?;
    let rows = rows_input(c, 2)?;
    let (Some(d), Some(i)) = (data.dims(), ids.dims()) else {
        return Ok(());
    };
    shape::at_least(&data, i.len())?;
    for (a, b) in d.iter().zip(i) {
        shape::merge_dim(*a, *b)?;
    }
    c.set(0, rows_of(rows, &d[i.len()..]));
    Ok(())
}

/// `tf.gather(rows, ids)`.
fn gather(g: &mut GradientContext, rows: Endpoint, ids: Endpoint) -> Result<Endpoint> {
    let axis = In::Plain("axis", int(0)?);
    g.graph
        .call("GatherV2", "", [rows.into(), ids.into(), axis], &[])
}

/// The gradient goes in equal parts to the elements that are the extreme.
fn extreme_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, ids, y, dy) = (g.input(0), g.input(1), g.output(0), g.dy(0)?);
    let zeros = g.graph.zeros_like(x)?;
    let extremes = gather(g, y, ids)?;
    let is_chosen = g.op("Equal", [x, extremes])?;
    let dtype = g.dtype(dy);
    let ones = g.graph.cast_to(is_chosen, dtype)?;
    let count = g.op("SegmentSum", [ones, ids])?;
    let parts = g.graph.truediv(dy, count)?;
    let parts = gather(g, parts, ids)?;
    let made = g.graph.where_(is_chosen, parts, zeros)?;
    Ok(vec![Some(made.into()), None])
}

/// How many rows the first input has.
fn row_count(g: &mut GradientContext) -> Result<Endpoint> {
    let x = g.input(0);
    let shape = g.graph.shape_of(x)?;
    g.graph.row(shape, 0)
}

fn only_first(g: &GradientContext, made: Endpoint) -> Grads {
    let mut grads = vec![None; g.num_inputs()];
    grads[0] = Some(made.into());
    grads
}

fn sparse_sum_grad(g: &mut GradientContext) -> Result<Grads> {
    let (indices, ids, dy) = (g.input(1), g.input(2), g.dy(0)?);
    let rows = row_count(g)?;
    let parts = gather(g, dy, ids)?;
    let made = g.op("UnsortedSegmentSum", [parts, indices, rows])?;
    Ok(only_first(g, made))
}

fn sparse_scaled_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let (indices, ids, dy) = (g.input(1), g.input(2), g.dy(0)?);
    let rows = row_count(g)?;
    let made = g.op(op, [dy, indices, ids, rows])?;
    Ok(only_first(g, made))
}

/// Ids that grow, and the number of segments.
fn sorted_ids(ids: &Value) -> Result<(Vec<usize>, usize)> {
    ensure!(
        ids.shape().rank() == 1,
        invalid,
        "segment_ids should be a vector, got shape {}",
        ids.shape()
    );
    let all = ids.ints()?;
    let rows = all.last().map_or(0, |last| last.saturating_add(1)).max(0);
    let mut made = Vec::with_capacity(all.len());
    for (i, id) in all.iter().enumerate() {
        let at = usize::try_from(*id).ok().filter(|_| *id < rows);
        let Some(at) = at else {
            bail!(
                invalid,
                "Segment id {id} out of range [0, {rows}), possibly because 'segment_ids' input is not sorted."
            );
        };
        ensure!(
            i == 0 || all[i - 1] <= *id,
            invalid,
            "segment ids are not increasing"
        );
        made.push(at);
    }
    Ok((made, rows as usize))
}

/// `rows` rows, each of the shape `rest`.
fn stacked(rows: usize, rest: &[i64]) -> Result<Shape> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    Shape::new(&[&[rows], rest].concat())
}

fn step<T: Number + PartialOrd>(kind: Kind, to: T, x: T) -> T {
    match kind {
        Kind::Max if x > to => x,
        Kind::Min if x < to => x,
        Kind::Max | Kind::Min => to,
        Kind::Product => T::mul_add(T::zero(), to, x),
    }
}

fn sorted(c: &mut KernelContext, kind: Kind) -> Result<()> {
    let (data, ids) = (c.input(0)?, c.input(1)?);
    let (ids, rows) = sorted_ids(ids)?;
    let dims = data.shape().dims();
    ensure!(
        !dims.is_empty() && dims[0] as usize == ids.len(),
        invalid,
        "segment_ids should be the same size as dimension 0 of input."
    );
    let mut out = c.allocate(0, stacked(rows, &dims[1..])?)?;
    let width = out.num_elements().checked_div(rows).unwrap_or(0);
    dispatch!(real, data.dtype(), T => {
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        // Segments without rows are 0, or 1 for products.
        let empty = match kind {
            Kind::Product => num_as::<T>(1)?,
            _ => num_as::<T>(0)?,
        };
        to.fill(empty);
        for (i, id) in ids.iter().enumerate() {
            let row = &from[i * width..(i + 1) * width];
            let to = &mut to[id * width..(id + 1) * width];
            if i == 0 || ids[i - 1] != *id {
                to.copy_from_slice(row);
                continue;
            }
            to.iter_mut().zip(row).for_each(|(to, x)| *to = step(kind, *to, *x));
        }
    });
    c.set_output(0, out);
    Ok(())
}

/// A small number in the type of the elements.
fn num_as<T: Number>(n: i64) -> Result<T> {
    super::build::number(T::DTYPE, n as f64)?.item::<T>()
}

fn unsorted(c: &mut KernelContext, kind: Kind) -> Result<()> {
    let (data, ids) = (c.input(0)?, c.input(1)?);
    let rows = c.scalar_input(2, "num_segments")?.int()?;
    let (d, i) = (data.shape().dims(), ids.shape().dims());
    ensure!(
        d.starts_with(i),
        invalid,
        "data.shape = {} does not start with segment_ids.shape = {}",
        data.shape(),
        ids.shape()
    );
    let Ok(rows) = usize::try_from(rows) else {
        bail!(
            invalid,
            "Input num_segments == {rows} must not be negative."
        );
    };
    let mut out = c.allocate(0, stacked(rows, &d[i.len()..])?)?;
    let width = out.num_elements().checked_div(rows).unwrap_or(0);
    let ids = ids.ints()?;
    for (at, id) in ids.iter().enumerate() {
        ensure!(
            *id < rows as i64,
            invalid,
            "segment_ids[{at}] = {id} is out of range [0, {rows})"
        );
    }
    dispatch!(real, data.dtype(), T => {
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        to.fill(match kind {
            Kind::Max => T::MIN,
            Kind::Min => T::MAX,
            Kind::Product => num_as::<T>(1)?,
        });
        for (i, id) in ids.iter().enumerate() {
            // A negative id drops its row.
            let Ok(id) = usize::try_from(*id) else { continue };
            let row = &from[i * width..(i + 1) * width];
            let to = to[id * width..(id + 1) * width].iter_mut();
            to.zip(row).for_each(|(to, x)| *to = step(kind, *to, *x));
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn check_places(places: &[i64], rows: usize, what: &str) -> Result<Vec<usize>> {
    let all = places.iter().enumerate();
    all.map(|(i, at)| match usize::try_from(*at) {
        Ok(place) if place < rows => Ok(place),
        _ => bail!(invalid, "Bad: {what}[{i}] == {at} out of range [0, {rows})"),
    })
    .collect()
}

/// How many rows each segment has.
fn counts(ids: &[usize], rows: usize) -> Vec<usize> {
    let mut counts = vec![0; rows];
    ids.iter().for_each(|id| counts[*id] += 1);
    counts
}

/// The divisor of a segment of `n` rows.
fn divisor(scale: Scale, n: usize) -> f64 {
    match scale {
        Scale::Sum => 1.0,
        Scale::Mean => n as f64,
        Scale::SqrtN => (n as f64).sqrt(),
    }
}

fn sparse(c: &mut KernelContext, scale: Scale) -> Result<()> {
    let (data, indices) = (c.input(0)?, c.input(1)?.ints()?);
    let (ids, mut rows) = sorted_ids(c.input(2)?)?;
    let dims = data.shape().dims();
    ensure!(
        indices.len() == ids.len(),
        invalid,
        "segment_ids and indices should have same size."
    );
    ensure!(!dims.is_empty(), invalid, "data must be at least a vector");
    if c.num_inputs() > 3 {
        let wanted = c.scalar_input(3, "num_segments")?.int()?;
        ensure!(
            usize::try_from(wanted).is_ok_and(|n| n >= rows),
            invalid,
            "segment ids must be < num_segments, which is {wanted}"
        );
        rows = wanted as usize;
    }
    let places = check_places(&indices, dims[0] as usize, "indices")?;
    let mut out = c.allocate(0, stacked(rows, &dims[1..])?)?;
    let width = out.num_elements().checked_div(rows).unwrap_or(0);
    let counts = counts(&ids, rows);
    dispatch!(real, data.dtype(), T => {
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        to.fill(T::zero());
        for (place, id) in places.iter().zip(&ids) {
            let row = &from[place * width..(place + 1) * width];
            let to = to[id * width..(id + 1) * width].iter_mut();
            to.zip(row).for_each(|(to, x)| *to = T::plus(*to, *x));
        }
    });
    divide_rows(&mut out, &counts, width, scale)?;
    c.set_output(0, out);
    Ok(())
}

fn divide_rows(out: &mut Value, counts: &[usize], width: usize, scale: Scale) -> Result<()> {
    if scale == Scale::Sum || width == 0 {
        return Ok(());
    }
    macro_rules! divide {
        ($t:ty) => {
            for (row, n) in out.slice_mut::<$t>()?.chunks_exact_mut(width).zip(counts) {
                let by = divisor(scale, (*n).max(1)) as $t;
                row.iter_mut().for_each(|x| *x /= by);
            }
        };
    }
    match out.dtype() {
        crate::value::DType::F64 => divide!(f64),
        _ => divide!(f32),
    }
    Ok(())
}

fn sparse_grad(c: &mut KernelContext, scale: Scale) -> Result<()> {
    let (dy, indices) = (c.input(0)?, c.input(1)?.ints()?);
    let (ids, _) = sorted_ids(c.input(2)?)?;
    let rows = c.scalar_input(3, "output_dim0")?.int()?;
    let dims = dy.shape().dims();
    ensure!(
        indices.len() == ids.len() && !dims.is_empty(),
        invalid,
        "segment_ids and indices should have same size."
    );
    let Ok(rows) = usize::try_from(rows) else {
        bail!(invalid, "output_dim0 must not be negative, but is {rows}");
    };
    let places = check_places(&indices, rows, "indices")?;
    let segments = dims[0] as usize;
    let wide: Vec<i64> = ids.iter().map(|id| *id as i64).collect();
    let ids = check_places(&wide, segments, "segment_ids")?;
    let counts = counts(&ids, segments);
    let mut out = c.allocate(0, stacked(rows, &dims[1..])?)?;
    let width = dy.num_elements().checked_div(segments).unwrap_or(0);
    macro_rules! spread {
        ($t:ty) => {{
            let (from, to) = (dy.slice::<$t>()?, out.slice_mut::<$t>()?);
            to.fill(0.0);
            for (place, id) in places.iter().zip(&ids) {
                let by = divisor(scale, counts[*id]) as $t;
                let row = &from[id * width..(id + 1) * width];
                let to = to[place * width..(place + 1) * width].iter_mut();
                to.zip(row).for_each(|(to, d)| *to += d / by);
            }
        }};
    }
    match out.dtype() {
        crate::value::DType::F64 => spread!(f64),
        _ => spread!(f32),
    }
    c.set_output(0, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, floats, run};

    fn rows() -> Value {
        floats(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5])
    }

    fn ids(all: &[i32]) -> Value {
        Value::vector(all).unwrap()
    }

    #[test]
    fn sorted_segments_without_rows_are_neutral() {
        let of = |op, all: &[i32]| run(op, &[rows(), ids(all)], &[]).map(|mut y| y.remove(0));
        assert_close(
            &of("SegmentMax", &[0, 0, 2]).unwrap(),
            &[3.0, 4.0, 0.0, 0.0, 5.0, 6.5],
        );
        assert_close(
            &of("SegmentMin", &[1, 2, 2]).unwrap(),
            &[0.0, 0.0, 1.0, 2.0, 3.0, 4.0],
        );
        assert_close(
            &of("SegmentProd", &[0, 0, 2]).unwrap(),
            &[3.0, 8.0, 1.0, 1.0, 5.0, 6.5],
        );
        let says = |all: &[i32], words: &str| {
            let error = of("SegmentMax", all).unwrap_err();
            assert_eq!(error.message, words);
        };
        says(&[2, 0, 2], "segment ids are not increasing");
        says(
            &[0, 0],
            "segment_ids should be the same size as dimension 0 of input.",
        );
        assert!(of("SegmentMax", &[-1, 0, 2]).is_err());
    }

    #[test]
    fn unsorted_segments_drop_negative_ids() {
        let four = || Value::scalar(4i32).unwrap();
        let low = f32::MIN;
        let y = run(
            "UnsortedSegmentMax",
            &[rows(), ids(&[0, -1, 2]), four()],
            &[],
        )
        .unwrap();
        assert_eq!(
            y[0].slice::<f32>().unwrap(),
            [1.0, 2.0, low, low, 5.0, 6.5, low, low]
        );
        let y = run(
            "UnsortedSegmentProd",
            &[rows(), ids(&[0, 0, 2]), four()],
            &[],
        )
        .unwrap();
        assert_close(&y[0], &[3.0, 8.0, 1.0, 1.0, 5.0, 6.5, 1.0, 1.0]);
        let error = run(
            "UnsortedSegmentMin",
            &[rows(), ids(&[0, 0, 4]), four()],
            &[],
        )
        .unwrap_err();
        assert_eq!(error.message, "segment_ids[2] = 4 is out of range [0, 4)");
    }

    #[test]
    fn looked_up_rows_are_summed_and_scaled() {
        let of = |op, at: &[i32]| run(op, &[rows(), ids(at), ids(&[0, 0, 2])], &[]);
        let y = of("SparseSegmentSum", &[2, 0, 1]).unwrap();
        assert_close(&y[0], &[6.0, 8.5, 0.0, 0.0, 3.0, 4.0]);
        let y = of("SparseSegmentMean", &[2, 0, 1]).unwrap();
        assert_close(&y[0], &[3.0, 4.25, 0.0, 0.0, 3.0, 4.0]);
        assert!(of("SparseSegmentSum", &[3, 0, 1]).is_err());
        let inputs = [
            rows(),
            ids(&[2, 0, 1]),
            ids(&[0, 0, 2]),
            Value::scalar(4i32).unwrap(),
        ];
        let dx = run("SparseSegmentMeanGrad", &inputs, &[]).unwrap();
        assert_close(&dx[0], &[0.5, 1.0, 5.0, 6.5, 0.5, 1.0, 0.0, 0.0]);
    }
}
