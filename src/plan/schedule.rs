//! Puts the items in order and numbers their outputs: in each loop, in TensorFlow's order (see `order`) among those that
//! are ready. A loop stands as one step in the loop around it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ops::{Run, map};
use crate::value::{DType, Value};

use super::draft::{
    Draft, FrameId, Item, ItemId, Source, Work, is_back_edge, is_enter, is_exit, is_flow, is_merge,
    is_next_iteration, is_switch,
};
use super::life::is_loop_merge;
use super::prune::input_refs;
use super::step::{
    Action, Enter, Feed, Fetch, Launch, Loop, NO_SLOT, Operand, Place, Plan, Site, Step,
};

/// What is put in order: an item, or a whole loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Unit {
    Item(ItemId),
    Loop(FrameId),
}

/// The plan of a draft; which operands are used for the last time is a later pass.
pub fn schedule(graph: &Graph, draft: &Draft) -> Result<Plan> {
    let blocks = order_blocks(draft)?;
    let mut lowering = Lowering {
        draft,
        blocks,
        slots: draft.feeds.len() as u32,
        slot_of: FxHashMap::default(),
        alive_bit: FxHashMap::default(),
        lasting: 0,
        constants: Vec::new(),
        constant_of: FxHashMap::default(),
        made: FxHashMap::default(),
    };
    lowering.number_outputs();
    lowering.number_alive_bits();
    let steps = lowering.lower_all()?;
    let fetches = lowering.fetches(graph);
    let feeds = draft.feeds.iter().map(|e| Feed {
        endpoint: *e,
        name: graph.tensor_name(*e),
        dtype: graph.dtype(*e),
        is_scalar: graph.shape(*e).rank() == Some(0),
    });
    Ok(Plan {
        steps,
        feeds: feeds.collect(),
        fetches,
        slots: lowering.slots as usize,
        gpus: gpus_of(draft),
        alive_bits: lowering.alive_bit.len(),
        lasting: lowering.lasting as usize,
        constants: lowering.constants,
        needs: Vec::new(),
        nodes: draft.items.iter().map(|i| (i.id, i.node.clone())).collect(),
    })
}

/// The GPUs that items run on, each once.
fn gpus_of(draft: &Draft) -> SmallVec<[u8; 1]> {
    let mut gpus: SmallVec<[u8; 1]> = SmallVec::new();
    for &id in &draft.order {
        if let Site::Gpu(gpu) = draft.item(id).site
            && !gpus.contains(&gpu)
        {
            gpus.push(gpu);
        }
    }
    gpus
}

/// How many first inputs an item hands on, or wants to know no more of than their shapes.
fn kept(item: &Item) -> usize {
    let Work::Op(run) = &item.work;
    match item.op() {
        "Shape" | "ShapeN" | "Size" | "Rank" => item.inputs.len(),
        "IdentityN" => item.inputs.len(),
        // Kept by a stack or an array: a value of the device stays there until somebody wants it.
        "StackPushV2" | "TensorArrayWriteV3" => item.inputs.len(),
        _ => usize::from(matches!(run, Run::View(_))),
    }
}

/// The kernel of an item that runs on a GPU; formulas have none.
fn launch_of(item: &Item) -> Option<Launch> {
    let entry = crate::ops::find(item.op()).filter(|_| matches!(item.site, Site::Gpu(_)))?;
    let host_inputs = entry.host_inputs;
    entry.gpu.map(|kernel| Launch {
        kernel,
        host_inputs,
        ends: entry.ends,
    })
}

