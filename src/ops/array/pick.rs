//! Places and values that a condition or comparison picks: where, unique, the largest, one of two.

use rustc_hash::FxHashMap;

use std::cmp::Ordering;

use crate::error::Result;
use crate::graph::{Endpoint, Node, ShapeContext};
use crate::ops::build::{In, int, integers};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, product, strides};
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{dispatch, ensure};

use super::gather::nd_places;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("SparseToDense", "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T -> dense: T").attr("validate_indices: bool = true").attr("T: type").attr("Tindices: {int32, int64}").shape(sparse_to_dense_shape).grad(sparse_to_dense_grad).kernel(sparse_to_dense),
    Op::new("Where", "input: T -> index: int64").attr("T: {float32, float64, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, uint16, complex128, float16, uint32, uint64, bool} = DT_BOOL").shape(where_shape).kernel(where_kernel),
    Op::new("Unique", "x: T -> y: T, idx: out_idx").attr("T: type").attr("out_idx: {int32, int64} = DT_INT32").shape(unique_shape).kernel(|c| unique(c, false)),
    Op::new("UniqueWithCounts", "x: T -> y: T, idx: out_idx, count: out_idx").attr("T: type").attr("out_idx: {int32, int64} = DT_INT32").shape(unique_shape).kernel(|c| unique(c, true)),
    Op::new("UniqueV2", "x: T, axis: Taxis -> y: T, idx: out_idx").attr("T: type").attr("Taxis: {int32, int64} = DT_INT64").attr("out_idx: {int32, int64} = DT_INT32").shape(unique_rows_shape).kernel(|c| unique_rows(c, false)),
    Op::new("UniqueWithCountsV2", "x: T, axis: Taxis -> y: T, idx: out_idx, count: out_idx").attr("T: type").attr("Taxis: {int32, int64} = DT_INT64").attr("out_idx: {int32, int64} = DT_INT32").shape(unique_rows_shape).kernel(|c| unique_rows(c, true)),
    Op::new("ListDiff", "x: T, y: T -> out: T, idx: out_idx").attr("T: type").attr("out_idx: {int32, int64} = DT_INT32").shape(shape::vector).kernel(list_diff),
    Op::new("TopKV2", "input: T, k: int32 -> values: T, indices: int32").attr("sorted: bool = true").attr("T: realnumbertype").shape(top_k_shape).grad(top_k_grad).kernel(top_k).gpu(super::largest::top_k).on_host(&[1]),
    Op::new("Select", "condition: bool, t: T, e: T -> output: T").attr("T: type").shape(select_shape).grad(select_grad).kernel(select).gpu(select_on_gpu),
];

fn sparse_to_dense_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.constant_shape(1)?;
    c.set(0, shape);
    Ok(())
}

fn sparse_to_dense_grad(g: &mut GradientContext) -> Result<Grads> {
    let (indices, dy) = (g.input(0), g.dy(0)?);
    let values = g.op("GatherNd", [dy, indices])?;
    let rest = g.graph.sum_all(dy)?;
    let taken = g.graph.sum_all(values)?;
    let default = g.graph.sub(rest, taken)?;
    Ok(vec![None, None, Some(values.into()), Some(default.into())])
}

