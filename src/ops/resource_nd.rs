//! Rows and slices of resource variables, named by indices and index vectors.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::{PartialShape, Shape};
use crate::{bail, ensure};

use super::array::gather::nd_places;
use super::array::rows;
use super::gradient::{Grad, GradientContext, Grads};
use super::kernel::KernelContext;
use super::moves::{Run, assemble};
use super::state::{Update, count_up_to, scatter_nd};
use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new(
        "ResourceGather",
        "resource: resource, indices: Tindices -> output: dtype",
    )
    .attr("batch_dims: int = 0")
    .attr("validate_indices: bool = true")
    .attr("dtype: type")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(resource_gather_shape)
    .grad(resource_gather_grad)
    .host(resource_gather)
    .gpu(rows::gather_variable),
    Op::new("ResourceGatherNd", "resource: resource, indices: Tindices -> output: dtype").attr("dtype: type").attr("Tindices: {int32, int64}").stateful().shape(gather_shape).host(gather).gpu(rows::gather_nd_variable).on_host(&[1]),
    Op::new("ResourceScatterNdUpdate", "ref: resource, indices: Tindices, updates: T ->").attr("T: type").attr("Tindices: {int32, int64}").attr("use_locking: bool = true").stateful().shape(shape::unknown).host(|c| scatter_nd(c, Update::Set)).gpu(|c| rows::scatter_nd_variable(c, Update::Set)).on_host(&[1]),
    Op::new("ResourceScatterNdAdd", "ref: resource, indices: Tindices, updates: T ->").attr("T: type").attr("Tindices: {int32, int64}").attr("use_locking: bool = true").stateful().shape(shape::unknown).host(|c| scatter_nd(c, Update::Add)).gpu(|c| rows::scatter_nd_variable(c, Update::Add)).on_host(&[1]),
    Op::new("ResourceScatterNdSub", "ref: resource, indices: Tindices, updates: T ->").attr("T: type").attr("Tindices: {int32, int64}").attr("use_locking: bool = true").stateful().shape(shape::unknown).host(|c| scatter_nd(c, Update::Sub)).gpu(|c| rows::scatter_nd_variable(c, Update::Sub)).on_host(&[1]),
    Op::new("ResourceCountUpTo", "resource: resource -> output: T").attr("limit: int").attr("T: {int32, int64}").stateful().shape(shape::scalar).host(count_up_to),
];

fn gather_shape(c: &mut ShapeContext) -> Result<()> {
    let Some((_, params)) = c.input_handle(0).and_then(|h| h.first().cloned()) else {
        return Ok(());
    };
    let indices = c.input(1);
    shape::at_least(&indices, 1)?;
    let (Some(params), Some((depth, outer))) =
        (params.dims(), indices.dims().and_then(<[i64]>::split_last))
    else {
        return Ok(());
    };
    let Ok(depth) = usize::try_from(*depth) else {
        return Ok(());
    };
    ensure!(
        depth <= params.len(),
        invalid,
        "indices.shape[-1] must be <= params.rank, but saw indices shape: {indices} and params shape: {}",
        PartialShape::from_dims(params.to_vec())
    );
    c.set(
        0,
        PartialShape::from_dims([outer, &params[depth..]].concat()),
    );
    Ok(())
}

fn gather(c: &mut KernelContext) -> Result<()> {
    let params = c.initialized_variable(0)?.read()?;
    let indices = c.input(1)?;
    let (places, block) = nd_places(indices, params.shape().dims(), "param ")?;
    let shape = indices.shape();
    let depth = shape.dim(shape.rank() - 1);
    let outer = &shape.dims()[..shape.rank() - 1];
    let out = Shape::new(&[outer, &params.shape().dims()[depth..]].concat())?;
    let runs = places.into_iter().map(|from| Run {
        source: 0,
        from,
        len: block,
    });
    let made = assemble(params.dtype(), out, &[&params], runs)?;
    c.set_output(0, made);
    Ok(())
}

fn resource_gather_shape(c: &mut ShapeContext) -> Result<()> {
    let Some((_, params)) = c.input_handle(0).and_then(|h| h.first().cloned()) else {
        return Ok(());
    };
    let indices = c.input(1);
    if let (Some(p), Some(i)) = (params.dims(), indices.dims()) {
        let mut dims = i.to_vec();
        dims.extend_from_slice(p.get(1..).unwrap_or_default());
        c.set(0, PartialShape::from_dims(dims));
    }
    Ok(())
}

