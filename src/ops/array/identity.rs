//! Values passed on under the same or another shape, and what is known of shapes. No data moves.

use crate::error::{Error, Result};
use crate::graph::{Attr, ShapeContext, with_rank};
use crate::ops::build::In;
use crate::ops::gradient::{Grad, GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value, resolve_axis};
use crate::{bail, dispatch, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Identity", "input: T -> output: T").attr("T: type").shape(shape_and_handle).grad(pass).view(forward),
    Op::new("IdentityN", "input: T -> output: T").attr("T: list(type) >= 1").shape(each_unchanged).grad(pass_each).view(forward_each),
    Op::new("RefIdentity", "input: Ref(T) -> output: Ref(T)").attr("T: type").allows_uninitialized_input().shape(shape::unchanged).grad(pass).view(forward),
    Op::new("StopGradient", "input: T -> output: T").attr("T: type").no_grad().shape(shape::unchanged).view(forward),
    Op::new("PreventGradient", "input: T -> output: T").attr("T: type").attr("message: string = ''").shape(shape::unchanged).grad(refuse).view(forward),
    Op::new("Snapshot", "input: T -> output: T").attr("T: type").shape(shape::unchanged).view(forward),
    Op::new("DeepCopy", "x: T -> y: T").attr("T: type").stateful().shape(shape::unchanged).kernel(deep_copy),
    Op::new("GuaranteeConst", "input: T -> output: T").attr("T: type").stateful().shape(shape::unchanged).view(forward),
    Op::new("DebugGradientIdentity", "input: T -> output: T").attr("T: type").allows_uninitialized_input().shape(shape::unchanged).view(forward),
    Op::new("CheckNumerics", "tensor: T -> output: T").attr("T: {bfloat16, float16, float32, float64}").attr("message: string").stateful().shape(shape::unchanged).grad(check_numerics_grad).kernel(check_numerics).gpu(super::turned::check_numerics),
    Op::new("EnsureShape", "input: T -> output: T").attr("shape: shape").attr("T: type").shape(ensure_shape_shape).grad(ensure_shape_grad).view(ensure_shape),
    Op::new("Shape", "input: T -> output: out_type").attr("T: type").attr("out_type: {int32, int64} = DT_INT32").no_grad().shape(shape_shape).host(shape_kernel),
    Op::new("ShapeN", "input: N * T -> output: N * out_type").attr("N: int >= 1").attr("T: type").attr("out_type: {int32, int64} = DT_INT32").no_grad().shape(shape_shape).host(shape_kernel),
    Op::new("Size", "input: T -> output: out_type").attr("T: type").attr("out_type: {int32, int64} = DT_INT32").no_grad().shape(shape::scalar).host(size),
    Op::new("Rank", "input: T -> output: int32").attr("T: type").no_grad().shape(shape::scalar).host(rank),
    Op::new("Reshape", "tensor: T, shape: Tshape -> output: T").attr("T: type").attr("Tshape: {int32, int64} = DT_INT32").shape(reshape_shape).grad(|g| back_to_input(g, 2)).view(reshape),
    Op::new("ExpandDims", "input: T, dim: Tdim -> output: T").attr("T: type").attr("Tdim: {int32, int64} = DT_INT32").shape(expand_dims_shape).grad(|g| back_to_input(g, 2)).view(expand_dims),
    Op::new("Squeeze", "input: T -> output: T").attr("T: type").attr("squeeze_dims: list(int) >= 0 = []").shape(squeeze_shape).grad(|g| back_to_input(g, 1)).view(squeeze),
    Op::new("Bitcast", "input: T -> output: type").attr("T: {bfloat16, float16, float32, float64, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, complex128, qint8, quint8, qint16, quint16, qint32}").attr("type: {bfloat16, float16, float32, float64, int64, int32, uint8, uint16, uint32, uint64, int8, int16, complex64, complex128, qint8, quint8, qint16, quint16, qint32}").shape(bitcast_shape).view(bitcast),
];

fn shape_and_handle(c: &mut ShapeContext) -> Result<()> {
    shape::unchanged(c)?;
    let handle = c.input_handle(0);
    c.set_handle(0, handle);
    Ok(())
}

fn each_unchanged(c: &mut ShapeContext) -> Result<()> {
    for i in 0..c.num_inputs() {
        let shape = c.input(i);
        c.set(i, shape);
    }
    Ok(())
}

/// The gradient as it came, slices included.
pub(in crate::ops) fn pass(g: &mut GradientContext) -> Result<Grads> {
    Ok(vec![g.out_grad(0)])
}

