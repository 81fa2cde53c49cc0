//! How long each step of a run took: what `RunMetadata` says and `tf.python.client.timeline` draws.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::formats::proto::{DeviceStepStats, NodeExecStats, RunMetadata, StepStats};
use crate::plan::Step;

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
    /// Notes a step that began at `begun` and is done now.
    pub fn note(&self, step: &Step, begun: Instant) {
        let since_start = begun.duration_since(self.start);
        let taken = begun.elapsed();
        let node = &step.node;
        let inputs = node.inputs.len();
        self.nodes.lock().push(NodeExecStats {
            node_name: node.name.to_string(),
            all_start_micros: self.start_micros + since_start.as_micros() as i64,
            all_start_nanos: self.start_micros * 1000 + since_start.as_nanos() as i64,
            op_end_rel_micros: taken.as_micros() as i64,
            op_end_rel_nanos: taken.as_nanos() as i64,
            all_end_rel_micros: taken.as_micros() as i64,
            all_end_rel_nanos: taken.as_nanos() as i64,
            timeline_label: format!("{} = {}({inputs} inputs)", node.name, node.op()),
            ..Default::default()
        });
    }

    /// What the run's metadata says.
    pub fn into_metadata(self) -> RunMetadata {
        let stats = DeviceStepStats {
            device: "/job:localhost/replica:0/task:0/device:CPU:0".into(),
            node_stats: self.nodes.into_inner(),
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
