//! Which copies between the host and GPUs a plan asks for, as far as it says itself where values lie: for `explain`.
//!
//! The executor finds out for itself, as it meets values. What it copies besides is not known here: variables, which move
//! to where they are first used and stay there, and kernels that leave a rare form to the host.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::graph::Output;
use crate::ops::gpu::is_on_host;

use super::step::{NO_SLOT, Operand, Place, Plan, Site, Step};

/// A side on which bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Host,
    Gpu(u8),
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Host => f.write_str("host"),
            Side::Gpu(number) => write!(f, "gpu{number}"),
        }
    }
}

/// One copy of a slot's value.
pub struct Copy {
    slot: u32,
    from: Side,
    to: Side,
}

impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "copy %{} from {} to {}", self.slot, self.from, self.to)
    }
}

/// Where the values of slots lie; one that was copied lies on both sides.
#[derive(Default)]
pub struct Copies {
    sides: FxHashMap<u32, Vec<Side>>,
    /// Single elements: from the host they travel with the dispatch.
    scalars: FxHashMap<u32, bool>,
}

impl Copies {
    /// Before the first step: feeds lie on the host.
    pub fn of(plan: &Plan) -> Copies {
        let mut copies = Copies::default();
        for (slot, feed) in plan.feeds.iter().enumerate() {
            copies.put(slot as u32, vec![Side::Host], feed.is_scalar);
        }
        copies
    }

    fn put(&mut self, slot: u32, sides: Vec<Side>, is_scalar: bool) {
        self.sides.insert(slot, sides);
        self.scalars.insert(slot, is_scalar);
    }

    /// What has to be copied before this step, and where its results lie then.
    pub fn before(&mut self, step: &Step) -> Vec<Copy> {
        let mut all = Vec::new();
        for (i, operand) in step.inputs.iter().enumerate() {
            all.extend(wanted(step, i).and_then(|to| self.bring(operand, to)));
        }
        self.note(step);
        all
    }

    /// What lies on a device when the run gives it back.
    pub fn fetch(&mut self, place: Place) -> Option<Copy> {
        let operand = Operand {
            place,
            is_last: false,
            wants_ref: false,
        };
        self.bring(&operand, Side::Host)
    }

    /// A value comes into a loop: it lies in another slot there.
    pub fn enter(&mut self, input: &Operand, slot: u32) {
        if let Place::Slot(from) = input.place
            && let Some(sides) = self.sides.get(&from).cloned()
        {
            let is_scalar = self.scalars.get(&from).copied().unwrap_or(false);
            self.put(slot, sides, is_scalar);
        }
    }

    fn bring(&mut self, operand: &Operand, to: Side) -> Option<Copy> {
        let Place::Slot(slot) = operand.place else {
            return None;
        };
        let sides = self.sides.get_mut(&slot).filter(|_| !operand.wants_ref)?;
        let from = *sides.first().filter(|_| !sides.contains(&to))?;
        let is_parameter = from == Side::Host && self.scalars.get(&slot) == Some(&true);
        if is_parameter {
            return None;
        }
        sides.push(to);
        Some(Copy { slot, from, to })
    }

    fn note(&mut self, step: &Step) {
        let sides = match step.site {
            Site::Host => Some(vec![Side::Host]),
            Site::Gpu(number) => Some(vec![Side::Gpu(number)]),
            Site::Anywhere => match step.inputs.first().map(|operand| operand.place) {
                Some(Place::Slot(slot)) => self.sides.get(&slot).cloned(),
                Some(Place::Constant(_)) | None => Some(vec![Side::Host]),
            },
        };
        for (slot, output) in results(step) {
            if slot == NO_SLOT {
                continue;
            }
            match &sides {
                Some(sides) if !output.is_ref && !is_of_variable(step) => {
                    self.put(slot, sides.clone(), output.shape.rank() == Some(0));
                }
                _ => {
                    self.sides.remove(&slot);
                }
            }
        }
    }
}