fn pass_each(g: &mut GradientContext) -> Result<Grads> {
    Ok((0..g.num_inputs()).map(|i| g.out_grad(i)).collect())
}

pub(in crate::ops) fn forward(c: &mut KernelContext) -> Result<()> {
    let value = c.take_input(0)?;
    c.set_output(0, value);
    Ok(())
}

fn forward_each(c: &mut KernelContext) -> Result<()> {
    for i in 0..c.num_inputs() {
        let value = c.take_input(i)?;
        c.set_output(i, value);
    }
    Ok(())
}

fn deep_copy(c: &mut KernelContext) -> Result<()> {
    let value = c.input(0)?.deep_copy()?;
    c.set_output(0, value);
    Ok(())
}

fn refuse(g: &mut GradientContext) -> Result<Grads> {
    bail!(
        lookup,
        "Gradient explicitly disabled. Reason: {}",
        String::from_utf8_lossy(g.node().attrs.bytes("message")?)
    )
}

fn check_numerics_grad(g: &mut GradientContext) -> Result<Grads> {
    let message = String::from_utf8_lossy(g.node().attrs.bytes("message")?).into_owned();
    let message =
        format!("Not a number (NaN) or infinity (Inf) values detected in gradient. {message}");
    let dy = g.dy(0)?;
    let attrs = [("message", Attr::from(message.as_str()))];
    let made = g.graph.call("CheckNumerics", "", [dy], &attrs)?;
    Ok(vec![Some(made.into())])
}

fn check_numerics(c: &mut KernelContext) -> Result<()> {
    let value = c.take_input(0)?;
    let (mut has_nan, mut has_inf) = (false, false);
    dispatch!(floats, value.dtype(), T => {
        for x in value.slice::<T>()? {
            let x = *x;
            has_nan |= x.is_nan();
            has_inf |= x.is_infinite();
        }
    });
    if has_nan || has_inf {
        let message = String::from_utf8_lossy(c.attrs().bytes("message")?).into_owned();
        return Err(not_finite(&message, has_inf, has_nan));
    }
    c.set_output(0, value);
    Ok(())
}

pub(super) fn not_finite(message: &str, has_inf: bool, has_nan: bool) -> Error {
    let what = match (has_inf, has_nan) {
        (true, true) => "Inf and NaN",
        (true, false) => "Inf",
        _ => "NaN",
    };
    Error::invalid(format!("{message} : Tensor had {what} values"))
}

fn ensure_shape_shape(c: &mut ShapeContext) -> Result<()> {
    let (input, wanted) = (c.input(0), c.attrs().shape("shape")?.clone());
    let merged = shape::merge(&input, &wanted)?;
    c.set(0, merged);
    Ok(())
}

fn ensure_shape_grad(g: &mut GradientContext) -> Result<Grads> {
    pass(g)
}

fn ensure_shape(c: &mut KernelContext) -> Result<()> {
    let value = c.take_input(0)?;
    let wanted = c.attrs().shape("shape")?;
    ensure!(
        wanted.admits(value.shape()),
        invalid,
        "Shape of tensor {} {} is not compatible with expected shape {wanted}.",
        c.node.name,
        value.shape()
    );
    c.set_output(0, value);
    Ok(())
}

fn shape_shape(c: &mut ShapeContext) -> Result<()> {
    for i in 0..c.num_inputs() {
        let rank = c.input(i).rank().map_or(-1, |r| r as i64);
        c.set(i, PartialShape::vector(rank));
    }
    Ok(())
}

/// Sizes as the type that the attribute asks for.
fn sizes(c: &KernelContext, all: &[i64]) -> Result<Value> {
    if c.attrs().dtype("out_type")? == DType::I64 {
        return Value::vector(all);
    }
    let narrow = all.iter().map(|d| {
        i32::try_from(*d)
            .map_err(|_| Error::invalid(format!("Shape output type is 32-bit  but dim is {d}")))
    });
    Value::vector(&narrow.collect::<Result<Vec<i32>>>()?)
}

fn shape_kernel(c: &mut KernelContext) -> Result<()> {
    for i in 0..c.num_inputs() {
        let dims = sizes(c, c.input(i)?.shape().dims())?;
        c.set_output(i, dims);
    }
    Ok(())
}

fn size(c: &mut KernelContext) -> Result<()> {
    let n = c.input(0)?.num_elements() as i64;
    let size = sizes(c, &[n])?.with_shape(Shape::scalar())?;
    c.set_output(0, size);
    Ok(())
}

