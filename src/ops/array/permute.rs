//! Rearranging axes: transposition, repetition, reversal.

use crate::error::{Error, Result};
use crate::graph::{Attr, ShapeContext};
use crate::ops::build::{In, int, integers};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::linalg::conjugate_if;
use crate::ops::moves::{Offsets, Run, assemble, strides};
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value, resolve_axis};
use crate::{bail, dispatch, ensure};

use super::gpu::{self, View};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Transpose", "x: T, perm: Tperm -> y: T").attr("T: type").attr("Tperm: {int32, int64} = DT_INT32").shape(transpose_shape).grad(|g| transpose_grad(g, "Transpose", "transpose")).kernel(|c| transpose(c, false)).gpu(transpose_on_gpu).on_host(&[1]),
    Op::new("ConjugateTranspose", "x: T, perm: Tperm -> y: T").attr("T: type").attr("Tperm: {int32, int64} = DT_INT32").shape(transpose_shape).grad(|g| transpose_grad(g, "ConjugateTranspose", "transpose")).kernel(|c| transpose(c, true)),
    Op::new("InvertPermutation", "x: T -> y: T").attr("T: {int32, int64} = DT_INT32").no_grad().shape(invert_shape).host(invert_permutation),
    Op::new("Tile", "input: T, multiples: Tmultiples -> output: T").attr("T: type").attr("Tmultiples: {int32, int64} = DT_INT32").shape(tile_shape).grad(tile_grad).kernel(tile).gpu(tile_on_gpu).on_host(&[1]),
    Op::new("BroadcastTo", "input: T, shape: Tidx -> output: T").attr("T: type").attr("Tidx: {int32, int64} = DT_INT32").shape(broadcast_to_shape).grad(broadcast_to_grad).kernel(broadcast_to).gpu(broadcast_on_gpu).on_host(&[1]),
    Op::new("ReverseV2", "tensor: T, axis: Tidx -> output: T").attr("Tidx: {int32, int64} = DT_INT32").attr("T: {uint8, int8, uint16, int16, int32, int64, bool, bfloat16, float16, float32, float64, complex64, complex128, string}").shape(shape::unchanged).grad(reverse_grad).kernel(reverse).gpu(reverse_on_gpu).on_host(&[1]),
    Op::new("ReverseSequence", "input: T, seq_lengths: Tlen -> output: T").attr("seq_dim: int").attr("batch_dim: int = 0").attr("T: type").attr("Tlen: {int32, int64} = DT_INT64").shape(shape::unchanged).grad(reverse_sequence_grad).kernel(reverse_sequence).gpu(super::turned::reverse_sequence),
];

