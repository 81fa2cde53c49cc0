//! Small subgraphs that gradients share: zeros of a tensor's shape, and slices made dense.

use crate::error::{Error, Result};
use crate::graph::{Endpoint, Graph, NodeSpec};
use crate::value::{DType, Value};

use super::gradient::Grad;

/// `tf.zeros_like(e)` as gradients use it: a Const when the shape is known (`zeros`-like folding is the caller's), else ZerosLike.
pub fn zeros_like(graph: &mut Graph, e: Endpoint) -> Result<Endpoint> {
    graph.create_tensor(NodeSpec::new("ZerosLike").name("zeros_like").input(e))
}

/// A gradient as one tensor; slices are summed up in a node called `name`.
pub fn to_tensor(graph: &mut Graph, grad: Grad, name: &str) -> Result<Endpoint> {
    match grad {
        Grad::Dense(e) => Ok(e),
        Grad::Slices {
            values,
            indices,
            dense_shape,
        } => {
            let shape = dense_shape.ok_or_else(|| {
                Error::value("Tensor conversion requested for IndexedSlices without dense_shape")
            })?;
            slices_to_tensor(graph, values, indices, shape, name)
        }
    }
}

/// `tf.convert_to_tensor(IndexedSlices)`: sums the rows into a tensor of `dense_shape`.
fn slices_to_tensor(
    graph: &mut Graph,
    values: Endpoint,
    indices: Endpoint,
    dense_shape: Endpoint,
    name: &str,
) -> Result<Endpoint> {
    let bound = |graph: &mut Graph, name: &str, n: i32| {
        let value = Value::vector(&[n])?;
        graph.create_tensor(
            NodeSpec::new("Const")
                .name(name)
                .attr("value", value)
                .attr("dtype", DType::I32),
        )
    };
    let begin = bound(graph, "strided_slice/stack", 0)?;
    let end = bound(graph, "strided_slice/stack_1", 1)?;
    let stride = bound(graph, "strided_slice/stack_2", 1)?;
    let rows = graph.create_tensor(
        NodeSpec::new("StridedSlice")
            .name("strided_slice")
            .input(dense_shape)
            .input(begin)
            .input(end)
            .input(stride)
            .attr("shrink_axis_mask", 1i64),
    )?;
    graph.create_tensor(
        NodeSpec::new("UnsortedSegmentSum")
            .name(name)
            .input(values)
            .input(indices)
            .input(rows),
    )
}