fn rank(c: &mut KernelContext) -> Result<()> {
    let rank = c.input(0)?.shape().rank() as i32;
    c.set_output(0, Value::scalar(rank)?);
    Ok(())
}

/// `tf.reshape(dy, tf.shape(x))` for the first of `inputs` inputs.
fn back_to_input(g: &mut GradientContext, inputs: usize) -> Result<Grads> {
    let x = g.input(0);
    let shape = g.graph.shape_of(x)?;
    let made = match g.out_grad(0) {
        Some(slices @ Grad::Slices { .. }) => g.graph.in_scope("Reshape", |graph| {
            let dense = crate::ops::densify::to_tensor(graph, slices, "tensor")?;
            let name = graph.scope_as_name();
            graph.call("Reshape", &name, [In::from(dense), shape.into()], &[])
        })?,
        _ => {
            let dy = g.dy(0)?;
            g.graph.reshape(dy, shape)?
        }
    };
    let mut grads = vec![None; inputs];
    grads[0] = Some(made.into());
    Ok(grads)
}

fn reshape_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let wanted = c.constant_shape(1)?;
    let Some(dims) = wanted.dims() else {
        return Ok(());
    };
    let total = input.num_elements();
    let unknown: Vec<usize> = (0..dims.len()).filter(|i| dims[*i] < 0).collect();
    let known: i64 = dims
        .iter()
        .filter(|d| **d >= 0)
        .try_fold(1i64, |n, d| n.checked_mul(*d))
        .ok_or_else(|| Error::invalid("the sizes of the new shape overflow"))?;
    match (total, unknown.as_slice()) {
        (Some(total), []) => ensure!(
            total == known,
            invalid,
            "Cannot reshape a tensor with {total} elements to shape {wanted} ({known} elements)"
        ),
        (Some(total), [at]) if known > 0 => {
            ensure!(
                total % known == 0,
                invalid,
                "Dimension size must be evenly divisible by {known} but is {total}"
            );
            let mut dims = dims.to_vec();
            dims[*at] = total / known;
            c.set(0, PartialShape::from_dims(dims));
            return Ok(());
        }
        _ => {}
    }
    // An unknown dimension on both sides and all else equal: it is the same one.
    c.set(0, wanted);
    Ok(())
}

fn reshape(c: &mut KernelContext) -> Result<()> {
    let sizes = c.input(1)?;
    ensure!(
        sizes.shape().rank() <= 1,
        invalid,
        "sizes input must be 1-D, not {}",
        sizes.shape()
    );
    let mut dims = sizes.ints()?;
    let value = c.take_input(0)?;
    let total = value.num_elements() as i64;
    let mut unknown = None;
    let mut known = 1i64;
    for (i, d) in dims.iter().enumerate() {
        if *d == -1 {
            if let Some(first) = unknown {
                bail!(
                    invalid,
                    "Only one input size may be -1, not both {first} and {i}"
                );
            }
            unknown = Some(i);
            continue;
        }
        ensure!(*d >= 0, invalid, "Size {i} must be non-negative, not {d}");
        known = known
            .checked_mul(*d)
            .ok_or_else(|| Error::invalid("the sizes of the new shape overflow"))?;
    }
    if let Some(at) = unknown {
        ensure!(
            known > 0,
            invalid,
            "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are non-zero"
        );
        ensure!(
            total % known == 0,
            invalid,
            "Input to reshape is a tensor with {total} values, but the requested shape requires a multiple of {known}"
        );
        dims[at] = total / known;
    }
    let value = value.with_shape(Shape::new(&dims)?)?;
    c.set_output(0, value);
    Ok(())
}

fn expand_dims_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let rank = dims.len() as i64;
    let Some(axis) = c.constant(1) else {
        c.set(0, PartialShape::unknown_of_rank(dims.len() + 1));
        return Ok(());
    };
    let axis = single_axis(&axis)?;
    ensure!(
        (-rank - 1..=rank).contains(&axis),
        invalid,
        "dim {axis} not in the interval [{}, {rank}].",
        -rank - 1
    );
    let at = if axis < 0 { axis + rank + 1 } else { axis } as usize;
    let mut dims = dims.to_vec();
    dims.insert(at, 1);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn single_axis(axis: &Value) -> Result<i64> {
    ensure!(
        axis.num_elements() == 1,
        invalid,
        "'dim' input must be a tensor with a single value"
    );
    Ok(axis.ints()?[0])
}

