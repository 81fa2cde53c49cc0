//! Which device each node of a graph runs on, decided as TensorFlow's placer does when a session first sees the node.
//!
//! The whole graph is placed, not only what a run needs: a node that wants a device that is not there fails every run.

use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::backend::gpu;
use crate::ensure;
use crate::error::{Code, Error, Result};
use crate::graph::{DeviceName, Graph, Node, NodeId};
use crate::ops::gpu::runs_on_gpu;
use crate::ops::{Run, find};
use crate::value::DType;

/// A device of this process.
#[derive(Clone, Debug)]
pub struct Device {
    /// `/job:localhost/replica:0/task:0/device:CPU:0`
    pub name: String,
    /// `CPU` or `GPU`.
    pub kind: String,
    pub memory_bytes: i64,
    /// Tells one start of the device from another.
    pub incarnation: u64,
    /// What a user knows it by; empty for the CPU.
    pub description: String,
    /// The GPU that it is.
    pub gpu: Option<u8>,
    parts: DeviceName,
}

impl Device {
    pub fn new(kind: &str, index: usize, memory_bytes: i64, description: &str) -> Result<Device> {
        let name = format!("/job:localhost/replica:0/task:0/device:{kind}:{index}");
        Ok(Device {
            parts: DeviceName::parse(&name)?,
            kind: kind.into(),
            memory_bytes,
            // Any number will do that is not another device's.
            incarnation: crc32c::crc32c(name.as_bytes()).into(),
            description: description.into(),
            gpu: (kind == "GPU").then(|| u8::try_from(index).ok()).flatten(),
            name,
        })
    }
}

/// The memory that TensorFlow says a CPU has.
const CPU_MEMORY_BYTES: i64 = 256 << 20;

/// The devices of a session; `num_cpus` as in `ConfigProto.device_count`, and the first `num_gpus` GPUs that there are.
pub fn local_devices(num_cpus: usize, num_gpus: usize) -> Result<Vec<Device>> {
    let cpus = (0..num_cpus).map(|i| Device::new("CPU", i, CPU_MEMORY_BYTES, ""));
    let gpus = match num_gpus {
        0 => &[],
        _ => gpu::gpus(),
    };
    let gpus = gpus.iter().take(num_gpus.min(usize::from(u8::MAX)));
    let gpus =
        gpus.map(|gpu| Device::new("GPU", gpu.index(), gpu.memory_bytes(), &gpu.description()));
    cpus.chain(gpus).collect()
}

/// Places the nodes of one session's graph.
pub struct Placer {
    devices: Vec<Device>,
    allow_soft_placement: bool,
    logs: bool,
    state: Mutex<Placed>,
}

#[derive(Default)]
struct Placed {
    /// Nodes before this one have their place; by the device strings that their names have in common.
    next: NodeId,
    /// What the log says of a device string: the device it means here.
    known: Vec<(Arc<str>, usize)>,
    log: Vec<String>,
}

impl Placer {
    pub fn new(devices: Vec<Device>, allow_soft_placement: bool, logs: bool) -> Placer {
        let mut state = Placed::default();
        if logs {
            let mapped = devices.iter().filter(|d| !d.description.is_empty());
            let lines: Vec<String> = mapped
                .map(|d| format!("{} -> {}", d.name, d.description))
                .collect();
            if lines.is_empty() {
                state.log.push("Device mapping: no known devices.".into());
            } else {
                state.log.push("Device mapping:".into());
                state.log.extend(lines);
            }
        }
        Placer {
            devices,
            allow_soft_placement,
            logs,
            state: Mutex::new(state),
        }
    }

    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    pub fn has_gpus(&self) -> bool {
        self.devices.iter().any(|d| d.gpu.is_some())
    }

