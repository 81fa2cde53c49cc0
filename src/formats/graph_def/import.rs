//! Adding the nodes of a `GraphDef` to a graph, below a prefix and with some inputs replaced.
//!
//! The order is TensorFlow's (`core/graph/graph_constructor.cc`): of the nodes whose inputs are there, the one that
//! stands first in the GraphDef comes next. Loops close through Merge nodes, whose input from a NextIteration is set last.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::error::{Code, Error, Result};
use crate::formats::proto::{self, GraphDef, NodeDef, OpList};
use crate::graph::{Attr, Endpoint, Graph, List, NodeId, NodeSpec, PRODUCER};
use crate::value::PartialShape;
use crate::{bail, ensure};

use super::{OUTPUT_SHAPES, decode_attr};

/// How to import.
#[derive(Default)]
pub struct Import<'a> {
    /// Without a slash at the end; empty: none.
    pub prefix: &'a str,
    /// `name:index` of an input in the GraphDef to what stands for it.
    pub input_map: FxHashMap<String, Endpoint>,
    /// The same for control inputs: a name to a node.
    pub control_map: FxHashMap<String, NodeId>,
    /// Whether being colocated with a node that is not there is an error.
    pub validate_colocation: bool,
    /// A serialized `OpList` of the program that made the GraphDef: attributes that we do not know and that hold its
    /// defaults are dropped.
    pub producer_op_list: Option<&'a [u8]>,
}

pub struct Imported {
    /// The new nodes, in the order in which they were made.
    pub nodes: Vec<NodeId>,
    /// Keys of `input_map` and `control_map` that nothing in the GraphDef is called by.
    pub unused: Vec<String>,
}

/// An input as a NodeDef says it.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// Output of a node of this GraphDef.
    Inside(usize, usize),
    Mapped(Endpoint),
}

struct Plan<'d> {
    def: &'d NodeDef,
    inputs: Vec<Source>,
    controls: Vec<Result<usize, NodeId>>,
}

/// Adds the nodes; on an error the graph keeps those that were made before it.
pub fn import(graph: &mut Graph, bytes: &[u8], options: &Import) -> Result<Imported> {
    let mut def: GraphDef = GraphDef::decode_checked(bytes)?;
    check_versions(&def)?;
    if let Some(list) = options.producer_op_list {
        drop_new_defaults(graph, &mut def, list)?;
    }
    let by_name = index_names(&def)?;
    let mut used = FxHashSet::default();
    let plans = read_inputs(&def, &by_name, options, &mut used)?;
    let order = creation_order(&plans)?;
    let names = new_names(graph, &def, options.prefix)?;

    let mut made: Vec<Option<NodeId>> = vec![None; plans.len()];
    let mut back_edges = Vec::new();
    let mut nodes = Vec::with_capacity(plans.len());
    for at in order {
        let id = create_node(graph, at, &plans, &made, &names, &mut back_edges)?;
        made[at] = Some(id);
        nodes.push(id);
    }
    for (at, index, source, port) in back_edges {
        let made = |at: usize| made[at].expect("every node has been made");
        let merge = made(at);
        let from = endpoint(graph, made(source), port, &plans, at, source)?;
        graph
            .update_input(merge, index, from)
            .map_err(|e| Error::value(e.message))?;
    }
    for id in &nodes {
        graph.adopt(*id)?;
    }
    for id in &nodes {
        place(graph, *id, options)?;
    }
    if !plans.is_empty() {
        let versions = def.versions.clone().unwrap_or_default();
        graph.producer = graph.producer.min(versions.producer);
        graph.min_consumer = graph.min_consumer.max(versions.min_consumer);
    }
    if let Some(library) = &def.library {
        merge_library(graph, library)?;
    }
    let unused = unused_keys(options, &def, &by_name, &used);
    Ok(Imported { nodes, unused })
}