fn resource_gather_grad(g: &mut GradientContext) -> Result<Grads> {
    let (handle, indices, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let dense_shape = g.graph.variable_shape(handle)?;
    let count = g.graph.size_of(indices)?;
    let count = g.graph.expand_dims(count, 0)?;
    let tail = g.graph.slice_rows(dense_shape, Some(1), None)?;
    let shape = g.graph.concat(vec![count.into(), tail.into()], 0)?;
    let values = g.graph.reshape(dy, shape)?;
    let indices = g.graph.reshape(indices, count)?;
    let slices = Grad::Slices {
        values,
        indices,
        dense_shape: Some(dense_shape),
    };
    Ok(vec![Some(slices), None])
}

fn resource_gather(c: &mut KernelContext) -> Result<()> {
    let params = c.initialized_variable(0)?.read()?;
    let indices = c.input(1)?;
    let shape = params.shape();
    ensure!(
        shape.rank() >= 1,
        invalid,
        "params must be at least 1 dimensional"
    );
    let limit = shape.dims()[0];
    let rows = indices.ints()?;
    if let Some(at) = rows.iter().position(|r| !(0..limit).contains(r)) {
        bail!(
            invalid,
            "indices[{at}] = {} is not in [0, {limit})",
            rows[at]
        );
    }
    let block: usize = shape.dims()[1..].iter().map(|d| *d as usize).product();
    let mut dims = indices.shape().dims().to_vec();
    dims.extend_from_slice(&shape.dims()[1..]);
    let runs = rows.iter().map(|row| Run {
        source: 0,
        from: *row as usize * block,
        len: block,
    });
    let made = assemble(params.dtype(), Shape::new(&dims)?, &[&params], runs)?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;

    use crate::graph::NodeSpec;
    use crate::ops::new_graph;
    use crate::plan::RunSpec;
    use crate::session::{RunOptions, Session};
    use crate::value::{DType, PartialShape, Shape, Value};

    #[test]
    fn slices_of_a_resource_variable_are_added_to_and_gathered() {
        let mut g = new_graph();
        let shape = PartialShape::new(&[2, 2]).unwrap();
        let variable = NodeSpec::new("VarHandleOp").attr("dtype", DType::F32);
        let v = g.create_tensor(variable.attr("shape", shape)).unwrap();
        let start = Value::from_slice(Shape::new(&[2, 2]).unwrap(), &[1f32, 2.0, 3.0, 4.0]);
        let start = g.constant_node("start", start.unwrap()).unwrap();
        let assign = NodeSpec::new("AssignVariableOp").input(v).input(start);
        let assign = g.create(assign).unwrap();
        let at = Value::from_slice(Shape::new(&[1, 2]).unwrap(), &[1i32, 0]).unwrap();
        let at = g.constant_node("at", at).unwrap();
        let by = g
            .constant_node("by", Value::vector(&[10f32]).unwrap())
            .unwrap();
        let add = NodeSpec::new("ResourceScatterNdAdd").input(v).input(at);
        let add = g.create(add.input(by)).unwrap();
        let row = Value::from_slice(Shape::new(&[1, 1]).unwrap(), &[1i32]).unwrap();
        let row = g.constant_node("row", row).unwrap();
        let gather = NodeSpec::new("ResourceGatherNd").input(v).input(row);
        let gather = g.create_tensor(gather.attr("dtype", DType::F32)).unwrap();
        assert_eq!(g.shape(gather).to_string(), "[1,2]");
        let session = Session::new(Arc::new(Mutex::new(g)), None);
        for target in [assign, add] {
            let spec = RunSpec {
                targets: vec![target],
                ..Default::default()
            };
            session
                .run(&spec, Vec::new(), RunOptions::default())
                .unwrap();
        }
        let spec = RunSpec {
            fetches: vec![gather],
            ..Default::default()
        };
        let got = session
            .run(&spec, Vec::new(), RunOptions::default())
            .unwrap();
        assert_eq!(got[0].slice::<f32>().unwrap(), [13.0, 4.0]);
    }
}
