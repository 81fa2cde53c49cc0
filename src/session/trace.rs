//! How long each step of a run took and what it made: what `RunMetadata` says and TensorFlow's timeline draws.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::formats::proto::{
    AllocationDescription, AllocatorMemoryUsed, DeviceStepStats, NodeExecStats, NodeOutput,
    RunMetadata, StepStats, TensorDescription,
};
use crate::formats::tensor_proto::encode_shape;
use crate::graph::{Node, NodeId};
use crate::ops::kernel::Slot;
use crate::plan::{Plan, Step};
use crate::value::Value;

/// The times of one run. Steps of a loop are noted once an iteration.
pub struct Trace {
    start: Instant,
    start_micros: i64,
    nodes: Mutex<Vec<NodeExecStats>>,
}

impl Default for Trace {
    fn default() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Trace {
            start: Instant::now(),
            start_micros: now.as_micros() as i64,
            nodes: Mutex::default(),
        }
    }
}

impl Trace {
    /// Notes a step that began at `begun` and is done now; `slot` looks up what it made.
    pub fn note<'a>(&self, step: &Step, begun: Instant, slot: impl Fn(u32) -> Option<&'a Slot>) {
        let since_start = begun.duration_since(self.start);
        let taken = begun.elapsed();
        let node = &step.node;
        let mut output = Vec::new();
        for (i, at) in step.outputs.iter().enumerate() {
            if let Some(Slot::Value(value) | Slot::Read(value, _)) = slot(*at) {
                output.push(describe(i, value));
            }
        }
        let made = output.iter().filter_map(|o| {
            let tensor = o.tensor_description.as_ref()?;
            Some(tensor.allocation_description.as_ref()?.requested_bytes)
        });
        let total_bytes = made.sum();
        let memory = AllocatorMemoryUsed {
            allocator_name: ALLOCATOR.into(),
            total_bytes,
            peak_bytes: total_bytes,
            live_bytes: total_bytes,
            ..Default::default()
        };
        let scheduled = self.start_micros + since_start.as_micros() as i64;
        self.nodes.lock().push(NodeExecStats {
            node_name: node.name.to_string(),
            all_start_micros: self.start_micros + since_start.as_micros() as i64,
            all_start_nanos: self.start_micros * 1000 + since_start.as_nanos() as i64,
            op_end_rel_micros: taken.as_micros() as i64,
            op_end_rel_nanos: taken.as_nanos() as i64,
            all_end_rel_micros: taken.as_micros() as i64,
            all_end_rel_nanos: taken.as_nanos() as i64,
            scheduled_micros: scheduled,
            scheduled_nanos: scheduled * 1000,
            memory: vec![memory],
            output,
            ..Default::default()
        });
    }

    /// What the run's metadata says. The labels name the inputs, which are looked up in the plan's nodes.
    pub fn into_metadata(self, plan: &Plan) -> RunMetadata {
        let mut by_id: FxHashMap<NodeId, &Node> = FxHashMap::default();
        let mut by_name: FxHashMap<&str, &Node> = FxHashMap::default();
        for (id, node) in &plan.nodes {
            by_id.insert(*id, node);
            by_name.insert(&node.name, node);
        }
        let mut node_stats = self.nodes.into_inner();
        for stats in &mut node_stats {
            if let Some(node) = by_name.get(stats.node_name.as_str()) {
                stats.timeline_label = label(node, plan, &by_id);
            }
        }
        let stats = DeviceStepStats {
            device: "/job:localhost/replica:0/task:0/device:CPU:0".into(),
            node_stats,
            ..Default::default()
        };
        RunMetadata {
            step_stats: Some(StepStats {
                dev_stats: vec![stats],
            }),
            ..Default::default()
        }
    }
}

/// The name that TensorFlow gives the CPU's memory.
const ALLOCATOR: &str = "cpu";

fn describe(output: usize, value: &Value) -> NodeOutput {
    let buffer = value.buffer();
    let bytes = buffer.map_or(0, |b| b.len_bytes()) as i64;
    NodeOutput {
        slot: output as i32,
        tensor_description: Some(TensorDescription {
            dtype: value.dtype().number(),
            shape: Some(encode_shape(&value.shape().into())),
            allocation_description: Some(AllocationDescription {
                requested_bytes: bytes,
                allocated_bytes: bytes,
                allocator_name: ALLOCATOR.into(),
                ..Default::default()
            }),
        }),
    }
}

/// `name = Op(input, other:1, ^control)`
fn label(node: &Node, plan: &Plan, by_id: &FxHashMap<NodeId, &Node>) -> String {
    let mut inputs = Vec::new();
    for input in &node.inputs {
        if let Some(source) = by_id.get(&input.node) {
            inputs.push(match input.index {
                0 => source.name.to_string(),
                i => format!("{}:{i}", source.name),
            });
        } else if let Some(feed) = plan.feeds.iter().find(|feed| feed.endpoint == *input) {
            inputs.push(feed.name.trim_end_matches(":0").to_string());
        }
    }
    for control in &node.control_inputs {
        if let Some(source) = by_id.get(control) {
            inputs.push(format!("^{}", source.name));
        }
    }
    format!("{} = {}({})", node.name, node.op(), inputs.join(", "))
}