fn sparse_to_dense(c: &mut KernelContext) -> Result<()> {
    let (indices, dims) = (c.input(0)?, c.ints_input(1)?);
    let (values, default) = (c.input(2)?, c.scalar_input(3, "default_value")?);
    let count = if indices.shape().rank() == 0 {
        1
    } else {
        indices.shape().dim(0)
    };
    let depth = if indices.shape().rank() < 2 {
        1
    } else {
        indices.shape().dim(1)
    };
    ensure!(
        depth == dims.len(),
        invalid,
        "output_shape has incorrect number of elements: {} should be: {depth}",
        dims.len()
    );
    ensure!(
        values.shape().is_scalar() || values.num_elements() == count,
        invalid,
        "sparse_values has incorrect shape {}, should be [] or [{count}]",
        values.shape()
    );
    let two = indices.with_shape(Shape::new(&[count as i64, depth as i64])?)?;
    for (row, index) in two.ints()?.chunks(depth.max(1)).enumerate() {
        ensure!(
            index
                .iter()
                .zip(&dims)
                .all(|(x, all)| (0..*all).contains(x)),
            invalid,
            "indices[{row}] = {index:?} is out of bounds: need 0 <= index < {dims:?}"
        );
    }
    let (places, _) = nd_places(&two, &dims, "")?;
    let is_ordered = c.attrs().bool("validate_indices")?;
    ensure!(
        !is_ordered || places.windows(2).all(|w| w[0] < w[1]),
        invalid,
        "indices must be in lexicographic order and without repeats"
    );
    let shape = Shape::new(&dims)?;
    let mut from: Vec<Option<usize>> = vec![None; shape.num_elements()];
    for (i, at) in places.into_iter().enumerate() {
        from[at] = Some(if values.shape().is_scalar() { 0 } else { i });
    }
    let runs = from.into_iter().map(|place| Run {
        source: usize::from(place.is_none()),
        from: place.unwrap_or(0),
        len: 1,
    });
    let made = assemble(values.dtype(), shape, &[values, default], runs)?;
    c.set_output(0, made);
    Ok(())
}

fn where_shape(c: &mut ShapeContext) -> Result<()> {
    let rank = c.input(0).rank().map_or(-1, |r| r as i64);
    c.set(0, PartialShape::from_dims([-1, rank]));
    Ok(())
}

fn where_kernel(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let shape = input.shape();
    let steps = strides(shape.dims());
    let mut places = Vec::new();
    dispatch!(plain, input.dtype(), T => {
        let zero = <T as bytemuck::Zeroable>::zeroed();
        for (at, x) in input.slice::<T>()?.iter().enumerate() {
            if *x != zero {
                let index = steps.iter().zip(shape.dims()).map(|(s, d)| (at / s) as i64 % d);
                places.extend(index);
            }
        }
    });
    let rank = shape.rank();
    let rows = match places.len().checked_div(rank) {
        Some(rows) => rows as i64,
        None => i64::from(input.bytes()?.iter().any(|b| *b != 0)),
    };
    let made = Value::from_slice(Shape::new(&[rows, rank as i64])?, &places)?;
    c.set_output(0, made);
    Ok(())
}

fn unique_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::vector(-1));
    let input = c.input(0);
    c.set(1, input);
    if c.num_outputs() > 2 {
        c.set(2, PartialShape::vector(-1));
    }
    Ok(())
}

/// The bytes of each element, to compare them by.
fn keys(value: &Value) -> Result<Vec<&[u8]>> {
    match value.dtype().size() {
        Some(size) => Ok(value.bytes()?.chunks_exact(size).collect()),
        None => Ok(value.string_slice()?.iter().map(Vec::as_slice).collect()),
    }
}

