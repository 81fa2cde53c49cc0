//! Drops what nothing needs any more: inputs of nodes that were folded, copies of nodes that were shared, and waiting
//! for the pivot of a branch where an input says already that the branch runs.

use super::draft::{Draft, Item, ItemId, Source, is_flow, is_merge, is_switch};

pub fn sweep(draft: &mut Draft) {
    for at in 0..draft.order.len() {
        let id = draft.order[at];
        let item = draft.item(id);
        if is_flow(item.op()) || item.controls.is_empty() {
            continue;
        }
        let kept = item.controls.iter().copied();
        let kept = kept.filter(|c| !(is_pivot(draft, *c) && is_alive_by_data(draft, item, *c)));
        draft.items[id as usize].controls = kept.collect();
    }
    drop_unneeded(draft);
}

/// Whether all that waiting for an item says is which way a Switch went: it hands on a predicate or a loop variable.
fn is_pivot(draft: &Draft, id: ItemId) -> bool {
    let item = draft.item(id);
    let [Source::Item(switch, _)] = item.inputs.as_slice() else {
        return false;
    };
    let switch = draft.item(*switch);
    let hands_on_state = |source: Source| match source {
        Source::Item(from, _) => is_merge(draft.item(from).op()),
        _ => false,
    };
    item.op() == "Identity"
        && item.controls.is_empty()
        && is_switch(switch.op())
        && switch.controls.is_empty()
        && (switch.inputs[0] == switch.inputs[1] || hands_on_state(switch.inputs[0]))
}

fn is_alive_by_data(draft: &Draft, item: &Item, control: ItemId) -> bool {
    let wanted = draft.item(control).life;
    let mut inputs = item.inputs.iter();
    inputs.any(|source| draft.lives.source_implies(draft, *source, wanted))
}

fn drop_unneeded(draft: &mut Draft) {
    let mut is_needed = vec![false; draft.items.len()];
    let fetched = draft.fetches.iter().filter_map(|source| source.item());
    let mut waiting: Vec<u32> = fetched.chain(draft.targets.iter().copied()).collect();
    while let Some(id) = waiting.pop() {
        if !std::mem::replace(&mut is_needed[id as usize], true) {
            waiting.extend(draft.item(id).sources());
        }
    }
    draft.order.retain(|id| is_needed[*id as usize]);
    for (item, is_needed) in draft.items.iter_mut().zip(is_needed) {
        item.is_removed |= !is_needed;
    }
}
