//! Which items may be dead in a run, and which are dead together.
//!
//! An item's *life* is the set of conditions that must hold for it to run: `(predicate, branch)` for each Switch above
//! it. A Merge of both branches of one predicate lives as the Switch does. Items of one life run or rest together, so
//! only they may be fused, and items of the empty life are never checked.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::draft::{
    Draft, FrameId, Item, ItemId, LifeId, Source, is_back_edge, is_enter, is_exit, is_merge,
    is_next_iteration, is_switch,
};

/// A condition: an output of a Switch on this predicate, or something opaque that only this item knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    Branch(Source, u16),
    Opaque(ItemId),
}

type Set = SmallVec<[Condition; 2]>;

/// The lives in use; number 0 is the empty one.
#[derive(Clone, Debug)]
pub struct Lives {
    sets: Vec<Set>,
    index: FxHashMap<Set, LifeId>,
}

impl Default for Lives {
    fn default() -> Self {
        let empty = Set::new();
        Lives {
            sets: vec![empty.clone()],
            index: [(empty, 0)].into_iter().collect(),
        }
    }
}

impl Lives {
    fn intern(&mut self, mut set: Set) -> LifeId {
        set.sort_unstable();
        set.dedup();
        if let Some(known) = self.index.get(&set) {
            return *known;
        }
        let id = self.sets.len() as LifeId;
        self.sets.push(set.clone());
        self.index.insert(set, id);
        id
    }

    /// Alive when both are.
    pub fn both(&mut self, a: LifeId, b: LifeId) -> LifeId {
        if a == b || b == 0 {
            return a;
        }
        if a == 0 {
            return b;
        }
        let mut set = self.sets[a as usize].clone();
        set.extend(self.sets[b as usize].iter().copied());
        self.intern(set)
    }

    fn and(&mut self, a: LifeId, condition: Condition) -> LifeId {
        let mut set = self.sets[a as usize].clone();
        set.push(condition);
        self.intern(set)
    }

    /// The life of a Merge whose two inputs live as `a` and `b`, when these are the two branches of one predicate.
    fn either(&mut self, a: LifeId, b: LifeId) -> Option<LifeId> {
        if a == b {
            return Some(a);
        }
        let (x, y) = (&self.sets[a as usize], &self.sets[b as usize]);
        let only =
            |x: &Set, y: &Set| -> Set { x.iter().filter(|c| !y.contains(c)).copied().collect() };
        let (in_x, in_y) = (only(x, y), only(y, x));
        match (in_x.as_slice(), in_y.as_slice()) {
            ([Condition::Branch(p, i)], [Condition::Branch(q, j)]) if p == q && i != j => {
                let common = x.iter().filter(|c| **c != in_x[0]).copied().collect();
                Some(self.intern(common))
            }
            ([], _) => Some(a),
            (_, []) => Some(b),
            _ => None,
        }
    }

    /// Whether `life` holds whenever `source` is alive.
    pub fn source_implies(&self, draft: &Draft, source: Source, life: LifeId) -> bool {
        let Source::Item(id, output) = source else {
            return life == 0;
        };
        let item = draft.item(id);
        let branch = is_switch(item.op())
            .then(|| Condition::Branch(through_identities(draft, item.inputs[1]), output));
        let known = &self.sets[item.life as usize];
        let mut wanted = self.sets[life as usize].iter();
        wanted.all(|c| known.contains(c) || branch.as_ref() == Some(c))
    }

    /// Whether whoever lives as `a` lives as `b` too.
    pub fn implies(&self, a: LifeId, b: LifeId) -> bool {
        let a = &self.sets[a as usize];
        self.sets[b as usize].iter().all(|c| a.contains(c))
    }
}

/// Gives each item its life.
pub fn find_lives(draft: &mut Draft) {
    let mut irregular = vec![false; draft.frames.len()];
    // A loop whose variables do not all go on together is rare; its items are then taken to be unrelated.
    loop {
        assign(draft, &irregular);
        let mut is_settled = true;
        for frame in find_irregular(draft) {
            is_settled &= std::mem::replace(&mut irregular[frame as usize], true);
        }
        if is_settled {
            return;
        }
    }
}

fn assign(draft: &mut Draft, irregular: &[bool]) {
    let mut lives = Lives::default();
    for at in 0..draft.order.len() {
        let id = draft.order[at];
        let life = life_of(draft, &mut lives, irregular, id);
        draft.items[id as usize].life = life;
    }
    draft.lives = lives;
}