impl GraphDef {
    fn decode_checked(bytes: &[u8]) -> Result<GraphDef> {
        proto::decode(bytes, "a GraphDef").map_err(|e| Error::type_error(e.message))
    }
}

fn check_versions(def: &GraphDef) -> Result<()> {
    let versions = def.versions.clone().unwrap_or_default();
    ensure!(
        versions.min_consumer <= PRODUCER,
        value,
        "GraphDef min consumer version {} above current version {PRODUCER} for TensorFlow 1.15.5.  Please upgrade TensorFlow.",
        versions.min_consumer
    );
    ensure!(
        !versions.bad_consumers.contains(&PRODUCER),
        value,
        "GraphDef disallows consumer version {PRODUCER}. Please upgrade ferroflow: this version is likely buggy."
    );
    Ok(())
}

fn index_names(def: &GraphDef) -> Result<FxHashMap<&str, usize>> {
    let mut by_name = FxHashMap::default();
    for (at, node) in def.node.iter().enumerate() {
        ensure!(
            is_valid_name(&node.name),
            value,
            "Node '{}': Node name contains invalid characters",
            node.name
        );
        ensure!(
            by_name.insert(node.name.as_str(), at).is_none(),
            value,
            "Node '{}' is not unique",
            node.name
        );
    }
    Ok(by_name)
}

fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first_ok = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'_';
    bytes.next().is_some_and(first_ok)
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_.\\-/>".contains(&b))
}

/// Removes attributes that our op lacks and that say no more than the producer's default.
fn drop_new_defaults(graph: &Graph, def: &mut GraphDef, list: &[u8]) -> Result<()> {
    let list: OpList = proto::decode(list, "a list of ops")?;
    let producers: FxHashMap<&str, _> = list.op.iter().map(|op| (op.name.as_str(), op)).collect();
    for node in &mut def.node {
        let (Some(theirs), Some(ours)) = (producers.get(node.op.as_str()), graph.op_def(&node.op))
        else {
            continue;
        };
        node.attr.retain(|name, value| {
            let is_new = ours.attr(name).is_none() && !name.starts_with('_');
            let says_default = theirs
                .attr
                .iter()
                .any(|a| a.name == *name && a.default_value.as_ref() == Some(value));
            !(is_new && says_default)
        });
    }
    Ok(())
}

/// `name`, `name:index` or `^name`.
fn split_input(text: &str) -> (&str, Option<usize>) {
    if let Some(name) = text.strip_prefix('^') {
        return (name, None);
    }
    match text.rsplit_once(':') {
        Some((name, index)) => match index.parse() {
            Ok(index) => (name, Some(index)),
            Err(_) => (text, Some(0)),
        },
        None => (text, Some(0)),
    }
}

