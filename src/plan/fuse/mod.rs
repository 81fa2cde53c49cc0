//! Puts elementwise steps together into groups that pass over their elements once: chains of maps, biases and choices,
//! the sum of all elements at the end, and updates of variables by what was computed.
//!
//! A group runs where its last member stood. A member may move there when no step in between reads its result, writes a
//! variable that it read, or reads a variable that it writes; and only with steps that live and die as it does. Shapes
//! that the graph does not know are compared in the run: where they do not go together, the members run one by one.

mod alias;
mod ends;
mod group;
mod members;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::value::{PartialShape, Value};

use super::step::{Action, Loop, NO_SLOT, Operand, Place, Plan, Site, Step};
use alias::{Aliases, Roots};
use group::Exact;
use members::{Part, part_of};

/// Groups have at most this many members: their values stay in the innermost cache.
const MAX_MEMBERS: usize = 32;
/// Groups that could still grow; the oldest is closed when there are more.
const MAX_OPEN: usize = 48;

/// A group in the making; its members have places in the block, ascending.
struct Open {
    members: Vec<usize>,
    shape: PartialShape,
    life: u32,
    site: Site,
    /// Variables in whose memory operands may lie.
    reads: Roots,
    writes: Roots,
}

pub fn fuse(mut plan: Plan) -> Plan {
    let reads = count_reads(&plan);
    let mut aliases = Aliases::default();
    let steps = std::mem::take(&mut plan.steps);
    let steps = fuse_block(steps, &plan.constants, &reads, &mut aliases);
    plan.steps = ends::end_kernels(steps, &reads, &aliases);
    plan
}

/// How often each slot is read, fetches and what loops hand on included.
fn count_reads(plan: &Plan) -> Vec<u32> {
    let mut reads = vec![0u32; plan.slots];
    for fetch in &plan.fetches {
        if let Place::Slot(slot) = fetch.place {
            reads[slot as usize] += 1;
        }
    }
    let mut blocks: Vec<&[Step]> = vec![&plan.steps];
    while let Some(steps) = blocks.pop() {
        for step in steps {
            for operand in &step.inputs {
                count(operand, &mut reads);
            }
            if let Action::Loop(body) = &step.action {
                body.enters.iter().for_each(|e| count(&e.input, &mut reads));
                for slot in body.next.iter().chain(&body.exits) {
                    if let Some(read) = reads.get_mut(*slot as usize) {
                        *read += 1;
                    }
                }
                blocks.push(&body.steps);
            }
        }
    }
    reads
}

fn count(operand: &Operand, reads: &mut [u32]) {
    if let Place::Slot(slot) = operand.place {
        reads[slot as usize] += 1;
    }
}

/// The recursion follows the nesting of loops, which `frames` bounds.
fn fuse_block(
    steps: Vec<Step>,
    constants: &[Value],
    reads: &[u32],
    aliases: &mut Aliases,
) -> Vec<Step> {
    let mut walk = Walk {
        parts: steps.iter().map(part_of).collect(),
        exact: FxHashMap::default(),
        steps: &steps,
        aliases,
        open: Vec::new(),
        made_by: FxHashMap::default(),
        elements: FxHashMap::default(),
        done: Vec::new(),
        next: 0,
    };
    for at in 0..steps.len() {
        walk.step(at);
    }
    let Walk {
        parts,
        open,
        done,
        exact,
        ..
    } = walk;
    let mut groups = done;
    groups.extend(open.into_iter().map(|(_, group)| group.members));
    let mut steps = group::rebuild(steps, parts, groups, &exact, constants, reads);
    for step in &mut steps {
        if let Action::Loop(body) = &mut step.action {
            fuse_loop(body, constants, reads, aliases);
        }
    }
    steps
}

