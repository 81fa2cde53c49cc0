//! Which nodes lie between ys and xs, and how many gradients each of them waits for.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Result;
use crate::graph::{Endpoint, Graph, NodeId};
use crate::value::DType;

use super::is_trainable;
use super::loops::Loops;

pub(super) struct Reach {
    /// Those ends that some beginning reaches.
    pub reachable_ends: FxHashSet<NodeId>,
    /// For each node between: how many inputs of nodes between come from it.
    pub pending: FxHashMap<NodeId, i64>,
    pub loops: Loops,
}

/// Looks forward from `from` through differentiable tensors, then backward from `to`; begins the loops that run the
/// loops between them backwards.
pub(super) fn reach(
    graph: &mut Graph,
    from: &[NodeId],
    to: &[NodeId],
    colocate: bool,
) -> Result<Reach> {
    let mut reached = reached_from(graph, from);
    let ends = to.iter().copied().filter(|node| reached.contains(node));
    let reachable_ends: FxHashSet<NodeId> = ends.collect();
    let mut between = Vec::new();
    let mut is_between = FxHashSet::default();
    let mut queue: VecDeque<NodeId> = to.iter().copied().collect();
    while let Some(node) = queue.pop_front() {
        if reached.remove(&node) {
            between.push(node);
            is_between.insert(node);
            queue.extend(graph.node(node).inputs.iter().map(|e| e.node));
        }
    }
    let loops = Loops::find(graph, &mut between, &mut is_between, colocate)?;
    let mut pending: FxHashMap<NodeId, i64> = FxHashMap::default();
    for node in between {
        for input in &graph.node(node).inputs {
            if is_between.contains(&input.node) {
                *pending.entry(input.node).or_insert(0) += 1;
            }
        }
    }
    Ok(Reach {
        reachable_ends,
        pending,
        loops,
    })
}

fn reached_from(graph: &Graph, from: &[NodeId]) -> FxHashSet<NodeId> {
    let mut reached = FxHashSet::default();
    let mut queue: VecDeque<NodeId> = from.iter().copied().collect();
    while let Some(node) = queue.pop_front() {
        if !reached.insert(node) {
            continue;
        }
        let outputs = &graph.node(node).outputs;
        let flows = |d: DType| is_trainable(d) || d == DType::BF16;
        if outputs.iter().all(|output| flows(output.dtype)) {
            queue.extend(graph.data_consumers(node));
            continue;
        }
        for (i, output) in outputs.iter().enumerate() {
            if flows(output.dtype) {
                queue.extend(graph.consumers(Endpoint::new(node, i)));
            }
        }
    }
    reached
}

/// Nodes that are not differentiated: beginnings with no other beginning before them, and those asked for.
pub(super) fn stops(
    graph: &Graph,
    from: &[NodeId],
    asked: &[NodeId],
    pending: &FxHashMap<NodeId, i64>,
) -> FxHashSet<NodeId> {
    let waits = |e: &Endpoint| pending.get(&e.node).is_some_and(|n| *n > 0);
    let is_stop = |node: &&NodeId| !graph.node(**node).inputs.iter().any(waits);
    from.iter().filter(is_stop).chain(asked).copied().collect()
}
