//! For runs in parts: which feeds must be there before a step can run, by its inputs and its control inputs.

use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

use super::draft::{Draft, Source, is_back_edge};
use super::step::{Action, FeedSet, Plan};
use crate::graph::NodeId;

/// One set for each step of the plan's own block.
pub fn find_needs(draft: &Draft, plan: &Plan) -> Vec<FeedSet> {
    let words = draft.feeds.len().div_ceil(64).max(1);
    let mut needs: Vec<FeedSet> = vec![smallvec![0; words]; draft.items.len()];
    let mut of_node: FxHashMap<NodeId, usize> = FxHashMap::default();
    for &id in &draft.order {
        let item = draft.item(id);
        let mut all: FeedSet = smallvec![0; words];
        for input in &item.inputs {
            if let Source::Feed(feed) = input {
                all[*feed as usize / 64] |= 1 << (feed % 64);
            }
        }
        for from in item.sources() {
            if !is_back_edge(draft.item(from), item) {
                join(&mut all, &needs[from as usize]);
            }
        }
        needs[id as usize] = all;
        of_node.insert(item.id, id as usize);
    }
    let of_step = |step: &super::Step| match &step.action {
        Action::Loop(body) => {
            let mut all: FeedSet = smallvec![0; words];
            for enter in &body.enters {
                join(&mut all, &needs[of_node[&enter.id]]);
            }
            all
        }
        _ => needs[of_node[&step.id]].clone(),
    };
    plan.steps.iter().map(of_step).collect()
}

fn join(all: &mut SmallVec<[u64; 1]>, more: &FeedSet) {
    for (a, b) in all.iter_mut().zip(more) {
        *a |= b;
    }
}
