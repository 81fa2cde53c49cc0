//! Cutting tensors along an axis into several.

use crate::ensure;
use crate::error::{Error, Result};
use crate::graph::{Endpoint, ShapeContext};
use crate::ops::Op;
use crate::ops::build::In;
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::value::{PartialShape, Shape, Value, resolve_axis};

use super::concat::cut;
use super::gpu;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "Split",
        "split_dim: int32, value: T -> output: num_split * T",
    )
    .attr("num_split: int >= 1")
    .attr("T: type")
    .shape(split_shape)
    .grad(split_grad)
    .kernel(split)
    .gpu(split_on_gpu)
    .on_host(&[0]),
    Op::new(
        "SplitV",
        "value: T, size_splits: Tlen, split_dim: int32 -> output: num_split * T",
    )
    .attr("num_split: int >= 1")
    .attr("T: type")
    .attr("Tlen: {int32, int64} = DT_INT64")
    .shape(split_v_shape)
    .grad(split_v_grad)
    .kernel(split_v)
    .gpu(split_v_on_gpu)
    .on_host(&[1, 2]),
];

fn split_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(1);
    let count = c.num_outputs() as i64;
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let mut piece = vec![-1; dims.len()];
    if let Some(axis) = c.constant(0).and_then(|v| v.int().ok()) {
        let at = split_axis(axis, dims.len())?;
        piece = dims.to_vec();
        if piece[at] >= 0 {
            ensure!(
                piece[at] % count == 0,
                invalid,
                "Dimension size must be evenly divisible by {count} but is {}\n\tNumber of ways to split should evenly divide \
                 the split dimension",
                piece[at]
            );
            piece[at] /= count;
        }
    }
    for i in 0..c.num_outputs() {
        c.set(i, PartialShape::from_dims(piece.clone()));
    }
    Ok(())
}

fn split_axis(axis: i64, rank: usize) -> Result<usize> {
    let r = rank as i64;
    ensure!(
        (-r..r).contains(&axis),
        invalid,
        "Dimension size, given by scalar input {axis} must be in range [-{r}, {r})"
    );
    resolve_axis(axis, rank)
}

fn split_grad(g: &mut GradientContext) -> Result<Grads> {
    let axis = g.input(0);
    let joined = joined_gradient(g, axis)?;
    Ok(vec![None, Some(joined.into())])
}

fn joined_gradient(g: &mut GradientContext, axis: Endpoint) -> Result<Endpoint> {
    let mut parts = Vec::new();
    for i in 0..g.node().outputs.len() {
        parts.push(g.dy(i)?);
    }
    if let [one] = parts[..] {
        return Ok(one);
    }
    g.graph
        .call("ConcatV2", "concat", [In::List(parts), axis.into()], &[])
}

fn split_v_grad(g: &mut GradientContext) -> Result<Grads> {
    let axis = g.input(2);
    let joined = joined_gradient(g, axis)?;
    Ok(vec![Some(joined.into()), None, None])
}

fn split(c: &mut KernelContext) -> Result<()> {
    let axis = c.scalar_input(0, "split_dim")?.int()?;
    let value = c.input(1)?.clone();
    let (axis, sizes) = evenly(value.shape(), axis, c.num_outputs())?;
    cut_value(c, &value, axis, &sizes)
}

fn split_on_gpu(c: &mut GpuContext) -> Result<()> {
    let axis = c.host_input(0)?.int()?;
    let (axis, sizes) = evenly(c.shape(1)?, axis, c.num_outputs())?;
    cut_on_gpu(c, 1, axis, &sizes)
}

/// The axis, and the size of each of `count` equal pieces along it.
fn evenly(shape: &Shape, axis: i64, count: usize) -> Result<(usize, Vec<usize>)> {
    let rank = shape.rank();
    ensure!(
        (-(rank as i64)..rank as i64).contains(&axis),
        invalid,
        "-input rank(-{rank}) <= split_dim < input rank ({rank}), but got {axis}"
    );
    let axis = resolve_axis(axis, rank)?;
    let size = shape.dim(axis);
    ensure!(
        count > 0 && size.is_multiple_of(count),
        invalid,
        "Number of ways to split should evenly divide the split dimension, but got split_dim {axis} (size = {size}) and num_split {count}"
    );
    Ok((axis, vec![size / count; count]))
}

