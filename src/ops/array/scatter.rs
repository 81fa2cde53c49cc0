//! Copies with some slices replaced, and copies turned around their axes.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, strides};
use crate::ops::state::Update;
use crate::ops::{Op, shape};
use crate::value::{Shape, Value, resolve_axis};
use crate::{dispatch, ensure};

use super::gather::nd_places;
use super::gpu::{Border, set_padded};
use super::rows::{self, NdFrom};

#[rustfmt::skip]
pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("TensorScatterUpdate", "tensor: T, indices: Tindices, updates: T -> output: T").attr("T: type").attr("Tindices: {int32, int64}").shape(scatter_shape).grad(update_grad).kernel(|c| scatter(c, Change::Set)).gpu(|c| rows::scatter_nd(c, Update::Set, NdFrom::Input)).on_host(&[1]),
    Op::new("TensorScatterAdd", "tensor: T, indices: Tindices, updates: T -> output: T").attr("T: type").attr("Tindices: {int32, int64}").shape(scatter_shape).grad(add_grad).kernel(|c| scatter(c, Change::Add)).gpu(|c| rows::scatter_nd(c, Update::Add, NdFrom::Input)).on_host(&[1]),
    Op::new("TensorScatterSub", "tensor: T, indices: Tindices, updates: T -> output: T").attr("T: type").attr("Tindices: {int32, int64}").shape(scatter_shape).grad(sub_grad).kernel(|c| scatter(c, Change::Sub)).gpu(|c| rows::scatter_nd(c, Update::Sub, NdFrom::Input)).on_host(&[1]),
    Op::new("ScatterNdNonAliasingAdd", "input: T, indices: Tindices, updates: T -> output: T").attr("T: {float32, float64, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, uint16, complex128, float16, uint32, uint64, bool}").attr("Tindices: {int32, int64}").shape(scatter_shape).grad(non_aliasing_grad).kernel(|c| scatter(c, Change::Add)).gpu(|c| rows::scatter_nd(c, Update::Add, NdFrom::Input)).on_host(&[1]),
    Op::new("Roll", "input: T, shift: Tshift, axis: Taxis -> output: T").attr("T: type").attr("Tshift: {int32, int64}").attr("Taxis: {int32, int64}").shape(shape::unchanged).grad(roll_grad).kernel(roll).gpu(roll_on_gpu).on_host(&[1, 2]),
];

#[derive(Clone, Copy)]
enum Change {
    Set,
    Add,
    Sub,
}

fn scatter_shape(c: &mut ShapeContext) -> Result<()> {
    shape::at_least(&c.input(1), 1)?;
    shape::unchanged(c)
}

fn updates_grad(g: &mut GradientContext) -> Result<crate::graph::Endpoint> {
    let inputs = [g.dy(0)?, g.input(1)];
    g.op("GatherNd", inputs)
}

fn update_grad(g: &mut GradientContext) -> Result<Grads> {
    let of_updates = updates_grad(g)?;
    let dy = g.dy(0)?;
    let same = g.op("Identity", [dy])?;
    let zeros = g.graph.zeros_like(g.node().inputs[2])?;
    let inputs = [same, g.input(1), zeros];
    let made = g.op("TensorScatterUpdate", inputs)?;
    Ok(vec![Some(made.into()), None, Some(of_updates.into())])
}

fn add_grad(g: &mut GradientContext) -> Result<Grads> {
    let of_updates = updates_grad(g)?;
    let dy = g.dy(0)?;
    let same = g.op("Identity", [dy])?;
    Ok(vec![Some(same.into()), None, Some(of_updates.into())])
}

fn sub_grad(g: &mut GradientContext) -> Result<Grads> {
    let of_updates = updates_grad(g)?;
    let dy = g.dy(0)?;
    let same = g.op("Identity", [dy])?;
    let minus = g.graph.neg(of_updates)?;
    Ok(vec![Some(same.into()), None, Some(minus.into())])
}

fn non_aliasing_grad(g: &mut GradientContext) -> Result<Grads> {
    let of_updates = updates_grad(g)?;
    let dy = g.dy(0)?;
    Ok(vec![Some(dy.into()), None, Some(of_updates.into())])
}

fn scatter(c: &mut KernelContext, change: Change) -> Result<()> {
    let tensor = c.take_input(0)?;
    let (indices, updates) = (c.input(1)?, c.input(2)?);
    let dims = tensor.shape().dims().to_vec();
    let (places, block) = nd_places(indices, &dims, "")?;
    let rank = indices.shape().rank();
    let depth = indices.shape().dim(rank - 1);
    let wanted = [&indices.shape().dims()[..rank - 1], &dims[depth..]].concat();
    ensure!(
        updates.shape().dims() == wanted,
        invalid,
        "Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got updates.shape: {}, \
         indices.shape: {}, params_shape: {}",
        updates.shape(),
        indices.shape(),
        tensor.shape()
    );
    if !tensor.dtype().is_plain() {
        let made = strings_replaced(&tensor, updates, &places, block)?;
        c.set_output(0, made);
        return Ok(());
    }
    let mut out = match tensor.is_unique() {
        true => tensor,
        false => tensor.deep_copy()?,
    };
    match change {
        Change::Set => {
            let one = out.dtype().size().unwrap_or(1);
            let (from, to) = (updates.bytes()?, out.bytes_mut()?);
            for (row, at) in from.chunks_exact((one * block).max(1)).zip(places) {
                to[at * one..(at + block) * one].copy_from_slice(row);
            }
        }
        Change::Add | Change::Sub => {
            let is_sub = matches!(change, Change::Sub);
            dispatch!(numbers, updates.dtype(), T => {
                use crate::ops::state::Arithmetic;
                let (from, to) = (updates.slice::<T>()?, out.slice_mut::<T>()?);
                for (row, at) in from.chunks_exact(block.max(1)).zip(places) {
                    for (to, x) in to[at..at + block].iter_mut().zip(row) {
                        *to = match is_sub {
                            true => Arithmetic::sub(*to, *x),
                            false => Arithmetic::add(*to, *x),
                        };
                    }
                }
            });
        }
    }
    c.set_output(0, out);
    Ok(())
}

