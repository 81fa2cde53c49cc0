//! Lets formulas follow kernels of a GPU that can end in one: a bias, an activation or the sum with another tensor is then
//! computed before a result is stored, not from memory.
//!
//! The kernel runs where the formula stood: nobody else reads its output before, and nothing in between writes a variable
//! that it reads. Whether shapes and the shader allow it is known in the run; else the two run one after the other.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::expr::{Arg, Program};
use crate::ops::map::Map;
use crate::value::DType;

use super::super::step::{Action, End, Ended, NO_SLOT, Operand, Place, Site, Step};
use super::alias::Aliases;

/// The block with kernels and the formulas behind them as one step each. `reads` is how often each slot was read before
/// steps became groups.
pub fn end_kernels(steps: Vec<Step>, reads: &[u32], aliases: &Aliases) -> Vec<Step> {
    // Where each output 0 is made that a formula may follow.
    let mut made_at: FxHashMap<u32, usize> = FxHashMap::default();
    let mut read_at: FxHashMap<u32, SmallVec<[usize; 2]>> = FxHashMap::default();
    for (at, step) in steps.iter().enumerate() {
        let entering = match &step.action {
            Action::Loop(body) => body.enters.as_slice(),
            _ => &[],
        };
        let read = step.inputs.iter().chain(entering.iter().map(|e| &e.input));
        for slot in read.filter_map(slot_of) {
            read_at.entry(slot).or_default().push(at);
        }
        if step.launch.is_some_and(|launch| launch.ends) {
            made_at.insert(step.outputs[0], at);
        }
    }
    let mut pairs: FxHashMap<usize, (usize, usize)> = FxHashMap::default();
    let mut is_taken = vec![false; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        let Some(program) = formula_of(step) else {
            continue;
        };
        // The last of several: it moves least.
        let kernel = step
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(place, operand)| {
                let slot = slot_of(operand)?;
                let from = *made_at.get(&slot)?;
                let is_float = program.inputs[place] == DType::F32;
                // Other outputs, too, are there only from here on.
                let outputs = steps[from]
                    .outputs
                    .iter()
                    .filter_map(|slot| read_at.get(slot));
                let is_read_first = outputs.flatten().all(|reader| *reader >= at);
                let is_read_once = read_at[&slot].iter().filter(|i| **i == at).count() == 1;
                let fits = is_float && is_read_first && is_read_once && !is_taken[from];
                (fits && may_move(&steps, from, at, aliases)).then_some((from, place))
            });
        if let Some((from, place)) = kernel.max() {
            is_taken[from] = true;
            pairs.insert(at, (from, place));
        }
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let mut block = Vec::with_capacity(steps.len());
    for at in 0..steps.len() {
        if is_taken[at] {
            continue;
        }
        let Some(then) = steps[at].take() else {
            continue;
        };
        let pair = pairs.get(&at);
        let kernel = pair.and_then(|(from, place)| Some((steps[*from].take()?, *place)));
        block.push(match kernel {
            Some((kernel, place)) => ended(kernel, then, place, reads),
            None => then,
        });
    }
    block
}

fn slot_of(operand: &Operand) -> Option<u32> {
    match operand.place {
        Place::Slot(slot) => Some(slot),
        Place::Constant(_) => None,
    }
}

/// What a step computes, where it is a formula of a GPU that only gives tensors of its elements.
fn formula_of(step: &Step) -> Option<&Program> {
    if !matches!(step.site, Site::Gpu(_)) || !has_no_flow(step) {
        return None;
    }
    let program = match &step.action {
        Action::Map(Map::Program(compiled)) => compiled.program(),
        Action::Group(group) => {
            let is_value = |end: &End| matches!(end, End::Value { .. });
            group.ends.iter().all(is_value).then_some(())?;
            group.program.program()
        }
        _ => return None,
    };
    let is_float = |arg: &Arg| program.dtype_of(*arg) == DType::F32;
    program.outputs.iter().all(is_float).then_some(program)
}

fn has_no_flow(step: &Step) -> bool {
    step.says_alive.is_none() && step.needs_alive.is_empty()
}

/// Whether the kernel at `from` may as well run at `at`.
fn may_move(steps: &[Step], from: usize, at: usize, aliases: &Aliases) -> bool {
    let (kernel, then) = (&steps[from], &steps[at]);
    let is_alike = kernel.site == then.site && kernel.life == then.life && has_no_flow(kernel);
    if !is_alike || kernel.inputs.iter().any(|o| o.wants_ref) {
        return false;
    }
    let read = |root: &u32| kernel.inputs.iter().any(|o| aliases.of(o).contains(root));
    let reads_variables = kernel.inputs.iter().any(|o| !aliases.of(o).is_empty());
    steps[from + 1..at].iter().all(|between| {
        let is_loop = matches!(between.action, Action::Loop(_));
        !(is_loop && reads_variables) && !aliases.written_by(between).iter().any(read)
    })
}

fn ended(kernel: Step, then: Step, place: usize, reads: &[u32]) -> Step {
    let slot = kernel.outputs[0];
    let mut program = match formula_of(&then) {
        Some(program) => program.clone(),
        None => Program::default(),
    };
    let inside = match &then.action {
        Action::Group(group) => {
            let members = group.members.iter().flat_map(|m| &m.step.inputs);
            members.filter(|o| slot_of(o) == Some(slot)).count()
        }
        _ => 1,
    };
    let all = reads.get(slot as usize).copied().unwrap_or(0);
    let keeps_output = slot != NO_SLOT && all as usize > inside;
    let mut outputs = then.outputs.clone();
    if keeps_output {
        program.outputs.push(Arg::Input(place as u16));
        outputs.push(slot);
    }
    outputs.extend_from_slice(&kernel.outputs[1..]);
    let others = then.inputs.iter().enumerate();
    let others = others.filter(|(i, _)| *i != place).map(|(_, o)| *o);
    Step {
        id: then.id,
        node: then.node.clone(),
        site: then.site,
        kept: 0,
        launch: kernel.launch,
        inputs: kernel.inputs.iter().copied().chain(others).collect(),
        outputs,
        can_die: kernel.can_die || then.can_die,
        life: then.life,
        needs_alive: SmallVec::new(),
        says_alive: None,
        keeps_inputs: false,
        is_lasting: None,
        action: Action::Ended(Box::new(Ended {
            kernel,
            then,
            place,
            program,
            keeps_output,
        })),
    }
}
