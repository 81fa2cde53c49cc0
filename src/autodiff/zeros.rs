//! Zeros where no gradient came.

use crate::error::Result;
use crate::graph::{ContextKind, Endpoint, Graph, NodeSpec};
use crate::ops::densify;
use crate::value::{DType, PartialShape, Shape, Value};

/// Below this many elements TensorFlow makes zeros a constant, else a Fill.
const SMALL: i64 = 1000;

/// `tf.shape(e)`: a constant where the graph knows the shape.
pub(super) fn shape_of(graph: &mut Graph, e: Endpoint, name: &str) -> Result<Endpoint> {
    match graph.shape(e).to_shape() {
        Some(shape) => shape_constant(graph, &shape, name),
        None => shape_node(graph, e, name),
    }
}

fn shape_constant(graph: &mut Graph, shape: &Shape, name: &str) -> Result<Endpoint> {
    let dims: Vec<i32> = shape.dims().iter().map(|d| *d as i32).collect();
    let spec = NodeSpec::new("Const").name(name);
    let spec = spec
        .attr("value", Value::vector(&dims)?)
        .attr("dtype", DType::I32);
    graph.create_tensor(spec)
}

fn shape_node(graph: &mut Graph, e: Endpoint, name: &str) -> Result<Endpoint> {
    let spec = NodeSpec::new("Shape").name(name).input(e);
    graph.create_tensor(spec.attr("out_type", DType::I32))
}

/// What stands for the missing gradient of an output (`ZerosLikeOutsideLoop`). `None` where none can be made.
pub(super) fn outside_loops(graph: &mut Graph, e: Endpoint) -> Result<Option<Endpoint>> {
    let node = graph.node(e.node).clone();
    let is_switch = matches!(node.op(), "Switch" | "RefSwitch");
    let cond = node.context.filter(|_| is_switch);
    let cond = cond.and_then(|id| match &graph.context(id).kind {
        ContextKind::Cond(cond) => Some(cond.clone()),
        ContextKind::While(_) => None,
    });
    let is_resource = graph.dtype(e) == DType::Resource;
    if is_resource && graph.output(e).handle.is_none() {
        return Ok(None);
    }
    let Some(cond) = cond else {
        return if is_resource {
            zeros_of_variable(graph, e).map(Some)
        } else {
            densify::zeros_like(graph, e).map(Some)
        };
    };
    // Zeros are made on the branch that was not taken, and only when it is.
    let switch = NodeSpec::new("Switch")
        .input(node.inputs[0])
        .input(cond.pred);
    let switch = graph.create(switch)?;
    let taken = Endpoint::new(switch, 1 - usize::from(cond.branch));
    let pivot = graph.create(NodeSpec::new("Identity").input(taken))?;
    if is_resource {
        return graph
            .after(vec![pivot], |graph| zeros_of_variable(graph, taken))
            .map(Some);
    }
    let shape = shape_node(graph, taken, "Shape")?;
    let dtype = graph.dtype(e);
    graph
        .after(vec![pivot], |graph| zeros(graph, shape, dtype))
        .map(Some)
}

/// `tf.zeros(shape, dtype)` of a shape tensor.
fn zeros(graph: &mut Graph, shape: Endpoint, dtype: DType) -> Result<Endpoint> {
    graph.in_scope("zeros", |graph| {
        let mut shape = shape;
        if graph.shape(shape).rank().is_none_or(|rank| rank == 0) {
            let all = Value::vector(&[-1i32])?;
            let all = constant(graph, "Reshape/shape", all)?;
            shape = graph.create_tensor(NodeSpec::new("Reshape").input(shape).input(all))?;
        }
        let zero = constant(graph, "Const", Value::zeros(dtype, Shape::scalar())?)?;
        let name = format!("{}/", graph.scopes.name);
        graph.create_tensor(NodeSpec::new("Fill").name(name).input(shape).input(zero))
    })
}

fn zeros_of_variable(graph: &mut Graph, handle: Endpoint) -> Result<Endpoint> {
    let shape = graph.create_tensor(NodeSpec::new("VariableShape").input(handle))?;
    let dtype = graph
        .output(handle)
        .handle
        .as_ref()
        .and_then(|h| h.first().map(|(d, _)| *d));
    zeros(graph, shape, dtype.unwrap_or(DType::F32))
}

fn constant(graph: &mut Graph, name: &str, value: Value) -> Result<Endpoint> {
    let dtype = value.dtype();
    let spec = NodeSpec::new("Const").name(name);
    graph.create_tensor(spec.attr("value", value).attr("dtype", dtype))
}

/// `tf.zeros_like(x)` for an x that no y depends on.
pub(super) fn unconnected(graph: &mut Graph, x: Endpoint) -> Result<Endpoint> {
    if graph.dtype(x) == DType::Resource {
        return zeros_of_variable(graph, x);
    }
    let dtype = graph.dtype(x);
    let Some(shape) = graph.shape(x).to_shape() else {
        return densify::zeros_like(graph, x);
    };
    graph.in_scope("zeros_like", |graph| {
        let name = format!("{}/", graph.scopes.name);
        if PartialShape::from(&shape)
            .num_elements()
            .is_some_and(|n| n < SMALL)
        {
            let zero = Value::zeros(dtype, Shape::scalar())?;
            let value = crate::formats::graph_def::repeated(&zero, &shape)?;
            let spec = NodeSpec::new("Const").name(name);
            return graph.create_tensor(spec.attr("value", value).attr("dtype", dtype));
        }
        let shape = shape_constant(graph, &shape, "shape_as_tensor")?;
        let zero = constant(graph, "Const", Value::zeros(dtype, Shape::scalar())?)?;
        graph.create_tensor(NodeSpec::new("Fill").name(name).input(shape).input(zero))
    })
}