fn unique(c: &mut KernelContext, with_counts: bool) -> Result<()> {
    let input = c.input(0)?;
    ensure!(
        input.shape().rank() == 1,
        invalid,
        "unique expects a 1D vector."
    );
    let mut seen: FxHashMap<&[u8], usize> = FxHashMap::default();
    let (mut first, mut places, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for (i, key) in keys(input)?.into_iter().enumerate() {
        let place = *seen.entry(key).or_insert_with(|| {
            first.push(i);
            counts.push(0i64);
            first.len() - 1
        });
        counts[place] += 1;
        places.push(place as i64);
    }
    let runs = first.iter().map(|from| Run {
        source: 0,
        from: *from,
        len: 1,
    });
    let values = assemble(input.dtype(), Shape::vector(first.len()), &[input], runs)?;
    let out_type = c.attrs().dtype("out_idx")?;
    let (places, counts) = (integers(out_type, &places)?, integers(out_type, &counts)?);
    c.set_output(0, values);
    c.set_output(1, places);
    if with_counts {
        c.set_output(2, counts);
    }
    Ok(())
}

fn unique_rows_shape(c: &mut ShapeContext) -> Result<()> {
    let rank = c.input(0).rank();
    c.set(
        0,
        rank.map_or(PartialShape::unknown(), PartialShape::unknown_of_rank),
    );
    for output in 1..c.num_outputs() {
        c.set(output, PartialShape::vector(-1));
    }
    Ok(())
}

/// The different slices along an axis, in the order in which they come first. No axis at all: the elements of a vector.
fn unique_rows(c: &mut KernelContext, with_counts: bool) -> Result<()> {
    let (input, axes) = (c.input(0)?, c.ints_input(1)?);
    let rank = input.shape().rank();
    ensure!(
        axes.len() < 2,
        invalid,
        "axis does not support input tensors larger than 1 elements"
    );
    ensure!(
        !axes.is_empty() || rank == 1,
        invalid,
        "unique expects a 1D vector."
    );
    let axis = axes.first().copied().unwrap_or(0);
    ensure!(
        (-(rank as i64)..rank as i64).contains(&axis),
        invalid,
        "axis has to be between 0 and {rank}"
    );
    let axis = if axis < 0 { axis + rank as i64 } else { axis } as usize;
    let dims = input.shape().dims();
    let (size, inner) = (dims[axis] as usize, product(&dims[axis + 1..]));
    let outer = product(&dims[..axis]);
    let all = keys(input)?;
    let mut seen: FxHashMap<Vec<&[u8]>, usize> = FxHashMap::default();
    let (mut first, mut places, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..size {
        let starts = (0..outer).map(|o| (o * size + i) * inner);
        let row = starts.flat_map(|at| all[at..at + inner].iter().copied());
        let place = *seen.entry(row.collect()).or_insert_with(|| {
            first.push(i);
            counts.push(0i64);
            first.len() - 1
        });
        counts[place] += 1;
        places.push(place as i64);
    }
    let mut made_dims = dims.to_vec();
    made_dims[axis] = first.len() as i64;
    let from = (0..outer).flat_map(|o| first.iter().map(move |i| (o * size + i) * inner));
    let runs = from.map(|from| Run {
        source: 0,
        from,
        len: inner,
    });
    let values = assemble(input.dtype(), Shape::new(&made_dims)?, &[input], runs)?;
    let out_type = c.attrs().dtype("out_idx")?;
    let (places, counts) = (integers(out_type, &places)?, integers(out_type, &counts)?);
    c.set_output(0, values);
    c.set_output(1, places);
    if with_counts {
        c.set_output(2, counts);
    }
    Ok(())
}

fn list_diff(c: &mut KernelContext) -> Result<()> {
    let (x, y) = (c.input(0)?, c.input(1)?);
    ensure!(x.shape().rank() == 1, invalid, "x should be a 1D vector.");
    ensure!(y.shape().rank() == 1, invalid, "y should be a 1D vector.");
    let gone: rustc_hash::FxHashSet<&[u8]> = keys(y)?.into_iter().collect();
    let all = keys(x)?;
    let kept: Vec<usize> = (0..all.len()).filter(|i| !gone.contains(all[*i])).collect();
    let runs = kept.iter().map(|from| Run {
        source: 0,
        from: *from,
        len: 1,
    });
    let values = assemble(x.dtype(), Shape::vector(kept.len()), &[x], runs)?;
    let places: Vec<i64> = kept.iter().map(|i| *i as i64).collect();
    let places = integers(c.attrs().dtype("out_idx")?, &places)?;
    c.set_output(0, values);
    c.set_output(1, places);
    Ok(())
}

fn top_k_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    shape::at_least(&input, 1)?;
    let k = c.constant(1).and_then(|v| v.int().ok()).unwrap_or(-1);
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let mut dims = dims.to_vec();
    if let Some(last) = dims.last_mut() {
        ensure!(
            *last < 0 || k <= *last,
            invalid,
            "input must have last dimension >= k = {k} but is {last}"
        );
        *last = k;
    }
    for i in 0..2 {
        c.set(i, PartialShape::from_dims(dims.clone()));
    }
    Ok(())
}

/// The last entry of a shape, as int64.
fn last_size(g: &mut GradientContext, shape: Endpoint) -> Result<Endpoint> {
    let wide = g.graph.cast_to(shape, DType::I64)?;
    let size = g.graph.size_of(shape)?;
    let last = g.graph.sub(size, In::Plain("y", int(1)?))?;
    let axis = In::Plain("axis", int(0)?);
    g.graph
        .call("GatherV2", "", [wide.into(), last.into(), axis], &[])
}

fn top_k_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, places) = (g.input(0), g.output(1));
    let dy = g.dy(0)?;
    let shape = g.graph.shape_of(x)?;
    let places_shape = g.graph.shape_of(places)?;
    let k = last_size(g, places_shape)?;
    let to = g
        .graph
        .stack(vec![In::Plain("0", Value::scalar(-1i64)?), k.into()])?;
    let rows = g.graph.reshape(places, to)?;
    let width = last_size(g, shape)?;
    let rows_shape = g.graph.shape_of(rows)?;
    let count = g.graph.row(rows_shape, 0)?;
    let count = g.graph.cast_to(count, DType::I64)?;
    let limit = g.graph.mul(count, width)?;
    let starts = g.graph.in_scope("range", |graph| {
        let start = graph.constant_node("start", int(0)?)?;
        let start = graph.call("Cast", "Cast", [start], &[("DstT", DType::I64.into())])?;
        let name = graph.scope_as_name();
        graph.call("Range", &name, [start, limit, width], &[])
    })?;
    let starts = g.graph.expand_dims(starts, -1)?;
    let starts = g.graph.cast_to(starts, DType::I32)?;
    let at = g.graph.add(rows, starts)?;
    let at = g.graph.reshape_to(at, &[-1])?;
    let at = g.graph.expand_dims(at, -1)?;
    let flat = g.graph.reshape_to(dy, &[-1])?;
    let all = g.graph.reduce_all("Prod", shape)?;
    let name = "ScatterNd/shape";
    let to = g.graph.call("Pack", name, [In::List(vec![all])], &[])?;
    let made = g.op("ScatterNd", [at, flat, to])?;
    let made = g.graph.reshape(made, shape)?;
    let none = g.graph.zeros_shaped(&Shape::scalar(), DType::I32)?;
    Ok(vec![Some(made.into()), Some(none.into())])
}

