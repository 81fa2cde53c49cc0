//! Joining tensors along an axis, and taking them apart again.

use crate::error::{Error, Result};
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::ops::build::{In, ints};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{Grad, GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, product};
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value, resolve_axis};
use crate::{bail, ensure};

use super::gpu;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Pack", "values: N * T -> output: T")
        .attr("N: int >= 1")
        .attr("T: type")
        .attr("axis: int = 0")
        .shape(pack_shape)
        .grad(pack_grad)
        .kernel(pack)
        .gpu(pack_on_gpu),
    Op::new("Unpack", "value: T -> output: num * T")
        .attr("num: int >= 0")
        .attr("T: type")
        .attr("axis: int = 0")
        .shape(unpack_shape)
        .grad(unpack_grad)
        .kernel(unpack)
        .gpu(unpack_on_gpu),
    Op::new("Concat", "concat_dim: int32, values: N * T -> output: T")
        .attr("N: int >= 2")
        .attr("T: type")
        .shape(|c| concat_shape(c, 0))
        .grad(|g| concat_grad(g, 0))
        .kernel(|c| concat(c, 0))
        .gpu(|c| concat_on_gpu(c, 0))
        .on_host(&[0]),
    Op::new("ConcatV2", "values: N * T, axis: Tidx -> output: T")
        .attr("N: int >= 2")
        .attr("T: type")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(|c| {
            let last = c.num_inputs() - 1;
            concat_shape(c, last)
        })
        .grad(|g| {
            let last = g.num_inputs() - 1;
            concat_grad(g, last)
        })
        .kernel(|c| {
            let last = c.num_inputs() - 1;
            concat(c, last)
        })
        .gpu(|c| {
            let last = c.num_inputs() - 1;
            concat_on_gpu(c, last)
        }),
    Op::new(
        "ConcatOffset",
        "concat_dim: int32, shape: N * int32 -> offset: N * int32",
    )
    .attr("N: int >= 2")
    .no_grad()
    .shape(concat_offset_shape)
    .host(concat_offset),
];