fn transpose_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let perm_shape = c.input_of_rank(1, 1)?;
    let rank = input.rank().or(usize::try_from(perm_shape.dim(0)).ok());
    let perm = c.constant_ints(1);
    if let (Some(rank), count @ 0..) = (input.rank(), perm_shape.dim(0)) {
        ensure!(
            rank as i64 == count,
            invalid,
            "Dimension must be {rank} but is {count}"
        );
    }
    let Some(perm) = perm else {
        if let Some(rank) = rank {
            c.set(0, PartialShape::unknown_of_rank(rank));
        }
        return Ok(());
    };
    let input = crate::graph::with_rank(&input, perm.len())?;
    let mut dims = Vec::with_capacity(perm.len());
    for axis in &perm {
        ensure!(
            (0..perm.len() as i64).contains(axis),
            invalid,
            "perm dim {axis} is out of range of input rank {}",
            perm.len()
        );
        dims.push(input.dim(*axis as usize));
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn transpose_grad(g: &mut GradientContext, op: &'static str, name: &str) -> Result<Grads> {
    let (perm, dy) = (g.input(1), g.dy(0)?);
    let inverse = g.op("InvertPermutation", [perm])?;
    let made = g.graph.call(op, name, [dy, inverse], &[])?;
    Ok(vec![Some(made.into()), None])
}

/// The axes as places, each named once.
fn permutation(perm: &[i64], rank: usize) -> Result<Vec<usize>> {
    ensure!(
        perm.len() == rank,
        invalid,
        "transpose expects a vector of size {rank}. But input(1) is a vector of size {}",
        perm.len()
    );
    let mut seen = vec![false; rank];
    let mut axes = Vec::with_capacity(rank);
    for axis in perm {
        let at = usize::try_from(*axis).ok().filter(|a| *a < rank);
        let Some(at) = at else {
            bail!(invalid, "{axis} is out of range [0 .. {rank})");
        };
        seen[at] = true;
        axes.push(at);
    }
    if let Some(missing) = seen.iter().position(|seen| !seen) {
        let perm: Vec<String> = perm.iter().map(i64::to_string).collect();
        bail!(invalid, "{missing} is missing from {{{}}}.", perm.join(","));
    }
    Ok(axes)
}

fn transpose(c: &mut KernelContext, conjugate: bool) -> Result<()> {
    let input = conjugate_if(c.input(0)?, conjugate)?;
    let shape = input.shape();
    let axes = permutation(&c.ints_input(1)?, shape.rank())?;
    let dims: Vec<i64> = axes.iter().map(|a| shape.dims()[*a]).collect();
    let out_shape = Shape::new(&dims)?;
    // Axes of size 1 may move freely: when the others keep their order no data moves.
    let moving: Vec<usize> = axes
        .iter()
        .copied()
        .filter(|a| shape.dim(*a) != 1)
        .collect();
    if moving.is_sorted() {
        let same = input.with_shape(out_shape)?;
        c.set_output(0, same);
        return Ok(());
    }
    let made = permute(&input, &axes, &dims, out_shape)?;
    c.set_output(0, made);
    Ok(())
}

fn transpose_on_gpu(c: &mut GpuContext) -> Result<()> {
    let dims = c.shape(0)?.dims().to_vec();
    let axes = permutation(&c.ints_input(1)?, dims.len())?;
    let view = View::permuted(&dims, &axes);
    let shape = Shape::new(&view.counts)?;
    gpu::set_view(c, 0, &view, shape)
}

pub(super) fn permute(input: &Value, axes: &[usize], dims: &[i64], shape: Shape) -> Result<Value> {
    let own = strides(input.shape().dims());
    let steps: Vec<i64> = axes.iter().map(|a| own[*a] as i64).collect();
    let Some(size) = input.dtype().size() else {
        let runs = Offsets::new(0, dims, &steps).map(|from| Run {
            source: 0,
            from: from as usize,
            len: 1,
        });
        return assemble(input.dtype(), shape, &[input], runs);
    };
    let mut out = Value::uninit(input.dtype(), shape)?;
    let (from, to) = (input.bytes()?, out.bytes_mut()?);
    match size {
        1 => permute_elements::<1>(from, to, dims, &steps),
        2 => permute_elements::<2>(from, to, dims, &steps),
        4 => permute_elements::<4>(from, to, dims, &steps),
        8 => permute_elements::<8>(from, to, dims, &steps),
        _ => permute_elements::<16>(from, to, dims, &steps),
    }
    Ok(out)
}

/// Elements of `N` bytes; the two innermost axes of the result are walked in tiles, so that reads stay near each other.
fn permute_elements<const N: usize>(from: &[u8], to: &mut [u8], dims: &[i64], steps: &[i64]) {
    const TILE: usize = 16;
    let (from, to) = (from.as_chunks::<N>().0, to.as_chunks_mut::<N>().0);
    let rank = dims.len();
    if rank < 2 {
        to.copy_from_slice(from);
        return;
    }
    let (rows, columns) = (dims[rank - 2] as usize, dims[rank - 1] as usize);
    let (row_step, column_step) = (steps[rank - 2] as usize, steps[rank - 1] as usize);
    let planes = Offsets::new(0, &dims[..rank - 2], &steps[..rank - 2]);
    for (start, to) in planes.zip(to.chunks_exact_mut((rows * columns).max(1))) {
        let start = start as usize;
        for r0 in (0..rows).step_by(TILE) {
            for c0 in (0..columns).step_by(TILE) {
                for r in r0..(r0 + TILE).min(rows) {
                    for c in c0..(c0 + TILE).min(columns) {
                        to[r * columns + c] = from[start + r * row_step + c * column_step];
                    }
                }
            }
        }
    }
}

fn invert_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.input_of_rank(0, 1)?;
    c.set(0, shape);
    Ok(())
}

