//! Sorts the items and finds the loop each stands in, as TensorFlow does: Enter leads into the frame that it names,
//! Exit leads out, everything else stays where its inputs are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::{bail, ensure};

use super::draft::{Draft, Frame, FrameId, ItemId, is_back_edge, is_enter, is_exit};

/// Loops may stand in loops this deep. The executor's recursion follows it.
const MAX_DEPTH: u32 = 64;

/// Fills `order`, `frames` and each item's frame.
pub fn find_frames(draft: &mut Draft) -> Result<()> {
    draft.order = sort(draft)?;
    draft.frames = vec![Frame {
        parent: 0,
        name: String::new(),
        depth: 0,
    }];
    let mut known: FxHashMap<(FrameId, String), FrameId> = FxHashMap::default();
    for at in 0..draft.order.len() {
        let id = draft.order[at];
        let outer = common_frame(draft, id)?;
        let frame = if is_enter(draft.item(id).op()) {
            let name = draft.item(id).node.attrs.str("frame_name")?.to_string();
            match known.get(&(outer, name.clone())) {
                Some(frame) => *frame,
                None => {
                    let frame = new_frame(draft, outer, name.clone())?;
                    known.insert((outer, name), frame);
                    frame
                }
            }
        } else {
            outer
        };
        let item = &mut draft.items[id as usize];
        ensure!(
            frame != 0 || !(is_exit(item.op()) || super::draft::is_next_iteration(item.op())),
            invalid,
            "Node '{}' ({}) is not inside a while loop: no Enter leads to it",
            item.node.name,
            item.op()
        );
        item.frame = frame;
    }
    check_back_edges(draft)
}

fn new_frame(draft: &mut Draft, parent: FrameId, name: String) -> Result<FrameId> {
    let depth = draft.frames[parent as usize].depth + 1;
    ensure!(
        depth <= MAX_DEPTH,
        invalid,
        "While loops stand in each other more than {MAX_DEPTH} deep at '{name}'"
    );
    draft.frames.push(Frame {
        parent,
        name,
        depth,
    });
    Ok((draft.frames.len() - 1) as FrameId)
}

/// The frame that an item's outputs lie in.
pub fn output_frame(draft: &Draft, id: ItemId) -> FrameId {
    let item = draft.item(id);
    if is_exit(item.op()) {
        draft.frames[item.frame as usize].parent
    } else {
        item.frame
    }
}

fn common_frame(draft: &Draft, id: ItemId) -> Result<FrameId> {
    let item = draft.item(id);
    let mut found: Option<(FrameId, ItemId)> = None;
    let mut has_value_from_outside = None;
    for input in &item.inputs {
        if input.item().is_none() {
            has_value_from_outside = Some(0);
        }
    }
    for from in item.sources() {
        if is_back_edge(draft.item(from), item) {
            continue;
        }
        let frame = output_frame(draft, from);
        match found {
            None => found = Some((frame, from)),
            Some((first, _)) if first == frame => {}
            Some((first, other)) => {
                let name = |f: FrameId| &draft.frames[f as usize].name;
                bail!(
                    invalid,
                    "The node '{}' has inputs from different frames. The input '{}' is in frame '{}'. The input '{}' is in frame '{}'.",
                    item.node.name,
                    draft.item(other).node.name,
                    name(first),
                    draft.item(from).node.name,
                    name(frame)
                );
            }
        }
    }
    let frame = found.map_or(0, |(frame, _)| frame);
    ensure!(
        has_value_from_outside.is_none() || frame == 0,
        invalid,
        "The node '{}' is in frame '{}' but takes a fed tensor without an Enter",
        item.node.name,
        draft.frames[frame as usize].name
    );
    Ok(frame)
}

/// A back edge must stay within its loop.
fn check_back_edges(draft: &Draft) -> Result<()> {
    for item in draft.items.iter() {
        for from in item.sources() {
            let source = draft.item(from);
            ensure!(
                !is_back_edge(source, item) || source.frame == item.frame,
                invalid,
                "The loop edge from '{}' to '{}' leads from one frame to another",
                source.node.name,
                item.node.name
            );
        }
    }
    Ok(())
}

/// Sources first, and in order of creation among those that are ready.
fn sort(draft: &Draft) -> Result<Vec<ItemId>> {
    let mut waits: Vec<u32> = vec![0; draft.items.len()];
    let mut next: Vec<Vec<ItemId>> = vec![Vec::new(); draft.items.len()];
    for (id, item) in draft.items.iter().enumerate() {
        for from in item.sources() {
            if !is_back_edge(draft.item(from), item) {
                waits[id] += 1;
                next[from as usize].push(id as ItemId);
            }
        }
    }
    let ready = (0..draft.items.len() as ItemId).filter(|id| waits[*id as usize] == 0);
    let mut ready: BinaryHeap<Reverse<ItemId>> = ready.map(Reverse).collect();
    let mut order = Vec::with_capacity(draft.items.len());
    while let Some(Reverse(id)) = ready.pop() {
        order.push(id);
        for &then in &next[id as usize] {
            waits[then as usize] -= 1;
            if waits[then as usize] == 0 {
                ready.push(Reverse(then));
            }
        }
    }
    if order.len() < draft.items.len() {
        let stuck = waits.iter().position(|w| *w > 0).unwrap_or(0);
        let error = Error::invalid("The graph couldn't be sorted in topological order.");
        return Err(error.at(&*draft.items[stuck].node.name));
    }
    Ok(order)
}