fn pack_shape(c: &mut ShapeContext) -> Result<()> {
    let mut one = PartialShape::unknown();
    for i in (0..c.num_inputs()).rev() {
        one = shape::merge(&c.input(i), &one).map_err(|e| {
            let message = &e.message;
            Error::invalid(format!(
                "{message}\n\tFrom merging shape {i} with other shapes."
            ))
        })?;
    }
    let Some(dims) = one.dims() else {
        return Ok(());
    };
    let at = new_axis(c.attrs().int("axis")?, dims.len())?;
    let mut dims = dims.to_vec();
    dims.insert(at, c.num_inputs() as i64);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

/// The place of an axis that is added to `rank` others.
fn new_axis(axis: i64, rank: usize) -> Result<usize> {
    let rank = rank as i64 + 1;
    ensure!(
        (-rank..rank).contains(&axis),
        invalid,
        "Invalid axis: {axis}; must be in [{},{rank})",
        -rank
    );
    Ok(if axis < 0 { axis + rank } else { axis } as usize)
}

fn pack_grad(g: &mut GradientContext) -> Result<Grads> {
    let attrs = &g.node().attrs;
    let (n, axis) = (attrs.int("N")?, attrs.int("axis")?);
    let dy = g.dy(0)?;
    let attrs = [("num", Attr::Int(n)), ("axis", Attr::Int(axis))];
    let first = g.graph.call("Unpack", "unstack", [dy], &attrs)?;
    let part = |i| Some(Grad::Dense(Endpoint::new(first.node, i)));
    Ok((0..n as usize).map(part).collect())
}

fn unpack_grad(g: &mut GradientContext) -> Result<Grads> {
    let axis = g.node().attrs.int("axis")?;
    let count = g.node().outputs.len();
    let mut parts = Vec::with_capacity(count);
    for i in 0..count {
        parts.push(g.dy(i)?);
    }
    let attrs = [("axis", Attr::Int(axis))];
    let made = g.graph.call("Pack", "stack", [In::List(parts)], &attrs)?;
    Ok(vec![Some(made.into())])
}

fn pack(c: &mut KernelContext) -> Result<()> {
    let count = c.num_inputs();
    let inputs = (0..count).map(|i| c.input(i));
    let inputs = inputs.collect::<Result<Vec<&Value>>>()?;
    let (outer, inner, dims) = packed(&inputs, c.attrs().int("axis")?)?;
    let runs = (0..outer).flat_map(|o| {
        (0..count).map(move |source| Run {
            source,
            from: o * inner,
            len: inner,
        })
    });
    let made = assemble(inputs[0].dtype(), Shape::new(&dims)?, &inputs, runs)?;
    c.set_output(0, made);
    Ok(())
}

/// What lies before and behind the new axis, and the sizes of the result.
fn packed(inputs: &[&Value], axis: i64) -> Result<(usize, usize, Vec<i64>)> {
    let Some(first) = inputs.first().map(|v| v.shape()) else {
        bail!(invalid, "nothing to pack");
    };
    let at = new_axis(axis, first.rank())?;
    for (i, input) in inputs.iter().enumerate() {
        ensure!(
            input.shape() == first,
            invalid,
            "Shapes of all inputs must match: values[0].shape = {first} != values[{i}].shape = {}",
            input.shape()
        );
    }
    let mut dims = first.dims().to_vec();
    dims.insert(at, inputs.len() as i64);
    let (outer, inner) = (product(&first.dims()[..at]), product(&first.dims()[at..]));
    Ok((outer, inner, dims))
}

fn on_gpu(c: &mut GpuContext, inputs: std::ops::Range<usize>) -> Result<Vec<Value>> {
    inputs.map(|i| c.input(i)).collect()
}

fn pack_on_gpu(c: &mut GpuContext) -> Result<()> {
    let all = 0..c.num_inputs();
    let inputs = on_gpu(c, all)?;
    let (outer, _, dims) = packed(&inputs.iter().collect::<Vec<_>>(), c.attrs().int("axis")?)?;
    gpu::set_joined(c, &inputs, outer, Shape::new(&dims)?)
}

fn concat_on_gpu(c: &mut GpuContext, axis_input: usize) -> Result<()> {
    let axis = c.host_input(axis_input)?.int()?;
    let first = usize::from(axis_input == 0);
    let parts = first..first + c.num_inputs() - 1;
    let inputs = on_gpu(c, parts)?;
    let (axis, dims) = concatenated(&inputs.iter().collect::<Vec<_>>(), axis)?;
    gpu::set_joined(c, &inputs, product(&dims[..axis]), Shape::new(&dims)?)
}

fn unpack_on_gpu(c: &mut GpuContext) -> Result<()> {
    let num = c.num_outputs();
    let (at, dims) = unpacked(c.shape(0)?, c.attrs().int("axis")?, num)?;
    let shape = Shape::new(&dims)?;
    gpu::cut(c, 0, at, &vec![1; num], vec![shape; num])
}

fn unpack_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let at = shape::axis_of(c.attrs().int("axis")?, dims.len())?;
    shape::dim_is(dims[at], c.attrs().int("num")?)?;
    let mut dims = dims.to_vec();
    dims.remove(at);
    for i in 0..c.num_outputs() {
        c.set(i, PartialShape::from_dims(dims.clone()));
    }
    Ok(())
}

fn unpack(c: &mut KernelContext) -> Result<()> {
    let value = c.input(0)?.clone();
    let num = c.num_outputs();
    let (at, dims) = unpacked(value.shape(), c.attrs().int("axis")?, num)?;
    cut(c, &value, at, &vec![1; num], |_| Shape::new(&dims))
}

/// The axis that goes, and the sizes of each piece.
fn unpacked(shape: &Shape, axis: i64, num: usize) -> Result<(usize, Vec<i64>)> {
    let at = resolve_axis(axis, shape.rank())?;
    ensure!(
        shape.dim(at) == num,
        invalid,
        "Input shape axis {at} must equal {num}, got shape {shape}"
    );
    let mut dims = shape.dims().to_vec();
    dims.remove(at);
    Ok((at, dims))
}

/// Cuts `value` along `axis` into pieces of these sizes, one an output, of the shapes that `piece_shape` says.
pub(super) fn cut(
    c: &mut KernelContext,
    value: &Value,
    axis: usize,
    sizes: &[usize],
    piece_shape: impl Fn(usize) -> Result<Shape>,
) -> Result<()> {
    let dims = value.shape().dims();
    let (outer, inner) = (product(&dims[..axis]), product(&dims[axis + 1..]));
    let step = dims[axis] as usize * inner;
    let mut start = 0;
    for (i, size) in sizes.iter().enumerate() {
        let len = size * inner;
        let runs = (0..outer).map(|o| Run {
            source: 0,
            from: o * step + start,
            len,
        });
        let piece = assemble(value.dtype(), piece_shape(i)?, &[value], runs)?;
        c.set_output(i, piece);
        start += len;
    }
    Ok(())
}

