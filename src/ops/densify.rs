//! Small subgraphs that gradients share: zeros of a tensor's shape, and slices made dense.

use crate::error::Result;
use crate::graph::{Endpoint, Graph, NodeSpec};
use crate::value::{DType, Value};

/// `tf.zeros_like(e)` as gradients use it: a Const when the shape is known (`zeros`-like folding is the caller's), else ZerosLike.
pub fn zeros_like(graph: &mut Graph, e: Endpoint) -> Result<Endpoint> {
    graph.create_tensor(NodeSpec::new("ZerosLike").name("zeros_like").input(e))
}

/// `tf.convert_to_tensor(IndexedSlices)`: sums the rows into a tensor of `dense_shape`.
pub fn slices_to_tensor(
    graph: &mut Graph,
    values: Endpoint,
    indices: Endpoint,
    dense_shape: Endpoint,
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
            .input(values)
            .input(indices)
            .input(rows),
    )
}