/// The order of the largest. NaN is the largest of all, or with `nan_first` false left out as long as there is a number: so
/// does TensorFlow when it looks for one alone.
fn larger_first<T: PartialOrd>(a: &T, b: &T, nan_first: bool) -> Ordering {
    let is_nan = |x: &T| x.partial_cmp(x).is_none();
    b.partial_cmp(a).unwrap_or_else(|| {
        let order = is_nan(b).cmp(&is_nan(a));
        if nan_first { order } else { order.reverse() }
    })
}

fn top_k(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let k = c.scalar_input(1, "k")?.int()?;
    ensure!(k >= 0, invalid, "Need k >= 0, got {k}");
    let shape = input.shape();
    ensure!(
        shape.rank() >= 1,
        invalid,
        "input must be >= 1-D, got shape {shape}"
    );
    let width = shape.dim(shape.rank() - 1);
    ensure!(
        k as usize <= width,
        invalid,
        "input must have at least k columns. Had {width}, needed {k}"
    );
    let k = k as usize;
    let mut dims = shape.dims().to_vec();
    dims[shape.rank() - 1] = k as i64;
    let out_shape = Shape::new(&dims)?;
    let mut values = c.allocate(0, out_shape.clone())?;
    let mut places = c.allocate(1, out_shape)?;
    let input = c.input(0)?;
    dispatch!(real, input.dtype(), T => {
        let (from, to) = (input.slice::<T>()?, values.slice_mut::<T>()?);
        let places = places.slice_mut::<i32>()?;
        let rows = from.len().checked_div(width).unwrap_or(0);
        for r in 0..rows {
            let row = &from[r * width..(r + 1) * width];
            let mut order: Vec<usize> = (0..width).collect();
            order.sort_by(|a, b| larger_first(&row[*a], &row[*b], k > 1));
            for (i, at) in order.into_iter().take(k).enumerate() {
                to[r * k + i] = row[at];
                places[r * k + i] = at as i32;
            }
        }
    });
    c.set_output(0, values);
    c.set_output(1, places);
    Ok(())
}

