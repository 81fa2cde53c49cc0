//! Picking rows by index, and putting them in place: gather, scatter, segments, stitches.

use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::ops::build::{In, int, ints};
use crate::ops::gradient::{Grad, GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, strides};
use crate::ops::{Op, constant_value, shape};
use crate::value::{DType, PartialShape, Shape, Value, resolve_axis};
use crate::{bail, dispatch, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("GatherV2", "params: Tparams, indices: Tindices, axis: Taxis -> output: Tparams").attr("batch_dims: int = 0").attr("Tparams: type").attr("Tindices: {int32, int64}").attr("Taxis: {int32, int64}").shape(gather_shape).grad(gather_v2_grad).kernel(gather),
    Op::new("Gather", "params: Tparams, indices: Tindices -> output: Tparams").attr("validate_indices: bool = true").attr("Tparams: type").attr("Tindices: {int32, int64}").shape(gather_v1_shape).grad(gather_grad).kernel(gather),
    Op::new("GatherNd", "params: Tparams, indices: Tindices -> output: Tparams").attr("Tparams: type").attr("Tindices: {int32, int64}").shape(gather_nd_shape).grad(gather_nd_grad).kernel(gather_nd),
    Op::new("ScatterNd", "indices: Tindices, updates: T, shape: Tindices -> output: T").attr("T: type").attr("Tindices: {int32, int64}").shape(scatter_nd_shape).grad(scatter_nd_grad).kernel(scatter_nd),
    Op::new("UnsortedSegmentSum", "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("Tnumsegments: {int32, int64} = DT_INT32").shape(unsorted_shape).grad(unsorted_sum_grad).kernel(unsorted_segment_sum),
    Op::new("SegmentSum", "data: T, segment_ids: Tindices -> output: T").attr("T: numbertype").attr("Tindices: {int32, int64}").shape(segment_shape).grad(segment_sum_grad).kernel(|c| segment_sum(c, false)),
    Op::new("SegmentMean", "data: T, segment_ids: Tindices -> output: T").attr("T: numbertype").attr("Tindices: {int32, int64}").shape(segment_shape).kernel(|c| segment_sum(c, true)),
    Op::new("DynamicStitch", "indices: N * int32, data: N * T -> merged: T").attr("N: int >= 1").attr("T: type").shape(stitch_shape).grad(stitch_grad).kernel(dynamic_stitch),
    Op::new("ParallelDynamicStitch", "indices: N * int32, data: N * T -> merged: T").attr("N: int >= 1").attr("T: type").shape(stitch_shape).grad(stitch_grad).kernel(dynamic_stitch),
    Op::new("DynamicPartition", "data: T, partitions: int32 -> outputs: num_partitions * T").attr("num_partitions: int >= 1").attr("T: type").shape(partition_shape).grad(partition_grad).kernel(dynamic_partition),
    Op::new("SparseToDense", "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T -> dense: T").attr("validate_indices: bool = true").attr("T: type").attr("Tindices: {int32, int64}").shape(sparse_to_dense_shape).grad(sparse_to_dense_grad).kernel(sparse_to_dense),
    Op::new("Where", "input: T -> index: int64").attr("T: {float32, float64, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, uint16, complex128, float16, uint32, uint64, bool} = DT_BOOL").shape(where_shape).kernel(where_kernel),
    Op::new("Unique", "x: T -> y: T, idx: out_idx").attr("T: type").attr("out_idx: {int32, int64} = DT_INT32").shape(unique_shape).kernel(|c| unique(c, false)),
    Op::new("UniqueWithCounts", "x: T -> y: T, idx: out_idx, count: out_idx").attr("T: type").attr("out_idx: {int32, int64} = DT_INT32").shape(unique_shape).kernel(|c| unique(c, true)),
    Op::new("ListDiff", "x: T, y: T -> out: T, idx: out_idx").attr("T: type").attr("out_idx: {int32, int64} = DT_INT32").shape(shape::vector).kernel(list_diff),
    Op::new("TopKV2", "input: T, k: int32 -> values: T, indices: int32").attr("sorted: bool = true").attr("T: realnumbertype").shape(top_k_shape).grad(top_k_grad).kernel(top_k),
    Op::new("Select", "condition: bool, t: T, e: T -> output: T").attr("T: type").shape(select_shape).grad(select_grad).kernel(select),
];

fn product(dims: &[i64]) -> usize {
    dims.iter().map(|d| *d as usize).product()
}

fn gather_v1_shape(c: &mut ShapeContext) -> Result<()> {
    gather_along(c, Some(0))
}

fn gather_shape(c: &mut ShapeContext) -> Result<()> {
    crate::graph::with_rank(&c.input(2), 0)?;
    let axis = c.constant(2).and_then(|v| v.int().ok());
    gather_along(c, axis)
}

fn gather_along(c: &mut ShapeContext, axis: Option<i64>) -> Result<()> {
    let (params, indices) = (c.input(0), c.input(1));
    let batch_dims = c.attrs().int("batch_dims").unwrap_or(0);
    let (Some(p), Some(i)) = (params.dims(), indices.dims()) else {
        return Ok(());
    };
    let Some(axis) = axis else {
        let rank = (p.len() + i.len()).saturating_sub(1);
        c.set(0, PartialShape::unknown_of_rank(rank));
        return Ok(());
    };
    let least = if axis < 0 { -axis } else { axis + 1 } as usize;
    shape::at_least(&params, least)?;
    let axis = resolve_axis(axis, p.len())?;
    let batch = if batch_dims < 0 {
        batch_dims + i.len() as i64
    } else {
        batch_dims
    };
    ensure!(
        (0..=i.len().min(axis) as i64).contains(&batch),
        invalid,
        "batch_dims ({batch_dims}) is out of range"
    );
    let mut dims = p[..axis].to_vec();
    dims.extend_from_slice(&i[batch as usize..]);
    dims.extend_from_slice(&p[axis + 1..]);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

/// The shape of `params`, as gathers' gradients see it: colocated with it, in int32 by way of int64.
fn shape_of_params(g: &mut GradientContext, params: Endpoint) -> Result<Endpoint> {
    g.graph.push_colocation(Some(params.node), false);
    let wide = g.graph.shape_as(params, DType::I64, "Shape");
    let narrow = wide.and_then(|e| g.graph.cast_to(e, DType::I32));
    g.graph.pop_colocation();
    narrow
}

/// Rows of the gradient with their places: the IndexedSlices of a gather along the first axis.
fn slices_of_gather(g: &mut GradientContext) -> Result<Grad> {
    let (params, indices, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let dense_shape = shape_of_params(g, params)?;
    let count = g.graph.size_of(indices)?;
    let count = g.graph.expand_dims(count, 0)?;
    let tail = g.graph.slice_rows(dense_shape, Some(1), None)?;
    let shape = g.graph.concat(vec![count.into(), tail.into()], 0)?;
    let values = g.graph.reshape(dy, shape)?;
    let indices = g.graph.reshape(indices, count)?;
    Ok(Grad::Slices {
        values,
        indices,
        dense_shape: Some(dense_shape),
    })
}

fn gather_grad(g: &mut GradientContext) -> Result<Grads> {
    Ok(vec![Some(slices_of_gather(g)?), None])
}

fn gather_v2_grad(g: &mut GradientContext) -> Result<Grads> {
    let axis = g.input(2);
    let known = constant_value(g.graph, axis).and_then(|v| v.int().ok());
    if known == Some(0) {
        return Ok(vec![Some(slices_of_gather(g)?), None, None]);
    }
    ensure!(
        g.node().attrs.int("batch_dims")? == 0,
        unimplemented,
        "the gradient of a gather with batch_dims"
    );
    let made = gradient_along(g, axis)?;
    Ok(vec![Some(made.into()), None, None])
}

/// `e[from:to]` with bounds of the graph.
fn cut_at(
    g: &mut GradientContext,
    e: Endpoint,
    from: Option<Endpoint>,
    to: Option<Endpoint>,
) -> Result<Endpoint> {
    g.graph.in_scope("strided_slice", |graph| {
        let bound =
            |graph: &mut crate::graph::Graph, name: &'static str, at: Option<Endpoint>| match at {
                None => graph.constant_node(name, ints(&[0])?),
                Some(at) => graph.in_scope(name, |graph| {
                    let name = graph.scope_as_name();
                    graph.call("Pack", &name, [In::List(vec![at])], &[])
                }),
            };
        let begin = bound(graph, "stack", from)?;
        let end = bound(graph, "stack_1", to)?;
        let step = graph.constant_node("stack_2", ints(&[1])?)?;
        let attrs = [
            ("begin_mask", Attr::Int(i64::from(from.is_none()))),
            ("end_mask", Attr::Int(i64::from(to.is_none()))),
        ];
        let name = graph.scope_as_name();
        graph.call("StridedSlice", &name, [e, begin, end, step], &attrs)
    })
}

fn gradient_along(g: &mut GradientContext, axis: Endpoint) -> Result<Endpoint> {
    let (params, indices, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let params_shape = shape_of_params(g, params)?;
    let count = g.graph.size_of(indices)?;
    g.graph.expand_dims(count, 0)?;
    let outer = cut_at(g, params_shape, None, Some(axis))?;
    let from_axis = cut_at(g, params_shape, Some(axis), None)?;
    let inner = g.graph.slice_rows(from_axis, Some(1), None)?;
    let minus = In::Plain("", ints(&[-1])?);
    let values_shape = g.graph.concat(vec![outer.into(), minus, inner.into()], 0)?;
    let values_dims = g.graph.size_of(values_shape)?;
    let axis_dims = g.graph.size_of(outer)?;
    let zero = g.graph.in_scope("range", |graph| {
        let start = graph.constant_node("start", int(0)?)?;
        let limit = graph.constant_node("limit", int(0)?)?;
        let delta = graph.constant_node("delta", int(1)?)?;
        let name = graph.scope_as_name();
        graph.call("Range", &name, [start, limit, delta], &[])
    })?;
    let batch_axes = g.graph.range(int(0)?, axis_dims)?;
    let one = g.graph.plain("y", axis_dims, 1.0)?;
    let next = g.graph.add(axis_dims, one)?;
    let inner_axes = g.graph.in_scope("range", |graph| {
        let delta = graph.constant_node("delta", int(1)?)?;
        let name = graph.scope_as_name();
        graph.call("Range", &name, [next, values_dims, delta], &[])
    })?;
    let values = g.graph.reshape(dy, values_shape)?;
    let perm = g.graph.in_scope("concat", |graph| {
        let own = graph.in_scope("values_1", |graph| {
            let name = graph.scope_as_name();
            graph.call("Pack", &name, [In::List(vec![axis_dims])], &[])
        })?;
        let at = graph.constant_node("axis", int(0)?)?;
        let name = graph.scope_as_name();
        let parts = vec![zero, own, batch_axes, inner_axes];
        graph.call("ConcatV2", &name, [In::List(parts), at.into()], &[])
    })?;
    let values = g
        .graph
        .call("Transpose", "transpose", [values, perm], &[])?;
    let size = cut_one(g, params_shape, axis)?;
    let flat = g.graph.size_of(indices)?;
    let flat = g.graph.expand_dims(flat, 0)?;
    let places = g.graph.reshape(indices, flat)?;
    let summed = g.op("UnsortedSegmentSum", [values, places, size])?;
    let one = g.graph.plain("y", batch_axes, 1.0)?;
    let shifted = g.graph.add(batch_axes, one)?;
    let batch = In::Plain("", ints(&[0])?);
    let back = g.graph.concat(
        vec![zero.into(), shifted.into(), batch, inner_axes.into()],
        0,
    )?;
    g.graph.call("Transpose", "transpose", [summed, back], &[])
}

/// `e[at]`.
fn cut_one(g: &mut GradientContext, e: Endpoint, at: Endpoint) -> Result<Endpoint> {
    g.graph.in_scope("strided_slice", |graph| {
        let pack = |graph: &mut crate::graph::Graph, name: &str, at: Endpoint| {
            graph.in_scope(name, |graph| {
                let name = graph.scope_as_name();
                graph.call("Pack", &name, [In::List(vec![at])], &[])
            })
        };
        let begin = pack(graph, "stack", at)?;
        let next = graph.call("AddV2", "add", [at.into(), In::Plain("y", int(1)?)], &[])?;
        let end = pack(graph, "stack_1", next)?;
        let step = graph.constant_node("stack_2", ints(&[1])?)?;
        let name = graph.scope_as_name();
        let attrs = [("shrink_axis_mask", Attr::Int(1))];
        graph.call("StridedSlice", &name, [e, begin, end, step], &attrs)
    })
}

fn gather(c: &mut KernelContext) -> Result<()> {
    let axis = match c.num_inputs() {
        3 => c.scalar_input(2, "axis")?.int()?,
        _ => 0,
    };
    let (params, indices) = (c.input(0)?, c.input(1)?);
    let (p, i) = (params.shape(), indices.shape());
    ensure!(
        p.rank() >= 1,
        invalid,
        "params must be at least 1 dimensional"
    );
    let axis = resolve_axis(axis, p.rank()).map_err(|_| {
        Error::invalid(format!(
            "Expected axis in the range [{}, {}), but got {axis}",
            -(p.rank() as i64),
            p.rank()
        ))
    })?;
    let batch = c.attrs().int("batch_dims").unwrap_or(0);
    let batch = if batch < 0 {
        batch + i.rank() as i64
    } else {
        batch
    } as usize;
    ensure!(
        batch <= axis && batch <= i.rank() && p.dims()[..batch] == i.dims()[..batch],
        invalid,
        "batch_dims {batch} does not fit params {p} and indices {i}"
    );
    let limit = p.dims()[axis];
    let places = indices.ints()?;
    if let Some(at) = places.iter().position(|x| !(0..limit).contains(x)) {
        bail!(
            invalid,
            "indices{} = {} is not in [0, {limit})",
            show_place(i, at),
            places[at]
        );
    }
    let mut dims = p.dims()[..axis].to_vec();
    dims.extend_from_slice(&i.dims()[batch..]);
    dims.extend_from_slice(&p.dims()[axis + 1..]);
    let batches = product(&p.dims()[..batch]);
    let outer = product(&p.dims()[batch..axis]);
    let (inner, rows) = (product(&p.dims()[axis + 1..]), limit as usize);
    let per_batch = places.len() / batches.max(1);
    let runs = (0..batches * outer).flat_map(|at| {
        let own = &places[at / outer.max(1) * per_batch..][..per_batch];
        own.iter().map(move |row| Run {
            source: 0,
            from: (at * rows + *row as usize) * inner,
            len: inner,
        })
    });
    let made = assemble(params.dtype(), Shape::new(&dims)?, &[params], runs)?;
    c.set_output(0, made);
    Ok(())
}

/// `[1,2]`: where element number `at` stands; nothing for a scalar.
fn show_place(shape: &Shape, at: usize) -> String {
    if shape.is_scalar() {
        return String::new();
    }
    let steps = strides(shape.dims());
    let places = steps
        .iter()
        .zip(shape.dims())
        .map(|(s, d)| (at / s % *d as usize).to_string());
    format!("[{}]", places.collect::<Vec<_>>().join(","))
}

fn gather_nd_shape(c: &mut ShapeContext) -> Result<()> {
    let (params, indices) = (c.input(0), c.input(1));
    shape::at_least(&indices, 1)?;
    let (Some(p), Some(i)) = (params.dims(), indices.dims()) else {
        return Ok(());
    };
    let Some(depth) = i.last().and_then(|d| usize::try_from(*d).ok()) else {
        return Ok(());
    };
    ensure!(
        depth <= p.len(),
        invalid,
        "indices.shape[-1] must be <= params.rank, but saw indices shape: {indices} and params shape: {params}"
    );
    let mut dims = i[..i.len() - 1].to_vec();
    dims.extend_from_slice(&p[depth..]);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn gather_nd_grad(g: &mut GradientContext) -> Result<Grads> {
    let (params, indices, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let dtype = g.dtype(indices);
    let shape = g.graph.shape_as(params, dtype, "Shape")?;
    let known = g.shape(indices).clone();
    let grad = if known.rank() == Some(2) && known.dim(1) == 1 {
        let dims = [("squeeze_dims", Attr::from(vec![-1i64]))];
        let rows = g.graph.call("Squeeze", "", [indices], &dims)?;
        Grad::Slices {
            values: dy,
            indices: rows,
            dense_shape: Some(shape),
        }
    } else {
        g.op("ScatterNd", [indices, dy, shape])?.into()
    };
    Ok(vec![Some(grad), None])
}

/// For each index vector: the first element of the slice that it names.
pub(super) fn nd_places(indices: &Value, dims: &[i64], what: &str) -> Result<(Vec<usize>, usize)> {
    let shape = indices.shape();
    ensure!(
        shape.rank() >= 1,
        invalid,
        "{what} must be at least a vector"
    );
    let depth = shape.dim(shape.rank() - 1);
    ensure!(
        depth <= dims.len(),
        invalid,
        "index innermost dimension length must be <= params rank; saw: {depth} vs. {}",
        dims.len()
    );
    let steps = strides(dims);
    let block = product(&dims[depth..]);
    let all = indices.ints()?;
    let count = product(&shape.dims()[..shape.rank() - 1]);
    let mut places = Vec::with_capacity(count);
    for i in 0..count {
        let index = &all[i * depth..(i + 1) * depth];
        let mut at = 0;
        for (k, x) in index.iter().enumerate() {
            ensure!(
                (0..dims[k]).contains(x),
                invalid,
                "{what}[{i}] = {index:?} does not index into shape {:?}",
                dims
            );
            at += *x as usize * steps[k];
        }
        places.push(at);
    }
    Ok((places, block))
}

fn gather_nd(c: &mut KernelContext) -> Result<()> {
    let (params, indices) = (c.input(0)?, c.input(1)?);
    let (places, block) = nd_places(indices, params.shape().dims(), "indices")?;
    let i = indices.shape();
    let mut dims = i.dims()[..i.rank() - 1].to_vec();
    dims.extend_from_slice(&params.shape().dims()[i.dim(i.rank() - 1)..]);
    let runs = places.into_iter().map(|from| Run {
        source: 0,
        from,
        len: block,
    });
    let made = assemble(params.dtype(), Shape::new(&dims)?, &[params], runs)?;
    c.set_output(0, made);
    Ok(())
}

fn scatter_nd_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.constant_shape(2)?;
    c.set(0, shape);
    Ok(())
}

fn scatter_nd_grad(g: &mut GradientContext) -> Result<Grads> {
    let inputs = [g.dy(0)?, g.input(0)];
    let made = g.op("GatherNd", inputs)?;
    Ok(vec![None, Some(made.into()), None])
}

fn scatter_nd(c: &mut KernelContext) -> Result<()> {
    let (indices, updates, dims) = (c.input(0)?, c.input(1)?, c.ints_input(2)?);
    let shape = Shape::new(&dims)?;
    let (places, block) = nd_places(indices, &dims, "indices")?;
    ensure!(
        updates.num_elements() == places.len() * block,
        invalid,
        "Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got updates.shape: {}, \
         indices.shape: {}, params_shape: {shape}",
        updates.shape(),
        indices.shape()
    );
    let mut out = Value::zeros(updates.dtype(), shape)?;
    dispatch!(numbers, updates.dtype(), T => {
        use crate::backend::cpu::gemm::Number;
        let (from, to) = (updates.slice::<T>()?, out.slice_mut::<T>()?);
        for (row, at) in from.chunks_exact(block.max(1)).zip(places) {
            for (to, x) in to[at..at + block].iter_mut().zip(row) {
                *to = T::plus(*to, *x);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn unsorted_shape(c: &mut ShapeContext) -> Result<()> {
    let (data, ids) = (c.input(0), c.input(1));
    crate::graph::with_rank(&c.input(2), 0)?;
    let rows = c.constant(2).and_then(|v| v.int().ok()).unwrap_or(-1);
    let (Some(d), Some(i)) = (data.dims(), ids.dims()) else {
        return Ok(());
    };
    ensure!(
        i.len() <= d.len(),
        invalid,
        "Shape must be at least rank {} but is rank {}",
        i.len(),
        d.len()
    );
    for (a, b) in d.iter().zip(i) {
        shape::merge_dim(*a, *b)?;
    }
    let mut dims = vec![rows];
    dims.extend_from_slice(&d[i.len()..]);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn unsorted_sum_grad(g: &mut GradientContext) -> Result<Grads> {
    let (ids, dy) = (g.input(1), g.dy(0)?);
    let zeros = g.graph.zeros_like(ids)?;
    let clipped = g.op("Maximum", [ids, zeros])?;
    let axis = In::Plain("axis", int(0)?);
    let rows = g
        .graph
        .call("GatherV2", "", [dy.into(), clipped.into(), axis], &[])?;
    let zero = g.graph.plain("y", ids, 0.0)?;
    let mut is_kept = g.graph.call("GreaterEqual", "", [ids.into(), zero], &[])?;
    let missing = match (g.shape(rows).rank(), g.shape(is_kept).rank()) {
        (Some(a), Some(b)) => a.saturating_sub(b),
        _ => bail!(
            value,
            "the gradient of UnsortedSegmentSum needs known ranks"
        ),
    };
    for _ in 0..missing {
        is_kept = g.graph.expand_dims(is_kept, -1)?;
    }
    let ones = ones_of_bool(g, rows)?;
    let mask = g.graph.call("LogicalAnd", "and", [is_kept, ones], &[])?;
    let zeros = g.graph.zeros_like(rows)?;
    let made = g.graph.where_(mask, rows, zeros)?;
    Ok(vec![Some(made.into()), None, None])
}

/// `tf.ones_like(e, dtype=tf.bool)`.
fn ones_of_bool(g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
    let known = g.shape(e).clone();
    g.graph.in_scope("ones_like", |graph| {
        let shape = graph.shape_of(e)?;
        let value = graph.constant_node("Const", Value::scalar_bool(true)?)?;
        let name = graph.scope_as_name();
        let made = graph.call("Fill", &name, [shape, value], &[])?;
        graph.set_shape(made, &known)?;
        Ok(made)
    })
}

fn unsorted_segment_sum(c: &mut KernelContext) -> Result<()> {
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
    ensure!(
        rows >= 0,
        invalid,
        "Input num_segments == {rows} must not be negative."
    );
    let mut dims = vec![rows];
    dims.extend_from_slice(&d[i.len()..]);
    let mut out = Value::zeros(data.dtype(), Shape::new(&dims)?)?;
    let block = product(&d[i.len()..]);
    let ids = ids.ints()?;
    if let Some(bad) = ids.iter().find(|x| **x >= rows) {
        bail!(invalid, "segment_ids = {bad} is out of range [0, {rows})");
    }
    dispatch!(numbers, data.dtype(), T => {
        use crate::backend::cpu::gemm::Number;
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        for (row, id) in from.chunks_exact(block.max(1)).zip(&ids) {
            let Ok(id) = usize::try_from(*id) else { continue };
            for (to, x) in to[id * block..(id + 1) * block].iter_mut().zip(row) {
                *to = T::plus(*to, *x);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn segment_shape(c: &mut ShapeContext) -> Result<()> {
    let data = c.input(0);
    c.input_of_rank(1, 1)?;
    if let Some(dims) = data.dims() {
        ensure!(
            !dims.is_empty(),
            invalid,
            "Shape must be at least rank 1 but is rank 0"
        );
        let mut dims = dims.to_vec();
        dims[0] = -1;
        c.set(0, PartialShape::from_dims(dims));
    }
    Ok(())
}

fn segment_sum_grad(g: &mut GradientContext) -> Result<Grads> {
    let (ids, dy) = (g.input(1), g.dy(0)?);
    let axis = In::Plain("axis", int(0)?);
    let made = g
        .graph
        .call("GatherV2", "", [dy.into(), ids.into(), axis], &[])?;
    Ok(vec![Some(made.into()), None])
}

fn segment_sum(c: &mut KernelContext, is_mean: bool) -> Result<()> {
    let (data, ids) = (c.input(0)?, c.ints_input(1)?);
    let dims = data.shape().dims();
    ensure!(
        dims.first() == Some(&(ids.len() as i64)),
        invalid,
        "segment_ids should be the same size as dimension 0 of input."
    );
    ensure!(
        ids.is_sorted() && ids.first().is_none_or(|x| *x >= 0),
        invalid,
        "segment ids are not increasing"
    );
    let mut out_dims = dims.to_vec();
    out_dims[0] = ids.last().map_or(0, |x| x + 1);
    let mut out = Value::zeros(data.dtype(), Shape::new(&out_dims)?)?;
    let block = product(&dims[1..]);
    let mut counts = vec![0usize; out_dims[0] as usize];
    ids.iter().for_each(|id| counts[*id as usize] += 1);
    dispatch!(numbers, data.dtype(), T => {
        use crate::backend::cpu::gemm::Number;
        let (from, to) = (data.slice::<T>()?, out.slice_mut::<T>()?);
        for (row, id) in from.chunks_exact(block.max(1)).zip(&ids) {
            let id = *id as usize;
            for (to, x) in to[id * block..(id + 1) * block].iter_mut().zip(row) {
                *to = T::plus(*to, *x);
            }
        }
        if is_mean {
            for (row, n) in to.chunks_exact_mut(block.max(1)).zip(&counts) {
                row.iter_mut().for_each(|x| *x = T::divided(*x, (*n).max(1)));
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn stitch_shape(c: &mut ShapeContext) -> Result<()> {
    let count = c.num_inputs() / 2;
    let mut rows = Some(0i64);
    let mut rest = PartialShape::unknown();
    for i in 0..count {
        match c.constant_ints(i) {
            Some(all) => rows = rows.map(|r| all.iter().fold(r, |r, x| r.max(x + 1))),
            None => rows = None,
        }
        let (indices, data) = (c.input(i), c.input(count + i));
        let (Some(i), Some(d)) = (indices.dims(), data.dims()) else {
            continue;
        };
        ensure!(
            i.len() <= d.len(),
            invalid,
            "Shape must be at least rank {} but is rank {}",
            i.len(),
            d.len()
        );
        for (a, b) in i.iter().zip(d) {
            shape::merge_dim(*a, *b)?;
        }
        rest = shape::merge(&rest, &PartialShape::from_dims(d[i.len()..].to_vec()))?;
    }
    if let Some(dims) = rest.dims() {
        let mut all = vec![rows.unwrap_or(-1)];
        all.extend_from_slice(dims);
        c.set(0, PartialShape::from_dims(all));
    }
    Ok(())
}

fn stitch_grad(g: &mut GradientContext) -> Result<Grads> {
    let count = g.num_inputs() / 2;
    let dy = g.dy(0)?;
    let mut grads = vec![None; count];
    for i in 0..count {
        let indices = g.input(i);
        let axis = In::Plain("axis", int(0)?);
        let made = g
            .graph
            .call("GatherV2", "", [dy.into(), indices.into(), axis], &[])?;
        grads.push(Some(made.into()));
    }
    Ok(grads)
}

fn dynamic_stitch(c: &mut KernelContext) -> Result<()> {
    let count = c.num_inputs() / 2;
    let mut sources = Vec::with_capacity(count);
    let mut rest: Option<Vec<i64>> = None;
    let mut from: Vec<Option<(usize, usize)>> = Vec::new();
    for k in 0..count {
        let (indices, data) = (c.input(k)?, c.input(count + k)?);
        let (i, d) = (indices.shape().dims(), data.shape().dims());
        ensure!(
            d.starts_with(i),
            invalid,
            "data[{k}].shape = {} does not start with indices[{k}].shape = {}",
            data.shape(),
            indices.shape()
        );
        let own = d[i.len()..].to_vec();
        let rest = rest.get_or_insert_with(|| own.clone());
        ensure!(
            *rest == own,
            invalid,
            "Need data[0].shape[1:] = data[{k}].shape[1:], got {rest:?} and {own:?}"
        );
        for (row, place) in indices.ints()?.into_iter().enumerate() {
            let place = usize::try_from(place)
                .map_err(|_| Error::invalid(format!("indices[{k}] is out of range")))?;
            ensure!(
                place <= MAX_STITCHED,
                invalid,
                "indices[{k}] is out of range: {place}"
            );
            if from.len() <= place {
                from.resize(place + 1, None);
            }
            from[place] = Some((k, row));
        }
        sources.push(data);
    }
    let rest = rest.unwrap_or_default();
    let block = product(&rest);
    let mut dims = vec![from.len() as i64];
    dims.extend_from_slice(&rest);
    // Places that no index names are zeros: they come from one more source.
    let mut zero_dims = vec![1];
    zero_dims.extend_from_slice(&rest);
    let zeros = Value::zeros(sources[0].dtype(), Shape::new(&zero_dims)?)?;
    let dtype = sources[0].dtype();
    sources.push(&zeros);
    let runs = from.iter().map(|place| match place {
        Some((source, row)) => Run {
            source: *source,
            from: row * block,
            len: block,
        },
        None => Run {
            source: count,
            from: 0,
            len: block,
        },
    });
    let made = assemble(dtype, Shape::new(&dims)?, &sources, runs)?;
    c.set_output(0, made);
    Ok(())
}

/// The largest index of a stitch: one wrong index must not ask for all memory.
const MAX_STITCHED: usize = 1 << 31;

fn partition_shape(c: &mut ShapeContext) -> Result<()> {
    let (data, partitions) = (c.input(0), c.input(1));
    let (Some(d), Some(p)) = (data.dims(), partitions.dims()) else {
        return Ok(());
    };
    ensure!(
        p.len() <= d.len(),
        invalid,
        "Shape must be at least rank {} but is rank {}",
        p.len(),
        d.len()
    );
    for (a, b) in p.iter().zip(d) {
        shape::merge_dim(*a, *b)?;
    }
    let mut dims = vec![-1];
    dims.extend_from_slice(&d[p.len()..]);
    for i in 0..c.num_outputs() {
        c.set(i, PartialShape::from_dims(dims.clone()));
    }
    Ok(())
}

fn partition_grad(g: &mut GradientContext) -> Result<Grads> {
    let (data, partitions) = (g.input(0), g.input(1));
    let count = g.node().attrs.int("num_partitions")? as usize;
    let prefix = g.graph.shape_of(partitions)?;
    let zero = g.constant("Const", ints(&[0])?)?;
    let size = g.op("Prod", [prefix, zero])?;
    let all = g.graph.range(int(0)?, size)?;
    let places = g.graph.reshape(all, prefix)?;
    let attrs = [("num_partitions", Attr::Int(count as i64))];
    let parts = g
        .graph
        .call("DynamicPartition", "", [places, partitions], &attrs)?;
    let indices: Vec<Endpoint> = (0..count).map(|i| Endpoint::new(parts.node, i)).collect();
    let mut grads = Vec::with_capacity(count);
    for i in 0..count {
        grads.push(g.dy(i)?);
    }
    let inputs = [In::List(indices), In::List(grads)];
    let stitched = g
        .graph
        .call("ParallelDynamicStitch", "DynamicStitch", inputs, &[])?;
    let shape = g.graph.shape_of(data)?;
    let made = g.graph.reshape(stitched, shape)?;
    Ok(vec![Some(made.into()), None])
}

fn dynamic_partition(c: &mut KernelContext) -> Result<()> {
    let (data, partitions) = (c.input(0)?.clone(), c.input(1)?.clone());
    let (d, p) = (data.shape().dims(), partitions.shape().dims());
    ensure!(
        d.starts_with(p),
        invalid,
        "data.shape must start with partitions.shape, got data.shape = {}, partitions.shape = {}",
        data.shape(),
        partitions.shape()
    );
    let count = c.num_outputs();
    let block = product(&d[p.len()..]);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (row, part) in partitions.ints()?.into_iter().enumerate() {
        let part = usize::try_from(part).ok().filter(|x| *x < count);
        let Some(part) = part else {
            bail!(invalid, "partitions[{row}] is not in [0, {count})");
        };
        rows[part].push(row);
    }
    for (i, rows) in rows.into_iter().enumerate() {
        let mut dims = vec![rows.len() as i64];
        dims.extend_from_slice(&d[p.len()..]);
        let runs = rows.iter().map(|row| Run {
            source: 0,
            from: row * block,
            len: block,
        });
        let piece = assemble(data.dtype(), Shape::new(&dims)?, &[&data], runs)?;
        c.set_output(i, piece);
    }
    Ok(())
}

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
    let (places, _) = nd_places(&two, &dims, "indices")?;
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
    let rows = if rank == 0 {
        let is_true = input.bytes()?.iter().any(|b| *b != 0);
        i64::from(is_true)
    } else {
        (places.len() / rank) as i64
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
    let integers = |all: &[i64]| match out_type {
        DType::I64 => Value::vector(all),
        _ => ints(all),
    };
    let (places, counts) = (integers(&places)?, integers(&counts)?);
    c.set_output(0, values);
    c.set_output(1, places);
    if with_counts {
        c.set_output(2, counts);
    }
    Ok(())
}

fn list_diff(c: &mut KernelContext) -> Result<()> {
    let (x, y) = (c.input(0)?, c.input(1)?);
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
    let places = match c.attrs().dtype("out_idx")? {
        DType::I64 => Value::vector(&places)?,
        _ => ints(&places)?,
    };
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

fn top_k_grad(_: &mut GradientContext) -> Result<Grads> {
    bail!(unimplemented, "the gradient of TopKV2")
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
        let rows = if width == 0 { 0 } else { from.len() / width };
        for r in 0..rows {
            let row = &from[r * width..(r + 1) * width];
            let mut order: Vec<usize> = (0..width).collect();
            order.sort_by(|a, b| row[*b].partial_cmp(&row[*a]).unwrap_or(std::cmp::Ordering::Equal));
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

fn select(c: &mut KernelContext) -> Result<()> {
    let (condition, a, b) = (c.input(0)?, c.input(1)?, c.input(2)?);
    ensure!(
        a.shape() == b.shape(),
        invalid,
        "'then' and 'else' must have the same size.  but received: {} vs. {}",
        a.shape(),
        b.shape()
    );
    let shape = a.shape();
    let picks = condition.slice::<u8>()?;
    let block = if condition.shape().is_scalar() {
        a.num_elements()
    } else if condition.shape() == shape {
        1
    } else {
        ensure!(
            condition.shape().rank() == 1
                && shape.rank() >= 1
                && condition.shape().dim(0) == shape.dim(0),
            invalid,
            "Inputs to operation {} of type Select must have the same size and shape.  Input 0: {} != input 1: {shape}",
            c.node.name,
            condition.shape()
        );
        product(&shape.dims()[1..])
    };
    let runs = picks.iter().enumerate().map(|(i, pick)| Run {
        source: usize::from(*pick == 0),
        from: i * block,
        len: block,
    });
    let made = assemble(a.dtype(), shape.clone(), &[a, b], runs)?;
    c.set_output(0, made);
    Ok(())
}
