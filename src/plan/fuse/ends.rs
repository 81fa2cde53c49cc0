//! Lets formulas follow kernels of a GPU that can end in one: a bias, an activation or the sum with another tensor is then
//! computed before a result is stored, not from memory.
//!
//! The formula moves up to the kernel where its other operands are there by then; else the kernel moves down to the
//! formula, where nobody else reads its outputs before. Nothing in between may write a variable that the one that moves
//! reads. Whether shapes and the shader allow it is known in the run; else the two run one after the other.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::expr::{Arg, Program};
use crate::ops::map::Map;
use crate::value::DType;

use super::super::step::{Action, End, Ended, Enter, NO_SLOT, Operand, Place, Site, Step};
use super::alias::Aliases;

/// Where slots are made and read in a block, by the places of its steps.
struct Uses {
    made_at: FxHashMap<u32, usize>,
    read_at: FxHashMap<u32, SmallVec<[usize; 2]>>,
}

impl Uses {
    fn of(steps: &[Step]) -> Uses {
        let mut uses = Uses {
            made_at: FxHashMap::default(),
            read_at: FxHashMap::default(),
        };
        for (at, step) in steps.iter().enumerate() {
            let (entering, inner): (&[Enter], &[u32]) = match &step.action {
                Action::Loop(body) => (&body.enters, &body.exits),
                _ => (&[], &[]),
            };
            let read = step.inputs.iter().chain(entering.iter().map(|e| &e.input));
            for slot in read.filter_map(slot_of) {
                uses.read_at.entry(slot).or_default().push(at);
            }
            for slot in step.outputs.iter().chain(inner) {
                uses.made_at.insert(*slot, at);
            }
        }
        uses
    }
}

/// A kernel with a formula behind it: which of them moves.
#[derive(Clone, Copy)]
struct Pair {
    kernel: usize,
    then: usize,
    /// The operand of the formula that is the kernel's output 0.
    place: usize,
    rises: bool,
}

/// The block with kernels and the formulas behind them as one step each. `reads` is how often each slot was read before
/// steps became groups.
pub fn end_kernels(steps: Vec<Step>, reads: &[u32], aliases: &Aliases) -> Vec<Step> {
    let mut uses = Uses::of(&steps);
    let mut by_kernel: FxHashMap<usize, Pair> = FxHashMap::default();
    let mut by_then: FxHashMap<usize, Pair> = FxHashMap::default();
    for at in 0..steps.len() {
        let Some(pair) = pair_of(&steps, at, &uses, aliases, &by_kernel) else {
            continue;
        };
        if !pair.rises {
            // Formulas behind this one must not rise above it.
            for slot in &steps[pair.kernel].outputs {
                uses.made_at.insert(*slot, at);
            }
        }
        by_kernel.insert(pair.kernel, pair);
        by_then.insert(at, pair);
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let mut block = Vec::with_capacity(steps.len());
    for at in 0..steps.len() {
        let (up, down) = (by_kernel.get(&at), by_then.get(&at));
        let here = up.filter(|p| p.rises).or(down.filter(|p| !p.rises));
        match (here, up.or(down)) {
            (Some(pair), _) => {
                let both = (steps[pair.kernel].take(), steps[pair.then].take());
                if let (Some(kernel), Some(then)) = both {
                    block.push(ended(kernel, then, pair.place, reads));
                }
            }
            (None, Some(_)) => {}
            (None, None) => block.extend(steps[at].take()),
        }
    }
    block
}

/// The kernel that the formula at `at` may follow: the last of several.
fn pair_of(
    steps: &[Step],
    at: usize,
    uses: &Uses,
    aliases: &Aliases,
    taken: &FxHashMap<usize, Pair>,
) -> Option<Pair> {
    let step = &steps[at];
    let program = formula_of(step)?;
    let all = step.inputs.iter().enumerate();
    let kernels = all.filter_map(|(place, operand)| {
        let slot = slot_of(operand)?;
        let kernel = *uses.made_at.get(&slot)?;
        let own = &steps[kernel];
        let is_first_output = own.outputs.first() == Some(&slot);
        let is_float = program.inputs[place] == DType::F32;
        let all = step.inputs.iter();
        let is_read_once = all.filter(|o| o.place == operand.place).count() == 1;
        let may_end = own.launch.is_some_and(|launch| launch.ends)
            && own.site == step.site
            && own.life == step.life
            && has_no_flow(own)
            && !own.inputs.iter().any(|o| o.wants_ref);
        let fits = is_first_output && is_float && is_read_once && may_end;
        (fits && !taken.contains_key(&kernel)).then_some((kernel, place))
    });
    let (kernel, place) = kernels.max()?;
    let pair = |rises: bool| Pair {
        kernel,
        then: at,
        place,
        rises,
    };
    let between = &steps[kernel + 1..at];
    let is_there = |(i, operand): (usize, &Operand)| {
        let made = slot_of(operand).and_then(|slot| uses.made_at.get(&slot));
        i == place || made.is_none_or(|made| *made < kernel)
    };
    if step.inputs.iter().enumerate().all(is_there) && stays_as_read(step, between, aliases) {
        return Some(pair(true));
    }
    let outputs = steps[kernel].outputs.iter();
    let mut readers = outputs.filter_map(|slot| uses.read_at.get(slot)).flatten();
    let sinks =
        readers.all(|reader| *reader >= at) && stays_as_read(&steps[kernel], between, aliases);
    sinks.then(|| pair(false))
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

/// Whether none of the steps writes a variable that a step reads.
fn stays_as_read(step: &Step, between: &[Step], aliases: &Aliases) -> bool {
    let read = |root: &u32| step.inputs.iter().any(|o| aliases.of(o).contains(root));
    let reads_variables = step.inputs.iter().any(|o| !aliases.of(o).is_empty());
    between.iter().all(|other| {
        let is_loop = matches!(other.action, Action::Loop(_));
        !(is_loop && reads_variables || aliases.written_by(other).iter().any(read))
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
