//! Planning: a chain of ten thousand ops, and finding a plan that was made before.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ferroflow::graph::{Graph, NodeSpec};
use ferroflow::ops::new_graph;
use ferroflow::plan::{RunSpec, plan};
use ferroflow::session::Session;
use ferroflow::value::DType;
use parking_lot::Mutex;

fn chain(length: usize) -> (Graph, RunSpec) {
    let mut graph = new_graph();
    let placeholder = NodeSpec::new("Placeholder").attr("dtype", DType::F32);
    let x = graph.create_tensor(placeholder).expect("a placeholder");
    let mut y = x;
    for _ in 0..length {
        y = graph
            .create_tensor(NodeSpec::new("AddV2").input(y).input(x))
            .expect("an op");
    }
    let spec = RunSpec {
        feeds: vec![x],
        fetches: vec![y],
        ..Default::default()
    };
    (graph, spec)
}

fn planning(c: &mut Criterion) {
    let (graph, spec) = chain(10_000);
    let mut group = c.benchmark_group("plan");
    group.sample_size(10);
    group.bench_function("chain_of_10000", |b| {
        b.iter(|| black_box(plan(&graph, &spec, &|_| None).expect("a plan")))
    });
    group.finish();
    let session = Session::new(Arc::new(Mutex::new(graph)), None);
    c.bench_function("plan/look_up", |b| {
        b.iter(|| black_box(session.prepare(&spec).expect("a plan")))
    });
}

criterion_group!(benches, planning);
criterion_main!(benches);
