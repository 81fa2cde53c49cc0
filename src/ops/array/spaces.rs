//! Moving blocks of an image into its batch or into its channels, and back.

use crate::error::{Error, Result};
use crate::graph::{Attr, ShapeContext, with_rank};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, strides};
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::gpu::{Border, View, copy_view, pad, set_view};
use super::permute::permute;

#[rustfmt::skip]
pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("SpaceToBatchND", "input: T, block_shape: Tblock_shape, paddings: Tpaddings -> output: T").attr("T: type").attr("Tblock_shape: {int32, int64} = DT_INT32").attr("Tpaddings: {int32, int64} = DT_INT32").shape(space_to_batch_shape).grad(|g| batch_grad(g, "BatchToSpaceND")).kernel(space_to_batch).gpu(space_to_batch_on_gpu).on_host(&[1, 2]),
    Op::new("BatchToSpaceND", "input: T, block_shape: Tblock_shape, crops: Tcrops -> output: T").attr("T: type").attr("Tblock_shape: {int32, int64} = DT_INT32").attr("Tcrops: {int32, int64} = DT_INT32").shape(batch_to_space_shape).grad(|g| batch_grad(g, "SpaceToBatchND")).kernel(batch_to_space).gpu(batch_to_space_on_gpu).on_host(&[1, 2]),
    Op::new("SpaceToDepth", "input: T -> output: T").attr("T: type").attr("block_size: int >= 2").attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'").shape(space_to_depth_shape).grad(|g| depth_grad(g, "DepthToSpace")).kernel(space_to_depth).gpu(|c| depth_on_gpu(c, deeper, into_depth)),
    Op::new("DepthToSpace", "input: T -> output: T").attr("T: type").attr("block_size: int >= 2").attr("data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'").shape(depth_to_space_shape).grad(|g| depth_grad(g, "SpaceToDepth")).kernel(depth_to_space).gpu(|c| depth_on_gpu(c, wider, out_of_depth)),
];

/// `a / b`, which must come out even; unknown when one of them is.
fn divided(a: i64, b: i64) -> Result<i64> {
    if a < 0 || b < 0 {
        return Ok(-1);
    }
    ensure!(
        b > 0 && a % b == 0,
        invalid,
        "Dimension size must be evenly divisible by {b} but is {a}"
    );
    Ok(a / b)
}

/// What the graph knows of block sizes and of what is put before and behind each axis.
struct Blocks {
    input: PartialShape,
    sizes: Option<Vec<i64>>,
    edges: Option<Vec<i64>>,
    axes: usize,
}

/// `None`: not even how many axes are cut.
fn known_blocks(c: &mut ShapeContext, what: &str) -> Result<Option<Blocks>> {
    let block_shape = with_rank(&c.input(1), 1)?;
    let edges_shape = with_rank(&c.input(2), 2)?;
    shape::dim_is(edges_shape.dim(1), 2)?;
    let axes = shape::merge_dim(block_shape.dim(0), edges_shape.dim(0))?;
    let Ok(axes) = usize::try_from(axes) else {
        return Ok(None);
    };
    let input = c.input(0);
    shape::at_least(&input, axes + 1)?;
    if input.rank().is_none() {
        return Ok(None);
    }
    let (sizes, edges) = (c.constant_ints(1), c.constant_ints(2));
    if let Some(size) = sizes.iter().flatten().find(|size| **size < 1) {
        bail!(invalid, "block_shape must be positive, but one is {size}");
    }
    if let Some(edge) = edges.iter().flatten().find(|edge| **edge < 0) {
        bail!(invalid, "{what} must be nonnegative, but one is {edge}");
    }
    Ok(Some(Blocks {
        input,
        sizes,
        edges,
        axes,
    }))
}

