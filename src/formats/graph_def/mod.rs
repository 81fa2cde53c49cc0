//! Graphs as TensorFlow's `GraphDef`, and back.

mod attr;
mod import;

use prost::Message;

pub use attr::{decode_attr, decode_tensor, encode_attr, repeated};
pub use import::{Import, Imported, import};

use crate::error::Result;
use crate::formats::proto::{GraphDef, NodeDef, VersionDef};
use crate::graph::{Attr, Graph, List, Node, NodeId};

/// The attribute that carries inferred shapes when they are asked for.
const OUTPUT_SHAPES: &str = "_output_shapes";

/// One node as a `NodeDef`: control inputs last and in the order of their names, as TensorFlow writes them.
pub fn node_def(graph: &Graph, id: NodeId, add_shapes: bool) -> Result<NodeDef> {
    let node: &Node = graph.node(id);
    let mut input: Vec<String> = node.inputs.iter().map(|e| graph.input_name(*e)).collect();
    let mut controls: Vec<String> = node
        .control_inputs
        .iter()
        .map(|c| format!("^{}", graph.node(*c).name))
        .collect();
    controls.sort_unstable();
    input.append(&mut controls);
    let mut def = NodeDef {
        name: node.name.to_string(),
        op: node.op().to_string(),
        input,
        device: node.device.to_string(),
        ..Default::default()
    };
    for (name, value) in node.attrs.iter() {
        def.attr.insert(name.to_string(), encode_attr(value)?);
    }
    if add_shapes && !node.outputs.is_empty() {
        let shapes = node.outputs.iter().map(|o| o.shape.clone()).collect();
        let attr = encode_attr(&Attr::List(List::Shapes(shapes)))?;
        def.attr.insert(OUTPUT_SHAPES.to_string(), attr);
    }
    Ok(def)
}

/// The nodes after the first `from`, as a serialized `GraphDef`.
pub fn export(graph: &Graph, from: usize, add_shapes: bool) -> Result<Vec<u8>> {
    let mut def = GraphDef {
        versions: Some(VersionDef {
            producer: graph.producer,
            min_consumer: graph.min_consumer,
            bad_consumers: Vec::new(),
        }),
        ..Default::default()
    };
    for id in from..graph.len() {
        def.node.push(node_def(graph, id as NodeId, add_shapes)?);
    }
    if !graph.library.is_empty() {
        def.library = Some(super::proto::decode(
            &graph.library,
            "a library of functions",
        )?);
    }
    Ok(def.encode_to_vec())
}
