//! Slices of resource variables, named by index vectors.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::{PartialShape, Shape};

use super::array::gather::nd_places;
use super::kernel::KernelContext;
use super::moves::{Run, assemble};
use super::state::{Update, count_up_to, scatter_nd};
use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("ResourceGatherNd", "resource: resource, indices: Tindices -> output: dtype").attr("dtype: type").attr("Tindices: {int32, int64}").stateful().shape(gather_shape).host(gather),
    Op::new("ResourceScatterNdUpdate", "ref: resource, indices: Tindices, updates: T ->").attr("T: type").attr("Tindices: {int32, int64}").attr("use_locking: bool = true").stateful().shape(shape::unknown).host(|c| scatter_nd(c, Update::Set)),
    Op::new("ResourceScatterNdAdd", "ref: resource, indices: Tindices, updates: T ->").attr("T: type").attr("Tindices: {int32, int64}").attr("use_locking: bool = true").stateful().shape(shape::unknown).host(|c| scatter_nd(c, Update::Add)),
    Op::new("ResourceScatterNdSub", "ref: resource, indices: Tindices, updates: T ->").attr("T: type").attr("Tindices: {int32, int64}").attr("use_locking: bool = true").stateful().shape(shape::unknown).host(|c| scatter_nd(c, Update::Sub)),
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
    crate::ensure!(
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
