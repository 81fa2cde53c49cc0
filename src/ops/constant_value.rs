//! What `tensor_util.constant_value` tells: the few ops that TensorFlow's Python layer looks through. What Python code
//! and gradient functions decide by it shows in the graph, so it must know no more, and no less, than TensorFlow's.

use crate::error::Result;
use crate::graph::{Endpoint, Graph, Node};
use crate::value::{DType, Value};

use super::build::integers;
use super::evaluate::run_alone;

/// How many nodes deep the value may be hidden.
const MAX_DEPTH: usize = 64;

/// The value of `e`, as far as TensorFlow's Python layer knows it.
pub fn constant_value(graph: &mut Graph, e: Endpoint) -> Option<Value> {
    find(graph, e, MAX_DEPTH).ok().flatten()
}

fn find(graph: &mut Graph, e: Endpoint, depth: usize) -> Result<Option<Value>> {
    let node = graph.node(e.node).clone();
    if depth == 0 {
        return Ok(None);
    }
    let value = match node.op() {
        "Const" => node.attrs.tensor("value").ok().cloned(),
        "Shape" => shape_value(graph, &node)?,
        "Size" => match graph.shape(node.inputs[0]).num_elements() {
            // int32 whatever out_type says, as in TensorFlow.
            Some(n) => Some(Value::scalar(n as i32)?),
            None => None,
        },
        "Rank" => match graph.shape(node.inputs[0]).rank() {
            Some(rank) => Some(Value::scalar(rank as i32)?),
            None => None,
        },
        "Fill" => fill(graph, e, &node, depth)?,
        "Pack" if node.attrs.int("axis")? != 0 || node.inputs.is_empty() => None,
        "Range" | "Cast" | "Concat" | "ConcatV2" | "Pack" | "Equal" | "NotEqual" => {
            on_known_inputs(graph, e, &node, depth)?
        }
        _ => None,
    };
    // What is known of a value narrows what is known of its shape.
    if let Some(value) = &value
        && graph.shape(e).rank().is_none()
    {
        graph.set_shape(e, &value.shape().into())?;
    }
    Ok(value)
}

fn shape_value(graph: &Graph, node: &Node) -> Result<Option<Value>> {
    let Some(shape) = graph.shape(node.inputs[0]).to_shape() else {
        return Ok(None);
    };
    let dtype = node.attrs.dtype("out_type")?;
    integers(dtype, shape.dims()).map(Some)
}

fn fill(graph: &mut Graph, e: Endpoint, node: &Node, depth: usize) -> Result<Option<Value>> {
    let Some(shape) = graph.shape(e).to_shape() else {
        return Ok(None);
    };
    let Some(value) = find(graph, node.inputs[1], depth - 1)? else {
        return Ok(None);
    };
    let dims = integers(DType::I64, shape.dims())?;
    run_alone(e.node, node, vec![dims, value]).map(|mut outputs| outputs.pop())
}

fn on_known_inputs(
    graph: &mut Graph,
    e: Endpoint,
    node: &Node,
    depth: usize,
) -> Result<Option<Value>> {
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for input in &node.inputs {
        match find(graph, *input, depth - 1)? {
            Some(value) => inputs.push(value),
            None => return Ok(None),
        }
    }
    run_alone(e.node, node, inputs).map(|mut outputs| outputs.pop())
}
