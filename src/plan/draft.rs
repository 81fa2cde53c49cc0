//! What the passes work on: the nodes that a run needs, as items with sources. Items stand in order of creation.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::graph::{Endpoint, Node, NodeId};
use crate::ops::Run;
use crate::value::{DType, Shape, Value};

use super::step::Site;

/// An item's place in its draft.
pub type ItemId = u32;
/// A frame's place in its draft; 0 is the run itself.
pub type FrameId = u32;
/// A set of conditions under which an item runs, see [`super::life`]; 0 is the empty one: always.
pub type LifeId = u32;

/// Where an input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    Item(ItemId, u16),
    /// A fed tensor, by its place in the run's feeds.
    Feed(u32),
    /// A value known to the plan.
    Constant(u32),
}

impl Source {
    pub fn item(self) -> Option<ItemId> {
        match self {
            Source::Item(item, _) => Some(item),
            _ => None,
        }
    }
}

/// What an item does.
#[derive(Clone)]
pub enum Work {
    /// As its op says.
    Op(Run),
}

/// A node of the graph, or several in one.
#[derive(Clone)]
pub struct Item {
    pub id: NodeId,
    pub node: Arc<Node>,
    pub work: Work,
    pub inputs: SmallVec<[Source; 3]>,
    pub controls: SmallVec<[ItemId; 2]>,
    pub frame: FrameId,
    pub life: LifeId,
    pub site: Site,
    /// Gone: another source stands for each of its outputs.
    pub is_removed: bool,
}

impl Item {
    pub fn op(&self) -> &'static str {
        self.node.op()
    }

    /// The items that must come before, back edges of loops included.
    pub fn sources(&self) -> impl Iterator<Item = ItemId> + '_ {
        let data = self.inputs.iter().filter_map(|s| s.item());
        data.chain(self.controls.iter().copied())
    }
}

/// A while loop: the items between its Enters and its Exits.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub parent: FrameId,
    pub name: String,
    pub depth: u32,
}

/// The plan in the making.
#[derive(Clone)]
pub struct Draft {
    pub items: Vec<Item>,
    pub feeds: Vec<Endpoint>,
    pub feed_types: Vec<DType>,
    pub fetches: Vec<Source>,
    /// Items that are wanted for what they do.
    pub targets: Vec<ItemId>,
    pub constants: Vec<Value>,
    pub small_constants: FxHashMap<(DType, Shape, Vec<u8>), u32>,
    pub frames: Vec<Frame>,
    /// Items so that sources come first, back edges aside.
    pub order: Vec<ItemId>,
    pub lives: super::life::Lives,
    /// When TensorFlow would start each of them.
    pub ranks: super::order::Ranks,
}

/// Constants of at most this many elements are compared.
const SMALL: usize = 16;

/// What stands for an item that was removed.
struct Removed {
    outputs: SmallVec<[Source; 2]>,
    controls: SmallVec<[ItemId; 2]>,
}

impl Draft {
    pub fn item(&self, id: ItemId) -> &Item {
        &self.items[id as usize]
    }

    pub fn dtype(&self, source: Source) -> DType {
        match source {
            Source::Item(id, output) => self.item(id).node.outputs[output as usize].dtype,
            Source::Feed(feed) => self.feed_types[feed as usize],
            Source::Constant(constant) => self.constants[constant as usize].dtype(),
        }
    }

    /// A value of the plan's own; small ones that are equal become one.
    pub fn constant(&mut self, value: Value) -> Source {
        let next = self.constants.len() as u32;
        if value.num_elements() <= SMALL
            && let Some(buffer) = value.buffer()
        {
            let bytes = buffer.as_bytes().to_vec();
            let key = (value.dtype(), value.shape().clone(), bytes);
            let place = *self.small_constants.entry(key).or_insert(next);
            if place != next {
                return Source::Constant(place);
            }
        }
        self.constants.push(value);
        Source::Constant(next)
    }

