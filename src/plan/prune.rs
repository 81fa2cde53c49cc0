//! First pass: keeps the nodes that the fetches and targets need. Fed tensors cut the graph.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::bail;
use crate::error::{Error, Result};
use crate::graph::{Endpoint, Graph, Node, NodeId};

use super::draft::{Draft, Item, ItemId, Source, Work, is_enter};
use super::{Lookup, RunSpec};

/// The nodes of a run, in order of creation.
pub fn prune(graph: &Graph, spec: &RunSpec, lookup: Lookup) -> Result<Draft> {
    let feeds = index_feeds(graph, spec)?;
    let needed = reach(graph, spec, &feeds)?;
    let mut item_of: FxHashMap<NodeId, ItemId> = FxHashMap::default();
    for (item, id) in needed.iter().enumerate() {
        item_of.insert(*id, item as ItemId);
    }
    let source = |e: Endpoint| match feeds.get(&e) {
        Some(feed) => Source::Feed(*feed),
        None => Source::Item(item_of[&e.node], e.index),
    };
    let mut items = Vec::with_capacity(needed.len());
    for &id in &needed {
        let node = graph.node(id);
        check_feeds_of_references(graph, node, &feeds)?;
        check_back_edge(graph, node)?;
        let run = lookup(node.op()).ok_or_else(|| no_kernel(node))?;
        if matches!(run, crate::ops::Run::None) && !super::schedule::needs_no_kernel(node.op()) {
            return Err(no_kernel(node));
        }
        // A control input from a fed placeholder is satisfied by the feed: its node is not there.
        let controls = node
            .control_inputs
            .iter()
            .filter_map(|c| item_of.get(c).copied());
        items.push(Item {
            id,
            node: node.clone(),
            work: Work::Op(run),
            inputs: node.inputs.iter().map(|e| source(*e)).collect(),
            controls: controls.collect(),
            frame: 0,
            life: 0,
            site: super::step::Site::Host,
            is_removed: false,
        });
    }
    Ok(Draft {
        items,
        feeds: spec.feeds.clone(),
        feed_types: spec.feeds.iter().map(|e| graph.dtype(*e)).collect(),
        fetches: spec
            .fetches
            .iter()
            .map(|e| source(outside_of_loops(graph, *e, &feeds)))
            .collect(),
        // A target that is a fed placeholder is not there: the feed has done it.
        targets: spec
            .targets
            .iter()
            .filter_map(|t| item_of.get(t).copied())
            .collect(),
        constants: Vec::new(),
        small_constants: FxHashMap::default(),
        frames: Vec::new(),
        order: Vec::new(),
        lives: Default::default(),
        ranks: Default::default(),
    })
}

/// A fetched Enter gives what enters.
fn outside_of_loops(graph: &Graph, mut e: Endpoint, feeds: &FxHashMap<Endpoint, u32>) -> Endpoint {
    while !feeds.contains_key(&e) && is_enter(graph.node(e.node).op()) {
        let Some(input) = graph.node(e.node).inputs.first() else {
            break;
        };
        e = *input;
    }
    e
}

fn no_kernel(node: &Node) -> Error {
    Error::unimplemented(format!(
        "op '{}' has no kernel yet; see docs/adding-an-op.md",
        node.op()
    ))
    .at(&*node.name)
}

fn index_feeds(graph: &Graph, spec: &RunSpec) -> Result<FxHashMap<Endpoint, u32>> {
    let mut feeds = FxHashMap::default();
    for (i, e) in spec.feeds.iter().enumerate() {
        graph.try_output(*e)?;
        if feeds.insert(*e, i as u32).is_some() {
            bail!(
                invalid,
                "Endpoint \"{}\" fed more than once.",
                graph.tensor_name(*e)
            );
        }
    }
    Ok(feeds)
}

/// Nodes that must run, ascending.
fn reach(graph: &Graph, spec: &RunSpec, feeds: &FxHashMap<Endpoint, u32>) -> Result<Vec<NodeId>> {
    let mut is_needed = vec![false; graph.len()];
    let mut waiting: Vec<NodeId> = Vec::new();
    for e in &spec.fetches {
        graph.try_output(*e)?;
        if !feeds.contains_key(e) {
            waiting.push(e.node);
        }
    }
    for target in &spec.targets {
        graph.try_node(*target)?;
        if !is_fed_placeholder(graph, *target, feeds) {
            waiting.push(*target);
        }
    }
    while let Some(id) = waiting.pop() {
        if std::mem::replace(&mut is_needed[id as usize], true) {
            continue;
        }
        let node = graph.node(id);
        waiting.extend(
            node.inputs
                .iter()
                .filter(|e| !feeds.contains_key(e))
                .map(|e| e.node),
        );
        let controls = node.control_inputs.iter().copied();
        waiting.extend(controls.filter(|c| !is_fed_placeholder(graph, *c, feeds)));
    }
    Ok((0..graph.len() as NodeId)
        .filter(|id| is_needed[*id as usize])
        .collect())
}

fn is_fed_placeholder(graph: &Graph, id: NodeId, feeds: &FxHashMap<Endpoint, u32>) -> bool {
    graph.node(id).op().starts_with("Placeholder") && feeds.contains_key(&Endpoint::new(id, 0))
}

/// What a loop's body returns for a variable must be of its type.
fn check_back_edge(graph: &Graph, node: &Node) -> Result<()> {
    if node.op() != "Merge" {
        return Ok(());
    }
    let expected = node.outputs[0].dtype;
    let wrong = |(_, e): &(usize, &Endpoint)| graph.dtype(**e) != expected;
    let Some((i, e)) = node.inputs.iter().enumerate().find(wrong) else {
        return Ok(());
    };
    bail!(
        invalid,
        "Input {i} of node {} was passed {} from {} incompatible with expected {}.",
        node.name,
        graph.dtype(*e).short_name(),
        graph.tensor_name(*e),
        expected.short_name()
    );
}

/// A fed tensor is a value; an input that wants a reference cannot take one.
fn check_feeds_of_references(
    graph: &Graph,
    node: &Node,
    feeds: &FxHashMap<Endpoint, u32>,
) -> Result<()> {
    for (i, (wants_ref, e)) in input_refs(node).iter().zip(&node.inputs).enumerate() {
        if *wants_ref && let Some(feed) = feeds.get(e) {
            let dtype = graph.dtype(*e).short_name();
            let error = Error::invalid(format!(
                "Input {i} of node {} was passed {dtype} from _arg_{}_{}_{feed}:0 incompatible with expected {dtype}_ref.",
                node.name,
                graph.node(e.node).name,
                e.index
            ));
            return Err(error.at(&*node.name));
        }
    }
    Ok(())
}

/// For each input whether the op takes a reference there.
pub fn input_refs(node: &Node) -> SmallVec<[bool; 4]> {
    let mut refs = SmallVec::new();
    for arg in &node.def.inputs {
        let count = match (&arg.number_attr, &arg.ty) {
            (Some(number), _) => node.attrs.int(number).unwrap_or(1).max(0) as usize,
            (None, crate::graph::ArgType::List(types)) => {
                let types = node.attrs.types(types).unwrap_or_default();
                refs.extend(types.iter().map(|t| t.is_ref()));
                continue;
            }
            _ => 1,
        };
        refs.extend(std::iter::repeat_n(arg.is_ref, count));
    }
    refs.resize(node.inputs.len(), false);
    refs
}
