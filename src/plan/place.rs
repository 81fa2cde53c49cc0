//! Where each item runs: on the GPU that its node was given to, where a kernel for it is there, or on the host.
//!
//! Small things stay on the host, as TensorFlow keeps them there: integers and scalars that are computed from what lies
//! on the host (shapes, counters, decayed rates) cost a GPU more in copies than they cost to compute.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::graph::{Graph, Node};
use crate::ops::Run;
use crate::ops::gpu::runs_on_gpu;
use crate::value::DType;

use super::draft::{Draft, Item, ItemId, Source, Work, is_enter, is_flow, is_merge};
use super::step::Site;

/// The GPU that a node was given to.
pub type Homes<'a> = &'a dyn Fn(&Node) -> Option<u8>;

/// What is known of where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lies {
    on_host: bool,
    is_small: bool,
}

const ON_DEVICE: Lies = Lies {
    on_host: false,
    is_small: false,
};

/// Gives each item its site.
pub fn place(draft: &mut Draft, graph: &Graph, homes: Homes) {
    let mut lies: FxHashMap<Source, Lies> = FxHashMap::default();
    for at in 0..draft.order.len() {
        let id = draft.order[at];
        let site = site_of(draft, graph, homes, &lies, id);
        draft.items[id as usize].site = site;
        let item = draft.item(id);
        for output in 0..item.node.outputs.len() {
            let of_output = lies_after(draft, graph, item, site, output, &lies);
            lies.insert(Source::Item(id, output as u16), of_output);
        }
    }
}

fn lies_of(draft: &Draft, graph: &Graph, source: Source, lies: &FxHashMap<Source, Lies>) -> Lies {
    match source {
        Source::Constant(c) => {
            let value = &draft.constants[c as usize];
            Lies {
                on_host: true,
                is_small: value.num_elements() <= 1 || !value.dtype().is_floating(),
            }
        }
        Source::Feed(feed) => {
            let shape = graph.shape(draft.feeds[feed as usize]);
            let dtype = draft.dtype(source);
            Lies {
                on_host: true,
                // Lengths of sequences, say: how often a loop turns is computed from them.
                is_small: shape.rank() == Some(0) || matches!(dtype, DType::I32 | DType::I64),
            }
        }
        // What comes back in a loop is not known yet: what enters it decides.
        Source::Item(..) => lies.get(&source).copied().unwrap_or(Lies {
            on_host: true,
            is_small: true,
        }),
    }
}

fn site_of(
    draft: &Draft,
    graph: &Graph,
    homes: Homes,
    lies: &FxHashMap<Source, Lies>,
    id: ItemId,
) -> Site {
    let item = draft.item(id);
    let Work::Op(run) = &item.work;
    if is_flow(item.op()) || matches!(run, Run::View(_)) {
        return Site::Anywhere;
    }
    let dtypes: SmallVec<[DType; 4]> = item.inputs.iter().map(|s| draft.dtype(*s)).collect();
    match homes(&item.node) {
        Some(home) if runs_on_gpu(&item.node, &dtypes) && !stays(draft, graph, item, lies) => {
            Site::Gpu(home)
        }
        _ => Site::Host,
    }
}

/// Whether an item that a GPU could run is better left where its operands are.
fn stays(draft: &Draft, graph: &Graph, item: &Item, lies: &FxHashMap<Source, Lies>) -> bool {
    let mut inputs = item
        .inputs
        .iter()
        .map(|s| lies_of(draft, graph, *s, lies))
        .peekable();
    if inputs.peek().is_none() {
        return item.node.outputs.iter().all(is_small);
    }
    let all_small = inputs.all(|l| l.on_host && l.is_small);
    all_small && item.node.outputs.iter().all(is_small)
}

/// Scalars, integers, and truths: what they are compared with says whether a loop goes on.
fn is_small(output: &crate::graph::Output) -> bool {
    let is_scalar = output.shape.rank() == Some(0);
    is_scalar || matches!(output.dtype, DType::I32 | DType::I64 | DType::Bool)
}