/// The life of what stands at an input.
fn source_life(draft: &Draft, lives: &mut Lives, source: Source) -> LifeId {
    let Source::Item(id, output) = source else {
        return 0;
    };
    let item = draft.item(id);
    if !is_switch(item.op()) {
        return item.life;
    }
    let predicate = through_identities(draft, item.inputs[1]);
    lives.and(item.life, Condition::Branch(predicate, output))
}

fn life_of(draft: &Draft, lives: &mut Lives, irregular: &[bool], id: ItemId) -> LifeId {
    let item = draft.item(id);
    if item.op() == "ControlTrigger" {
        return 0;
    }
    if is_merge(item.op()) {
        return life_of_merge(draft, lives, irregular, id);
    }
    let mut life = 0;
    for &input in &item.inputs {
        let of_input = source_life(draft, lives, input);
        life = lives.both(life, of_input);
    }
    for &control in &item.controls {
        life = lives.both(life, draft.item(control).life);
    }
    if is_exit(item.op()) {
        return if irregular[item.frame as usize] {
            lives.and(0, Condition::Opaque(id))
        } else {
            life_of_loop(draft, id).unwrap_or(life)
        };
    }
    life
}

/// An Exit lives as the Merge of its loop variable does: it gives its value once, when the loop ends.
fn life_of_loop(draft: &Draft, exit: ItemId) -> Option<LifeId> {
    let switch = draft.item(exit).inputs[0].item()?;
    let switch = draft.item(switch);
    if !is_switch(switch.op()) {
        return None;
    }
    Some(draft.item(switch.inputs[0].item()?).life)
}

fn life_of_merge(draft: &Draft, lives: &mut Lives, irregular: &[bool], id: ItemId) -> LifeId {
    let item = draft.item(id);
    let is_loop = is_loop_merge(draft, id);
    if is_loop && irregular[item.frame as usize] {
        return lives.and(0, Condition::Opaque(id));
    }
    let mut life = None;
    for &input in &item.inputs {
        if let Some(from) = input.item()
            && is_back_edge(draft.item(from), item)
        {
            continue;
        }
        let of_input = source_life(draft, lives, input);
        life = match life {
            None => Some(of_input),
            Some(so_far) => match lives.either(so_far, of_input) {
                Some(merged) => Some(merged),
                None => return lives.and(0, Condition::Opaque(id)),
            },
        };
    }
    life.unwrap_or(0)
}

/// Whether a Merge takes a value from the iteration before.
pub fn is_loop_merge(draft: &Draft, id: ItemId) -> bool {
    let item = draft.item(id);
    let mut from = item.inputs.iter().filter_map(|s| s.item());
    from.any(|f| is_next_iteration(draft.item(f).op()))
}

/// Frames in which the loop variables do not share one predicate, or do not enter together.
fn find_irregular(draft: &Draft) -> Vec<FrameId> {
    let mut first: FxHashMap<FrameId, (LifeId, Option<Condition>)> = FxHashMap::default();
    let mut irregular = Vec::new();
    let enters = |is_constant: bool| {
        let enters = draft.order.iter().map(|id| draft.item(*id));
        enters.filter(move |i| is_enter(i.op()) && is_constant_enter(i) == is_constant)
    };
    for item in enters(false) {
        let seen = first.entry(item.frame).or_insert((item.life, None));
        if seen.0 != item.life {
            irregular.push(item.frame);
        }
    }
    for item in enters(true) {
        if let Some(seen) = first.get(&item.frame)
            && !draft.lives.implies(seen.0, item.life)
        {
            irregular.push(item.frame);
        }
    }
    for &id in &draft.order {
        let item = draft.item(id);
        if !is_next_iteration(item.op()) {
            continue;
        }
        let Some(seen) = first.get_mut(&item.frame) else {
            irregular.push(item.frame);
            continue;
        };
        let (base, life) = (
            &draft.lives.sets[seen.0 as usize],
            &draft.lives.sets[item.life as usize],
        );
        let more: Set = life.iter().filter(|c| !base.contains(c)).copied().collect();
        match more.as_slice() {
            [condition] if seen.1.is_none_or(|c| c == *condition) => seen.1 = Some(*condition),
            _ => irregular.push(item.frame),
        }
    }
    irregular
}

pub fn is_constant_enter(item: &Item) -> bool {
    item.node.attrs.bool("is_constant").unwrap_or(false)
}

/// The source that a chain of Identity nodes hands on.
fn through_identities(draft: &Draft, mut source: Source) -> Source {
    while let Source::Item(id, 0) = source
        && draft.item(id).op() == "Identity"
    {
        source = draft.item(id).inputs[0];
    }
    source
}