/// The side on which a step reads an operand; `None` where it does not matter.
fn wanted(step: &Step, input: usize) -> Option<Side> {
    match step.site {
        Site::Anywhere => None,
        Site::Host => (input >= step.kept).then_some(Side::Host),
        Site::Gpu(number) => {
            let host_inputs = step.launch.map_or(0, |launch| launch.host_inputs);
            Some(match is_on_host(host_inputs, input) {
                true => Side::Host,
                false => Side::Gpu(number),
            })
        }
    }
}

/// Slots that a step fills, with the node's output for each.
fn results(step: &Step) -> Vec<(u32, &Output)> {
    let mut all = Vec::new();
    for part in step.parts() {
        all.extend(part.outputs.iter().copied().zip(&part.node.outputs));
    }
    all
}

/// A read of a variable shows memory that lies where the variable does.
fn is_of_variable(step: &Step) -> bool {
    step.inputs.first().is_some_and(|first| first.wants_ref) || step.node.op() == "ReadVariableOp"
}

#[cfg(test)]
mod tests {
    use super::super::{RunSpec, plan};
    use crate::graph::{Endpoint, Graph, NodeSpec};
    use crate::ops::new_graph;
    use crate::value::{DType, PartialShape};

    fn fed(g: &mut Graph, name: &str, dims: &[i64]) -> Endpoint {
        let spec = NodeSpec::new("Placeholder").name(name);
        let spec = spec.attr("dtype", DType::F32);
        let shape = PartialShape::new(dims).unwrap();
        g.create_tensor(spec.attr("shape", shape)).unwrap()
    }

    #[test]
    fn each_value_is_copied_once_to_where_it_is_read() {
        let mut g = new_graph();
        let x = fed(&mut g, "x", &[-1, 4]);
        let rate = fed(&mut g, "rate", &[]);
        let mut node = |op: &'static str, name: &str, inputs: &[Endpoint]| {
            let spec = NodeSpec::new(op).name(name);
            let spec = inputs.iter().fold(spec, |spec, e| spec.input(*e));
            g.create_tensor(spec).unwrap()
        };
        let scaled = node("Mul", "scaled", &[x, rate]);
        let root = node("MatrixDeterminant", "on_host", &[scaled]);
        let again = node("MatrixInverse", "on_host_too", &[scaled]);
        let back = node("MatMul", "there_again", &[again, x]);
        let spec = RunSpec {
            feeds: vec![x, rate],
            fetches: vec![root, back],
            ..Default::default()
        };
        let text = plan(&g, &spec, &|_| Some(0)).unwrap().to_string();
        let copies: Vec<&str> = text.lines().filter(|l| l.starts_with("copy")).collect();
        let ways: Vec<&str> = copies
            .iter()
            .map(|copy| copy.split_once(" from ").unwrap().1)
            .collect();
        assert_eq!(
            ways,
            [
                "host to gpu0",
                "gpu0 to host",
                "host to gpu0",
                "gpu0 to host"
            ],
            "{text}"
        );
    }

    #[test]
    fn results_of_a_kernel_with_its_formula_are_known_too() {
        let mut g = new_graph();
        let x = fed(&mut g, "x", &[4, 4]);
        let mut node = |op: &'static str, name: &str, inputs: &[Endpoint]| {
            let spec = NodeSpec::new(op).name(name);
            let spec = inputs.iter().fold(spec, |spec, e| spec.input(*e));
            g.create_tensor(spec).unwrap()
        };
        let product = node("MatMul", "product", &[x, x]);
        let active = node("Relu", "active", &[product]);
        let of_active = node("MatrixDeterminant", "of_active", &[active]);
        let of_product = node("MatrixInverse", "of_product", &[product]);
        let spec = RunSpec {
            feeds: vec![x],
            fetches: vec![of_active, of_product],
            ..Default::default()
        };
        let text = plan(&g, &spec, &|_| Some(0)).unwrap().to_string();
        assert!(text.contains("= ended@gpu0"), "{text}");
        let back = text.lines().filter(|l| l.ends_with("from gpu0 to host"));
        assert_eq!(back.count(), 2, "{text}");
    }
}