fn cut_on_gpu(c: &mut GpuContext, from: usize, axis: usize, sizes: &[usize]) -> Result<()> {
    let dims = c.shape(from)?.dims().to_vec();
    let piece = |size: &usize| {
        let mut piece = dims.clone();
        piece[axis] = *size as i64;
        Shape::new(&piece)
    };
    let shapes = sizes.iter().map(piece).collect::<Result<Vec<_>>>()?;
    gpu::cut(c, from, axis, sizes, shapes)
}

/// Cuts along `axis` into pieces of these sizes.
fn cut_value(c: &mut KernelContext, value: &Value, axis: usize, sizes: &[usize]) -> Result<()> {
    let dims = value.shape().dims();
    cut(c, value, axis, sizes, |i| {
        let mut piece = dims.to_vec();
        piece[axis] = sizes[i] as i64;
        Shape::new(&piece)
    })
}

fn split_v_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let axis = c.constant(2).and_then(|v| v.int().ok());
    let sizes = c.constant_ints(1);
    let Some(axis) = axis else {
        for i in 0..c.num_outputs() {
            c.set(i, PartialShape::unknown_of_rank(dims.len()));
        }
        return Ok(());
    };
    let at = split_axis(axis, dims.len())?;
    let sizes = match sizes {
        Some(sizes) => {
            let is_whole = dims[at] < 0 || sizes.contains(&-1);
            ensure!(
                is_whole || sizes.iter().sum::<i64>() == dims[at],
                invalid,
                "can't split axis of size {} into pieces of size [{}]",
                dims[at],
                sizes
                    .iter()
                    .map(i64::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            );
            fill_in(sizes, dims[at])?
        }
        None => vec![-1; c.num_outputs()],
    };
    for (i, size) in sizes.into_iter().enumerate().take(c.num_outputs()) {
        let mut piece = dims.to_vec();
        piece[at] = size;
        c.set(i, PartialShape::from_dims(piece));
    }
    Ok(())
}

/// The sizes with the one that is -1 set to what the others leave.
fn fill_in(mut sizes: Vec<i64>, total: i64) -> Result<Vec<i64>> {
    let known: i64 = sizes.iter().filter(|s| **s >= 0).sum();
    let open: Vec<usize> = (0..sizes.len()).filter(|i| sizes[*i] < 0).collect();
    if let ([at], true) = (open.as_slice(), total >= 0) {
        ensure!(
            known <= total,
            invalid,
            "Cannot infer the split sizes: {known} of {total} are taken"
        );
        sizes[*at] = total - known;
    } else if open.is_empty() && total >= 0 {
        ensure!(
            known == total,
            invalid,
            "Determined shape must either match input shape along split_dim exactly if fully specified, or be less than the \
             size of the input along split_dim if not fully specified.  Got: {known}"
        );
    }
    Ok(sizes)
}

fn split_v(c: &mut KernelContext) -> Result<()> {
    let value = c.input(0)?.clone();
    let axis = c.scalar_input(2, "split_dim")?.int()?;
    let (axis, sizes) = unevenly(value.shape(), axis, c.ints_input(1)?, c.num_outputs())?;
    cut_value(c, &value, axis, &sizes)
}

fn split_v_on_gpu(c: &mut GpuContext) -> Result<()> {
    let axis = c.host_input(2)?.int()?;
    let (axis, sizes) = unevenly(c.shape(0)?, axis, c.ints_input(1)?, c.num_outputs())?;
    cut_on_gpu(c, 0, axis, &sizes)
}

/// The axis, and the sizes of the pieces along it, of which one may be left open.
fn unevenly(
    shape: &Shape,
    axis: i64,
    sizes: Vec<i64>,
    count: usize,
) -> Result<(usize, Vec<usize>)> {
    let axis = resolve_axis(axis, shape.rank())?;
    ensure!(
        sizes.len() == count,
        invalid,
        "size_splits must have {count} elements, but has {}",
        sizes.len()
    );
    let sizes = fill_in(sizes, shape.dims()[axis])?;
    let sizes = sizes.into_iter().map(|s| {
        usize::try_from(s).map_err(|_| Error::invalid("Split size at index must be >= 0"))
    });
    Ok((axis, sizes.collect::<Result<Vec<_>>>()?))
}
