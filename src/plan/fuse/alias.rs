//! Which slots may lie in the memory of which reference variables. Such a value changes when the variable does, so it
//! may not be read later than it was.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::super::step::{Action, Loop, NO_SLOT, Operand, Place, Step};

/// Variables, numbered.
pub type Roots = SmallVec<[u32; 2]>;

/// Ops whose outputs always lie in memory of their own.
const FRESH: &[&str] = &[
    "MatMul",
    "BatchMatMul",
    "BatchMatMulV2",
    "Conv2D",
    "Conv2DBackpropInput",
    "Conv2DBackpropFilter",
    "DepthwiseConv2dNative",
    "DepthwiseConv2dNativeBackpropInput",
    "DepthwiseConv2dNativeBackpropFilter",
    "Conv3D",
    "MaxPool",
    "MaxPoolGrad",
    "AvgPool",
    "AvgPoolGrad",
    "BiasAdd",
    "BiasAddGrad",
    "Softmax",
    "LogSoftmax",
    "SoftmaxCrossEntropyWithLogits",
    "SparseSoftmaxCrossEntropyWithLogits",
    "FusedBatchNorm",
    "FusedBatchNormV2",
    "FusedBatchNormV3",
    "FusedBatchNormGrad",
    "FusedBatchNormGradV2",
    "FusedBatchNormGradV3",
    "Select",
    "L2Loss",
    "Shape",
    "ShapeN",
    "Size",
    "Rank",
    "GatherV2",
    "UnsortedSegmentSum",
    "SparseToDense",
    "OneHot",
    "Tile",
    "ArgMax",
    "ArgMin",
];

#[derive(Default)]
pub struct Aliases {
    roots: FxHashMap<u32, Roots>,
    /// Slots that hold exactly what the variable holds.
    exact: FxHashMap<u32, u32>,
    /// Variables by where they are stored: two nodes may share one.
    variables: FxHashMap<Vec<u8>, u32>,
}

impl Aliases {
    /// The variables in whose memory the operand may lie.
    pub fn of(&self, operand: &Operand) -> &[u32] {
        match operand.place {
            Place::Slot(slot) => self.roots.get(&slot).map_or(&[], |r| r.as_slice()),
            Place::Constant(_) => &[],
        }
    }

    /// The variable of which the operand is the whole content.
    pub fn exactly(&self, operand: &Operand) -> Option<u32> {
        match operand.place {
            Place::Slot(slot) => self.exact.get(&slot).copied(),
            Place::Constant(_) => None,
        }
    }

    /// The variables that a step writes, or might.
    pub fn written_by(&self, step: &Step) -> Roots {
        let written = step.inputs.iter().filter(|o| o.wants_ref);
        written.flat_map(|o| self.of(o).iter().copied()).collect()
    }

    fn of_inputs(&self, step: &Step) -> Roots {
        let all = step.inputs.iter().flat_map(|o| self.of(o));
        let mut all: Roots = all.copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Notes what a step gives.
    pub fn note(&mut self, step: &Step) {
        if let Action::Loop(body) = &step.action {
            return self.note_loop(body);
        }
        for (i, &slot) in step.outputs.iter().enumerate() {
            if slot == NO_SLOT {
                continue;
            }
            let is_ref = step.node.outputs.get(i).is_some_and(|o| o.is_ref);
            if is_ref && step.inputs.is_empty() {
                let root = self.variable(step);
                self.roots.insert(slot, Roots::from_slice(&[root]));
                self.exact.insert(slot, root);
                continue;
            }
            let is_fresh = match &step.action {
                Action::Map(_) | Action::Group(_) | Action::Constant(_) => true,
                Action::Kernel(_) => FRESH.contains(&step.node.op()),
                _ => false,
            };
            if is_fresh && !is_ref {
                continue;
            }
            let all = self.of_inputs(step);
            if let (Action::Forward, Some(root)) = (
                &step.action,
                step.inputs.first().and_then(|o| self.exactly(o)),
            ) {
                self.exact.insert(slot, root);
            }
            if !all.is_empty() {
                self.roots.insert(slot, all);
            }
        }
    }

    /// What comes out of a loop may be whatever went in.
    fn note_loop(&mut self, body: &Loop) {
        let entered = body.enters.iter().flat_map(|e| self.of(&e.input));
        let mut all: Roots = entered.copied().collect();
        all.sort_unstable();
        all.dedup();
        if all.is_empty() {
            return;
        }
        for slot in slots_of(body) {
            self.roots.insert(slot, all.clone());
        }
    }

    fn variable(&mut self, step: &Step) -> u32 {
        let text = |name: &str| step.node.attrs.bytes(name).unwrap_or_default().to_vec();
        let mut key = text("container");
        key.push(0);
        match text("shared_name") {
            name if name.is_empty() => key.extend(step.node.name.as_bytes()),
            name => key.extend(name),
        }
        let next = self.variables.len() as u32;
        *self.variables.entry(key).or_insert(next)
    }
}

/// Every slot that a loop writes. The recursion follows the nesting of loops, which `frames` bounds.
fn slots_of(body: &Loop) -> Vec<u32> {
    let mut all: Vec<u32> = body.enters.iter().map(|e| e.slot).collect();
    all.extend(body.exits.iter().chain(&body.next));
    for step in &body.steps {
        match &step.action {
            Action::Loop(inner) => all.extend(slots_of(inner)),
            _ => all.extend(step.outputs.iter().copied()),
        }
    }
    all.retain(|slot| *slot != NO_SLOT);
    all
}