fn invert_permutation(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    ensure!(
        input.shape().rank() == 1,
        invalid,
        "invert_permutation expects a 1D vector."
    );
    let all = input.ints()?;
    let mut inverse = vec![-1; all.len()];
    for (i, x) in all.iter().enumerate() {
        let Some(place) = usize::try_from(*x).ok().and_then(|x| inverse.get_mut(x)) else {
            bail!(invalid, "{x} is not between 0 and {}", all.len());
        };
        ensure!(*place < 0, invalid, "{x} is duplicated in the input.");
        *place = i as i64;
    }
    let made = integers(input.dtype(), &inverse)?;
    c.set_output(0, made);
    Ok(())
}

fn tile_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let multiples = c.constant_shape(1)?;
    let Some(rank) = input.rank().or(multiples.rank()) else {
        return Ok(());
    };
    let input = crate::graph::with_rank(&input, rank)?;
    let multiples = crate::graph::with_rank(&multiples, rank)?;
    let mut dims = Vec::with_capacity(rank);
    for i in 0..rank {
        dims.push(shape::mul_dim(input.dim(i), multiples.dim(i))?);
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn tile_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, multiples) = (g.input(0), g.input(1));
    let dtype = g.dtype(multiples);
    let shape = g.graph.shape_as(x, dtype, "Shape")?;
    let stacked = g
        .graph
        .call("Pack", "stack", [In::List(vec![multiples, shape])], &[])?;
    let turned = transpose_all(g, stacked)?;
    let split = g.graph.reshape_to(turned, &[-1])?;
    let count = g.graph.size_of(split)?;
    let axes = g.graph.in_scope("range", |graph| {
        let start = graph.constant_node("start", int(0)?)?;
        let delta = graph.constant_node("delta", int(2)?)?;
        let name = graph.scope_as_name();
        graph.call("Range", &name, [start, count, delta], &[])
    })?;
    let dy = g.dy(0)?;
    let apart = g.graph.reshape(dy, split)?;
    let made = g.op("Sum", [apart, axes])?;
    let known = g.shape(x).clone();
    g.graph.set_shape(made, &known)?;
    Ok(vec![Some(made.into()), None])
}

/// `tf.transpose(e)`: all axes the other way round.
fn transpose_all(
    g: &mut GradientContext,
    e: crate::graph::Endpoint,
) -> Result<crate::graph::Endpoint> {
    let rank = g.shape(e).rank();
    g.graph.in_scope("transpose", |graph| {
        let perm = match rank {
            Some(rank) => {
                let turned: Vec<i64> = (0..rank as i64).rev().collect();
                graph.constant_node("perm", crate::ops::build::ints(&turned)?)?
            }
            None => {
                let rank = graph.call("Rank", "Rank", [e], &[])?;
                let last = graph.call("Sub", "sub", [rank.into(), In::Plain("y", int(1)?)], &[])?;
                let all = graph.in_scope("Range", |graph| {
                    let start = graph.constant_node("start", int(0)?)?;
                    let delta = graph.constant_node("delta", int(1)?)?;
                    let name = graph.scope_as_name();
                    graph.call("Range", &name, [start, rank, delta], &[])
                })?;
                graph.call("Sub", "sub", [last, all], &[])?
            }
        };
        let name = graph.scope_as_name();
        graph.call("Transpose", &name, [e, perm], &[])
    })
}

fn tile(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let (view, shape) = tiled(input.shape().dims(), &c.ints_input(1)?)?;
    let made = repeated(input, &view.counts, &view.steps, shape)?;
    c.set_output(0, made);
    Ok(())
}