fn concat_shape(c: &mut ShapeContext, axis_input: usize) -> Result<()> {
    crate::graph::with_rank(&c.input(axis_input), 0)?;
    let first = usize::from(axis_input == 0);
    let values = first..first + c.num_inputs() - 1;
    let axis = c.constant(axis_input).and_then(|v| v.int().ok());
    let Some(axis) = axis else {
        // Of unknown axis: only the rank is known.
        let mut rank = None;
        for i in values {
            let one = c.input(i);
            if let Some(rank) = rank {
                crate::graph::with_rank(&one, rank)?;
            }
            rank = rank.or(one.rank());
        }
        if let Some(rank) = rank {
            ensure!(
                rank > 0,
                invalid,
                "Can't concatenate scalars (use tf.stack instead)"
            );
            c.set(0, PartialShape::unknown_of_rank(rank));
        }
        return Ok(());
    };
    let least = if axis < 0 { -axis } else { axis + 1 } as usize;
    let mut joined: Option<PartialShape> = None;
    for i in values {
        let one = c.input(i);
        shape::at_least(&one, least)?;
        joined = Some(match joined {
            None => one,
            Some(so_far) => join(&so_far, &one, axis)?,
        });
    }
    if let Some(shape) = joined {
        c.set(0, shape);
    }
    Ok(())
}

/// The shape of two tensors side by side; unknown where one of the ranks is.
fn join(a: &PartialShape, b: &PartialShape, axis: i64) -> Result<PartialShape> {
    let (Some(x), Some(y)) = (a.dims(), b.dims()) else {
        return Ok(PartialShape::unknown());
    };
    ensure!(
        x.len() == y.len(),
        invalid,
        "Shapes must be equal rank, but are {} and {}",
        x.len(),
        y.len()
    );
    let at = shape::axis_of(axis, x.len())?;
    let mut dims = Vec::with_capacity(x.len());
    for (i, (p, q)) in x.iter().zip(y).enumerate() {
        if i == at {
            dims.push(shape::add_dim(*p, *q)?);
            continue;
        }
        let both = shape::merge_dim(*p, *q).map_err(|_| {
            // TensorFlow compares what lies before and behind the axis, and counts from there.
            let (from, to) = if i < at { (0, at) } else { (at + 1, x.len()) };
            let side = |dims: &[i64]| PartialShape::from_dims(dims[from..to].to_vec());
            Error::invalid(format!(
                "Dimension {} in both shapes must be equal, but are {p} and {q}. Shapes are {} and {}.",
                i - from,
                side(x),
                side(y)
            ))
        })?;
        dims.push(both);
    }
    Ok(PartialShape::from_dims(dims))
}

fn concat(c: &mut KernelContext, axis_input: usize) -> Result<()> {
    let axis = c.scalar_input(axis_input, "concat_dim")?.int()?;
    let first = usize::from(axis_input == 0);
    let inputs = (first..first + c.num_inputs() - 1).map(|i| c.input(i));
    let inputs = inputs.collect::<Result<Vec<&Value>>>()?;
    let (axis, dims) = concatenated(&inputs, axis)?;
    let (outer, inner) = (product(&dims[..axis]), product(&dims[axis + 1..]));
    let lengths: Vec<usize> = inputs.iter().map(|v| v.shape().dim(axis) * inner).collect();
    let runs = (0..outer).flat_map(|o| {
        let run = move |(source, len): (usize, &usize)| Run {
            source,
            from: o * len,
            len: *len,
        };
        lengths.iter().enumerate().map(run)
    });
    let made = assemble(inputs[0].dtype(), Shape::new(&dims)?, &inputs, runs)?;
    c.set_output(0, made);
    Ok(())
}

