//! In what order a thread of TensorFlow's executor would start the items. Where a program fetches a value beside an
//! update of what it reads, this says whether the value is that of before.
//!
//! TensorFlow begins with the nodes that wait for nothing. A node that is done gives back those that were waiting for it
//! alone. Cheap ones (they compute nothing, see [`is_cheap`]) queue up and run at once, in order; of the others the last
//! goes on here when nothing is queued, the rest lie on a stack, from which the newest is taken when the queue is empty.
//!
//! What TensorFlow's optimizer of graphs does before, only some of it is followed here: it drops nodes, it sorts, and of
//! those that wait for a variable's value, those that train the variable come to stand before the others.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::graph::{Graph, NodeId};

use super::RunSpec;
use super::draft::{
    Draft, FrameId, Item, ItemId, Source, is_back_edge, is_enter, is_exit, is_flow,
};
use super::fold::may_fold;

/// When each item starts, and each loop; numbers of one frame are compared with each other only.
#[derive(Clone, Debug, Default)]
pub struct Ranks {
    items: Vec<u32>,
    loops: Vec<u32>,
}

impl Ranks {
    pub fn of_item(&self, id: ItemId) -> u32 {
        self.items[id as usize]
    }

    pub fn of_loop(&self, frame: FrameId) -> u32 {
        self.loops[frame as usize]
    }
}

/// What starts in a frame. A loop inside starts as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Item(ItemId),
    Loop(FrameId),
    Feed(u32),
}

/// Fills the draft's ranks. The draft must be as the graph is: Identity nodes have their part in the order.
pub fn find_order(graph: &Graph, spec: &RunSpec, draft: &mut Draft) {
    let known = find_known(draft);
    let places = arrange_nodes(graph, spec);
    let mut blocks: Vec<Block> = Vec::new();
    blocks.resize_with(draft.frames.len(), Block::default);
    for (feed, endpoint) in draft.feeds.iter().enumerate() {
        blocks[0].add(Unit::Feed(feed as u32), places[endpoint.node as usize]);
    }
    for id in 0..draft.items.len() as ItemId {
        let place = places[draft.item(id).id as usize];
        match known[id as usize] {
            Known::Inside => continue,
            Known::Read => blocks[0].add(Unit::Item(id), place),
            Known::Not => add_item(draft, &known, &mut blocks, id, place),
        }
    }
    let trains = find_training(draft);
    let mut ranks = Ranks {
        items: vec![0; draft.items.len()],
        loops: vec![0; draft.frames.len()],
    };
    for block in blocks {
        for (rank, unit) in block.run(draft, &trains).into_iter().enumerate() {
            match unit {
                Unit::Item(id) => ranks.items[id as usize] = rank as u32,
                Unit::Loop(frame) => ranks.loops[frame as usize] = rank as u32,
                Unit::Feed(_) => {}
            }
        }
    }
    draft.ranks = ranks;
}

/// Where each node stands when TensorFlow's optimizer has dropped those that the run does not need: from the last of them
/// to the first, each hole is filled by what then stands last. It leaves graphs of less than four nodes alone.
fn arrange_nodes(graph: &Graph, spec: &RunSpec) -> Vec<u32> {
    let mut places: Vec<u32> = (0..graph.len() as u32).collect();
    if graph.len() < 4 {
        return places;
    }
    let is_needed = needed_nodes(graph, spec);
    let mut nodes = places.clone();
    let mut end = nodes.len();
    for hole in (0..nodes.len()).rev().filter(|node| !is_needed[*node]) {
        end -= 1;
        nodes.swap(hole, end);
    }
    for (place, node) in nodes.into_iter().enumerate() {
        places[node as usize] = place as u32;
    }
    places
}

/// What the fetches and targets depend on, feeds or no feeds.
fn needed_nodes(graph: &Graph, spec: &RunSpec) -> Vec<bool> {
    let mut is_needed = vec![false; graph.len()];
    let fetched = spec.fetches.iter().map(|e| e.node);
    let mut waiting: Vec<NodeId> = fetched.chain(spec.targets.iter().copied()).collect();
    while let Some(id) = waiting.pop() {
        if std::mem::replace(&mut is_needed[id as usize], true) {
            continue;
        }
        let node = graph.node(id);
        waiting.extend(node.inputs.iter().map(|e| e.node));
        waiting.extend(node.control_inputs.iter().copied());
    }
    is_needed
}