fn expand_dims(c: &mut KernelContext) -> Result<()> {
    let axis = single_axis(c.input(1)?)?;
    let value = c.take_input(0)?;
    let rank = value.shape().rank() as i64;
    ensure!(
        (-rank - 1..=rank).contains(&axis),
        invalid,
        "Tried to expand dim index {axis} for tensor with {rank} dimensions."
    );
    let at = if axis < 0 { axis + rank + 1 } else { axis } as usize;
    let mut dims = value.shape().dims().to_vec();
    dims.insert(at, 1);
    let value = value.with_shape(Shape::new(&dims)?)?;
    c.set_output(0, value);
    Ok(())
}

fn squeeze_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let axes = c.attrs().ints("squeeze_dims")?.to_vec();
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    if axes.is_empty() {
        if dims.iter().all(|d| *d >= 0) {
            let kept: Vec<i64> = dims.iter().copied().filter(|d| *d != 1).collect();
            c.set(0, PartialShape::from_dims(kept));
        }
        return Ok(());
    }
    let rank = dims.len() as i64;
    for (i, axis) in axes.iter().enumerate() {
        ensure!(
            (-rank..rank).contains(axis),
            invalid,
            "squeeze_dims[{i}] not in [-{rank},{rank})."
        );
    }
    let gone = squeezed(&axes, dims)?;
    let kept = (0..dims.len()).filter(|i| !gone[*i]).map(|i| dims[i]);
    c.set(0, PartialShape::from_dims(kept.collect::<Vec<_>>()));
    Ok(())
}

/// Which axes to drop; an error when one of them is known not to be 1.
fn squeezed(axes: &[i64], dims: &[i64]) -> Result<Vec<bool>> {
    let mut gone = vec![false; dims.len()];
    for axis in axes {
        let rank = dims.len() as i64;
        ensure!(
            (-rank..rank).contains(axis),
            invalid,
            "Tried to squeeze dim index {axis} for tensor with {rank} dimensions."
        );
        let at = resolve_axis(*axis, dims.len())?;
        ensure!(
            dims[at] < 0 || dims[at] == 1,
            invalid,
            "Can not squeeze dim[{at}], expected a dimension of 1, got {}",
            dims[at]
        );
        gone[at] = true;
    }
    Ok(gone)
}

fn squeeze(c: &mut KernelContext) -> Result<()> {
    let axes = c.attrs().ints("squeeze_dims")?.to_vec();
    let value = c.take_input(0)?;
    let dims = value.shape().dims();
    let gone = match axes.is_empty() {
        true => dims.iter().map(|d| *d == 1).collect(),
        false => squeezed(&axes, dims)?,
    };
    let kept: Vec<i64> = (0..dims.len())
        .filter(|i| !gone[*i])
        .map(|i| dims[i])
        .collect();
    let value = value.with_shape(Shape::new(&kept)?)?;
    c.set_output(0, value);
    Ok(())
}

fn bitcast_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let from = c.attrs().dtype("T")?.size();
    let to = c.attrs().dtype("type")?.size();
    let (Some(from), Some(to)) = (from, to) else {
        return Ok(());
    };
    if from == to {
        c.set(0, input);
        return Ok(());
    }
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let mut dims = dims.to_vec();
    if from < to {
        with_rank(&input, dims.len().max(1))?;
        let ratio = (to / from) as i64;
        shape::dim_is(dims.pop().unwrap_or(-1), ratio)?;
    } else {
        dims.push((from / to) as i64);
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn bitcast(c: &mut KernelContext) -> Result<()> {
    let to = c.attrs().dtype("type")?;
    let value = c.take_input(0)?;
    let from = value.dtype();
    let (Some(a), Some(b)) = (from.size(), to.size()) else {
        bail!(unimplemented, "Bitcast of {}", from.short_name());
    };
    let mut dims = value.shape().dims().to_vec();
    if a < b {
        ensure!(
            dims.pop() == Some((b / a) as i64),
            invalid,
            "Cannot bitcast from {} to {} of shape {}",
            from.short_name(),
            to.short_name(),
            value.shape()
        );
    } else if a > b {
        dims.push((a / b) as i64);
    }
    let Some(buffer) = value.buffer().cloned() else {
        bail!(internal, "a plain value has a buffer");
    };
    let value = Value::from_buffer(to, Shape::new(&dims)?, buffer)?;
    c.set_output(0, value);
    Ok(())
}