fn space_to_batch_shape(c: &mut ShapeContext) -> Result<()> {
    let Some(b) = known_blocks(c, "paddings")? else {
        return Ok(());
    };
    let mut dims = b.input.dims().unwrap_or_default().to_vec();
    dims[0] = match &b.sizes {
        Some(sizes) => sizes
            .iter()
            .try_fold(dims[0], |n, size| shape::mul_dim(n, *size))?,
        None => -1,
    };
    for axis in 0..b.axes {
        let at = axis + 1;
        dims[at] = match (&b.sizes, &b.edges) {
            (Some(sizes), Some(edges)) => {
                let edge = shape::add_dim(edges[2 * axis], edges[2 * axis + 1])?;
                divided(shape::add_dim(dims[at], edge)?, sizes[axis])?
            }
            _ => -1,
        };
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn batch_to_space_shape(c: &mut ShapeContext) -> Result<()> {
    let Some(b) = known_blocks(c, "crops")? else {
        return Ok(());
    };
    let mut dims = b.input.dims().unwrap_or_default().to_vec();
    dims[0] = match &b.sizes {
        Some(sizes) => {
            let product = sizes
                .iter()
                .try_fold(1, |n, size| shape::mul_dim(n, *size))?;
            divided(dims[0], product)?
        }
        None => -1,
    };
    for axis in 0..b.axes {
        let at = axis + 1;
        dims[at] = match (&b.sizes, &b.edges) {
            (Some(sizes), Some(edges)) if dims[at] >= 0 => {
                let whole = shape::mul_dim(dims[at], sizes[axis])?;
                let edge = shape::add_dim(edges[2 * axis], edges[2 * axis + 1])?;
                ensure!(
                    whole >= edge,
                    invalid,
                    "Negative dimension size caused by subtracting {edge} from {whole}"
                );
                whole - edge
            }
            _ => -1,
        };
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn batch_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let inputs = [g.dy(0)?, g.input(1), g.input(2)];
    let made = g.op(op, inputs)?;
    Ok(vec![Some(made.into()), None, None])
}

/// Sizes of blocks and edges of a kernel, checked.
struct Cut {
    sizes: Vec<i64>,
    edges: Vec<(i64, i64)>,
    /// How many blocks go into one element of the batch.
    blocks: i64,
}

fn cut(c: &KernelContext, what: &str) -> Result<Cut> {
    cut_of(c.input(0)?.shape().rank(), c.input(1)?, c.input(2)?, what)
}

fn cut_of(rank: usize, sizes: &Value, edges: &Value, what: &str) -> Result<Cut> {
    ensure!(
        sizes.shape().rank() == 1,
        invalid,
        "block_shape should be one-dimensional, got shape {}",
        sizes.shape()
    );
    let sizes = sizes.ints()?;
    ensure!(
        rank > sizes.len(),
        invalid,
        "input rank should be >= {} instead of {rank}",
        sizes.len() + 1
    );
    ensure!(
        edges.shape().dims() == [sizes.len() as i64, 2],
        invalid,
        "{what} should have shape [{}, 2] instead of {}",
        sizes.len(),
        edges.shape()
    );
    let edges: Vec<(i64, i64)> = edges
        .ints()?
        .chunks_exact(2)
        .map(|e| (e[0], e[1]))
        .collect();
    ensure!(
        edges.iter().all(|(a, b)| *a >= 0 && *b >= 0),
        invalid,
        "{what} must be non-negative"
    );
    ensure!(
        sizes.iter().all(|size| *size > 0),
        invalid,
        "block_shape must be positive"
    );
    let blocks = sizes.iter().try_fold(1i64, |n, size| n.checked_mul(*size));
    let blocks = blocks.ok_or_else(|| Error::invalid("block_shape is too large"))?;
    Ok(Cut {
        sizes,
        edges,
        blocks,
    })
}

fn checked(x: Option<i64>) -> Result<i64> {
    x.ok_or_else(|| Error::invalid("the sizes of the result are too large"))
}

/// The sizes of what SpaceToBatchND makes.
fn batch_dims(from: &[i64], cut: &Cut) -> Result<Vec<i64>> {
    let mut dims = from.to_vec();
    dims[0] = checked(from[0].checked_mul(cut.blocks))?;
    for (axis, (size, (before, after))) in cut.sizes.iter().zip(&cut.edges).enumerate() {
        let padded = from[axis + 1].checked_add(*before);
        let padded = checked(padded.and_then(|n| n.checked_add(*after)))?;
        ensure!(
            padded % size == 0,
            invalid,
            "padded_shape[{axis}]={padded} is not divisible by block_shape[{axis}]={size}"
        );
        dims[axis + 1] = padded / size;
    }
    Ok(dims)
}

fn space_to_batch(c: &mut KernelContext) -> Result<()> {
    let cut = cut(c, "paddings")?;
    let input = c.input(0)?;
    let from = input.shape().dims();
    let dims = batch_dims(from, &cut)?;
    let made = moved(input, dims, &cut, |batch, at, source| {
        let mut block = batch / from[0];
        source[0] = batch % from[0];
        for axis in (0..cut.sizes.len()).rev() {
            let offset = block % cut.sizes[axis];
            block /= cut.sizes[axis];
            source[axis + 1] = at[axis] * cut.sizes[axis] + offset - cut.edges[axis].0;
        }
    })?;
    c.set_output(0, made);
    Ok(())
}

/// The sizes of what BatchToSpaceND makes.
fn space_dims(from: &[i64], cut: &Cut) -> Result<Vec<i64>> {
    ensure!(
        from[0] % cut.blocks == 0,
        invalid,
        "Input batch dimension ({}) is not divisible by product of block sizes ({})",
        from[0],
        cut.blocks
    );
    let mut dims = from.to_vec();
    dims[0] = from[0] / cut.blocks;
    for (axis, (size, (before, after))) in cut.sizes.iter().zip(&cut.edges).enumerate() {
        let whole = from[axis + 1].checked_mul(*size);
        let cropped = whole.and_then(|n| n.checked_sub(*before)?.checked_sub(*after));
        let cropped = checked(cropped)?;
        ensure!(
            cropped >= 0,
            invalid,
            "cropped_shape[{axis}]={cropped} must be non-negative"
        );
        dims[axis + 1] = cropped;
    }
    Ok(dims)
}

fn batch_to_space(c: &mut KernelContext) -> Result<()> {
    let cut = cut(c, "crops")?;
    let input = c.input(0)?;
    let from = input.shape().dims();
    let dims = space_dims(from, &cut)?;
    let batch_size = dims[0];
    let made = moved(input, dims, &cut, |batch, at, source| {
        let mut block = 0;
        for axis in 0..cut.sizes.len() {
            let whole = at[axis] + cut.edges[axis].0;
            block = block * cut.sizes[axis] + whole % cut.sizes[axis];
            source[axis + 1] = whole / cut.sizes[axis];
        }
        source[0] = block * batch_size + batch;
    })?;
    c.set_output(0, made);
    Ok(())
}

/// A value of sizes `dims`: for each place in the batch and the cut axes, `find` says where in the input the elements
/// lie; outside of it they are zeros.
fn moved(
    input: &Value,
    dims: Vec<i64>,
    cut: &Cut,
    find: impl Fn(i64, &[i64], &mut [i64]),
) -> Result<Value> {
    let axes = cut.sizes.len();
    let from = input.shape().dims();
    let shape = Shape::new(&dims)?;
    let rest = Shape::new(&from[axes + 1..])?;
    let len = rest.num_elements();
    let zeros = Value::zeros(input.dtype(), rest)?;
    if shape.num_elements() == 0 {
        return Value::zeros(input.dtype(), shape);
    }
    let places: i64 = dims[..=axes].iter().product();
    let mut at = vec![0i64; axes];
    let mut source = vec![0i64; axes + 1];
    let runs = (0..places).map(|place| {
        let mut left = place;
        for axis in (0..axes).rev() {
            at[axis] = left % dims[axis + 1];
            left /= dims[axis + 1];
        }
        find(left, &at, &mut source);
        let mut offset = 0;
        for (x, size) in source.iter().zip(from) {
            if !(0..*size).contains(x) {
                return Run {
                    source: 1,
                    from: 0,
                    len,
                };
            }
            offset = offset * size + x;
        }
        Run {
            source: 0,
            from: offset as usize * len,
            len,
        }
    });
    assemble(input.dtype(), shape, &[input, &zeros], runs)
}

/// A border of zeros, then each cut axis seen as (place, block) and the blocks moved before the batch.
fn space_to_batch_on_gpu(c: &mut GpuContext) -> Result<()> {
    let from = c.shape(0)?.dims().to_vec();
    let (sizes, edges) = (c.host_input(1)?, c.host_input(2)?);
    let cut = cut_of(from.len(), &sizes, &edges, "paddings")?;
    let dims = batch_dims(&from, &cut)?;
    let axes = cut.sizes.len();
    let mut pairs = vec![(0, 0); from.len()];
    pairs[1..=axes].copy_from_slice(&cut.edges);
    let padded: Vec<i64> = from
        .iter()
        .zip(&pairs)
        .map(|(n, (a, b))| n + a + b)
        .collect();
    let (input, shape) = (c.input(0)?, Shape::new(&padded)?);
    let Some(padded) = pad(c, &input, &pairs, Border::Filled([0; 2]), shape)? else {
        return c.leave_to_host();
    };
    // [batch, place, block, place, block, rest]
    let mut seen = vec![from[0]];
    for axis in 0..axes {
        seen.extend([dims[axis + 1], cut.sizes[axis]]);
    }
    seen.push(dims[axes + 1..].iter().product());
    let mut order: Vec<usize> = (0..axes).map(|axis| 2 * axis + 2).collect();
    order.push(0);
    order.extend((0..axes).map(|axis| 2 * axis + 1));
    order.push(2 * axes + 1);
    let view = View::permuted(&seen, &order);
    match copy_view(c, &padded, &view, Shape::new(&dims)?)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// The blocks moved from before the batch to behind their places, then the edges cut off.
fn batch_to_space_on_gpu(c: &mut GpuContext) -> Result<()> {
    let from = c.shape(0)?.dims().to_vec();
    let (sizes, edges) = (c.host_input(1)?, c.host_input(2)?);
    let cut = cut_of(from.len(), &sizes, &edges, "crops")?;
    let dims = space_dims(&from, &cut)?;
    let axes = cut.sizes.len();
    // [block, block, batch, place, place, rest]
    let mut seen = cut.sizes.clone();
    seen.push(dims[0]);
    seen.extend(&from[1..=axes]);
    seen.push(dims[axes + 1..].iter().product());
    let mut order = vec![axes];
    let mut whole = dims.clone();
    for axis in 0..axes {
        order.extend([axes + 1 + axis, axis]);
        whole[axis + 1] = from[axis + 1] * cut.sizes[axis];
    }
    order.push(2 * axes + 1);
    let view = View::permuted(&seen, &order);
    let (input, shape) = (c.input(0)?, Shape::new(&whole)?);
    let Some(spread) = copy_view(c, &input, &view, shape)? else {
        return c.leave_to_host();
    };
    let steps: Vec<i64> = strides(&whole).into_iter().map(|s| s as i64).collect();
    let starts = cut.edges.iter().zip(&steps[1..]);
    let view = View {
        start: starts.map(|((before, _), step)| before * step).sum(),
        counts: dims.clone(),
        steps,
    };
    match copy_view(c, &spread, &view, Shape::new(&dims)?)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

/// Whether channels come before rows and columns.
fn channels_first(format: &str) -> Result<bool> {
    match format {
        "NHWC" => Ok(false),
        "NCHW" => Ok(true),
        other => bail!(
            unimplemented,
            "data_format {other} is for quantized values on a GPU only"
        ),
    }
}

/// `[batch, height, width, channels]` of sizes in either order.
fn in_order(dims: &[i64], is_first: bool) -> [i64; 4] {
    match is_first {
        true => [dims[0], dims[2], dims[3], dims[1]],
        false => [dims[0], dims[1], dims[2], dims[3]],
    }
}

fn in_format(n: [i64; 4], is_first: bool) -> [i64; 4] {
    match is_first {
        true => [n[0], n[3], n[1], n[2]],
        false => n,
    }
}

fn depth_shape(
    c: &mut ShapeContext,
    resize: impl Fn([i64; 4], i64) -> Result<[i64; 4]>,
) -> Result<()> {
    let attrs = c.attrs();
    let (block, format) = (attrs.int("block_size")?, attrs.str("data_format")?);
    if format == "NCHW_VECT_C" {
        with_rank(&c.input(0), 5)?;
        c.set(0, PartialShape::unknown_of_rank(5));
        return Ok(());
    }
    let is_first = channels_first(format)?;
    let input = with_rank(&c.input(0), 4)?;
    let sizes = in_order(input.dims().unwrap_or(&[-1; 4]), is_first);
    let sizes = in_format(resize(sizes, block)?, is_first);
    c.set(0, PartialShape::from_dims(sizes));
    Ok(())
}

fn deeper([n, h, w, c]: [i64; 4], block: i64) -> Result<[i64; 4]> {
    let depth = shape::mul_dim(c, shape::mul_dim(block, block)?)?;
    Ok([n, divided(h, block)?, divided(w, block)?, depth])
}

fn wider([n, h, w, c]: [i64; 4], block: i64) -> Result<[i64; 4]> {
    let depth = divided(c, shape::mul_dim(block, block)?)?;
    Ok([
        n,
        shape::mul_dim(h, block)?,
        shape::mul_dim(w, block)?,
        depth,
    ])
}

fn space_to_depth_shape(c: &mut ShapeContext) -> Result<()> {
    depth_shape(c, deeper)
}

fn depth_to_space_shape(c: &mut ShapeContext) -> Result<()> {
    depth_shape(c, wider)
}

fn depth_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let format = g.node().attrs.str("data_format")?.to_string();
    ensure!(
        format != "NCHW_VECT_C",
        value,
        "Cannot compute {} gradient with NCHW_VECT_C. NCHW_VECT_C requires qint8 data type.",
        g.node().op()
    );
    let block = g.node().attrs.int("block_size")?;
    let attrs = [
        ("block_size", Attr::Int(block)),
        ("data_format", Attr::Bytes(format.into_bytes().into())),
    ];
    let dy = g.dy(0)?;
    let made = g.graph.call(op, "", [dy], &attrs)?;
    Ok(vec![Some(made.into())])
}

/// Seen as six axes, permuted, and seen as four again.
fn depth_kernel(
    c: &mut KernelContext,
    resize: impl Fn([i64; 4], i64) -> Result<[i64; 4]>,
    split: Split,
) -> Result<()> {
    let attrs = c.attrs();
    let block = attrs.int("block_size")?;
    let is_first = channels_first(attrs.str("data_format")?)?;
    let input = c.input(0)?;
    ensure!(
        input.shape().rank() == 4,
        invalid,
        "Input rank should be: 4 instead of: {}",
        input.shape().rank()
    );
    let sizes = in_order(input.shape().dims(), is_first);
    let out = Shape::new(&in_format(resize(sizes, block)?, is_first))?;
    let (seen, axes) = split(sizes, is_first, block);
    let dims: Vec<i64> = axes.iter().map(|a| seen[*a]).collect();
    let seen = input.with_shape(Shape::new(&seen)?)?;
    let made = permute(&seen, &axes, &dims, Shape::new(&dims)?)?.with_shape(out)?;
    c.set_output(0, made);
    Ok(())
}

/// Six axes that an image of four is seen as, and their new order.
type Split = fn([i64; 4], bool, i64) -> ([i64; 6], [usize; 6]);

fn into_depth([n, h, w, c]: [i64; 4], is_first: bool, b: i64) -> ([i64; 6], [usize; 6]) {
    match is_first {
        true => ([n, c, h / b, b, w / b, b], [0, 3, 5, 1, 2, 4]),
        false => ([n, h / b, b, w / b, b, c], [0, 1, 3, 2, 4, 5]),
    }
}

fn out_of_depth([n, h, w, c]: [i64; 4], is_first: bool, b: i64) -> ([i64; 6], [usize; 6]) {
    match is_first {
        true => ([n, b, b, c / (b * b), h, w], [0, 3, 4, 1, 5, 2]),
        false => ([n, h, w, b, b, c / (b * b)], [0, 1, 3, 2, 4, 5]),
    }
}

fn space_to_depth(c: &mut KernelContext) -> Result<()> {
    depth_kernel(c, deeper, into_depth)
}

fn depth_to_space(c: &mut KernelContext) -> Result<()> {
    depth_kernel(c, wider, out_of_depth)
}

fn depth_on_gpu(
    c: &mut GpuContext,
    resize: fn([i64; 4], i64) -> Result<[i64; 4]>,
    split: Split,
) -> Result<()> {
    let attrs = c.attrs();
    let block = attrs.int("block_size")?;
    let shape = c.shape(0)?;
    let Ok(is_first) = channels_first(attrs.str("data_format")?) else {
        return c.leave_to_host();
    };
    if shape.rank() != 4 {
        return c.leave_to_host();
    }
    let sizes = in_order(shape.dims(), is_first);
    let out = Shape::new(&in_format(resize(sizes, block)?, is_first))?;
    let (seen, axes) = split(sizes, is_first, block);
    set_view(c, 0, &View::permuted(&seen, &axes), out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{Input, attrs, floats, of, run, shapes, sizes};

    fn ints(dims: &[i64], all: &[i32]) -> Value {
        Value::from_slice(Shape::new(dims).unwrap(), all).unwrap()
    }

    fn all(value: &Value) -> Vec<f32> {
        value.slice::<f32>().unwrap().to_vec()
    }

    #[test]
    fn blocks_go_into_the_batch_and_back() {
        let image: Vec<f32> = (1..=6).map(|x| x as f32).collect();
        let image = floats(&[1, 2, 3, 1], &image);
        let (block, edges) = (ints(&[2], &[2, 2]), ints(&[2, 2], &[0, 0, 1, 0]));
        let given = [image.clone(), block.clone(), edges.clone()];
        let there = run("SpaceToBatchND", &given, &[]).unwrap().remove(0);
        assert_eq!(there.shape().dims(), [4, 1, 2, 1]);
        assert_eq!(all(&there), [0.0, 2.0, 1.0, 3.0, 0.0, 5.0, 4.0, 6.0]);
        let back = run("BatchToSpaceND", &[there, block, edges], &[]).unwrap();
        assert_eq!(back[0], image);
        let odd = [image, ints(&[2], &[2, 2]), ints(&[2, 2], &[0, 0, 0, 0])];
        let error = run("SpaceToBatchND", &odd, &[]).unwrap_err();
        assert!(error.message.contains("padded_shape[1]=3 is not divisible"));
    }

    #[test]
    fn blocks_go_into_the_channels_and_back() {
        let image: Vec<f32> = (1..=8).map(|x| x as f32).collect();
        for (format, dims, deep, wanted) in [
            (
                "NHWC",
                [1, 2, 2, 2],
                [1, 1, 1, 8],
                [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
            ),
            (
                "NCHW",
                [1, 2, 2, 2],
                [1, 8, 1, 1],
                [1.0, 5.0, 2.0, 6.0, 3.0, 7.0, 4.0, 8.0],
            ),
        ] {
            let given = attrs(&[
                ("block_size", Attr::Int(2)),
                (
                    "data_format",
                    Attr::Bytes(format.as_bytes().to_vec().into()),
                ),
            ]);
            let image = floats(&dims, &image);
            let there = run("SpaceToDepth", std::slice::from_ref(&image), &given)
                .unwrap()
                .remove(0);
            assert_eq!(there.shape().dims(), deep);
            assert_eq!(all(&there), wanted);
            assert_eq!(run("DepthToSpace", &[there], &given).unwrap()[0], image);
        }
    }

    #[test]
    fn shapes_are_known_as_far_as_the_blocks_are() {
        let given = [("block_size", Attr::Int(2))];
        assert_eq!(
            shapes("SpaceToDepth", &[of(&[-1, 4, 6, 3])], &given).unwrap(),
            ["[?,2,3,12]"]
        );
        assert_eq!(
            shapes("DepthToSpace", &[of(&[2, 4, -1, 8])], &given).unwrap(),
            ["[2,8,?,2]"]
        );
        assert!(shapes("SpaceToDepth", &[of(&[1, 3, 4, 1])], &given).is_err());
        let edges = || Input::Constant(ints(&[2, 2], &[0, 0, 1, 1]));
        let of_blocks = |op, block| shapes(op, &[of(&[-1, 4, 4, 2]), block, edges()], &[]).unwrap();
        assert_eq!(of_blocks("SpaceToBatchND", sizes(&[2, 3])), ["[?,2,2,2]"]);
        assert_eq!(of_blocks("BatchToSpaceND", sizes(&[2, 3])), ["[?,8,10,2]"]);
        let unknown = Input::Unknown(crate::value::DType::I32);
        assert_eq!(of_blocks("SpaceToBatchND", unknown), ["[?,?,?,2]"]);
    }
}