fn select_shape(c: &mut ShapeContext) -> Result<()> {
    let branches = shape::merge(&c.input(1), &c.input(2))?;
    let condition = c.input(0);
    c.set(0, branches.clone());
    let (Some(k), Some(b)) = (condition.dims(), branches.dims()) else {
        return Ok(());
    };
    if k.is_empty() {
        return Ok(());
    }
    if k.len() == 1 && !b.is_empty() {
        shape::merge_dim(k[0], b[0])?;
        return Ok(());
    }
    let both = shape::merge(&condition, &branches)?;
    c.set(0, both);
    Ok(())
}

fn select_grad(g: &mut GradientContext) -> Result<Grads> {
    let (condition, x, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let zeros = g.graph.zeros_like(x)?;
    let a = g.graph.where_(condition, dy, zeros)?;
    let b = g.graph.where_(condition, zeros, dy)?;
    Ok(vec![None, Some(a.into()), Some(b.into())])
}

fn select_on_gpu(c: &mut GpuContext) -> Result<()> {
    let block = block_of(c.shape(0)?, c.shape(1)?, c.shape(2)?, c.node)?;
    let [condition, a, b] = [c.input(0)?, c.input(1)?, c.input(2)?];
    super::gpu::select(c, [&condition, &a, &b], block)
}

/// How many elements each element of the condition decides on: one, a row, or all.
fn block_of(condition: &Shape, shape: &Shape, other: &Shape, node: &Node) -> Result<usize> {
    let by_rows = condition.rank() == 1 && shape.rank() >= 1;
    let is_elementwise = !(condition.is_scalar() || by_rows && shape.rank() > 1);
    for (i, operand) in [(1, shape), (2, other)] {
        ensure!(
            !is_elementwise || condition == operand,
            invalid,
            "Inputs to operation {} of type Select must have the same size and shape.  Input 0: {condition} != input {i}: {operand}",
            node.name
        );
    }
    ensure!(
        shape == other,
        invalid,
        "'then' and 'else' must have the same size.  but received: {shape} vs. {other}"
    );
    if condition.is_scalar() {
        return Ok(shape.num_elements());
    }
    if is_elementwise {
        return Ok(1);
    }
    ensure!(
        condition.dim(0) == shape.dim(0),
        invalid,
        "Number of batches of 'then' must match size of 'cond', but saw: {} vs. {}",
        shape.dim(0),
        condition.dim(0)
    );
    Ok(product(&shape.dims()[1..]))
}

fn select(c: &mut KernelContext) -> Result<()> {
    let (condition, a, b) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let block = block_of(condition.shape(), a.shape(), b.shape(), c.node)?;
    let (shape, picks) = (a.shape(), condition.slice::<u8>()?);
    let runs = picks.iter().enumerate().map(|(i, pick)| Run {
        source: usize::from(*pick == 0),
        from: i * block,
        len: block,
    });
    let made = assemble(a.dtype(), shape.clone(), &[a, b], runs)?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::run;
    use crate::value::Value;

    #[test]
    fn nan_is_the_largest_but_never_alone() {
        let mut x: Vec<f32> = (0..60u32).map(|i| (i * 37 % 60) as f32).collect();
        x.iter_mut().step_by(7).for_each(|x| *x = f32::NAN);
        let x = Value::vector(&x).unwrap();
        let places = |k: i32| {
            let made = run("TopKV2", &[x.clone(), Value::scalar(k).unwrap()], &[]).unwrap();
            made[1].ints().unwrap()
        };
        assert_eq!(places(1), [47]);
        assert_eq!(places(10), [0, 7, 14, 21, 28, 35, 42, 49, 56, 47]);
    }
}
