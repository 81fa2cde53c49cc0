//! Where values come from: constants, placeholders, fills, ranges.

use crate::error::{Code, Error, Result};
use crate::graph::{ShapeContext, with_rank};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{product, splat};
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{dispatch, ensure};

use super::gpu;
use super::identity::{forward, pass};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Const", "-> output: dtype").attr("value: tensor").attr("dtype: type").no_grad().shape(const_shape).host(constant),
    Op::new("ImmutableConst", "-> tensor: dtype").attr("dtype: type").attr("shape: shape").attr("memory_region_name: string").shape(declared_shape),
    Op::new("Placeholder", "-> output: dtype").attr("dtype: type").attr("shape: shape = ?").shape(placeholder_shape).host(unfed),
    Op::new("PlaceholderV2", "-> output: dtype").attr("dtype: type").attr("shape: shape").shape(declared_shape).host(unfed),
    Op::new("PlaceholderWithDefault", "input: dtype -> output: dtype").attr("dtype: type").attr("shape: shape").shape(default_shape).grad(pass).view(forward),
    Op::new("ZerosLike", "x: T -> y: T").attr("T: type").no_grad().shape(shape::unchanged).kernel(zeros_like).gpu(|c| like_on_gpu(c, 0.0)),
    Op::new("OnesLike", "x: T -> y: T").attr("T: {bfloat16, float16, float32, float64, int8, uint8, int16, uint16, int32, int64, complex64, complex128, bool}").no_grad().shape(shape::unchanged).kernel(ones_like).gpu(|c| like_on_gpu(c, 1.0)),
    Op::new("Fill", "dims: index_type, value: T -> output: T").attr("T: type").attr("index_type: {int32, int64} = DT_INT32").shape(fill_shape).grad(fill_grad).kernel(fill).gpu(fill_on_gpu).on_host(&[0, 1]),
    Op::new("Range", "start: Tidx, limit: Tidx, delta: Tidx -> output: Tidx").attr("Tidx: {bfloat16, float32, float64, int32, int64} = DT_INT32").no_grad().shape(range_shape).kernel(range),
    Op::new("LinSpace", "start: T, stop: T, num: Tidx -> output: T").attr("T: {bfloat16, float32, float64}").attr("Tidx: {int32, int64} = DT_INT32").no_grad().shape(lin_space_shape).kernel(lin_space),
    Op::new("OneHot", "indices: TI, depth: int32, on_value: T, off_value: T -> output: T").attr("axis: int = -1").attr("T: type").attr("TI: {uint8, int32, int64} = DT_INT64").no_grad().shape(one_hot_shape).kernel(one_hot).gpu(one_hot_on_gpu).on_host(&[1, 2, 3]),
];

fn const_shape(c: &mut ShapeContext) -> Result<()> {
    if let Ok(value) = c.attrs().tensor("value") {
        let shape = PartialShape::from(value.shape());
        c.set(0, shape);
    }
    Ok(())
}

fn declared_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.attrs().shape("shape")?.clone();
    c.set(0, shape);
    Ok(())
}

/// An empty shape is no scalar but "unknown": GraphDefs before version 24 could not say the difference.
fn placeholder_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.attrs().shape("shape")?.clone();
    if !(c.graph().producer < 24 && shape.rank() == Some(0)) {
        c.set(0, shape);
    }
    Ok(())
}

fn default_shape(c: &mut ShapeContext) -> Result<()> {
    let (input, declared) = (c.input(0), c.attrs().shape("shape")?.clone());
    shape::merge(&input, &declared)?;
    c.set(0, declared);
    Ok(())
}

fn constant(c: &mut KernelContext) -> Result<()> {
    let value = c.attrs().tensor("value")?.clone();
    c.set_output(0, value);
    Ok(())
}

fn unfed(c: &mut KernelContext) -> Result<()> {
    let dtype = c.attrs().dtype("dtype")?.short_name();
    let name = &c.node.name;
    let shape = c.attrs().shape("shape")?;
    let and_shape = match shape.rank() {
        None => String::new(),
        Some(_) => format!(" and shape {shape}"),
    };
    Err(Error::new(
        Code::InvalidArgument,
        format!(
            "You must feed a value for placeholder tensor '{name}' with dtype {dtype}{and_shape}"
        ),
    ))
}

fn zeros_like(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let zeros = Value::zeros(input.dtype(), input.shape().clone())?;
    c.set_output(0, zeros);
    Ok(())
}

/// All elements `x`, in the shape of input 0.
fn like_on_gpu(c: &mut GpuContext, x: f64) -> Result<()> {
    let (dtype, shape) = (c.dtype(0)?, c.shape(0)?.clone());
    let made = gpu::filled(c, dtype, shape, gpu::words_of(&one_of(dtype, x)?)?)?;
    c.set_output(0, made);
    Ok(())
}

fn one_of(dtype: DType, x: f64) -> Result<Value> {
    match dtype {
        DType::Bool => Value::scalar_bool(x != 0.0),
        dtype => crate::ops::build::number(dtype, x),
    }
}

