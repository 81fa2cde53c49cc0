//! What the user built: nodes with attributes, shapes, devices and scopes. Only appended to, but for the few edits that
//! TensorFlow allows. Nothing is computed here; what an op does is the matter of `ops`.

mod attr;
mod context;
mod create;
mod device;
mod infer;
mod loop_gradient;
mod loop_inputs;
mod scopes;
mod signature;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

pub use attr::{Attr, Attrs, List, TypeNumber};
pub use context::{CondContext, Context, ContextId, ContextKind, WhileContext};
pub use create::{Input, NodeSpec};
pub use device::{DeviceName, canonical_device, merge_device};
pub use infer::{Handle, ShapeContext, ShapeFn, with_rank};
pub use loop_gradient::{LoopGradient, LoopGradientId};
pub use scopes::{DeviceScope, Scopes};
pub use signature::{Arg, ArgType, AttrDef, AttrKind, OpDef};

use crate::error::{Error, Result};
use crate::value::{DType, PartialShape, Value};

/// A node's place in its graph, in order of creation.
pub type NodeId = u32;

/// An output of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    pub node: NodeId,
    pub index: u16,
}

impl Endpoint {
    pub fn new(node: NodeId, index: usize) -> Self {
        Endpoint {
            node,
            index: index as u16,
        }
    }

    /// As one number, for Python: `node << 16 | index`.
    pub fn pack(self) -> i64 {
        i64::from(self.node) << 16 | i64::from(self.index)
    }

    pub fn unpack(packed: i64) -> Self {
        Endpoint {
            node: (packed >> 16) as NodeId,
            index: (packed & 0xffff) as u16,
        }
    }
}

/// What the graph knows of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    pub dtype: DType,
    pub is_ref: bool,
    pub shape: PartialShape,
    /// For a handle: types and shapes of what it refers to.
    pub handle: Option<Arc<Vec<(DType, PartialShape)>>>,
}

/// An operation of the graph.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: Arc<str>,
    pub def: &'static OpDef,
    pub inputs: SmallVec<[Endpoint; 3]>,
    pub control_inputs: SmallVec<[NodeId; 2]>,
    pub attrs: Attrs,
    pub device: Arc<str>,
    pub outputs: SmallVec<[Output; 1]>,
    /// The conditional or loop that the node stands in.
    pub context: Option<ContextId>,
    /// Whether it came from a GraphDef: TensorFlow's layer knows less of such a handle's variable.
    pub is_imported: bool,
}

impl Node {
    /// The op's name.
    pub fn op(&self) -> &'static str {
        &self.def.name
    }
}

/// Looks up what an op is.
pub type Registry = fn(&str) -> Option<&'static OpDef>;
/// Evaluates an output that depends on constants alone, for shape inference.
pub type ConstantEvaluator = fn(&Graph, Endpoint) -> Option<Value>;