fn read_inputs<'d>(
    def: &'d GraphDef,
    by_name: &FxHashMap<&str, usize>,
    options: &Import,
    used: &mut FxHashSet<String>,
) -> Result<Vec<Plan<'d>>> {
    let mut plans = Vec::with_capacity(def.node.len());
    for node in &def.node {
        let mut plan = Plan {
            def: node,
            inputs: Vec::with_capacity(node.input.len()),
            controls: Vec::new(),
        };
        for input in &node.input {
            let (name, port) = split_input(input);
            let Some(port) = port else {
                if let Some(mapped) = options.control_map.get(name) {
                    used.insert(format!("^{name}"));
                    plan.controls.push(Err(*mapped));
                } else {
                    plan.controls.push(Ok(known(by_name, name, node)?));
                }
                continue;
            };
            ensure!(
                plan.controls.is_empty(),
                value,
                "Node '{}': Control dependencies must come after regular dependencies",
                node.name
            );
            let key = format!("{name}:{port}");
            if let Some(mapped) = options.input_map.get(&key) {
                plan.inputs.push(Source::Mapped(*mapped));
                used.insert(key);
            } else {
                plan.inputs
                    .push(Source::Inside(known(by_name, name, node)?, port));
            }
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn known(by_name: &FxHashMap<&str, usize>, name: &str, node: &NodeDef) -> Result<usize> {
    by_name
        .get(name)
        .copied()
        .ok_or_else(|| Error::value(format!("Node '{}': Unknown input node '{name}'", node.name)))
}

fn is_loop_merge(plans: &[Plan], at: usize) -> bool {
    matches!(plans[at].def.op.as_str(), "Merge" | "RefMerge")
        && plans[at].inputs.iter().any(|s| is_next_iteration(plans, s))
}

fn is_next_iteration(plans: &[Plan], source: &Source) -> bool {
    matches!(source, Source::Inside(from, _)
        if matches!(plans[*from].def.op.as_str(), "NextIteration" | "RefNextIteration"))
}

/// The places of the nodes in the order in which they can be made; an error when they form a cycle.
fn creation_order(plans: &[Plan]) -> Result<Vec<usize>> {
    let mut pending = vec![0usize; plans.len()];
    let mut waiting: Vec<SmallVec<[usize; 2]>> = vec![SmallVec::new(); plans.len()];
    for (at, plan) in plans.iter().enumerate() {
        let closes_loop = is_loop_merge(plans, at);
        for source in &plan.inputs {
            if let Source::Inside(from, _) = source
                && !(closes_loop && is_next_iteration(plans, source))
            {
                pending[at] += 1;
                waiting[*from].push(at);
            }
        }
        for control in plan.controls.iter().flatten() {
            pending[at] += 1;
            waiting[*control].push(at);
        }
    }
    let mut ready: BTreeSet<usize> = (0..plans.len()).filter(|at| pending[*at] == 0).collect();
    let mut order = Vec::with_capacity(plans.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for next in &waiting[at] {
            pending[*next] -= 1;
            if pending[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    if order.len() < plans.len() {
        bail!(value, "{} nodes in a cycle", plans.len() - order.len());
    }
    Ok(order)
}

/// What the nodes will be called: below the prefix as they are, without one made unique.
fn new_names(graph: &mut Graph, def: &GraphDef, prefix: &str) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(def.node.len());
    let mut fresh = FxHashSet::default();
    let own: FxHashSet<&str> = def.node.iter().map(|n| n.name.as_str()).collect();
    for node in &def.node {
        let mut name = if prefix.is_empty() {
            node.name.clone()
        } else {
            format!("{prefix}/{}", node.name)
        };
        if prefix.is_empty() && (graph.find(&name).is_some() || graph.is_name_in_use(&name)) {
            let stem = name.clone();
            let mut i = 1;
            while {
                name = format!("{stem}_{i}");
                graph.find(&name).is_some()
                    || graph.is_name_in_use(&name)
                    || fresh.contains(&name)
                    || own.contains(name.as_str())
            } {
                i += 1;
            }
        }
        ensure!(
            graph.find(&name).is_none(),
            value,
            "Node name '{name}' already exists in the Graph"
        );
        fresh.insert(name.clone());
        names.push(name);
    }
    Ok(names)
}

/// An input of a Merge to be set last: the Merge's place, the input, the source's place and its output.
type BackEdge = (usize, usize, usize, usize);

fn create_node(
    graph: &mut Graph,
    at: usize,
    plans: &[Plan],
    made: &[Option<NodeId>],
    names: &[String],
    back_edges: &mut Vec<BackEdge>,
) -> Result<NodeId> {
    let Plan {
        def,
        inputs,
        controls,
    } = &plans[at];
    let mut spec = NodeSpec::new(def.op.clone()).name(names[at].clone());
    spec.is_import = true;
    spec.device = def.device.clone();
    let mut output_shapes = None;
    for (name, value) in &def.attr {
        let value = decode_attr(value).map_err(|e| {
            let what = format!("Node '{}', attr '{name}': {}", def.name, e.message);
            Error { message: what, ..e }
        })?;
        if name == OUTPUT_SHAPES {
            output_shapes = Some(value);
            continue;
        }
        spec.attrs.set(name.clone(), value);
    }
    let closes_loop = is_loop_merge(plans, at);
    let mut later = Vec::new();
    for (index, source) in inputs.iter().enumerate() {
        match source {
            Source::Mapped(e) => spec.inputs.push(*e),
            Source::Inside(from, port) if closes_loop && is_next_iteration(plans, source) => {
                later.push((index, *from, *port));
                // Stands in until the loop closes: the first input, which has the same type.
                spec.inputs.push(Endpoint::new(0, 0));
            }
            Source::Inside(from, port) => {
                let id = made[*from].expect("inputs are made before the node");
                spec.inputs
                    .push(endpoint(graph, id, *port, plans, at, *from)?);
            }
        }
    }
    if !later.is_empty() {
        let is_later = |i: usize| later.iter().any(|(index, ..)| *index == i);
        let first = (0..spec.inputs.len()).find(|i| !is_later(*i));
        let first = first.map(|i| spec.inputs[i]).ok_or_else(|| {
            Error::value(format!(
                "Node '{}': a Merge needs an input from outside of its loop",
                def.name
            ))
        })?;
        for (index, ..) in &later {
            spec.inputs[*index] = first;
        }
    }
    for control in controls {
        spec.controls.push(match control {
            Ok(from) => made[*from].expect("control inputs are made before the node"),
            Err(mapped) => *mapped,
        });
    }
    let id = graph.create(spec).map_err(as_import_error)?;
    graph.mark_name(&names[at]);
    if !later.is_empty() {
        forget_shapes(graph, id);
        back_edges.extend(later.into_iter().map(|(i, from, port)| (at, i, from, port)));
    }
    if let Some(Attr::List(List::Shapes(shapes))) = output_shapes {
        set_shapes(graph, id, &shapes)?;
    }
    Ok(id)
}

/// What TensorFlow raises as ValueError on import; an unknown op stays NotFound.
fn as_import_error(error: Error) -> Error {
    match error.code {
        Code::InvalidArgument => Error {
            code: Code::Value,
            ..error
        },
        _ => error,
    }
}

/// The shape of a loop variable is not that of its first value.
fn forget_shapes(graph: &mut Graph, id: NodeId) {
    graph.replace_shape(Endpoint::new(id, 0), PartialShape::unknown());
}

fn set_shapes(graph: &mut Graph, id: NodeId, shapes: &[PartialShape]) -> Result<()> {
    let count = graph.node(id).outputs.len().min(shapes.len());
    for (i, shape) in shapes.iter().enumerate().take(count) {
        graph.set_shape(Endpoint::new(id, i), shape).map_err(|e| {
            let name = &graph.node(id).name;
            let what = "has an _output_shapes attribute inconsistent with the GraphDef for output";
            Error::value(format!("Node '{name}' {what} #{i}: {}", e.message))
        })?;
    }
    Ok(())
}

/// Output `port` of the node made for `source`, for the node at `to`.
fn endpoint(
    graph: &Graph,
    id: NodeId,
    port: usize,
    plans: &[Plan],
    to: usize,
    source: usize,
) -> Result<Endpoint> {
    let outputs = graph.node(id).outputs.len();
    ensure!(
        port < outputs,
        value,
        "Node '{}': Connecting to invalid output {port} of source node {} which has {outputs} outputs.",
        plans[to].def.name,
        plans[source].def.name
    );
    Ok(Endpoint::new(id, port))
}

/// Colocation by the new names, then the device: the colocated node's, else the node's own below the scopes in force.
fn place(graph: &mut Graph, id: NodeId, options: &Import) -> Result<()> {
    let prefix = options.prefix;
    let Some(Attr::List(List::Bytes(groups))) = graph.node(id).attrs.get("_class").cloned() else {
        return graph.place_imported(id);
    };
    let renamed = groups.iter().map(|group| {
        let Some(name) = group.strip_prefix(b"loc:@".as_slice()) else {
            return group.clone();
        };
        if prefix.is_empty() {
            return group.clone();
        }
        [b"loc:@", prefix.as_bytes(), b"/", name].concat()
    });
    let renamed: Vec<Vec<u8>> = renamed.collect();
    graph.set_attr(id, "_class", Attr::List(List::Bytes(renamed.clone())));
    let mut device = String::new();
    for group in &renamed {
        let Some(name) = group.strip_prefix(b"loc:@".as_slice()) else {
            continue;
        };
        let name = String::from_utf8_lossy(name);
        let Some(other) = graph.find(&name) else {
            ensure!(
                !options.validate_colocation,
                value,
                "Specified colocation to an op that does not exist during import: {name} in {}",
                graph.node(id).name
            );
            continue;
        };
        if !graph.node(other).device.is_empty() {
            device = graph.node(other).device.to_string();
            break;
        }
    }
    if *device != *graph.node(id).device {
        graph.set_device(id, &device)?;
    }
    Ok(())
}

fn merge_library(graph: &mut Graph, library: &proto::FunctionDefLibrary) -> Result<()> {
    use prost::Message;
    let mut all: proto::FunctionDefLibrary = proto::decode(&graph.library, "a library")?;
    for function in &library.function {
        if !all.function.contains(function) {
            all.function.push(function.clone());
        }
    }
    for gradient in &library.gradient {
        if !all.gradient.contains(gradient) {
            all.gradient.push(gradient.clone());
        }
    }
    graph.library = all.encode_to_vec();
    Ok(())
}

/// Keys of the maps that were not used and that no node of the GraphDef answers to.
fn unused_keys(
    options: &Import,
    def: &GraphDef,
    by_name: &FxHashMap<&str, usize>,
    used: &FxHashSet<String>,
) -> Vec<String> {
    let controls = options.control_map.keys().map(|name| format!("^{name}"));
    let mut unused: Vec<String> = options
        .input_map
        .keys()
        .cloned()
        .chain(controls)
        .filter(|key| !used.contains(key))
        .filter(|key| !by_name.contains_key(split_input(key).0) || def.node.is_empty())
        .collect();
    unused.sort_unstable();
    unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::proto::Message;

    fn node(name: &str, op: &str, inputs: &[&str]) -> NodeDef {
        NodeDef {
            name: name.into(),
            op: op.into(),
            input: inputs.iter().map(|i| i.to_string()).collect(),
            ..Default::default()
        }
    }

    fn import_nodes(nodes: Vec<NodeDef>) -> Result<Imported> {
        let def = GraphDef {
            node: nodes,
            ..Default::default()
        };
        let mut graph = crate::ops::new_graph();
        import(&mut graph, &def.encode_to_vec(), &Import::default())
    }

    fn message(nodes: Vec<NodeDef>) -> String {
        import_nodes(nodes).map(|_| ()).unwrap_err().message
    }

    #[test]
    fn broken_graphs_are_refused_by_name() {
        assert!(message(vec![node("a", "NoOp", &["^b"])]).contains("Unknown input node 'b'"));
        assert!(
            message(vec![node("a", "NoOp", &[]), node("a", "NoOp", &[])]).contains("not unique")
        );
        let cycle = vec![node("a", "NoOp", &["^b"]), node("b", "NoOp", &["^a"])];
        assert!(message(cycle).contains("2 nodes in a cycle"));
        assert!(message(vec![node("a b", "NoOp", &[])]).contains("invalid characters"));
        assert!(message(vec![node("a", "Nonsense", &[])]).contains("Op type not registered"));
    }

    #[test]
    fn names_of_inputs_are_split_at_the_last_colon() {
        assert_eq!(split_input("a/b:3"), ("a/b", Some(3)));
        assert_eq!(split_input("a"), ("a", Some(0)));
        assert_eq!(split_input("^a"), ("a", None));
    }
}