    /// Takes the lines of the placement log that nobody has taken yet.
    pub fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().log)
    }

    /// Places the nodes that are new since the last call.
    pub fn place(&self, graph: &Graph) -> Result<()> {
        let mut state = self.state.lock();
        let nodes = graph.nodes();
        let from = state.next as usize;
        if from >= nodes.len() || self.devices.is_empty() {
            return Ok(());
        }
        for node in in_order(&nodes[from..]) {
            self.device_of(&mut state.known, graph, node)?;
        }
        state.next = nodes.len() as NodeId;
        if self.logs {
            // As in TensorFlow, the log tells of the whole graph again.
            for node in in_order(nodes) {
                let device = &self.devices[self.device_of(&mut state.known, graph, node)?];
                let line = format!("{}: ({}): {}", node.name, node.op(), device.name);
                state.log.push(line);
            }
        }
        Ok(())
    }

    /// The GPU that a node goes to.
    pub fn gpu_of(&self, graph: &Graph, node: &Node) -> Option<u8> {
        if !self.has_gpus() {
            return None;
        }
        let device = self.device_of(&mut self.state.lock().known, graph, node);
        self.devices[device.ok()?].gpu
    }

    /// The name of the device that a node goes to; of the first when it can go to none.
    pub fn device_name_of(&self, graph: &Graph, node: &Node) -> &str {
        let device = self.device_of(&mut self.state.lock().known, graph, node);
        &self.devices[device.unwrap_or(0)].name
    }

    /// The device that a node goes to; InvalidArgument when there is none such.
    fn device_of(
        &self,
        known: &mut Vec<(Arc<str>, usize)>,
        graph: &Graph,
        node: &Node,
    ) -> Result<usize> {
        if node.device.is_empty() {
            // As in TensorFlow: the first GPU has what it can run, the CPU the rest.
            let gpu = self.devices.iter().position(|d| d.gpu.is_some());
            return Ok(gpu.filter(|_| may_be_on_gpu(graph, node)).unwrap_or(0));
        }
        let known_as = known.iter().find(|(name, _)| *name == node.device);
        let device = match known_as {
            Some((_, device)) => *device,
            None => {
                let found = DeviceName::parse(&node.device)
                    .ok()
                    .and_then(|wanted| self.find(&wanted));
                let Some(device) = found else {
                    return Err(self.absent(node));
                };
                known.push((node.device.clone(), device));
                device
            }
        };
        if self.devices[device].gpu.is_none()
            || may_be_on_gpu(graph, node)
            || may_stand_beside_gpu(graph, node)
        {
            return Ok(device);
        }
        let names_a_kind = DeviceName::parse(&node.device).is_ok_and(|d| d.kind.is_some());
        ensure!(
            self.allow_soft_placement || !names_a_kind,
            invalid,
            "Cannot assign a device for operation {name}: Could not satisfy explicit device specification '{device}' \
             because no supported kernel for GPU devices is available.",
            name = node.name,
            device = node.device
        );
        Ok(0)
    }

    fn find(&self, wanted: &DeviceName) -> Option<usize> {
        let exact = self.devices.iter().position(|d| wanted.covers(&d.parts));
        if exact.is_some() || !self.allow_soft_placement {
            return exact;
        }
        // Another kind or number will do, but no other machine.
        let softer = DeviceName {
            kind: Some("CPU".into()),
            index: None,
            ..wanted.clone()
        };
        self.devices.iter().position(|d| softer.covers(&d.parts))
    }

    fn absent(&self, node: &Node) -> Error {
        let names: Vec<&str> = self.devices.iter().map(|d| d.name.as_str()).collect();
        let wants_gpu =
            DeviceName::parse(&node.device).is_ok_and(|d| d.kind.as_deref() == Some("GPU"));
        let has_gpu = self.devices.iter().any(|d| d.kind == "GPU");
        let hint = if wants_gpu && !has_gpu {
            " The requested device appears to be a GPU, but CUDA is not enabled."
        } else {
            ""
        };
        let message = format!(
            "Cannot assign a device for operation {name}: {{{{node {name}}}}}was explicitly assigned to {device} but \
             available devices are [ {} ]. Make sure the device specification refers to a valid device.{hint}",
            names.join(", "),
            name = node.name,
            device = node.device,
        );
        Error::new(Code::InvalidArgument, message).at(&*node.name)
    }
}

/// Whether a node computes nothing from data: it is wherever it is said to be.
pub(super) fn hands_on(node: &Node) -> bool {
    let run = find(node.op()).map(|entry| entry.run);
    matches!(run, Some(Run::View(_) | Run::ControlFlow))
        || matches!(
            node.op(),
            "Const" | "NoOp" | "Placeholder" | "VariableV2" | "Variable" | "VarHandleOp" | "Shape"
        )
}

/// Whether a GPU can have a node: it has a kernel for it, or the node only hands values on.
fn may_be_on_gpu(graph: &Graph, node: &Node) -> bool {
    let dtypes: SmallVec<[DType; 4]> = node.inputs.iter().map(|e| graph.dtype(*e)).collect();
    let is_plain = |dtype: &DType| !matches!(dtype, DType::String | DType::Variant);
    runs_on_gpu(node, &dtypes)
        || (hands_on(node)
            && dtypes.iter().all(is_plain)
            && node.outputs.iter().all(|o| is_plain(&o.dtype)))
}