fn ones_like(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let one = one_of(input.dtype(), 1.0)?;
    let ones = splat(&one, input.shape().clone())?;
    c.set_output(0, ones);
    Ok(())
}

fn fill_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(1), 0)?;
    let dims = c.input(0);
    shape::at_most(&dims, 1)?;
    let shape = c.constant_shape(0)?;
    c.set(0, shape);
    Ok(())
}

fn fill_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    Ok(vec![None, Some(g.graph.sum_all(dy)?.into())])
}

fn fill(c: &mut KernelContext) -> Result<()> {
    let shape = shape_in(c.input(0)?)?;
    let value = c.scalar_input(1, "value")?;
    let filled = splat(value, shape)?;
    c.set_output(0, filled);
    Ok(())
}

fn shape_in(dims: &Value) -> Result<Shape> {
    ensure!(
        dims.shape().rank() <= 1,
        invalid,
        "dims must be a vector, got shape {}",
        dims.shape()
    );
    Shape::new(&dims.ints()?)
}

fn fill_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = shape_in(&c.host_input(0)?)?;
    let value = c.host_input(1)?;
    ensure!(
        value.num_elements() == 1,
        invalid,
        "value must be a scalar, got shape {}",
        value.shape()
    );
    let made = gpu::filled(c, value.dtype(), shape, gpu::words_of(&value)?)?;
    c.set_output(0, made);
    Ok(())
}

fn range_shape(c: &mut ShapeContext) -> Result<()> {
    for (i, name) in ["start", "limit", "delta"].into_iter().enumerate() {
        with_rank(&c.input(i), 0)
            .map_err(|e| Error::invalid(format!("{} for '{name}'", e.message)))?;
    }
    let values: Option<Vec<Value>> = (0..3).map(|i| c.constant(i)).collect();
    let size = match values {
        Some(v) => range_size(&v[0], &v[1], &v[2])?,
        None => -1,
    };
    c.set(0, PartialShape::vector(size));
    Ok(())
}

fn as_f64(v: &Value) -> Result<f64> {
    Ok(match v.dtype() {
        DType::F32 => f64::from(v.item::<f32>()?),
        DType::F64 => v.item::<f64>()?,
        DType::BF16 => v.item::<half::bf16>()?.to_f64(),
        _ => v.int()? as f64,
    })
}

fn range_size(start: &Value, limit: &Value, delta: &Value) -> Result<i64> {
    let (a, b, d) = (as_f64(start)?, as_f64(limit)?, as_f64(delta)?);
    ensure!(d != 0.0, invalid, "Requires delta != 0");
    ensure!(
        d < 0.0 || a <= b,
        invalid,
        "Requires start <= limit when delta > 0: {a}/{b}"
    );
    ensure!(
        d > 0.0 || a >= b,
        invalid,
        "Requires start >= limit when delta < 0: {a}/{b}"
    );
    let size = if start.dtype().is_integer() {
        let (a, b, d) = (
            i128::from(start.int()?),
            i128::from(limit.int()?),
            i128::from(delta.int()?),
        );
        ((b - a).abs() + d.abs() - 1) / d.abs()
    } else {
        ((b - a) / d).abs().ceil() as i128
    };
    i64::try_from(size)
        .map_err(|_| Error::invalid(format!("a range of {size} elements is too large")))
}

fn range(c: &mut KernelContext) -> Result<()> {
    let (start, limit, delta) = (
        c.scalar_input(0, "start")?,
        c.scalar_input(1, "limit")?,
        c.scalar_input(2, "delta")?,
    );
    ensure!(as_f64(delta)? != 0.0, invalid, "Requires delta != 0: 0");
    let size = range_size(start, limit, delta)?;
    let shape = Shape::new(&[size])?;
    macro_rules! steps {
        ($t:ty, $add:expr) => {{
            let (mut x, d) = (start.item::<$t>()?, delta.item::<$t>()?);
            let mut out = Value::uninit(start.dtype(), shape)?;
            for to in out.slice_mut::<$t>()? {
                *to = x;
                x = $add(x, d);
            }
            out
        }};
    }
    let out = match start.dtype() {
        DType::F32 => steps!(f32, |a: f32, b| a + b),
        DType::F64 => steps!(f64, |a: f64, b| a + b),
        DType::I64 => steps!(i64, |a: i64, b| a.wrapping_add(b)),
        DType::BF16 => steps!(half::bf16, |a: half::bf16, b| a + b),
        _ => steps!(i32, |a: i32, b| a.wrapping_add(b)),
    };
    c.set_output(0, out);
    Ok(())
}

fn lin_space_shape(c: &mut ShapeContext) -> Result<()> {
    for i in 0..3 {
        with_rank(&c.input(i), 0)?;
    }
    let size = match c.constant(2) {
        Some(num) => {
            let num = num.int()?;
            ensure!(num > 0, invalid, "Requires num > 0: {num}");
            num
        }
        None => -1,
    };
    c.set(0, PartialShape::vector(size));
    Ok(())
}

