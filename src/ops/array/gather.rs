//! Picking slices by index, and adding slices in at indices.

use crate::error::{Error, Result};
use crate::graph::{Attr, Attrs, Endpoint, ShapeContext};
use crate::ops::build::{In, int, ints};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{Grad, GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, product, strides};
use crate::ops::state::Update;
use crate::ops::{Op, constant_value, shape};
use crate::value::{DType, PartialShape, Shape, Value, resolve_axis};
use crate::{bail, dispatch, ensure};

use super::rows::{self, NdFrom};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "GatherV2",
        "params: Tparams, indices: Tindices, axis: Taxis -> output: Tparams",
    )
    .attr("batch_dims: int = 0")
    .attr("Tparams: type")
    .attr("Tindices: {int32, int64}")
    .attr("Taxis: {int32, int64}")
    .shape(gather_shape)
    .grad(gather_v2_grad)
    .kernel(gather)
    .gpu(gather_on_gpu)
    .on_host(&[2]),
    Op::new(
        "Gather",
        "params: Tparams, indices: Tindices -> output: Tparams",
    )
    .attr("validate_indices: bool = true")
    .attr("Tparams: type")
    .attr("Tindices: {int32, int64}")
    .shape(gather_v1_shape)
    .grad(gather_grad)
    .kernel(gather)
    .gpu(gather_on_gpu),
    Op::new(
        "GatherNd",
        "params: Tparams, indices: Tindices -> output: Tparams",
    )
    .attr("Tparams: type")
    .attr("Tindices: {int32, int64}")
    .shape(gather_nd_shape)
    .grad(gather_nd_grad)
    .kernel(gather_nd)
    .gpu(rows::gather_nd)
    .on_host(&[1]),
    Op::new(
        "ScatterNd",
        "indices: Tindices, updates: T, shape: Tindices -> output: T",
    )
    .attr("T: type")
    .attr("Tindices: {int32, int64}")
    .shape(scatter_nd_shape)
    .grad(scatter_nd_grad)
    .kernel(scatter_nd)
    .gpu(|c| rows::scatter_nd(c, Update::Add, NdFrom::Zeros))
    .on_host(&[0, 2]),
];

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

/// A gather: `[batches * outer, rows, inner]` of the parameters, `[batches, picks]` of the indices.
pub(in crate::ops) struct GatherPlan {
    pub batches: usize,
    pub outer: usize,
    pub rows: usize,
    pub inner: usize,
    /// Indices of each batch.
    pub picks: usize,
    pub shape: Shape,
}

/// The plan of a gather along `axis` of parameters and indices of these shapes.
pub(in crate::ops) fn plan_gather(
    p: &Shape,
    i: &Shape,
    axis: i64,
    attrs: &Attrs,
) -> Result<GatherPlan> {
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
    let batch = attrs.int("batch_dims").unwrap_or(0);
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
    let mut dims = p.dims()[..axis].to_vec();
    dims.extend_from_slice(&i.dims()[batch..]);
    dims.extend_from_slice(&p.dims()[axis + 1..]);
    Ok(GatherPlan {
        batches: product(&p.dims()[..batch]),
        outer: product(&p.dims()[batch..axis]),
        rows: p.dim(axis),
        inner: product(&p.dims()[axis + 1..]),
        picks: product(&i.dims()[batch..]),
        shape: Shape::new(&dims)?,
    })
}

fn gather_on_gpu(c: &mut GpuContext) -> Result<()> {
    let axis = match c.num_inputs() {
        3 => c.host_input(2)?.int()?,
        _ => 0,
    };
    let plan = plan_gather(c.shape(0)?, c.shape(1)?, axis, c.attrs())?;
    let (params, indices) = (c.input(0)?, c.input(1)?);
    match super::gpu::gather(c, &params, &indices, &plan)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

fn gather(c: &mut KernelContext) -> Result<()> {
    let axis = match c.num_inputs() {
        3 => c.scalar_input(2, "axis")?.int()?,
        _ => 0,
    };
    let (params, indices) = (c.input(0)?, c.input(1)?);
    let i = indices.shape();
    let plan = plan_gather(params.shape(), i, axis, c.attrs())?;
    let limit = plan.rows as i64;
    let places = indices.ints()?;
    if let Some(at) = places.iter().position(|x| !(0..limit).contains(x)) {
        bail!(
            invalid,
            "indices{} = {} is not in [0, {limit})",
            show_place(i, at),
            places[at]
        );
    }
    let GatherPlan {
        batches,
        outer,
        rows,
        inner,
        picks: per_batch,
        shape,
    } = plan;
    let runs = (0..batches * outer).flat_map(|at| {
        let own = &places[at / outer.max(1) * per_batch..][..per_batch];
        own.iter().map(move |row| Run {
            source: 0,
            from: (at * rows + *row as usize) * inner,
            len: inner,
        })
    });
    let made = assemble(params.dtype(), shape, &[params], runs)?;
    c.set_output(0, made);
    Ok(())
}

/// `[1,2]`: where element number `at` stands; nothing for a scalar.
pub(super) fn show_place(shape: &Shape, at: usize) -> String {
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
pub(in crate::ops) fn nd_places(
    indices: &Value,
    dims: &[i64],
    what: &str,
) -> Result<(Vec<usize>, usize)> {
    let shape = indices.shape();
    ensure!(
        shape.rank() >= 1,
        invalid,
        "indices must be at least a vector"
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
                "indices[{i}] = {index:?} does not index into {what}shape [{}]",
                dims.iter()
                    .map(i64::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            );
            at += *x as usize * steps[k];
        }
        places.push(at);
    }
    Ok((places, block))
}

fn gather_nd(c: &mut KernelContext) -> Result<()> {
    let (params, indices) = (c.input(0)?, c.input(1)?);
    let (places, block) = nd_places(indices, params.shape().dims(), "param ")?;
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
    let (places, block) = nd_places(indices, &dims, "")?;
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
