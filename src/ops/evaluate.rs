//! Running single nodes outside a session: constants that shape inference and folding want to know.

use std::any::Any;
use std::sync::Arc;

use crate::bail;
use crate::error::Result;
use crate::graph::{Endpoint, Graph, Node, NodeId};
use crate::value::Value;

use super::kernel::{Cancellation, Host, Kernel, KernelContext, SessionState, Slot};
use super::map::run_once;
use super::op::Run;
use super::registry::find;
use super::resource::Resources;

/// No variables, no generators, no callbacks.
#[derive(Default)]
pub(super) struct NoSession {
    resources: Resources,
}

impl SessionState for NoSession {
    fn resources(&self) -> &Resources {
        &self.resources
    }

    fn node_state(
        &self,
        _: NodeId,
        _: &mut dyn FnMut() -> Result<Arc<dyn Any + Send + Sync>>,
    ) -> Result<Arc<dyn Any + Send + Sync>> {
        bail!(
            internal,
            "a node with state cannot be evaluated outside a session"
        )
    }

    fn host(&self) -> Option<&dyn Host> {
        None
    }
}

/// Runs a stateless node on these inputs and returns its outputs.
pub fn run_alone(id: NodeId, node: &Node, inputs: Vec<Value>) -> Result<Vec<Value>> {
    let run = find(node.op()).map_or(Run::None, |entry| entry.run);
    let kernel = match run {
        Run::View(kernel) | Run::Kernel(kernel) | Run::Host(kernel) if !node.def.is_stateful => {
            kernel
        }
        Run::Map(_) | Run::MapWith(_) => return run_once(node, &run, &inputs),
        _ => bail!(
            unimplemented,
            "op '{}' cannot be evaluated alone",
            node.op()
        ),
    };
    run_kernel(kernel, id, node, inputs)
}

/// Runs a kernel that needs no session on these inputs and returns the node's outputs.
pub fn run_kernel(
    kernel: Kernel,
    id: NodeId,
    node: &Node,
    inputs: Vec<Value>,
) -> Result<Vec<Value>> {
    let mut slots: Vec<Slot> = inputs.into_iter().map(Slot::Value).collect();
    let (session, cancellation) = (NoSession::default(), Cancellation::default());
    let mut context = KernelContext::new(id, node, &mut slots, &session, &cancellation);
    kernel(&mut context)?;
    let mut outputs = Vec::with_capacity(node.outputs.len());
    for slot in context.into_outputs() {
        match slot {
            Slot::Value(value) => outputs.push(value),
            _ => bail!(internal, "node '{}' gave no value", node.name),
        }
    }
    Ok(outputs)
}

/// The most nodes that are evaluated to learn one constant.
const MAX_NODES: usize = 256;
/// The most elements that a constant on the way may have.
const MAX_ELEMENTS: usize = 1 << 16;

/// The value of `e` where constants alone decide it: what TensorFlow's shape functions see. Wider than
/// [`super::constant_value`], which is what its Python layer sees.
pub fn evaluate_constant(graph: &Graph, e: Endpoint) -> Option<Value> {
    let order = constant_subgraph(graph, e.node)?;
    let mut known: rustc_hash::FxHashMap<Endpoint, Value> = Default::default();
    for id in order {
        let node = graph.node(id);
        if node.op() == "Const" {
            known.insert(
                Endpoint::new(id, 0),
                node.attrs.tensor("value").ok()?.clone(),
            );
            continue;
        }
        if let Some(values) = known_from_shapes(graph, node) {
            for (i, value) in values.into_iter().enumerate() {
                known.insert(Endpoint::new(id, i), value);
            }
            continue;
        }
        let inputs = node.inputs.iter().map(|i| known.get(i).cloned());
        let outputs = run_alone(id, node, inputs.collect::<Option<Vec<_>>>()?).ok()?;
        for (i, value) in outputs.into_iter().enumerate() {
            if value.num_elements() > MAX_ELEMENTS {
                return None;
            }
            known.insert(Endpoint::new(id, i), value);
        }
    }
    known.remove(&e)
}

/// Shape, ShapeN, Rank and Size of tensors whose shapes the graph knows.
fn known_from_shapes(graph: &Graph, node: &Node) -> Option<Vec<Value>> {
    let integers = |dims: &[i64]| -> Option<Value> {
        if node.attrs.dtype("out_type").ok()? == crate::value::DType::I64 {
            return Value::vector(dims).ok();
        }
        let narrow: Option<Vec<i32>> = dims.iter().map(|d| i32::try_from(*d).ok()).collect();
        Value::vector(&narrow?).ok()
    };
    match node.op() {
        "Shape" => {
            let shapes = node.inputs.iter().map(|e| graph.shape(*e).to_shape());
            shapes.map(|s| integers(s?.dims())).collect()
        }
        "Size" => {
            let n = graph.shape(node.inputs[0]).num_elements()?;
            Some(vec![
                integers(&[n])?
                    .with_shape(crate::value::Shape::scalar())
                    .ok()?,
            ])
        }
        "Rank" => {
            let rank = graph.shape(node.inputs[0]).rank()?;
            Some(vec![Value::scalar(rank as i32).ok()?])
        }
        _ => None,
    }
}

/// The nodes that decide the value of `root`, inputs first; `None` when something else than constants does.
fn constant_subgraph(graph: &Graph, root: NodeId) -> Option<Vec<NodeId>> {
    let mut order = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    let mut stack = vec![(root, false)];
    while let Some((id, is_done)) = stack.pop() {
        if is_done {
            order.push(id);
            continue;
        }
        if !seen.insert(id) {
            continue;
        }
        if seen.len() > MAX_NODES {
            return None;
        }
        let node = graph.node(id);
        stack.push((id, true));
        if node.op() == "Const" || known_from_shapes(graph, node).is_some() {
            continue;
        }
        // What may be fed is no constant, though it has one to fall back on.
        if node.op() == "PlaceholderWithDefault" {
            return None;
        }
        let entry = find(node.op())?;
        // A default is what a run may feed over, though its kernel passes it on.
        let is_pure = !node.def.is_stateful
            && !matches!(entry.run, Run::None | Run::ControlFlow)
            && node.op() != "PlaceholderWithDefault";
        if !is_pure || node.inputs.is_empty() || node.inputs.iter().any(|e| graph.output(*e).is_ref)
        {
            return None;
        }
        stack.extend(node.inputs.iter().map(|e| (e.node, false)));
    }
    Some(order)
}