fn tile_on_gpu(c: &mut GpuContext) -> Result<()> {
    let (view, shape) = tiled(c.shape(0)?.dims(), &c.ints_input(1)?)?;
    gpu::set_view(c, 0, &view, shape)
}

/// Each axis of the result as (repeat, place): a step of 0 repeats.
fn tiled(dims: &[i64], multiples: &[i64]) -> Result<(View, Shape)> {
    ensure!(
        multiples.len() == dims.len(),
        invalid,
        "Expected multiples argument to be a vector of length {} but got length {}",
        dims.len(),
        multiples.len()
    );
    let mut sizes = Vec::with_capacity(dims.len());
    for (i, (d, m)) in dims.iter().zip(multiples).enumerate() {
        ensure!(
            *m >= 0,
            invalid,
            "Expected multiples[{i}] >= 0, but got {m}"
        );
        let size = d.checked_mul(*m);
        sizes.push(size.ok_or_else(|| Error::invalid("the sizes of the tiled tensor overflow"))?);
    }
    let own = strides(dims);
    let (mut counts, mut steps) = (Vec::new(), Vec::new());
    for (i, m) in multiples.iter().enumerate() {
        counts.extend([*m, dims[i]]);
        steps.extend([0, own[i] as i64]);
    }
    let view = View {
        start: 0,
        counts,
        steps,
    };
    Ok((view, Shape::new(&sizes)?))
}

/// Elements at the offsets that `counts` and `steps` say, runs of neighbours at once.
fn repeated(input: &Value, counts: &[i64], steps: &[i64], shape: Shape) -> Result<Value> {
    let (mut outer, mut block) = (counts.len(), 1);
    while outer > 0 && (steps[outer - 1] == block || counts[outer - 1] == 1) {
        outer -= 1;
        block *= counts[outer];
    }
    let runs = Offsets::new(0, &counts[..outer], &steps[..outer]).map(|from| Run {
        source: 0,
        from: from as usize,
        len: block as usize,
    });
    assemble(
        input.dtype(),
        shape,
        &[input],
        runs.filter(|run| run.len > 0),
    )
}

fn broadcast_to_shape(c: &mut ShapeContext) -> Result<()> {
    let wanted = c.constant_shape(1)?;
    if wanted.rank().is_some() && c.input(0).rank().is_some() {
        shape::broadcast_shapes(&c.input(0), &wanted)?;
    }
    c.set(0, wanted);
    Ok(())
}

fn broadcast_to_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, to, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let shape = g.graph.shape_of(x)?;
    let args = g.op("BroadcastGradientArgs", [to, shape])?;
    let axes = crate::graph::Endpoint::new(args.node, 1);
    let keep = [("keep_dims", Attr::Bool(true))];
    let sum = g.graph.call("Sum", "", [dy, axes], &keep)?;
    let made = g.graph.reshape(sum, shape)?;
    Ok(vec![Some(made.into()), None])
}

fn broadcast_to(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let (view, shape) = broadcast(input.shape(), c.ints_input(1)?)?;
    let made = repeated(input, &view.counts, &view.steps, shape)?;
    c.set_output(0, made);
    Ok(())
}

fn broadcast_on_gpu(c: &mut GpuContext) -> Result<()> {
    let (view, shape) = broadcast(c.shape(0)?, c.ints_input(1)?)?;
    gpu::set_view(c, 0, &view, shape)
}

/// A tensor of shape `own` repeated to the sizes `wanted`.
fn broadcast(own: &Shape, wanted: Vec<i64>) -> Result<(View, Shape)> {
    let shape = Shape::new(&wanted)?;
    let dims = own.dims();
    ensure!(
        dims.len() <= wanted.len(),
        invalid,
        "Rank of input ({}) must be no greater than rank of output shape ({}).",
        dims.len(),
        wanted.len()
    );
    let missing = wanted.len() - dims.len();
    let strides = strides(dims);
    let mut steps = vec![0i64; wanted.len()];
    for (i, d) in dims.iter().enumerate() {
        ensure!(
            *d == 1 || *d == wanted[missing + i],
            invalid,
            "Incompatible shapes: {own} vs. {shape}"
        );
        if *d > 1 {
            steps[missing + i] = strides[i] as i64;
        }
    }
    let view = View {
        start: 0,
        counts: wanted,
        steps,
    };
    Ok((view, shape))
}