fn lin_space(c: &mut KernelContext) -> Result<()> {
    let (start, stop) = (c.scalar_input(0, "start")?, c.scalar_input(1, "stop")?);
    let num = c.scalar_input(2, "num")?.int()?;
    ensure!(num > 0, invalid, "Requires num > 0: {num}");
    let mut out = c.allocate(0, Shape::new(&[num])?)?;
    match start.dtype() {
        DType::F64 => {
            let (a, b) = (start.item::<f64>()?, stop.item::<f64>()?);
            let step = if num > 1 {
                (b - a) / (num - 1) as f64
            } else {
                0.0
            };
            let out = out.slice_mut::<f64>()?;
            out.iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x = a + step * i as f64);
        }
        _ => {
            let (a, b) = (as_f64(start)? as f32, as_f64(stop)? as f32);
            let step = if num > 1 {
                (b - a) / (num - 1) as f32
            } else {
                0.0
            };
            let points = (0..num).map(|i| a + step * i as f32);
            if start.dtype() == DType::BF16 {
                let out = out.slice_mut::<half::bf16>()?;
                out.iter_mut()
                    .zip(points)
                    .for_each(|(to, x)| *to = half::bf16::from_f32(x));
            } else {
                out.slice_mut::<f32>()?
                    .iter_mut()
                    .zip(points)
                    .for_each(|(to, x)| *to = x);
            }
        }
    }
    c.set_output(0, out);
    Ok(())
}

fn one_hot_shape(c: &mut ShapeContext) -> Result<()> {
    let axis = c.attrs().int("axis")?;
    ensure!(axis >= -1, invalid, "axis must be >= -1");
    for i in 1..4 {
        with_rank(&c.input(i), 0)?;
    }
    let depth = match c.constant(1) {
        Some(depth) => {
            let depth = depth.int()?;
            ensure!(
                depth >= 0,
                invalid,
                "Dimension size, given by scalar input 1, must be non-negative but is {depth}"
            );
            depth
        }
        None => -1,
    };
    let indices = c.input(0);
    let Some(dims) = indices.dims() else {
        return Ok(());
    };
    let at = if axis == -1 {
        dims.len()
    } else {
        axis as usize
    };
    ensure!(
        at <= dims.len(),
        invalid,
        "axis must be -1 or between 0 and {}, but got {axis}",
        dims.len()
    );
    let mut dims = dims.to_vec();
    dims.insert(at, depth);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn one_hot(c: &mut KernelContext) -> Result<()> {
    let indices = c.input(0)?;
    let depth = c.scalar_input(1, "depth")?.int()?;
    let (on, off) = (
        c.scalar_input(2, "on_value")?,
        c.scalar_input(3, "off_value")?,
    );
    let (at, shape) = one_hot_of(indices.shape().dims(), c.attrs().int("axis")?, depth)?;
    let inner = product(&indices.shape().dims()[at..]);
    let indices: Vec<i64> = match indices.dtype() {
        DType::U8 => indices
            .slice::<u8>()?
            .iter()
            .map(|x| i64::from(*x))
            .collect(),
        _ => indices.ints()?,
    };
    let mut out = splat(off, shape)?;
    let depth = depth as usize;
    dispatch!(plain, on.dtype(), T => {
        let value = on.item::<T>()?;
        let out = out.slice_mut::<T>()?;
        for (i, hot) in indices.iter().enumerate() {
            let Some(hot) = usize::try_from(*hot).ok().filter(|h| *h < depth) else { continue };
            let (outer, rest) = (i / inner.max(1), i % inner.max(1));
            out[(outer * depth + hot) * inner + rest] = value;
        }
    });
    c.set_output(0, out);
    Ok(())
}

fn one_hot_on_gpu(c: &mut GpuContext) -> Result<()> {
    let depth = c.host_input(1)?.int()?;
    let (on, off) = (c.host_input(2)?, c.host_input(3)?);
    ensure!(
        on.num_elements() == 1 && off.num_elements() == 1,
        invalid,
        "on_value and off_value must be scalars, but are of shapes {} and {}",
        on.shape(),
        off.shape()
    );
    let dims = c.shape(0)?.dims().to_vec();
    let (at, shape) = one_hot_of(&dims, c.attrs().int("axis")?, depth)?;
    let sizes = [depth as usize, product(&dims[at..])];
    gpu::one_hot(c, sizes, &on, &off, shape)
}

/// Where the axis of classes comes among these sizes, and the shape of the result.
fn one_hot_of(dims: &[i64], axis: i64, depth: i64) -> Result<(usize, Shape)> {
    ensure!(
        depth >= 0,
        invalid,
        "depth must be non-negative, got: {depth}"
    );
    let at = if axis == -1 { dims.len() as i64 } else { axis };
    ensure!(
        (0..=dims.len() as i64).contains(&at),
        invalid,
        "Expected axis to be -1 or between [0, {}).  But received: {axis}",
        dims.len() + 1
    );
    let at = at as usize;
    let mut out_dims = dims.to_vec();
    out_dims.insert(at, depth);
    Ok((at, Shape::new(&out_dims)?))
}