/// Whether a node that was given to a GPU may stay there in name and be computed on the host: TensorFlow has kernels of
/// GPUs for nearly all that computes with numbers, many of them in the host's memory, and for variables; not for strings,
/// queues, files and tables.
fn may_stand_beside_gpu(graph: &Graph, node: &Node) -> bool {
    const OF_NUMBERS: &[&str] = &[
        "Apply",
        "Assert",
        "Assign",
        "Betainc",
        "Broadcast",
        "ConcatOffset",
        "DestroyResource",
        "FakeQuant",
        "InvertPermutation",
        "IsVariable",
        "Rank",
        "ReadVariable",
        "Resource",
        "Scatter",
        "Size",
        "SparseApply",
        "Stack",
        "TemporaryVariable",
        "TensorArray",
        "Var",
    ];
    let is_plain = |dtype: &DType| !matches!(dtype, DType::String | DType::Variant);
    let has_kernel = match find(node.op()).map(|entry| entry.run) {
        Some(Run::Map(_) | Run::MapWith(_) | Run::View(_) | Run::Kernel(_) | Run::ControlFlow) => {
            true
        }
        Some(Run::Host(_)) => OF_NUMBERS.iter().any(|start| node.op().starts_with(start)),
        Some(Run::None) | None => false,
    };
    // What an assertion says of itself is strings.
    let mut inputs = node.inputs.iter().map(|e| graph.dtype(*e));
    has_kernel
        && (node.op() == "Assert" || inputs.all(|d| is_plain(&d)))
        && node.outputs.iter().all(|o| is_plain(&o.dtype))
}

/// TensorFlow's order: first what computes, then what only gives a value, such as constants.
fn in_order(nodes: &[Arc<Node>]) -> impl Iterator<Item = &Node> {
    let gives = |node: &Node| {
        node.inputs.is_empty() && matches!(node.outputs.as_slice(), [one] if !one.is_ref)
    };
    let computing = nodes.iter().filter(move |n| !gives(n));
    computing
        .chain(nodes.iter().filter(move |n| gives(n)))
        .map(|n| &**n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::NodeSpec;
    use crate::value::Value;

    fn graph(devices: &[&str]) -> Graph {
        let mut graph = crate::ops::new_graph();
        for device in devices {
            let id = graph.create(NodeSpec::new("NoOp")).unwrap();
            graph.set_raw_device(id, device);
        }
        graph
    }

    fn placed(device: &str, num_cpus: usize, is_soft: bool) -> Result<()> {
        Placer::new(local_devices(num_cpus, 0).unwrap(), is_soft, false)
            .place(&graph(&["", device]))
    }

    #[test]
    fn absent_devices_are_errors_unless_placement_is_soft() {
        assert!(placed("/device:CPU:0", 1, false).is_ok());
        assert!(placed("/device:cpu:*", 1, false).is_ok());
        assert!(placed("/device:CPU:1", 2, false).is_ok());
        assert!(placed("/device:GPU:0", 1, true).is_ok());
        let error = placed("/device:GPU:0", 1, false).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgument);
        assert!(
            error
                .message
                .contains("explicitly assigned to /device:GPU:0")
        );
        assert!(placed("/device:CPU:1", 1, false).is_err());
        assert!(placed("/job:worker", 1, true).is_err());
        assert!(placed("nonsense", 1, true).is_err());
    }

    #[test]
    fn numbers_may_be_given_to_a_gpu_and_strings_may_not() {
        let mut devices = local_devices(1, 0).unwrap();
        devices.push(Device::new("GPU", 0, 1 << 30, "a GPU").unwrap());
        let place = |value: Value, is_range: bool| {
            let mut graph = crate::ops::new_graph();
            let x = graph.constant_node("Const", value).unwrap();
            let node = match is_range {
                true => {
                    let range = NodeSpec::new("Range").input(x).input(x).input(x);
                    graph.create_tensor(range).unwrap().node
                }
                false => x.node,
            };
            graph.set_raw_device(node, "/device:GPU:0");
            Placer::new(devices.clone(), false, false).place(&graph)
        };
        // No shader makes ranges; TensorFlow's kernel of GPUs for them works in the host's memory.
        assert!(place(Value::scalar(1i32).unwrap(), true).is_ok());
        assert!(place(Value::scalar(1.0f64).unwrap(), true).is_ok());
        let error = place(Value::scalar_string("a"), false).unwrap_err();
        assert!(
            error
                .message
                .contains("no supported kernel for GPU devices")
        );
    }

    #[test]
    fn log_tells_of_each_node_once_a_growth() {
        let placer = Placer::new(local_devices(1, 0).unwrap(), false, true);
        let graph = graph(&[""]);
        placer.place(&graph).unwrap();
        placer.place(&graph).unwrap();
        let log = placer.take_log();
        assert_eq!(log.len(), 2, "{log:?}");
        assert!(log[1].ends_with("(NoOp): /job:localhost/replica:0/task:0/device:CPU:0"));
    }
}