/// The items that an optimizer's update depends on.
fn find_training(draft: &Draft) -> Vec<bool> {
    let mut trains = vec![false; draft.items.len()];
    for &id in draft.order.iter().rev() {
        let item = draft.item(id);
        if trains[id as usize] || item.op().contains("Apply") {
            trains[id as usize] = true;
            item.sources().for_each(|from| trains[from as usize] = true);
        }
    }
    trains
}

/// Whether the item's output is the memory of a reference variable.
fn is_variable_value(draft: &Draft, item: &Item) -> bool {
    let is_ref = |source: &Source| match source {
        Source::Item(from, output) => draft.item(*from).node.outputs[*output as usize].is_ref,
        _ => false,
    };
    matches!(item.op(), "VariableV2" | "Variable")
        || (item.op() == "Identity" && item.inputs.iter().any(is_ref))
}

/// Puts an item into the block of its frame. An Enter stands in two: its loop waits for it, and its loop begins with it.
fn add_item(draft: &Draft, known: &[Known], blocks: &mut [Block], id: ItemId, place: u32) {
    let item = draft.item(id);
    let (block, unit) = match is_enter(item.op()) {
        true => {
            blocks[item.frame as usize].add(Unit::Item(id), place);
            let outer = draft.frames[item.frame as usize].parent;
            (outer, Unit::Loop(item.frame))
        }
        false => (item.frame, Unit::Item(id)),
    };
    let block = &mut blocks[block as usize];
    block.add(unit, place);
    for source in &item.inputs {
        match *source {
            Source::Feed(feed) => block.wait(unit, Unit::Feed(feed)),
            Source::Item(from, _) => wait_for_item(draft, known, block, unit, item, from),
            Source::Constant(_) => {}
        }
    }
    for &from in &item.controls {
        wait_for_item(draft, known, block, unit, item, from);
    }
}

fn wait_for_item(
    draft: &Draft,
    known: &[Known],
    block: &mut Block,
    unit: Unit,
    item: &Item,
    from: ItemId,
) {
    let source = draft.item(from);
    let before = match is_exit(source.op()) {
        true => Unit::Loop(source.frame),
        false => Unit::Item(from),
    };
    let is_there = known[from as usize] != Known::Inside;
    if is_there && before != unit && !is_back_edge(source, item) {
        block.wait(unit, before);
    }
}

/// What TensorFlow computes before it runs anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Not,
    /// Known, and read by something that is not.
    Read,
    /// Known, and gone: only what is known reads it.
    Inside,
}

fn find_known(draft: &Draft) -> Vec<Known> {
    let mut known = vec![Known::Not; draft.items.len()];
    for &id in &draft.order {
        let item = draft.item(id);
        let is_known = |source: &Source| match source {
            Source::Item(from, _) => known[*from as usize] != Known::Not,
            _ => false,
        };
        let is_plain = item.life == 0 && item.frame == 0 && item.controls.is_empty();
        let folds = !item.inputs.is_empty()
            && !is_flow(item.op())
            && item.inputs.iter().all(is_known)
            && may_fold(&item.node);
        if is_plain && (item.op() == "Const" || folds) {
            known[id as usize] = Known::Inside;
        }
    }
    let fetched = draft.fetches.iter().filter_map(|source| source.item());
    let unknown = draft
        .order
        .iter()
        .filter(|id| known[**id as usize] == Known::Not);
    let read = unknown.flat_map(|id| draft.item(*id).sources());
    let read: Vec<ItemId> = fetched
        .chain(read)
        .chain(draft.targets.iter().copied())
        .collect();
    for id in read {
        if known[id as usize] == Known::Inside {
            known[id as usize] = Known::Read;
        }
    }
    known
}

