//! What gradient functions see and say. They append the nodes that TensorFlow's Python gradients append, in the same
//! order and under the same names, since graphs are compared node by node.

use std::sync::Arc;

use crate::error::Result;
use crate::graph::{Attr, Endpoint, Graph, Input, Node, NodeId, NodeSpec};
use crate::value::{DType, PartialShape, Value};

/// A gradient with respect to one tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grad {
    Dense(Endpoint),
    /// Rows `indices` of a tensor of shape `dense_shape` (IndexedSlices).
    Slices {
        values: Endpoint,
        indices: Endpoint,
        dense_shape: Option<Endpoint>,
    },
}

impl From<Endpoint> for Grad {
    fn from(e: Endpoint) -> Self {
        Grad::Dense(e)
    }
}

/// One entry for each input of the node; `None`: no gradient flows there.
pub type Grads = Vec<Option<Grad>>;

/// Appends the gradient of a node. `dy` has one entry for each output: endpoints, with zeros made where none came and
/// the op wants them (see `GradientContext::dy`).
pub type GradientFn = fn(&mut GradientContext) -> Result<Grads>;

/// A node, and the gradients with respect to its outputs. The walk has opened the scope `gradients/NAME_grad` already.
pub struct GradientContext<'a> {
    pub graph: &'a mut Graph,
    id: NodeId,
    node: Arc<Node>,
    out_grads: &'a [Option<Grad>],
}

impl<'a> GradientContext<'a> {
    pub fn new(graph: &'a mut Graph, id: NodeId, out_grads: &'a [Option<Grad>]) -> Self {
        let node = graph.node(id).clone();
        GradientContext {
            graph,
            id,
            node,
            out_grads,
        }
    }

    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The forward node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    pub fn input(&self, i: usize) -> Endpoint {
        self.node.inputs[i]
    }

    pub fn num_inputs(&self) -> usize {
        self.node.inputs.len()
    }

    pub fn output(&self, i: usize) -> Endpoint {
        Endpoint::new(self.id, i)
    }

    /// The gradient of output `i` as it came: dense, slices or none.
    pub fn out_grad(&self, i: usize) -> Option<Grad> {
        self.out_grads.get(i).copied().flatten()
    }

    /// The gradient of output `i` as one tensor. Slices are made dense as `tf.convert_to_tensor` does
    /// (an UnsortedSegmentSum); the walk has put zeros where none came.
    pub fn dy(&mut self, i: usize) -> Result<Endpoint> {
        match self.out_grad(i) {
            Some(Grad::Dense(e)) => Ok(e),
            Some(slices) => self.densify(slices),
            None => self.zeros_like(Endpoint::new(self.id, i)),
        }
    }

    /// A dense tensor of the slices: `convert_to_tensor(IndexedSlices)`.
    pub fn densify(&mut self, grad: Grad) -> Result<Endpoint> {
        super::densify::to_tensor(self.graph, grad, "")
    }

    /// Input `i`, or its complex conjugate.
    pub fn input_conj(&mut self, i: usize) -> Result<Endpoint> {
        self.graph.conj(self.node.inputs[i])
    }

    /// Output `i`, or its complex conjugate.
    pub fn output_conj(&mut self, i: usize) -> Result<Endpoint> {
        let y = self.output(i);
        self.graph.conj(y)
    }

    /// Runs `body` with nodes that wait for the node of `e`.
    pub fn after<T>(
        &mut self,
        e: Endpoint,
        body: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.graph.push_controls(vec![e.node], false);
        let made = body(self);
        self.graph.pop_controls();
        made
    }

    /// Makes a node and returns its first output. The name is the op's, as in generated wrappers.
    pub fn op<I: Into<Input>>(
        &mut self,
        op: &'static str,
        inputs: impl IntoIterator<Item = I>,
    ) -> Result<Endpoint> {
        let mut spec = NodeSpec::new(op);
        for input in inputs {
            spec = spec.input(input);
        }
        self.graph.create_tensor(spec)
    }

    /// Makes a node from a whole specification.
    pub fn make(&mut self, spec: NodeSpec) -> Result<Endpoint> {
        self.graph.create_tensor(spec)
    }

    /// A Const named `name`.
    pub fn constant(&mut self, name: &str, value: Value) -> Result<Endpoint> {
        let dtype = value.dtype();
        self.graph.create_tensor(
            NodeSpec::new("Const")
                .name(name)
                .attr("value", value)
                .attr("dtype", dtype),
        )
    }

    pub fn shape(&self, e: Endpoint) -> &PartialShape {
        self.graph.shape(e)
    }

    pub fn dtype(&self, e: Endpoint) -> DType {
        self.graph.dtype(e)
    }

    pub fn attr(&self, name: &str) -> Option<&Attr> {
        self.node.attrs.get(name)
    }

    pub fn zeros_like(&mut self, e: Endpoint) -> Result<Endpoint> {
        super::densify::zeros_like(self.graph, e)
    }
}
