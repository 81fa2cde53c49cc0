//! Reductions along axes, positions of extremes, and running sums.

use crate::error::Result;
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::value::{DType, PartialShape};

use super::build::{In, int, ints, number};
use super::gradient::{GradientContext, Grads};
use super::math::unary::nothing;
use super::{Op, constant_value, shape};

pub(in crate::ops) mod gpu;
mod kernels;

use kernels::{Kind, arg_reduce, reduce, reduce_bools, scan};

pub(super) const OPS: &[Op] = &[
    Op::new("Sum", "input: T, reduction_indices: Tidx -> output: T")
        .attr("keep_dims: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::reduction)
        .grad(|g| one_of_two(g, sum_grad))
        .kernel(|c| reduce(c, Kind::Sum))
        .gpu(|c| gpu::reduce_kind(c, Kind::Sum))
        .on_host(&[1]),
    Op::new("Mean", "input: T, reduction_indices: Tidx -> output: T")
        .attr("keep_dims: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::reduction)
        .grad(|g| one_of_two(g, mean_grad))
        .kernel(|c| reduce(c, Kind::Mean))
        .gpu(|c| gpu::reduce_kind(c, Kind::Mean))
        .on_host(&[1]),
    Op::new("Prod", "input: T, reduction_indices: Tidx -> output: T")
        .attr("keep_dims: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::reduction)
        .grad(|g| one_of_two(g, prod_grad))
        .kernel(|c| reduce(c, Kind::Prod))
        .gpu(|c| gpu::reduce_kind(c, Kind::Prod))
        .on_host(&[1]),
    Op::new("Max", "input: T, reduction_indices: Tidx -> output: T")
        .attr("keep_dims: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::reduction)
        .grad(|g| one_of_two(g, extremum_grad))
        .kernel(|c| reduce(c, Kind::Max))
        .gpu(|c| gpu::reduce_kind(c, Kind::Max))
        .on_host(&[1]),
    Op::new("Min", "input: T, reduction_indices: Tidx -> output: T")
        .attr("keep_dims: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::reduction)
        .grad(|g| one_of_two(g, extremum_grad))
        .kernel(|c| reduce(c, Kind::Min))
        .gpu(|c| gpu::reduce_kind(c, Kind::Min))
        .on_host(&[1]),
    Op::new(
        "All",
        "input: bool, reduction_indices: Tidx -> output: bool",
    )
    .attr("keep_dims: bool = false")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(shape::reduction)
    .kernel(|c| reduce_bools(c, true))
    .gpu(|c| gpu::reduce_bools(c, true))
    .on_host(&[1]),
    Op::new(
        "Any",
        "input: bool, reduction_indices: Tidx -> output: bool",
    )
    .attr("keep_dims: bool = false")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .shape(shape::reduction)
    .kernel(|c| reduce_bools(c, false))
    .gpu(|c| gpu::reduce_bools(c, false))
    .on_host(&[1]),
    Op::new(
        "EuclideanNorm",
        "input: T, reduction_indices: Tidx -> output: T",
    )
    .attr("keep_dims: bool = false")
    .attr("T: numbertype")
    .attr("Tidx: {int32, int64} = DT_INT32")
    .no_grad()
    .shape(shape::reduction)
    .kernel(kernels::euclidean_norm),
    Op::new("ArgMax", "input: T, dimension: Tidx -> output: output_type")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .attr("output_type: {int32, int64} = DT_INT64")
        .shape(arg_shape)
        .grad(nothing)
        .kernel(|c| arg_reduce(c, true))
        .gpu(|c| gpu::arg_reduce(c, true))
        .on_host(&[1]),
    Op::new("ArgMin", "input: T, dimension: Tidx -> output: output_type")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .attr("output_type: {int32, int64} = DT_INT64")
        .shape(arg_shape)
        .grad(nothing)
        .kernel(|c| arg_reduce(c, false))
        .gpu(|c| gpu::arg_reduce(c, false))
        .on_host(&[1]),
    Op::new("Cumsum", "x: T, axis: Tidx -> out: T")
        .attr("exclusive: bool = false")
        .attr("reverse: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::unchanged)
        .grad(cumsum_grad)
        .kernel(|c| scan(c, false))
        .gpu(|c| super::array::gpu::scan(c, false))
        .on_host(&[1]),
    Op::new("Cumprod", "x: T, axis: Tidx -> out: T")
        .attr("exclusive: bool = false")
        .attr("reverse: bool = false")
        .attr("T: numbertype")
        .attr("Tidx: {int32, int64} = DT_INT32")
        .shape(shape::unchanged)
        .grad(cumprod_grad)
        .kernel(|c| scan(c, true))
        .gpu(|c| super::array::gpu::scan(c, true))
        .on_host(&[1]),
];

fn arg_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let axis_shape = c.input(1);
    shape::at_most(&axis_shape, 1)?;
    let Some(rank) = input.rank() else {
        return Ok(());
    };
    if rank <= 1 {
        c.set(0, PartialShape::scalar());
        return Ok(());
    }
    let Some(axis) = c.constant(1).and_then(|v| v.int().ok()) else {
        c.set(0, PartialShape::unknown_of_rank(rank - 1));
        return Ok(());
    };
    let r = rank as i64;
    crate::ensure!(
        (-r..r).contains(&axis),
        invalid,
        "Dimension ({axis}) must be in the range [{}, {r}), where {r} is the number of dimensions in the input.",
        -r
    );
    let axis = (if axis < 0 { axis + r } else { axis }) as usize;
    let dims = (0..rank).filter(|i| *i != axis).map(|i| input.dim(i));
    c.set(0, PartialShape::from_dims(dims.collect::<Vec<_>>()));
    Ok(())
}

/// The gradient of the first of two inputs.
fn one_of_two(
    g: &mut GradientContext,
    make: impl FnOnce(&mut GradientContext) -> Result<Endpoint>,
) -> Result<Grads> {
    Ok(vec![Some(make(g)?.into()), None])
}

/// The reduced shape with its axes kept as 1, and how often each is repeated.
fn kept_and_tiles(dims: &[i64], axes: &[i64]) -> (Vec<i64>, Vec<i64>) {
    let rank = dims.len() as i64;
    let mut kept = dims.to_vec();
    for axis in axes {
        let axis = axis.rem_euclid(rank.max(1)) as usize;
        if let Some(size) = kept.get_mut(axis) {
            *size = 1;
        }
    }
    let tiles = dims.iter().zip(&kept).map(|(d, k)| d / k.max(&1)).collect();
    (kept, tiles)
}

fn sum_grad(g: &mut GradientContext) -> Result<Endpoint> {
    let (x, axes, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let known = g.shape(x).clone();
    if let Some(dims) = known.dims()
        && let Some(axes) = constant_value(g.graph, axes)
    {
        let (rank, axes) = (dims.len(), axes.ints()?);
        if axes.iter().copied().eq(0..rank as i64) {
            let flat = g.graph.reshape_to(dy, &vec![1; rank])?;
            let multiples = match known.is_fully_defined() {
                true => g.graph.constant_node("Const", ints(dims)?)?,
                false => g.graph.shape_of(x)?,
            };
            return g.op("Tile", [flat, multiples]);
        }
        if known.is_fully_defined() {
            let (kept, tiles) = kept_and_tiles(dims, &axes);
            if g.graph.is_first_time("reduced_shape", &[dims, &axes]) {
                reduced_shape_of_known(g, dims, &axes, &kept)?;
            }
            let wide = g.graph.reshape_to(dy, &kept)?;
            let multiples = In::Plain("multiples", ints(&tiles)?);
            return g.graph.call("Tile", "", [wide.into(), multiples], &[]);
        }
    }
    let shape = g.graph.shape_of(x)?;
    g.graph.push_colocation(Some(shape.node), false);
    let made =
        reduced_shape(g, shape, axes).and_then(|kept| Ok((kept, shape_div(g, shape, kept)?)));
    g.graph.pop_colocation();
    let (kept, tiles) = made?;
    let wide = g.graph.reshape(dy, kept)?;
    g.op("Tile", [wide, tiles])
}

/// The nodes of `reduced_shape` and `_safe_shape_div` for plain lists: TensorFlow makes them once for each pair of shape
/// and axes, to evaluate them at once.
fn reduced_shape_of_known(
    g: &mut GradientContext,
    dims: &[i64],
    axes: &[i64],
    kept: &[i64],
) -> Result<()> {
    let x = plain_cast(g, dims)?;
    let axes = plain_cast(g, axes)?;
    stitch_reduced(g, x, axes)?;
    // Both sides are NumPy tuples by now: `maximum` turns one into a tensor, and the division the other.
    let most = In::Plain("x", ints(kept)?);
    let most = g
        .graph
        .call("Maximum", "", [most, In::Plain("y", int(1)?)], &[])?;
    let sizes = In::Plain("x", ints(dims)?);
    g.graph
        .call("FloorDiv", "floordiv", [sizes, most.into()], &[])?;
    Ok(())
}

/// `tf.cast(list, tf.int32)`: a constant in the scope of the cast.
fn plain_cast(g: &mut GradientContext, all: &[i64]) -> Result<Endpoint> {
    let value = ints(all)?;
    g.graph
        .in_scope("Cast", |graph| graph.constant_node("x", value))
}

/// `math_ops.reduced_shape`: the shape with the axes as 1.
pub(in crate::ops) fn reduced_shape(
    g: &mut GradientContext,
    shape: Endpoint,
    axes: Endpoint,
) -> Result<Endpoint> {
    let shape = g.graph.cast_to(shape, DType::I32)?;
    let axes = g.graph.cast_to(axes, DType::I32)?;
    stitch_reduced(g, shape, axes)
}

fn stitch_reduced(g: &mut GradientContext, shape: Endpoint, axes: Endpoint) -> Result<Endpoint> {
    let rank = g.graph.size_of(shape)?;
    let shifted = g.graph.add(axes, rank)?;
    let axes = g.graph.call("FloorMod", "mod", [shifted, rank], &[])?;
    let axes_shape = g.graph.shape_of(axes)?;
    let all = g.graph.range(int(0)?, rank)?;
    let ones = g.graph.call(
        "Fill",
        "",
        [axes_shape.into(), In::Plain("value", int(1)?)],
        &[],
    )?;
    g.graph.call(
        "DynamicStitch",
        "",
        [In::List(vec![all, axes]), In::List(vec![shape, ones])],
        &[],
    )
}

/// `x // max(y, 1)`.
pub(super) fn shape_div(g: &mut GradientContext, x: Endpoint, y: Endpoint) -> Result<Endpoint> {
    let one = g.graph.plain("y", y, 1.0)?;
    let y = g.graph.call("Maximum", "", [y.into(), one], &[])?;
    g.graph.call("FloorDiv", "floordiv", [x, y], &[])
}

fn mean_grad(g: &mut GradientContext) -> Result<Endpoint> {
    let sum = sum_grad(g)?;
    let (x, y) = (g.input(0), g.output(0));
    let counts = (g.shape(x).num_elements(), g.shape(y).num_elements());
    let dtype = g.dtype(sum);
    let factor = match counts {
        (Some(n), Some(m)) => g.constant("Const", number(dtype, (n / m.max(1)) as f64)?)?,
        _ => {
            let shape = g.graph.shape_of(x)?;
            let reduced = g.graph.shape_of(y)?;
            let n = reduce_prod(g, shape)?;
            let m = reduce_prod(g, reduced)?;
            shape_div(g, n, m)?
        }
    };
    let factor = g.graph.cast_to(factor, dtype)?;
    g.graph.truediv(sum, factor)
}

fn reduce_prod(g: &mut GradientContext, e: Endpoint) -> Result<Endpoint> {
    g.graph.reduce_all("Prod", e)
}

fn extremum_grad(g: &mut GradientContext) -> Result<Endpoint> {
    let (x, axes, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let shape = g.graph.shape_of(x)?;
    let kept = reduced_shape(g, shape, axes)?;
    let y = g.output(0);
    let y = g.graph.reshape(y, kept)?;
    let dy = g.graph.reshape(dy, kept)?;
    let is_extreme = g.op("Equal", [y, x])?;
    let dtype = g.dtype(dy);
    let indicators = g.graph.cast_to(is_extreme, dtype)?;
    let count = g.op("Sum", [indicators, axes])?;
    let count = g.graph.reshape(count, kept)?;
    let share = g.graph.truediv(indicators, count)?;
    g.graph.mul(share, dy)
}

/// The product of all other elements, computed without division so that zeros do no harm.
fn prod_grad(g: &mut GradientContext) -> Result<Endpoint> {
    let (x, axes, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let shape = g.graph.shape_of(x)?;
    let axes = g.graph.reshape_to(axes, &[-1])?;
    let given_axes = g.input(1);
    let kept = reduced_shape(g, shape, given_axes)?;
    let tiles = shape_div(g, shape, kept)?;
    let wide = g.graph.reshape(dy, kept)?;
    let dy = g.op("Tile", [wide, tiles])?;
    g.graph
        .push_device(crate::graph::DeviceScope::Spec("/device:CPU:0".into()));
    let placed = prod_axes(g, x, shape, axes);
    g.graph.pop_device();
    let (perm, reduced, other) = placed?;
    let permuted = g.graph.call("Transpose", "transpose", [x, perm], &[])?;
    let permuted_shape = g.graph.shape_of(permuted)?;
    let flat = g.graph.in_scope("Reshape", |graph| {
        let dims = graph.in_scope("shape", |graph| {
            let name = graph.scope_as_name();
            graph.call("Pack", &name, [In::List(vec![reduced, other])], &[])
        })?;
        let name = graph.scope_as_name();
        graph.call("Reshape", &name, [permuted, dims], &[])
    })?;
    let left = cumprod(g, flat, false)?;
    let right = cumprod(g, flat, true)?;
    let (left, right) = (g.graph.conj(left)?, g.graph.conj(right)?);
    let product = g.graph.mul(left, right)?;
    let y = g.graph.reshape(product, permuted_shape)?;
    let inverse = g.op("InvertPermutation", [perm])?;
    let back = g.graph.call("Transpose", "transpose", [y, inverse], &[])?;
    let out = g.graph.mul(dy, back)?;
    g.graph.reshape(out, shape)
}

fn cumprod(g: &mut GradientContext, e: Endpoint, reverse: bool) -> Result<Endpoint> {
    let attrs = [
        ("exclusive", Attr::Bool(true)),
        ("reverse", Attr::Bool(reverse)),
    ];
    let axis = In::Plain("axis", int(0)?);
    g.graph.call("Cumprod", "", [e.into(), axis], &attrs)
}

/// The order of axes with the reduced ones first, and the sizes of both groups.
fn prod_axes(
    g: &mut GradientContext,
    x: Endpoint,
    shape: Endpoint,
    axes: Endpoint,
) -> Result<(Endpoint, Endpoint, Endpoint)> {
    let rank = g.graph.rank_of(x)?;
    let shifted = g.graph.add(axes, rank)?;
    let axes = g.graph.call("FloorMod", "mod", [shifted, rank], &[])?;
    let reduced = g.graph.cast_to(axes, DType::I32)?;
    let all = g.graph.range(int(0)?, rank)?;
    let other = g.op("ListDiff", [all, reduced])?;
    let perm = g.graph.concat(vec![reduced.into(), other.into()], 0)?;
    let size_of = |g: &mut GradientContext, axes: Endpoint| {
        let zero = In::Plain("axis", int(0)?);
        let sizes = g
            .graph
            .call("GatherV2", "", [shape.into(), axes.into(), zero], &[])?;
        reduce_prod(g, sizes)
    };
    let reduced_size = size_of(g, reduced)?;
    let other_size = size_of(g, other)?;
    Ok((perm, reduced_size, other_size))
}

fn scan_attrs(g: &GradientContext, flip: bool) -> Result<[(&'static str, Attr); 2]> {
    let attrs = &g.node().attrs;
    let reverse = attrs.bool("reverse")? != flip;
    Ok([
        ("exclusive", Attr::Bool(attrs.bool("exclusive")?)),
        ("reverse", Attr::Bool(reverse)),
    ])
}

fn cumsum_grad(g: &mut GradientContext) -> Result<Grads> {
    let (axis, dy) = (g.input(1), g.dy(0)?);
    let attrs = scan_attrs(g, true)?;
    let made = g.graph.call("Cumsum", "", [dy, axis], &attrs)?;
    Ok(vec![Some(made.into()), None])
}

fn cumprod_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, axis, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let attrs = scan_attrs(g, false)?;
    let product = g.graph.call("Cumprod", "", [x, axis], &attrs)?;
    let scaled = g.graph.mul(product, dy)?;
    let attrs = scan_attrs(g, true)?;
    let sum = g.graph.call("Cumsum", "", [scaled, axis], &attrs)?;
    let made = g.graph.truediv(sum, x)?;
    Ok(vec![Some(made.into()), None])
}
