//! What a run costs besides its kernels: ten scalar ops with one feed, by a callable and by signature.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ferroflow::graph::{Endpoint, NodeSpec};
use ferroflow::ops::new_graph;
use ferroflow::plan::RunSpec;
use ferroflow::session::{RunOptions, Session};
use ferroflow::value::{DType, Value};
use parking_lot::Mutex;

/// `((x + 2) * 2 + 2) * 2 ...`, ten ops.
fn ten_ops() -> (Session, RunSpec) {
    let mut graph = new_graph();
    let placeholder = NodeSpec::new("Placeholder").attr("dtype", DType::F32);
    let x = graph.create_tensor(placeholder).expect("a placeholder");
    let two = Value::scalar(2f32).expect("a scalar");
    let two = NodeSpec::new("Const")
        .attr("value", two)
        .attr("dtype", DType::F32);
    let two = graph.create_tensor(two).expect("a constant");
    let mut y: Endpoint = x;
    for i in 0..10 {
        let op = if i % 2 == 0 { "AddV2" } else { "Mul" };
        y = graph
            .create_tensor(NodeSpec::new(op).input(y).input(two))
            .expect("an op");
    }
    let spec = RunSpec {
        feeds: vec![x],
        fetches: vec![y],
        ..Default::default()
    };
    (Session::new(Arc::new(Mutex::new(graph)), None), spec)
}

fn overhead(c: &mut Criterion) {
    let (session, spec) = ten_ops();
    let number = session.make_callable(spec.clone()).expect("a plan");
    let feed = || vec![Value::scalar(3f32).expect("a scalar")];
    c.bench_function("run_overhead/callable", |b| {
        b.iter(|| {
            let plan = session.callable(number).expect("a callable");
            black_box(
                session
                    .run_plan(&plan, feed(), RunOptions::default())
                    .expect("a run"),
            )
        })
    });
    c.bench_function("run_overhead/signature", |b| {
        b.iter(|| {
            black_box(
                session
                    .run(&spec, feed(), RunOptions::default())
                    .expect("a run"),
            )
        })
    });
}

criterion_group!(benches, overhead);
criterion_main!(benches);