/// What starts in one frame, and what waits for what.
#[derive(Default)]
struct Block {
    known: FxHashMap<Unit, usize>,
    units: Vec<Unit>,
    places: Vec<u32>,
    befores: Vec<SmallVec<[usize; 3]>>,
}

impl Block {
    fn number(&mut self, unit: Unit) -> usize {
        let next = self.units.len();
        let number = *self.known.entry(unit).or_insert(next);
        if number == next {
            self.units.push(unit);
            self.places.push(u32::MAX);
            self.befores.push(SmallVec::new());
        }
        number
    }

    /// A loop stands where the first of its Enters does.
    fn add(&mut self, unit: Unit, place: u32) {
        let number = self.number(unit);
        self.places[number] = self.places[number].min(place);
    }

    fn wait(&mut self, unit: Unit, before: Unit) {
        let (unit, before) = (self.number(unit), self.number(before));
        if !self.befores[unit].contains(&before) {
            self.befores[unit].push(before);
        }
    }

    /// The units in the order in which they start; such as wait for their own results are not among them.
    fn run(self, draft: &Draft, trains: &[bool]) -> Vec<Unit> {
        let mut order: Vec<usize> = (0..self.units.len()).collect();
        order.sort_by_key(|unit| self.places[*unit]);
        let mut order = self.sort(&order);
        // What is fed becomes an argument of the run, and these stand behind all others.
        order.sort_by_key(|unit| matches!(self.units[*unit], Unit::Feed(_)));
        let started = self.start(draft, trains, &order);
        started.into_iter().map(|unit| self.units[unit]).collect()
    }

    /// For each unit how many it waits for, and who waits for it, in this order.
    fn edges(&self, order: &[usize]) -> (Vec<usize>, Vec<SmallVec<[usize; 2]>>) {
        let waits = self.befores.iter().map(|befores| befores.len()).collect();
        let mut next = vec![SmallVec::new(); self.units.len()];
        for &unit in order {
            for &before in &self.befores[unit] {
                next[before].push(unit);
            }
        }
        (waits, next)
    }

    /// As TensorFlow sorts a graph: first those that wait for nothing, then whoever they let go, and so on.
    fn sort(&self, order: &[usize]) -> Vec<usize> {
        let (mut waits, next) = self.edges(order);
        let free = order.iter().copied();
        let mut sorted: Vec<usize> = free.filter(|unit| waits[*unit] == 0).collect();
        let mut at = 0;
        while at < sorted.len() {
            for &then in &next[sorted[at]] {
                waits[then] -= 1;
                if waits[then] == 0 {
                    sorted.push(then);
                }
            }
            at += 1;
        }
        sorted
    }

    /// Behind a variable those come first that train it: they lie deeper on the stack. A handle lets only those pass that
    /// read it for the caller.
    fn training_first(&self, draft: &Draft, trains: &[bool], unit: usize, next: &mut [usize]) {
        let Unit::Item(id) = self.units[unit] else {
            return;
        };
        let item = draft.item(id);
        let is_handle = item.op() == "VarHandleOp";
        if !is_handle && !is_variable_value(draft, item) {
            return;
        }
        let is_fetched = |id: ItemId| draft.fetches.iter().any(|f| f.item() == Some(id));
        let passes = |then: &usize| match self.units[*then] {
            Unit::Item(then) => !trains[then as usize] && (!is_handle || is_fetched(then)),
            _ => false,
        };
        next.sort_by_key(passes);
    }