/// For each frame its units in order.
fn order_blocks(draft: &Draft) -> Result<Vec<Vec<Unit>>> {
    let mut waits: FxHashMap<Unit, usize> = FxHashMap::default();
    let mut next: FxHashMap<Unit, Vec<Unit>> = FxHashMap::default();
    for &id in &draft.order {
        let item = draft.item(id);
        let unit = unit_of_consumer(item, id);
        waits.entry(unit).or_insert(0);
        for from in item.sources() {
            if is_back_edge(draft.item(from), item) {
                continue;
            }
            let before = unit_of_producer(draft.item(from), from);
            if before == unit || is_constant_inside(draft, from, item) {
                continue;
            }
            *waits.entry(unit).or_insert(0) += 1;
            next.entry(before).or_default().push(unit);
        }
    }
    let key = |unit: Unit| match unit {
        Unit::Item(id) => (draft.ranks.of_item(id), unit),
        Unit::Loop(frame) => (draft.ranks.of_loop(frame), unit),
    };
    let free = waits
        .iter()
        .filter(|(_, n)| **n == 0)
        .map(|(unit, _)| *unit);
    let mut ready: BinaryHeap<_> = free.map(|unit| Reverse(key(unit))).collect();
    let mut blocks: Vec<Vec<Unit>> = vec![Vec::new(); draft.frames.len()];
    let mut done = 0;
    while let Some(Reverse((_, unit))) = ready.pop() {
        done += 1;
        let block = match unit {
            Unit::Item(id) => draft.item(id).frame,
            Unit::Loop(frame) => draft.frames[frame as usize].parent,
        };
        blocks[block as usize].push(unit);
        for then in next.remove(&unit).unwrap_or_default() {
            let left = waits.get_mut(&then).expect("every unit has a count");
            *left -= 1;
            if *left == 0 {
                ready.push(Reverse(key(then)));
            }
        }
    }
    if done < waits.len() {
        return Err(Error::invalid(
            "The graph couldn't be sorted in topological order: a while loop waits for its own results.",
        ));
    }
    Ok(blocks)
}

/// Values that enter a loop are there before its first step: no order is needed inside.
fn is_constant_inside(draft: &Draft, from: ItemId, to: &Item) -> bool {
    is_enter(draft.item(from).op()) && draft.item(from).frame == to.frame && !is_enter(to.op())
}

/// An Enter is a matter of the loop's step, which stands in the frame around.
fn unit_of_consumer(item: &Item, id: ItemId) -> Unit {
    if is_enter(item.op()) {
        Unit::Loop(item.frame)
    } else {
        Unit::Item(id)
    }
}

fn unit_of_producer(item: &Item, id: ItemId) -> Unit {
    if is_enter(item.op()) || is_exit(item.op()) {
        Unit::Loop(item.frame)
    } else {
        Unit::Item(id)
    }
}

struct Lowering<'a> {
    draft: &'a Draft,
    blocks: Vec<Vec<Unit>>,
    slots: u32,
    slot_of: FxHashMap<(ItemId, u16), u32>,
    alive_bit: FxHashMap<ItemId, u32>,
    lasting: u32,
    /// The constants that steps read, numbered anew.
    constants: Vec<Value>,
    constant_of: FxHashMap<u32, u32>,
    /// Loops whose steps are ready, by frame.
    made: FxHashMap<FrameId, Vec<Step>>,
}