/// A graph under construction.
pub struct Graph {
    nodes: Vec<Arc<Node>>,
    by_name: FxHashMap<Arc<str>, NodeId>,
    /// Nodes that take an output of each node, once for every input, in order of creation.
    consumers: Vec<SmallVec<[NodeId; 2]>>,
    /// Nodes that wait for each node.
    control_consumers: Vec<SmallVec<[NodeId; 1]>>,
    names_in_use: FxHashMap<String, u32>,
    pub scopes: Scopes,
    pub contexts: Vec<Context>,
    pub loop_gradients: Vec<LoopGradient>,
    pub unfetchable: FxHashSet<NodeId>,
    pub unfeedable: FxHashSet<Endpoint>,
    registry: Registry,
    evaluator: ConstantEvaluator,
    constants: FxHashMap<Endpoint, Option<Value>>,
    /// Counts every change that a plan must know of.
    version: u64,
    pub producer: i32,
    pub min_consumer: i32,
    pub finalized: bool,
    /// What gradient functions have made once for this graph: an op and the shapes it was made for.
    made_once: FxHashSet<(&'static str, Vec<Vec<i64>>)>,
    /// Serialized `FunctionDefLibrary`.
    pub library: Vec<u8>,
    device_names: FxHashMap<String, Arc<str>>,
}

/// The graph version that TensorFlow 1.15 writes.
pub const PRODUCER: i32 = 134;
/// The lowest GraphDef version that TensorFlow 1.15 reads.
pub const MIN_CONSUMER: i32 = 0;

impl Graph {
    pub fn new(registry: Registry, evaluator: ConstantEvaluator) -> Graph {
        Graph {
            nodes: Vec::new(),
            by_name: FxHashMap::default(),
            consumers: Vec::new(),
            control_consumers: Vec::new(),
            names_in_use: FxHashMap::default(),
            scopes: Scopes::default(),
            contexts: Vec::new(),
            loop_gradients: Vec::new(),
            unfetchable: FxHashSet::default(),
            unfeedable: FxHashSet::default(),
            registry,
            evaluator,
            constants: FxHashMap::default(),
            version: 0,
            producer: PRODUCER,
            min_consumer: MIN_CONSUMER,
            finalized: false,
            made_once: FxHashSet::default(),
            library: Vec::new(),
            device_names: FxHashMap::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A number that grows with every change: nodes, inputs, attributes, devices.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn node(&self, id: NodeId) -> &Arc<Node> {
        &self.nodes[id as usize]
    }

    /// The node, or an error when there is no such number.
    pub fn try_node(&self, id: NodeId) -> Result<&Arc<Node>> {
        self.nodes
            .get(id as usize)
            .ok_or_else(|| Error::internal(format!("no node number {id} in this graph")))
    }

    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    pub fn output(&self, e: Endpoint) -> &Output {
        &self.nodes[e.node as usize].outputs[e.index as usize]
    }

    pub fn try_output(&self, e: Endpoint) -> Result<&Output> {
        let node = self.try_node(e.node)?;
        node.outputs.get(e.index as usize).ok_or_else(|| {
            Error::internal(format!(
                "node '{}' has {} outputs, no number {}",
                node.name,
                node.outputs.len(),
                e.index
            ))
        })
    }

    pub fn dtype(&self, e: Endpoint) -> DType {
        self.output(e).dtype
    }

    pub fn shape(&self, e: Endpoint) -> &PartialShape {
        &self.output(e).shape
    }

    /// `name` for output 0, else `name:index`: the form of GraphDef inputs.
    pub fn input_name(&self, e: Endpoint) -> String {
        let name = &self.node(e.node).name;
        if e.index == 0 {
            name.to_string()
        } else {
            format!("{name}:{}", e.index)
        }
    }

    /// `name:index`.
    pub fn tensor_name(&self, e: Endpoint) -> String {
        format!("{}:{}", self.node(e.node).name, e.index)
    }

    /// Nodes with an input from `e`, each once, in order of creation.
    pub fn consumers(&self, e: Endpoint) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = self.consumers[e.node as usize].to_vec();
        found.sort_unstable();
        found.dedup();
        found.retain(|n| self.node(*n).inputs.contains(&e));
        found
    }

    /// Nodes that take any output of `node` (with repeats) in order of creation.
    pub fn data_consumers(&self, node: NodeId) -> &[NodeId] {
        &self.consumers[node as usize]
    }

    pub fn control_outputs(&self, node: NodeId) -> &[NodeId] {
        &self.control_consumers[node as usize]
    }

    // ---- the edits that TensorFlow allows ----

    fn edit(&mut self, id: NodeId) -> &mut Node {
        self.version += 1;
        Arc::make_mut(&mut self.nodes[id as usize])
    }

    pub fn set_device(&mut self, id: NodeId, device: &str) -> Result<()> {
        let device = canonical_device(device)?;
        self.set_raw_device(id, &device);
        Ok(())
    }

    /// Sets a device as it is written, even if it is none.
    pub fn set_raw_device(&mut self, id: NodeId, device: &str) {
        let device = self.intern_device(device);
        self.edit(id).device = device;
    }

    pub(crate) fn intern_device(&mut self, device: &str) -> Arc<str> {
        if let Some(known) = self.device_names.get(device) {
            return known.clone();
        }
        let shared: Arc<str> = device.into();
        self.device_names.insert(device.into(), shared.clone());
        shared
    }

    pub fn set_attr(&mut self, id: NodeId, name: &str, value: Attr) {
        self.constants.retain(|e, _| e.node != id);
        self.edit(id).attrs.set(name.to_string(), value);
    }

    pub fn remove_attr(&mut self, id: NodeId, name: &str) {
        self.edit(id).attrs.remove(name);
    }

    pub fn set_context(&mut self, id: NodeId, context: Option<ContextId>) {
        self.edit(id).context = context;
    }

    /// Merges `shape` into what is known; an error when they contradict each other.
    pub fn set_shape(&mut self, e: Endpoint, shape: &PartialShape) -> Result<()> {
        let merged = self.try_output(e)?.shape.merge(shape)?;
        if merged != self.output(e).shape {
            self.edit(e.node).outputs[e.index as usize].shape = merged;
        }
        Ok(())
    }

    /// Forgets what was inferred of `e` in favour of `shape`.
    pub fn replace_shape(&mut self, e: Endpoint, shape: PartialShape) {
        self.edit(e.node).outputs[e.index as usize].shape = shape;
    }

    pub fn set_handle(&mut self, e: Endpoint, handle: Option<Arc<Vec<(DType, PartialShape)>>>) {
        self.edit(e.node).outputs[e.index as usize].handle = handle;
    }

    pub fn add_control_input(&mut self, id: NodeId, control: NodeId) {
        if !self.node(id).control_inputs.contains(&control) {
            self.edit(id).control_inputs.push(control);
            self.control_consumers[control as usize].push(id);
        }
    }

    /// Drops every control input of `id` for which `keep` is false.
    pub fn retain_control_inputs(&mut self, id: NodeId, keep: impl Fn(NodeId) -> bool) {
        let dropped: Vec<NodeId> = self
            .node(id)
            .control_inputs
            .iter()
            .copied()
            .filter(|c| !keep(*c))
            .collect();
        if dropped.is_empty() {
            return;
        }
        for control in &dropped {
            self.control_consumers[*control as usize].retain(|n| *n != id);
        }
        self.edit(id)
            .control_inputs
            .retain(|c| !dropped.contains(c));
    }

    /// Gives input `index` another source. As in TensorFlow its type is a matter of the run.
    pub fn update_input(&mut self, id: NodeId, index: usize, to: Endpoint) -> Result<()> {
        let from = *self.node(id).inputs.get(index).ok_or_else(|| {
            Error::out_of_range(format!(
                "Node '{}' has no input {index}",
                self.node(id).name
            ))
        })?;
        self.try_output(to)?;
        let list = &mut self.consumers[from.node as usize];
        if let Some(at) = list.iter().position(|n| *n == id) {
            list.remove(at);
        }
        self.consumers[to.node as usize].push(id);
        self.edit(id).inputs[index] = to;
        self.constants.clear();
        Ok(())
    }

    /// The value of `e` where constants alone decide it.
    pub fn constant(&mut self, e: Endpoint) -> Option<Value> {
        if let Some(known) = self.constants.get(&e) {
            return known.clone();
        }
        let value = (self.evaluator)(self, e);
        self.constants.insert(e, value.clone());
        value
    }

    /// Whether this is the first time that `op` is asked for with these shapes in this graph.
    pub fn is_first_time(&mut self, op: &'static str, shapes: &[&[i64]]) -> bool {
        let shapes = shapes.iter().map(|s| s.to_vec()).collect();
        self.made_once.insert((op, shapes))
    }

    pub fn op_def(&self, name: &str) -> Option<&'static OpDef> {
        (self.registry)(name)
    }
}
