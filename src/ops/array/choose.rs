//! SelectV2: one of two values in each place, where condition and values broadcast.

use crate::error::Result;
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, strides};
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};

pub(in crate::ops) const OPS: &[Op] =
    &[
        Op::new("SelectV2", "condition: bool, t: T, e: T -> output: T")
            .attr("T: type")
            .shape(select_shape)
            .grad(select_grad)
            .kernel(select)
            .gpu(select_on_gpu),
    ];

fn select_shape(c: &mut ShapeContext) -> Result<()> {
    let branches = shape::broadcast_shapes(&c.input(1), &c.input(2))?;
    let all = shape::broadcast_shapes(&c.input(0), &branches)?;
    c.set(0, all);
    Ok(())
}

/// The sum of `dy` over what was repeated of `x`, in the shape of `x`.
fn reduced(
    g: &mut GradientContext,
    dy: Endpoint,
    shape: Endpoint,
    out_shape: Endpoint,
) -> Result<Endpoint> {
    let axes = g.op("BroadcastGradientArgs", [shape, out_shape])?;
    let keep = [("keep_dims", Attr::Bool(true))];
    let sum = g.graph.call("Sum", "", [dy, axes], &keep)?;
    g.graph.reshape(sum, shape)
}

fn select_grad(g: &mut GradientContext) -> Result<Grads> {
    let (condition, x, y) = (g.input(0), g.input(1), g.input(2));
    let (out, dy) = (g.output(0), g.dy(0)?);
    let dtype = g.dtype(dy);
    let zeros = g.graph.zeros_shaped(&Shape::scalar(), dtype)?;
    let gx = g.op("SelectV2", [condition, dy, zeros])?;
    let x_shape = g.graph.shape_of(x)?;
    let out_shape = g.graph.shape_of(out)?;
    let gx = reduced(g, gx, x_shape, out_shape)?;
    let gy = g.op("SelectV2", [condition, zeros, dy])?;
    let y_shape = g.graph.shape_of(y)?;
    let gy = reduced(g, gy, y_shape, out_shape)?;
    Ok(vec![None, Some(gx.into()), Some(gy.into())])
}

/// Steps of a value along the axes of a shape that it is broadcast to.
fn broadcast_strides(value: &Value, rank: usize) -> Vec<usize> {
    let dims = value.shape().dims();
    let mut steps = vec![0; rank];
    for (i, step) in strides(dims).into_iter().enumerate() {
        if dims[i] != 1 {
            steps[rank - dims.len() + i] = step;
        }
    }
    steps
}

/// The shape to which a condition and two values broadcast.
fn common(condition: &Shape, a: &Shape, b: &Shape) -> Result<Shape> {
    let known = |shape: &Shape| PartialShape::new(shape.dims());
    let branches = shape::broadcast_shapes(&known(a)?, &known(b)?)?;
    let all = shape::broadcast_shapes(&known(condition)?, &branches)?;
    Shape::new(all.dims().unwrap_or_default())
}

fn select_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = common(c.shape(0)?, c.shape(1)?, c.shape(2)?)?;
    super::gpu::select_broadcast(c, shape)
}

fn select(c: &mut KernelContext) -> Result<()> {
    let (condition, a, b) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let out = common(condition.shape(), a.shape(), b.shape())?;
    let dims = out.dims().to_vec();
    let picks = condition.slice::<u8>()?;
    let steps = [condition, a, b].map(|v| broadcast_strides(v, dims.len()));
    let mut index = vec![0i64; dims.len()];
    let mut at = [0usize; 3];
    let runs = (0..out.num_elements()).map(|_| {
        let source = usize::from(picks[at[0]] == 0);
        let run = Run {
            source,
            from: at[1 + source],
            len: 1,
        };
        for axis in (0..dims.len()).rev() {
            index[axis] += 1;
            for k in 0..3 {
                at[k] += steps[k][axis];
            }
            if index[axis] < dims[axis] {
                break;
            }
            for k in 0..3 {
                at[k] -= steps[k][axis] * dims[axis] as usize;
            }
            index[axis] = 0;
        }
        run
    });
    let made = assemble(a.dtype(), out.clone(), &[a, b], runs)?;
    c.set_output(0, made);
    Ok(())
}