/// In a loop values come back from the iteration before: a body that writes variables is left as it is.
fn fuse_loop(body: &mut Loop, constants: &[Value], reads: &[u32], aliases: &mut Aliases) {
    let writes = |step: &Step| step.inputs.iter().any(|o| o.wants_ref);
    if body.steps.iter().any(writes) {
        return;
    }
    let steps = std::mem::take(&mut body.steps);
    let steps = fuse_block(steps, constants, reads, aliases);
    body.steps = ends::end_kernels(steps, reads, aliases);
}

struct Walk<'a> {
    steps: &'a [Step],
    parts: Vec<Option<Part>>,
    aliases: &'a mut Aliases,
    open: Vec<(u32, Open)>,
    /// The open group that gives a slot.
    made_by: FxHashMap<u32, u32>,
    /// Slots with the elements of an open group; others that it gives are sums and references.
    elements: FxHashMap<u32, u32>,
    exact: Exact,
    done: Vec<Vec<usize>>,
    next: u32,
}

impl Walk<'_> {
    fn step(&mut self, at: usize) {
        let step = &self.steps[at];
        let written = self.aliases.written_by(step);
        let joined = match &self.parts[at] {
            Some(part) => self.candidates(step, part, &written),
            None => SmallVec::new(),
        };
        self.close_conflicts(step, &written, &joined);
        if self.parts[at].is_some() {
            self.join(at, &written, &joined);
        }
        self.aliases.note(step);
    }

    /// Open groups that give an operand of the step (or write the variable it reads), and that it may join.
    fn candidates(&self, step: &Step, part: &Part, written: &Roots) -> SmallVec<[u32; 2]> {
        let mut found: SmallVec<[u32; 2]> = SmallVec::new();
        let shape = shape_in_group(step, part);
        for operand in &step.inputs {
            let by_slot = match operand.place {
                Place::Slot(slot) => self.elements.get(&slot).copied(),
                Place::Constant(_) => None,
            };
            let root = self.aliases.exactly(operand);
            let by_variable = root.and_then(|root| {
                let writer = self.open.iter().find(|(_, g)| g.writes.contains(&root));
                writer.map(|(id, _)| *id)
            });
            for id in by_slot.into_iter().chain(by_variable) {
                if found.contains(&id) {
                    continue;
                }
                let Some((_, group)) = self.open.iter().find(|(open, _)| *open == id) else {
                    continue;
                };
                let members: usize = self.members_of(&found) + group.members.len();
                let fits = group.life == step.life
                    && group.site == step.site
                    && (matches!(part, Part::Sum { .. }) || is_alike(&group.shape, &shape))
                    && members < MAX_MEMBERS
                    && self.may_read(group, step)
                    && !written.iter().any(|w| group.writes.contains(w));
                if fits {
                    found.push(id);
                }
            }
        }
        // Members of one group are ordered among themselves: no group that joins may write what another reads.
        let writers = self.open.iter().filter(|(id, _)| found.contains(id));
        if found.len() > 1 && writers.clone().any(|(_, g)| !g.writes.is_empty()) {
            found.truncate(1);
        }
        found
    }

    fn members_of(&self, ids: &[u32]) -> usize {
        let groups = self.open.iter().filter(|(id, _)| ids.contains(id));
        groups.map(|(_, g)| g.members.len()).sum()
    }

    /// What the step reads of variables that the group writes must be all of the variable: then it is the new content.
    fn may_read(&self, group: &Open, step: &Step) -> bool {
        step.inputs.iter().all(|operand| {
            let touches = |root: &u32| group.writes.contains(root);
            !self.aliases.of(operand).iter().any(touches)
                || self
                    .aliases
                    .exactly(operand)
                    .is_some_and(|r| group.writes.contains(&r))
        })
    }

    /// Closes the groups that must be done before the step runs.
    fn close_conflicts(&mut self, step: &Step, written: &Roots, joined: &[u32]) {
        let is_barrier = matches!(step.action, Action::Loop(_));
        let mut closing: SmallVec<[u32; 4]> = SmallVec::new();
        for operand in &step.inputs {
            if let Place::Slot(slot) = operand.place
                && let Some(id) = self.made_by.get(&slot)
                && !joined.contains(id)
            {
                closing.push(*id);
            }
        }
        // Handing a variable on reads nothing of it yet.
        let hands_on = matches!(step.action, Action::Forward)
            && step
                .inputs
                .iter()
                .all(|o| self.aliases.exactly(o).is_some());
        let read: Roots = match hands_on {
            true => Roots::new(),
            false => {
                let all = step.inputs.iter().flat_map(|o| self.aliases.of(o));
                all.copied().collect()
            }
        };
        let has_effects = step.node.def.is_stateful && !step.inputs.is_empty();
        for (id, group) in &self.open {
            let meets = |a: &Roots, b: &Roots| a.iter().any(|x| b.contains(x));
            let conflicts = is_barrier
                || meets(written, &group.reads)
                || meets(written, &group.writes)
                || meets(&read, &group.writes)
                || (has_effects && !group.writes.is_empty());
            if conflicts && !joined.contains(id) {
                closing.push(*id);
            }
        }
        for id in closing {
            self.close(id);
        }
    }

    fn close(&mut self, id: u32) {
        if let Some(at) = self.open.iter().position(|(open, _)| *open == id) {
            let (_, group) = self.open.remove(at);
            self.made_by.retain(|_, by| *by != id);
            self.elements.retain(|_, by| *by != id);
            self.done.push(group.members);
        }
    }

    fn join(&mut self, at: usize, written: &Roots, joined: &[u32]) {
        let step = &self.steps[at];
        let Some(part) = &self.parts[at] else { return };
        if matches!(part, Part::Sum { .. }) && joined.is_empty() {
            return;
        }
        let mut group = Open {
            members: Vec::new(),
            shape: shape_in_group(step, part),
            life: step.life,
            site: step.site,
            reads: step
                .inputs
                .iter()
                .flat_map(|o| self.aliases.of(o))
                .copied()
                .collect(),
            writes: written.clone(),
        };
        for id in joined {
            let Some(place) = self.open.iter().position(|(open, _)| open == id) else {
                continue;
            };
            let (_, other) = self.open.remove(place);
            group.members.extend(other.members);
            group.reads.extend(other.reads);
            group.writes.extend(other.writes);
            if let Ok(both) = group.shape.merge(&other.shape) {
                group.shape = both;
            }
        }
        group.members.push(at);
        group.members.sort_unstable();
        let id = self.next;
        self.next += 1;
        for by in self.made_by.values_mut().chain(self.elements.values_mut()) {
            if joined.contains(by) {
                *by = id;
            }
        }
        for &slot in step.outputs.iter().filter(|slot| **slot != NO_SLOT) {
            self.made_by.insert(slot, id);
            if matches!(part, Part::Value { .. }) {
                self.elements.insert(slot, id);
            }
        }
        for (i, operand) in step.inputs.iter().enumerate() {
            if let Some(root) = self.aliases.exactly(operand) {
                self.exact.insert((at, i), root);
            }
        }
        self.open.push((id, group));
        if self.open.len() > MAX_OPEN {
            let oldest = self.open[0].0;
            self.close(oldest);
        }
    }
}

/// The shape that the group's elements have when the step is in it.
fn shape_in_group(step: &Step, part: &Part) -> PartialShape {
    match part {
        Part::Sum { .. } => PartialShape::unknown(),
        _ => match step.node.outputs.first() {
            Some(output) => output.shape.clone(),
            None => PartialShape::unknown(),
        },
    }
}

/// Whether two shapes are the same as far as is known. Unknown ranks are like each other only.
fn is_alike(a: &PartialShape, b: &PartialShape) -> bool {
    match (a.rank(), b.rank()) {
        (Some(x), Some(y)) => x == y && a.is_compatible_with(b),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