fn strings_replaced(
    tensor: &Value,
    updates: &Value,
    places: &[usize],
    block: usize,
) -> Result<Value> {
    let mut all = tensor.string_slice()?.to_vec();
    let rows = updates.string_slice()?.chunks_exact(block.max(1));
    for (row, at) in rows.zip(places) {
        all[*at..at + block].clone_from_slice(row);
    }
    Value::strings(tensor.shape().clone(), all)
}

fn roll_grad(g: &mut GradientContext) -> Result<Grads> {
    let (dy, shift, axis) = (g.dy(0)?, g.input(1), g.input(2));
    let back = g.graph.neg(shift)?;
    let made = g.op("Roll", [dy, back, axis])?;
    Ok(vec![Some(made.into()), None, None])
}

/// By how much each axis of a tensor is turned.
fn turns(dims: &[i64], shifts: &Value, axes: &Value) -> Result<Vec<i64>> {
    ensure!(!dims.is_empty(), invalid, "input must be 1-D or higher");
    for (what, value) in [("shift", shifts), ("axis", axes)] {
        ensure!(
            value.shape().rank() <= 1,
            invalid,
            "{what} must be a scalar or a 1-D vector. Found: {}",
            value.shape()
        );
    }
    ensure!(
        shifts.shape() == axes.shape(),
        invalid,
        "shift and axis must have the same size"
    );
    let mut turned = vec![0i64; dims.len()];
    for (shift, axis) in shifts.ints()?.into_iter().zip(axes.ints()?) {
        let axis = resolve_axis(axis, dims.len())?;
        let size = dims[axis].max(1);
        turned[axis] = (turned[axis] + shift.rem_euclid(size)) % size;
    }
    Ok(turned)
}

fn roll_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let turned = turns(shape.dims(), &c.host_input(1)?, &c.host_input(2)?)?;
    let pairs: Vec<(i64, i64)> = turned.into_iter().map(|turn| (turn, 0)).collect();
    set_padded(c, &pairs, Border::Turned, shape)
}

/// Each axis turned by its shifts: what goes over the end comes in at the beginning.
fn roll(c: &mut KernelContext) -> Result<()> {
    let (input, shifts, axes) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let dims = input.shape().dims();
    let turned = turns(dims, shifts, axes)?;
    let Some((last, outer)) = dims.split_last() else {
        return Ok(());
    };
    let steps: Vec<i64> = strides(dims).into_iter().map(|s| s as i64).collect();
    let (width, turn) = (*last as usize, turned[outer.len()] as usize);
    // Where the row comes from: each outer place less its turn.
    let rows: i64 = outer.iter().product();
    let mut runs = Vec::new();
    for row in 0..rows {
        let (mut left, mut from) = (row, 0i64);
        for axis in (0..outer.len()).rev() {
            let at = left % outer[axis];
            left /= outer[axis];
            from += (at - turned[axis]).rem_euclid(outer[axis]) * steps[axis];
        }
        let from = from as usize;
        for (from, len) in [(from + width - turn, turn), (from, width - turn)] {
            if len > 0 {
                runs.push(Run {
                    source: 0,
                    from,
                    len,
                });
            }
        }
    }
    let shape: Shape = input.shape().clone();
    let made = assemble(input.dtype(), shape, &[input], runs.into_iter())?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{floats, run};

    #[test]
    fn slices_are_replaced_and_added_to() {
        let t = floats(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let i = Value::from_slice(Shape::new(&[2, 1]).unwrap(), &[2i32, 0]).unwrap();
        let u = floats(&[2, 2], &[10.0, 20.0, 30.0, 40.0]);
        let of = |op| {
            let made = run(op, &[t.clone(), i.clone(), u.clone()], &[]).unwrap();
            made[0].slice::<f32>().unwrap().to_vec()
        };
        assert_eq!(
            of("TensorScatterUpdate"),
            [30.0, 40.0, 3.0, 4.0, 10.0, 20.0]
        );
        assert_eq!(of("TensorScatterAdd"), [31.0, 42.0, 3.0, 4.0, 15.0, 26.0]);
        assert_eq!(
            of("TensorScatterSub"),
            [-29.0, -38.0, 3.0, 4.0, -5.0, -14.0]
        );
        let outside = Value::from_slice(Shape::new(&[2, 1]).unwrap(), &[3i32, 0]).unwrap();
        assert!(run("TensorScatterAdd", &[t, outside, u], &[]).is_err());
    }

    #[test]
    fn rolling_brings_the_end_to_the_beginning() {
        let t = floats(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let roll = |shift: &[i32], axis: &[i32]| {
            let inputs = [
                t.clone(),
                Value::vector(shift).unwrap(),
                Value::vector(axis).unwrap(),
            ];
            run("Roll", &inputs, &[]).unwrap()[0]
                .slice::<f32>()
                .unwrap()
                .to_vec()
        };
        assert_eq!(roll(&[1], &[1]), [2.0, 0.0, 1.0, 5.0, 3.0, 4.0]);
        assert_eq!(roll(&[1, -1], &[0, 1]), [4.0, 5.0, 3.0, 1.0, 2.0, 0.0]);
        assert_eq!(roll(&[2, 2], &[1, 1]), [2.0, 0.0, 1.0, 5.0, 3.0, 4.0]);
    }
}