fn reverse_grad(g: &mut GradientContext) -> Result<Grads> {
    let inputs = [g.dy(0)?, g.input(1)];
    let made = g.op("ReverseV2", inputs)?;
    Ok(vec![Some(made.into()), None])
}

fn reverse(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let view = reversed(input.shape().dims(), c.ints_input(1)?)?;
    let runs = Offsets::new(view.start, &view.counts, &view.steps).map(|from| Run {
        source: 0,
        from: from as usize,
        len: 1,
    });
    let made = assemble(input.dtype(), input.shape().clone(), &[input], runs)?;
    c.set_output(0, made);
    Ok(())
}

fn reverse_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let view = reversed(shape.dims(), c.ints_input(1)?)?;
    gpu::set_view(c, 0, &view, shape)
}

/// A tensor of these sizes with the other end first along `axes`.
fn reversed(dims: &[i64], axes: Vec<i64>) -> Result<View> {
    let mut steps: Vec<i64> = strides(dims).into_iter().map(|s| s as i64).collect();
    let mut start = 0;
    let mut seen = vec![false; dims.len()];
    for axis in axes {
        let at = resolve_axis(axis, dims.len()).map_err(|_| {
            Error::invalid(format!(
                "'axis'[0] = {axis} is out of valid range [0, {}].",
                dims.len()
            ))
        })?;
        ensure!(!seen[at], invalid, "axis {at} specified more than once.");
        seen[at] = true;
        start += (dims[at] - 1).max(0) * steps[at];
        steps[at] = -steps[at];
    }
    let counts = dims.to_vec();
    Ok(View {
        start,
        counts,
        steps,
    })
}

fn reverse_sequence_grad(g: &mut GradientContext) -> Result<Grads> {
    let attrs = &g.node().attrs;
    let attrs = [
        ("seq_dim", Attr::Int(attrs.int("seq_dim")?)),
        ("batch_dim", Attr::Int(attrs.int("batch_dim")?)),
    ];
    let inputs = [g.dy(0)?, g.input(1)];
    let made = g.graph.call("ReverseSequence", "", inputs, &attrs)?;
    Ok(vec![Some(made.into()), None])
}

fn reverse_sequence(c: &mut KernelContext) -> Result<()> {
    let (input, lengths) = (c.input(0)?, c.ints_input(1)?);
    let rank = input.shape().rank();
    let seq = resolve_axis(c.attrs().int("seq_dim")?, rank)?;
    let batch = resolve_axis(c.attrs().int("batch_dim")?, rank)?;
    let mut out = c.allocate(0, input.shape().clone())?;
    let dims = input.shape().dims();
    ensure!(
        seq != batch && lengths.len() as i64 == dims[batch],
        invalid,
        "Length of seq_lengths != input.dims({batch}), ({} vs. {})",
        lengths.len(),
        dims[batch]
    );
    for (i, length) in lengths.iter().enumerate() {
        ensure!(*length >= 0, invalid, "seq_lens({i}) < 0");
        ensure!(
            *length <= dims[seq],
            invalid,
            "seq_lens({i}) > input.dims({seq})"
        );
    }
    let own = strides(dims);
    dispatch!(plain, input.dtype(), T => {
        let (from, to) = (input.slice::<T>()?, out.slice_mut::<T>()?);
        for (at, to) in to.iter_mut().enumerate() {
            let place = (at / own[seq]) as i64 % dims[seq];
            let length = lengths[(at / own[batch]) % dims[batch] as usize];
            let source = if place < length { length - 1 - place } else { place };
            *to = from[(at as i64 + (source - place) * own[seq] as i64) as usize];
        }
    });
    c.set_output(0, out);
    Ok(())
}