/// The axis along which tensors are joined, and the sizes of the result.
fn concatenated(inputs: &[&Value], axis: i64) -> Result<(usize, Vec<i64>)> {
    let Some(head) = inputs.first() else {
        bail!(invalid, "nothing to concatenate");
    };
    let rank = head.shape().rank();
    ensure!(
        (-(rank as i64)..rank as i64).contains(&axis),
        invalid,
        "ConcatOp : Expected concatenating dimensions in the range [{}, {rank}), but got {axis}",
        -(rank as i64)
    );
    let axis = resolve_axis(axis, rank)?;
    let mut dims = head.shape().dims().to_vec();
    dims[axis] = 0;
    for (i, input) in inputs.iter().enumerate() {
        let shape = input.shape();
        ensure!(
            shape.rank() == rank,
            invalid,
            "ConcatOp : Ranks of all input tensors should match: shape[0] = {} vs. shape[{i}] = {shape}",
            head.shape()
        );
        for (k, d) in dims.iter().enumerate() {
            ensure!(
                k == axis || *d == shape.dims()[k],
                invalid,
                "ConcatOp : Dimensions of inputs should match: shape[0] = {} vs. shape[{i}] = {shape}",
                head.shape()
            );
        }
        dims[axis] = dims[axis]
            .checked_add(shape.dims()[axis])
            .ok_or_else(|| Error::invalid("the sizes to concatenate overflow"))?;
    }
    Ok((axis, dims))
}

/// Pieces of the gradient for each part (`_ConcatGradHelper`); `axis_input` is the place of the axis among the inputs.
fn concat_grad(g: &mut GradientContext, axis_input: usize) -> Result<Grads> {
    let first = usize::from(axis_input == 0);
    let count = g.num_inputs() - 1;
    let with_axis = |mut grads: Grads| {
        grads.insert(axis_input, None);
        grads
    };
    if count == 1 {
        return Ok(with_axis(vec![g.out_grad(0)]));
    }
    let parts: Vec<Endpoint> = (first..first + count).map(|i| g.input(i)).collect();
    let mut axis = g.input(axis_input);
    match g.out_grad(0) {
        Some(slices @ Grad::Slices { .. }) => {
            slices_of_concat(g, slices, &parts, axis).map(with_axis)
        }
        _ => {
            let dy = g.dy(0)?;
            if g.graph.node(axis.node).op() == "Const"
                && g.graph.output_context(axis.node) != g.graph.output_context(dy.node)
            {
                let value = g.graph.node(axis.node).attrs.tensor("value")?.clone();
                axis = g.constant("Const", value)?;
            }
            pieces_of_concat(g, dy, &parts, axis).map(with_axis)
        }
    }
}

fn non_negative_axis(g: &mut GradientContext, axis: Endpoint, like: Endpoint) -> Result<Endpoint> {
    let rank = g.graph.rank_of(like)?;
    g.graph.call("FloorMod", "mod", [axis, rank], &[])
}

fn pieces_of_concat(
    g: &mut GradientContext,
    dy: Endpoint,
    parts: &[Endpoint],
    axis: Endpoint,
) -> Result<Grads> {
    let axis = non_negative_axis(g, axis, parts[0])?;
    let sizes = part_shapes(g, parts)?;
    if sizes.len() > 16 {
        return split_gradient(g, dy, sizes, axis);
    }
    let offset = g.graph.call(
        "ConcatOffset",
        "",
        [In::from(axis), In::List(sizes.clone())],
        &[],
    )?;
    let mut grads = Vec::with_capacity(parts.len());
    for (i, size) in sizes.into_iter().enumerate() {
        let begin = Endpoint::new(offset.node, i);
        let piece = g.op("Slice", [dy, begin, size])?;
        grads.push(Some(piece.into()));
    }
    Ok(grads)
}

/// Constants where all shapes are known; else one ShapeN.
fn part_shapes(g: &mut GradientContext, parts: &[Endpoint]) -> Result<Vec<Endpoint>> {
    let mut sizes = Vec::with_capacity(parts.len());
    for part in parts {
        let size = g.graph.shape_of(*part)?;
        if g.graph.node(size.node).op() != "Const" {
            let all = g
                .graph
                .call("ShapeN", "", [In::List(parts.to_vec())], &[])?;
            return Ok((0..parts.len())
                .map(|i| Endpoint::new(all.node, i))
                .collect());
        }
        sizes.push(size);
    }
    Ok(sizes)
}

