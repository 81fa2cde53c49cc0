//! How long each step of a run took and what it made: what `RunMetadata` says and TensorFlow's timeline draws. The time of
//! a step on a GPU is that of giving it its work.

use std::collections::BTreeMap;
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
use crate::plan::{Plan, Site, Step};
use crate::value::Value;

use super::placement::hands_on;

/// The times of one run. Steps of a loop are noted once an iteration.
pub struct Trace {
    start: Instant,
    start_micros: i64,
    /// With the GPU that each was given to.
    nodes: Mutex<Vec<(Option<u8>, NodeExecStats)>>,
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
        let gpu = match step.site {
            Site::Gpu(number) => Some(number),
            _ => None,
        };
        let mut output = Vec::new();
        for (i, at) in step.outputs.iter().enumerate() {
            if let Some(Slot::Value(value) | Slot::Read(value, _)) = slot(*at) {
                output.push(describe(i, value, gpu));
            }
        }
        let made = output.iter().filter_map(|o| {
            let tensor = o.tensor_description.as_ref()?;
            Some(tensor.allocation_description.as_ref()?.requested_bytes)
        });
        let total_bytes = made.sum();
        let memory = AllocatorMemoryUsed {
            allocator_name: allocator(gpu),
            total_bytes,
            peak_bytes: total_bytes,
            live_bytes: total_bytes,
            ..Default::default()
        };
        let scheduled = self.start_micros + since_start.as_micros() as i64;
        let stats = NodeExecStats {
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
        };
        self.nodes.lock().push((gpu, stats));
    }

    /// What the run's metadata says. The labels name the inputs, which are looked up in the plan's nodes; `home` is the GPU
    /// that a node was given to, which tells where those are that compute nothing.
    pub fn into_metadata(self, plan: &Plan, home: impl Fn(&Node) -> Option<u8>) -> RunMetadata {
        let mut by_id: FxHashMap<NodeId, &Node> = FxHashMap::default();
        let mut by_name: FxHashMap<&str, &Node> = FxHashMap::default();
        for (id, node) in &plan.nodes {
            by_id.insert(*id, node);
            by_name.insert(&node.name, node);
        }
        // The CPU is told of also when the plan left it nothing to do.
        let mut by_device: BTreeMap<Option<u8>, Vec<NodeExecStats>> =
            BTreeMap::from([(None, Vec::new())]);
        for (mut gpu, mut stats) in self.nodes.into_inner() {
            if let Some(node) = by_name.get(stats.node_name.as_str()) {
                stats.timeline_label = label(node, plan, &by_id);
                gpu = gpu.or_else(|| hands_on(node).then(|| home(node)).flatten());
            }
            by_device.entry(gpu).or_default().push(stats);
        }
        let dev_stats = by_device.into_iter().map(|(gpu, node_stats)| {
            let kind = gpu.map_or("CPU:0".to_string(), |number| format!("GPU:{number}"));
            DeviceStepStats {
                device: format!("/job:localhost/replica:0/task:0/device:{kind}"),
                node_stats,
                ..Default::default()
            }
        });
        RunMetadata {
            step_stats: Some(StepStats {
                dev_stats: dev_stats.collect(),
            }),
            ..Default::default()
        }
    }
}

/// The names that TensorFlow gives the memory of the CPU and of a GPU.
fn allocator(gpu: Option<u8>) -> String {
    gpu.map_or("cpu".into(), |number| format!("GPU_{number}_bfc"))
}

fn describe(output: usize, value: &Value, gpu: Option<u8>) -> NodeOutput {
    let on_host = value.buffer().map(|b| b.len_bytes());
    let on_device = value.device_buffer().map(|b| b.len_bytes());
    let bytes = on_host.or(on_device).unwrap_or(0) as i64;
    NodeOutput {
        slot: output as i32,
        tensor_description: Some(TensorDescription {
            dtype: value.dtype().number(),
            shape: Some(encode_shape(&value.shape().into())),
            allocation_description: Some(AllocationDescription {
                requested_bytes: bytes,
                allocated_bytes: bytes,
                allocator_name: allocator(gpu),
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