    /// Walks the items in order. Where `decide` gives sources for an item's outputs, the item is removed and those
    /// stand for it; what waited for it waits for its control inputs instead, so no order is lost.
    pub fn rewrite<E>(
        &mut self,
        mut decide: impl FnMut(&mut Draft, ItemId) -> Result<Option<SmallVec<[Source; 2]>>, E>,
    ) -> Result<(), E> {
        let mut removed: Vec<Option<Removed>> = Vec::new();
        removed.resize_with(self.items.len(), || None);
        let order = std::mem::take(&mut self.order);
        for &id in &order {
            if self.item(id).is_removed {
                continue;
            }
            self.resolve(id, &removed);
            if let Some(outputs) = decide(self, id)? {
                let item = &mut self.items[id as usize];
                item.is_removed = true;
                removed[id as usize] = Some(Removed {
                    outputs,
                    controls: item.controls.clone(),
                });
            }
        }
        self.resolve_wanted(&removed);
        self.order = order;
        self.order.retain(|id| !self.items[*id as usize].is_removed);
        Ok(())
    }

    /// What was fetched or wanted and is gone: what stands for it is wanted, and what it waited for.
    fn resolve_wanted(&mut self, removed: &[Option<Removed>]) {
        let mut targets = Vec::new();
        for fetch in &mut self.fetches {
            if let Source::Item(item, output) = *fetch
                && let Some(gone) = &removed[item as usize]
            {
                *fetch = gone.outputs[output as usize];
                targets.extend(gone.controls.iter().copied());
            }
        }
        for &target in &self.targets {
            match &removed[target as usize] {
                None => targets.push(target),
                Some(gone) => {
                    targets.extend(gone.controls.iter().copied());
                    targets.extend(gone.outputs.iter().filter_map(|s| s.item()));
                }
            }
        }
        targets.sort_unstable();
        targets.dedup();
        self.targets = targets;
    }

    fn resolve(&mut self, id: ItemId, removed: &[Option<Removed>]) {
        let item = &mut self.items[id as usize];
        let mut more: SmallVec<[ItemId; 2]> = SmallVec::new();
        for input in &mut item.inputs {
            if let Source::Item(from, output) = *input
                && let Some(gone) = &removed[from as usize]
            {
                more.extend(gone.controls.iter().copied());
                *input = gone.outputs[output as usize];
            }
        }
        let mut controls: SmallVec<[ItemId; 2]> = SmallVec::new();
        for &control in &item.controls {
            match &removed[control as usize] {
                None => controls.push(control),
                Some(gone) => {
                    controls.extend(gone.controls.iter().copied());
                    controls.extend(gone.outputs.iter().filter_map(|s| s.item()));
                }
            }
        }
        controls.extend(more);
        controls.sort_unstable();
        controls.dedup();
        controls.retain(|c| *c != id);
        item.controls = controls;
    }
}

/// Whether the edge closes a loop: from a NextIteration to its Merge.
pub fn is_back_edge(from: &Item, to: &Item) -> bool {
    is_next_iteration(from.op()) && is_merge(to.op())
}

pub fn is_switch(op: &str) -> bool {
    matches!(op, "Switch" | "RefSwitch")
}

pub fn is_merge(op: &str) -> bool {
    matches!(op, "Merge" | "RefMerge")
}

pub fn is_enter(op: &str) -> bool {
    matches!(op, "Enter" | "RefEnter")
}

pub fn is_exit(op: &str) -> bool {
    matches!(op, "Exit" | "RefExit")
}

pub fn is_next_iteration(op: &str) -> bool {
    matches!(op, "NextIteration" | "RefNextIteration")
}

/// Whether the executor runs the op itself.
pub fn is_flow(op: &str) -> bool {
    is_switch(op)
        || is_merge(op)
        || is_enter(op)
        || is_exit(op)
        || is_next_iteration(op)
        || op == "LoopCond"
}