    fn start(&self, draft: &Draft, trains: &[bool], order: &[usize]) -> Vec<usize> {
        let (mut waits, mut next) = self.edges(order);
        for unit in 0..next.len() {
            if let Unit::Item(id) = self.units[unit]
                && trains[id as usize]
            {
                self.training_first(draft, trains, unit, &mut next[unit]);
            }
        }
        let mut started = Vec::with_capacity(order.len());
        let mut queue: VecDeque<usize> = VecDeque::new();
        let mut stack: Vec<usize> = Vec::new();
        let free = order.iter().copied();
        let mut ready: Vec<usize> = free.filter(|unit| waits[*unit] == 0).collect();
        loop {
            let mut costly = None;
            for unit in ready.drain(..) {
                if is_cheap_unit(draft, self.units[unit]) {
                    queue.push_back(unit);
                } else {
                    stack.extend(costly.replace(unit));
                }
            }
            match costly {
                Some(unit) if queue.is_empty() => queue.push_back(unit),
                other => stack.extend(other),
            }
            let Some(unit) = queue.pop_front().or_else(|| stack.pop()) else {
                return started;
            };
            started.push(unit);
            for &then in &next[unit] {
                waits[then] -= 1;
                if waits[then] == 0 {
                    ready.push(then);
                }
            }
        }
    }
}

/// A loop begins with its Enters, which are cheap.
fn is_cheap_unit(draft: &Draft, unit: Unit) -> bool {
    match unit {
        Unit::Item(id) => is_cheap(draft.item(id).op()),
        Unit::Loop(_) | Unit::Feed(_) => true,
    }
}

/// Ops that TensorFlow's executor runs where it stands, found by tracing TensorFlow 1.15.5.
fn is_cheap(op: &str) -> bool {
    is_flow(op)
        || matches!(
            op,
            "Const"
                | "Identity"
                | "RefIdentity"
                | "IdentityN"
                | "StopGradient"
                | "PreventGradient"
                | "DebugGradientIdentity"
                | "GuaranteeConst"
                | "Placeholder"
                | "PlaceholderV2"
                | "PlaceholderWithDefault"
                | "NoOp"
                | "ControlTrigger"
                | "Shape"
                | "ShapeN"
                | "Rank"
                | "Size"
                | "Reshape"
                | "ExpandDims"
                | "Squeeze"
                | "BroadcastArgs"
                | "BroadcastGradientArgs"
                | "ConcatOffset"
        )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::graph::Endpoint;
    use crate::value::DType;

    fn place_of(plan: &str, name: &str) -> usize {
        plan.find(&format!("'{name}'")).expect(plan)
    }

    fn explain(g: &Graph, fetches: &[Endpoint]) -> String {
        let spec = RunSpec {
            fetches: fetches.to_vec(),
            ..Default::default()
        };
        let plan = super::super::plan_with(g, &spec, &|_| None, lookup);
        plan.unwrap().to_string()
    }

    #[test]
    fn what_is_computed_of_a_variable_comes_before_its_update() {
        let mut g = new_graph();
        let one = constant(&mut g, "one", 1.0);
        let v = typed(&mut g, "VariableV2", "v", DType::F32);
        let read = node(&mut g, "Identity", "read", &[v]);
        let up = node(&mut g, "AssignAdd", "up", &[v, one]);
        let twice = node(&mut g, "Add", "twice", &[read, read]);
        let plan = explain(&g, &[up, twice]);
        assert!(place_of(&plan, "twice") < place_of(&plan, "up"), "{plan}");
    }

    #[test]
    fn the_newest_of_two_updates_runs_first() {
        let mut g = new_graph();
        let one = constant(&mut g, "one", 1.0);
        let v = typed(&mut g, "VariableV2", "v", DType::F32);
        let add = node(&mut g, "AssignAdd", "add", &[v, one]);
        let set = node(&mut g, "Assign", "set", &[v, one]);
        let plan = explain(&g, &[add, set]);
        assert!(place_of(&plan, "set") < place_of(&plan, "add"), "{plan}");
    }

    #[test]
    fn the_last_nodes_fill_the_holes_of_those_that_are_dropped() {
        let mut g = new_graph();
        let names = ["a", "b", "c", "d", "e", "f"];
        let all = names.map(|name| constant(&mut g, name, 1.0));
        let spec = RunSpec {
            fetches: vec![all[0], all[2], all[4], all[5]],
            ..Default::default()
        };
        let places = arrange_nodes(&g, &spec);
        let kept = [0, 2, 4, 5].map(|node: usize| places[node]);
        // From the last hole on: 'f' goes where 'd' was, 'e' where 'b' was.
        assert_eq!(kept, [0, 2, 1, 3]);
    }
}
