//! From a graph and what a run asks of it to ordered steps: one pass a file, listed here in order.
//!
//! A plan is ours: derived, cached by the session, thrown away when the graph changes. The graph is never touched.

mod alike;
mod copies;
mod dedupe;
mod display;
mod draft;
mod fold;
mod frames;
mod fuse;
mod identity;
mod life;
mod memory;
mod needs;
mod order;
mod place;
mod prune;
mod schedule;
mod step;
mod sweep;
#[cfg(test)]
pub mod testing;
mod unused;
mod verify;

use crate::error::Result;
use crate::graph::{Endpoint, Graph, NodeId};
use crate::ops::{self, Run};

pub use place::Homes;
pub use step::{
    Action, End, Ended, Enter, Feed, FeedSet, Fetch, Group, Launch, Loop, Member, NO_SLOT, Need,
    Operand, Place, Plan, Site, Source, Step,
};

/// What a run feeds, fetches, and wants done besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RunSpec {
    pub feeds: Vec<Endpoint>,
    pub fetches: Vec<Endpoint>,
    pub targets: Vec<NodeId>,
    /// The run comes in parts, each with some of the feeds.
    pub is_partial: bool,
}

/// How an op of this name runs.
pub type Lookup = fn(&str) -> Option<Run>;

/// Plans with the ops of the registry.
pub fn plan(graph: &Graph, spec: &RunSpec, homes: Homes) -> Result<Plan> {
    plan_with(graph, spec, homes, |op| {
        ops::find(op).map(|entry| entry.run)
    })
}

/// Plans with kernels of the caller's.
pub fn plan_with(graph: &Graph, spec: &RunSpec, homes: Homes, lookup: Lookup) -> Result<Plan> {
    let mut draft = prune::prune(graph, spec, lookup)?;
    frames::find_frames(&mut draft)?;
    life::find_lives(&mut draft);
    order::find_order(graph, spec, &mut draft);
    identity::drop_identities(&mut draft)?;
    fold::fold(&mut draft)?;
    alike::drop_needless(&mut draft, graph)?;
    dedupe::dedupe(&mut draft)?;
    unused::drop_unused(&mut draft)?;
    sweep::sweep(&mut draft);
    place::place(&mut draft, graph, homes);
    let mut plan = schedule::schedule(graph, &draft)?;
    if spec.is_partial {
        // Steps run as their feeds come, so that no use of a slot is known to be the last.
        plan.needs = needs::find_needs(&draft, &plan);
    } else {
        plan = memory::assign_memory(fuse::fuse(plan));
    }
    verify::verify(&plan)?;
    Ok(plan)
}

#[cfg(test)]
mod tests;