/// More than 16 parts: a SplitV by the sizes along the axis.
fn split_gradient(
    g: &mut GradientContext,
    dy: Endpoint,
    sizes: Vec<Endpoint>,
    axis: Endpoint,
) -> Result<Grads> {
    let count = sizes.len();
    let attrs = [("axis", Attr::Int(1))];
    let stacked = g.graph.call("Pack", "stack", [In::List(sizes)], &attrs)?;
    let row = g.graph.in_scope("Slice", |graph| {
        let zero = graph.in_scope("begin", |graph| {
            let zero = graph.constant_node("1", crate::ops::build::int(0)?)?;
            let name = graph.scope_as_name();
            graph.call("Pack", &name, [In::List(vec![axis, zero])], &[])
        })?;
        let size = graph.constant_node("size", ints(&[1, -1])?)?;
        let name = graph.scope_as_name();
        graph.call("Slice", &name, [stacked, zero, size], &[])
    })?;
    let flat = g.op("Squeeze", [row])?;
    let attrs = [("num_split", Attr::Int(count as i64))];
    let pieces = g.graph.call("SplitV", "split", [dy, flat, axis], &attrs)?;
    Ok((0..count)
        .map(|i| Some(Endpoint::new(pieces.node, i).into()))
        .collect())
}

/// Rows of slices that fall into each part; only along the first axis.
fn slices_of_concat(
    g: &mut GradientContext,
    slices: Grad,
    parts: &[Endpoint],
    axis: Endpoint,
) -> Result<Grads> {
    let Grad::Slices {
        values, indices, ..
    } = slices
    else {
        bail!(internal, "slices are slices");
    };
    let which = crate::ops::constant_value(g.graph, axis).and_then(|v| v.int().ok());
    let Some(0) = which else {
        bail!(
            unimplemented,
            "the IndexedSlices gradient of a concatenation along another axis than 0"
        );
    };
    let axis = non_negative_axis(g, axis, parts[0])?;
    let mut sizes = Vec::with_capacity(parts.len());
    for part in parts {
        sizes.push(g.graph.shape_of(*part)?);
    }
    let dtype = g.dtype(indices);
    let mut start = g.constant("Const", crate::ops::build::number(dtype, 0.0)?)?;
    let mut grads = Vec::with_capacity(parts.len());
    let gather = |g: &mut GradientContext, from: Endpoint, at: Endpoint| {
        let axis = In::Plain("axis", crate::ops::build::int(0)?);
        g.graph
            .call("GatherV2", "", [from.into(), at.into(), axis], &[])
    };
    for size in sizes {
        let rows = gather(g, size, axis)?;
        let rows = g.graph.cast_to(rows, dtype)?;
        let end = g.graph.add(start, rows)?;
        let after = g.op("GreaterEqual", [indices, start])?;
        let before = g.op("Less", [indices, end])?;
        let inside = g.op("LogicalAnd", [after, before])?;
        let places = g.op("Where", [inside])?;
        let dims = [("squeeze_dims", Attr::from(vec![1i64]))];
        let places = g.graph.call("Squeeze", "", [places], &dims)?;
        let own = gather(g, indices, places)?;
        let own = g.graph.sub(own, start)?;
        let rows = gather(g, values, places)?;
        grads.push(Some(Grad::Slices {
            values: rows,
            indices: own,
            dense_shape: Some(size),
        }));
        start = end;
    }
    Ok(grads)
}

fn concat_offset_shape(c: &mut ShapeContext) -> Result<()> {
    for i in 1..c.num_inputs() {
        let shape = c.input_of_rank(i, 1)?;
        c.set(i - 1, shape);
    }
    Ok(())
}

fn concat_offset(c: &mut KernelContext) -> Result<()> {
    let axis = c.scalar_input(0, "Concat dim")?.int()?;
    let first = c.ints_input(1)?;
    let rank = first.len();
    let axis = resolve_axis(axis, rank)
        .map_err(|_| Error::invalid(format!("Concat dim is out of range: {axis} vs. {rank}")))?;
    let mut offset = 0i64;
    for i in 0..c.num_inputs() - 1 {
        let dims = c.ints_input(i + 1)?;
        ensure!(
            dims.len() == rank,
            invalid,
            "input {i} should contain {rank} elements, but got {}",
            dims.len()
        );
        let mut offsets = vec![0; rank];
        offsets[axis] = offset;
        for (k, (a, b)) in dims.iter().zip(&first).enumerate() {
            ensure!(
                k == axis || a == b,
                invalid,
                "All dimensions except {axis} must match. Input {i} has shape {dims:?} and doesn't match input 0 with shape {first:?}."
            );
        }
        offset += dims[axis];
        c.set_output(i, ints(&offsets)?);
    }
    Ok(())
}