impl Lowering<'_> {
    /// A slot for each output that somebody reads.
    fn number_outputs(&mut self) {
        let draft = self.draft;
        for &id in &draft.order {
            for &input in &draft.item(id).inputs {
                self.slot_for(input);
            }
        }
        for &fetch in &draft.fetches {
            self.slot_for(fetch);
        }
    }

    fn slot_for(&mut self, source: Source) {
        if let Source::Item(item, output) = source {
            let slots = &mut self.slots;
            self.slot_of.entry((item, output)).or_insert_with(|| {
                *slots += 1;
                *slots - 1
            });
        }
    }

    /// A bit for each item that may die and whose death is not seen from data alone.
    fn number_alive_bits(&mut self) {
        let draft = self.draft;
        for &id in &draft.order {
            for control in self.controls_to_check(id) {
                let next = self.alive_bit.len() as u32;
                self.alive_bit.entry(control).or_insert(next);
            }
        }
        debug_assert!(draft.items.len() >= self.alive_bit.len());
    }

    fn controls_to_check(&self, id: ItemId) -> SmallVec<[ItemId; 2]> {
        let item = self.draft.item(id);
        let controls = item.controls.iter().copied();
        if is_merge(item.op()) || item.op() == "ControlTrigger" {
            return SmallVec::new();
        }
        let may_die = controls.filter(|c| self.draft.item(*c).life != 0);
        may_die
            .filter(|c| !self.is_seen_from_data(item, *c))
            .collect()
    }

    fn is_seen_from_data(&self, item: &Item, control: ItemId) -> bool {
        let wanted = self.draft.item(control).life;
        let lives = &self.draft.lives;
        let mut inputs = item.inputs.iter();
        inputs.any(|source| lives.source_implies(self.draft, *source, wanted))
    }

    /// Steps of every frame, the innermost first, so that no recursion follows the nesting.
    fn lower_all(&mut self) -> Result<Vec<Step>> {
        let mut frames: Vec<FrameId> = (0..self.draft.frames.len() as FrameId).collect();
        frames.sort_by_key(|f| Reverse(self.draft.frames[*f as usize].depth));
        for frame in frames {
            let units = std::mem::take(&mut self.blocks[frame as usize]);
            let mut steps = Vec::with_capacity(units.len());
            for unit in units {
                match unit {
                    Unit::Item(id) => steps.push(self.lower(id)?),
                    Unit::Loop(inner) => steps.push(self.lower_loop(inner)?),
                }
            }
            self.made.insert(frame, steps);
        }
        Ok(self.made.remove(&0).unwrap_or_default())
    }

    fn place(&mut self, source: Source) -> Place {
        match source {
            Source::Feed(feed) => Place::Slot(feed),
            Source::Constant(constant) => Place::Constant(self.used_constant(constant)),
            Source::Item(item, output) => Place::Slot(self.slot_of[&(item, output)]),
        }
    }

    fn used_constant(&mut self, constant: u32) -> u32 {
        let constants = &mut self.constants;
        *self.constant_of.entry(constant).or_insert_with(|| {
            constants.push(self.draft.constants[constant as usize].clone());
            (constants.len() - 1) as u32
        })
    }

    fn operand(&mut self, source: Source, wants_ref: bool) -> Operand {
        Operand {
            place: self.place(source),
            is_last: false,
            wants_ref,
        }
    }

    fn output_slots(&self, id: ItemId) -> SmallVec<[u32; 2]> {
        let count = self.draft.item(id).node.outputs.len();
        let slot = |i: usize| {
            self.slot_of
                .get(&(id, i as u16))
                .copied()
                .unwrap_or(NO_SLOT)
        };
        (0..count).map(slot).collect()
    }

    fn needs_alive(&self, id: ItemId) -> SmallVec<[u32; 1]> {
        let controls = self.controls_to_check(id);
        controls.iter().map(|c| self.alive_bit[c]).collect()
    }

    fn lower(&mut self, id: ItemId) -> Result<Step> {
        let draft = self.draft;
        let item = draft.item(id);
        let refs = input_refs(&item.node);
        let mut inputs: SmallVec<[Operand; 4]> = SmallVec::new();
        for (input, wants_ref) in item.inputs.iter().zip(&refs) {
            inputs.push(self.operand(*input, *wants_ref));
        }
        let action = self.action(id, &mut inputs)?;
        let writes = refs.iter().any(|r| *r);
        let is_lasting = is_lasting(item.op()).then(|| {
            self.lasting += 1;
            self.lasting - 1
        });
        Ok(Step {
            id: item.id,
            node: item.node.clone(),
            action,
            site: item.site,
            kept: kept(item),
            launch: launch_of(item),
            inputs,
            outputs: self.output_slots(id),
            can_die: item.life != 0 || is_exit(item.op()) || is_next_iteration(item.op()),
            life: item.life,
            needs_alive: self.needs_alive(id),
            says_alive: self.alive_bit.get(&id).copied(),
            keeps_inputs: writes || (item.node.def.is_stateful && !item.op().starts_with("Save")),
            is_lasting,
        })
    }

    fn action(&mut self, id: ItemId, inputs: &mut SmallVec<[Operand; 4]>) -> Result<Action> {
        let item = self.draft.item(id);
        let Work::Op(run) = &item.work;
        Ok(match item.op() {
            "Const" => {
                self.constants
                    .push(item.node.attrs.tensor("value")?.clone());
                Action::Constant((self.constants.len() - 1) as u32)
            }
            "Identity"
            | "RefIdentity"
            | "LoopCond"
            | "PlaceholderWithDefault"
            | "StopGradient"
            | "PreventGradient"
            | "Snapshot" => Action::Forward,
            "Placeholder" | "PlaceholderV2" => Action::Unfed,
            "NoOp" | "ControlTrigger" => Action::Nothing,
            op if is_switch(op) => Action::Switch,
            op if is_next_iteration(op) => Action::NextIteration,
            op if is_exit(op) => Action::Exit,
            op if is_merge(op) && is_loop_merge(self.draft, id) => Action::LoopMerge {
                entering: self.entering_first(id, inputs),
            },
            op if is_merge(op) => Action::Merge,
            op => match run {
                Run::Kernel(kernel) | Run::Host(kernel) | Run::View(kernel) => {
                    Action::Kernel(*kernel)
                }
                Run::Map(_) | Run::MapWith(_) => {
                    let dtypes: SmallVec<[DType; 4]> =
                        item.inputs.iter().map(|s| self.draft.dtype(*s)).collect();
                    let map = map::compile(&item.node, run, &dtypes);
                    let map = map.map_err(|e| e.at(&*item.node.name))?;
                    Action::Map(map.expect("the op is elementwise"))
                }
                _ => {
                    return Err(Error::unimplemented(format!(
                        "op '{op}' has no kernel yet; see docs/adding-an-op.md"
                    ))
                    .at(&*item.node.name));
                }
            },
        })
    }

    /// Moves the inputs that come from the iteration before behind the others; returns how many others there are.
    fn entering_first(&self, id: ItemId, inputs: &mut SmallVec<[Operand; 4]>) -> usize {
        let item = self.draft.item(id);
        let comes_back = |source: &Source| {
            source
                .item()
                .is_some_and(|from| is_back_edge(self.draft.item(from), item))
        };
        let pairs = || item.inputs.iter().zip(inputs.iter());
        let entering: SmallVec<[Operand; 4]> = pairs()
            .filter(|(s, _)| !comes_back(s))
            .map(|(_, o)| *o)
            .collect();
        let count = entering.len();
        let back = pairs().filter(|(s, _)| comes_back(s)).map(|(_, o)| *o);
        let all: SmallVec<[Operand; 4]> = entering.iter().copied().chain(back).collect();
        *inputs = all;
        count
    }

    fn lower_loop(&mut self, frame: FrameId) -> Result<Step> {
        let draft = self.draft;
        let members = || {
            draft
                .order
                .iter()
                .copied()
                .filter(|id| draft.item(*id).frame == frame)
        };
        let steps = self.made.remove(&frame).unwrap_or_default();
        let mut enters = Vec::new();
        let mut next = Vec::new();
        let mut exits = Vec::new();
        for id in members() {
            let item = draft.item(id);
            let slot = self.slot_of.get(&(id, 0)).copied();
            if is_enter(item.op()) {
                let wants_ref = input_refs(&item.node)[0];
                enters.push(Enter {
                    id: item.id,
                    node: item.node.clone(),
                    input: self.operand(item.inputs[0], wants_ref),
                    slot: slot.unwrap_or(NO_SLOT),
                    needs_alive: self.needs_alive(id),
                    says_alive: self.alive_bit.get(&id).copied(),
                });
            } else if is_next_iteration(item.op()) {
                next.extend(slot);
            } else if is_exit(item.op()) {
                exits.extend(slot);
            }
        }
        let first = enters
            .first()
            .ok_or_else(|| Error::internal("a loop without an Enter"))?;
        let (id, node) = (first.id, first.node.clone());
        Ok(Step {
            id,
            node,
            site: Site::Anywhere,
            kept: 0,
            launch: None,
            inputs: SmallVec::new(),
            outputs: SmallVec::new(),
            can_die: false,
            life: 0,
            needs_alive: SmallVec::new(),
            says_alive: None,
            keeps_inputs: false,
            is_lasting: None,
            action: Action::Loop(Box::new(Loop {
                name: draft.frames[frame as usize].name.clone(),
                enters,
                steps,
                next,
                exits,
            })),
        })
    }

    fn fetches(&mut self, graph: &Graph) -> Vec<Fetch> {
        let draft = self.draft;
        let fetches = draft.fetches.iter().map(|source| {
            let place = self.place(*source);
            let name = match source {
                Source::Item(item, output) => {
                    format!("_retval_{}_{output}", draft.item(*item).node.name)
                }
                Source::Feed(feed) => graph.tensor_name(draft.feeds[*feed as usize]),
                Source::Constant(_) => String::new(),
            };
            Fetch { place, name }
        });
        fetches.collect()
    }
}

/// Ops that the executor runs by itself.
pub fn needs_no_kernel(op: &str) -> bool {
    is_flow(op)
        || matches!(
            op,
            "Const"
                | "Identity"
                | "RefIdentity"
                | "NoOp"
                | "ControlTrigger"
                | "Placeholder"
                | "PlaceholderV2"
                | "PlaceholderWithDefault"
                | "StopGradient"
                | "PreventGradient"
                | "Snapshot"
        )
}

/// Ops whose outputs are made once in a session.
fn is_lasting(op: &str) -> bool {
    matches!(op, "VariableV2" | "Variable" | "VarHandleOp")
}