fn lies_after(
    draft: &Draft,
    graph: &Graph,
    item: &Item,
    site: Site,
    output: usize,
    lies: &FxHashMap<Source, Lies>,
) -> Lies {
    let output = &item.node.outputs[output];
    let by_itself = Lies {
        on_host: is_small(output),
        is_small: is_small(output),
    };
    match site {
        // A variable lies where its updates leave it; its handle matters nothing.
        _ if output.is_ref => by_itself,
        Site::Gpu(_) => ON_DEVICE,
        Site::Host => Lies {
            on_host: true,
            is_small: is_small(output) || output.dtype == DType::Resource,
        },
        Site::Anywhere => {
            let all = is_merge(item.op()) || is_enter(item.op());
            let inputs = match all {
                true => &item.inputs[..],
                false => &item.inputs[..item.inputs.len().min(1)],
            };
            let of_inputs = inputs.iter().map(|s| lies_of(draft, graph, *s, lies));
            let both = |a: Lies, b: Lies| Lies {
                on_host: a.on_host && b.on_host,
                is_small: a.is_small && b.is_small,
            };
            of_inputs.reduce(both).unwrap_or(by_itself)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RunSpec, plan};
    use crate::graph::{Endpoint, Graph, NodeSpec};
    use crate::ops::new_graph;
    use crate::value::{DType, PartialShape};

    fn fed(g: &mut Graph, name: &str, dtype: DType, dims: &[i64]) -> Endpoint {
        let spec = NodeSpec::new("Placeholder").name(name).attr("dtype", dtype);
        let shape = PartialShape::new(dims).unwrap();
        g.create_tensor(spec.attr("shape", shape)).unwrap()
    }

    fn node(g: &mut Graph, op: &'static str, name: &str, inputs: &[Endpoint]) -> Endpoint {
        let inputs = inputs.iter().copied();
        let spec = inputs.fold(NodeSpec::new(op).name(name), |spec, e| spec.input(e));
        g.create_tensor(spec).unwrap()
    }

    /// The plan of a run on GPU 0, as text.
    fn shown(g: &Graph, feeds: &[Endpoint], fetches: &[Endpoint]) -> String {
        let spec = RunSpec {
            feeds: feeds.to_vec(),
            fetches: fetches.to_vec(),
            ..Default::default()
        };
        plan(g, &spec, &|_| Some(0)).unwrap().to_string()
    }

    #[test]
    fn arrays_go_to_the_gpu_and_what_is_small_on_the_host_stays() {
        let mut g = new_graph();
        let x = fed(&mut g, "x", DType::F32, &[-1, 4]);
        let rate = fed(&mut g, "rate", DType::F32, &[]);
        let step = fed(&mut g, "step", DType::I64, &[]);
        let decayed = node(&mut g, "Mul", "decayed", &[rate, rate]);
        let next = node(&mut g, "Add", "next", &[step, step]);
        let scaled = node(&mut g, "Mul", "scaled", &[x, decayed]);
        let shape = node(&mut g, "Shape", "shape", &[scaled]);
        let lengths = fed(&mut g, "lengths", DType::I32, &[-1]);
        let longer = node(&mut g, "Add", "longer", &[lengths, lengths]);
        let fetches = [scaled, next, shape, longer];
        let text = shown(&g, &[x, rate, step, lengths], &fetches);
        let line = |name: &str| text.lines().find(|l| l.contains(name)).unwrap().to_string();
        assert!(line("'scaled'").contains("Mul@gpu0"), "{text}");
        for name in ["'decayed'", "'next'", "'shape'", "'longer'"] {
            assert!(!line(name).contains("@gpu"), "{text}");
        }
    }

    #[test]
    fn types_that_shaders_lack_are_computed_on_the_host() {
        let mut g = new_graph();
        let x = fed(&mut g, "x", DType::F64, &[-1]);
        let y = node(&mut g, "Neg", "y", &[x]);
        assert!(!shown(&g, &[x], &[y]).contains("@gpu"));
    }
}
