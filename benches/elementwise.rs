//! Elementwise programs: single functions and a chain that the planner would fuse. `cargo bench --bench elementwise`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroflow::backend::cpu::map::{Compiled, run};
use ferroflow::expr::{Expr, Program};
use ferroflow::value::{DType, Shape, Value};

fn chain(x: &Expr) -> Expr {
    (x * 2.0 + 1.0).tanh() * x - (-(x * x)).exp()
}

fn formulas(c: &mut Criterion) {
    let cases: [(&str, fn(&Expr) -> Expr); 6] = [
        ("exp", |x| x.exp()),
        ("log", |x| x.log()),
        ("tanh", |x| x.tanh()),
        ("sigmoid", |x| x.sigmoid()),
        ("add", |x| x + 1.0),
        ("chain", chain),
    ];
    let mut group = c.benchmark_group("elementwise");
    for n in [100usize, 64 << 10, 4 << 20] {
        let elements: Vec<f32> = (0..n).map(|i| (i % 1000) as f32 * 0.01).collect();
        let x = Value::from_slice(Shape::vector(n), &elements).expect("memory for the operand");
        group.throughput(Throughput::Bytes(8 * n as u64));
        for (name, formula) in cases {
            let program = Program::of(&formula(&Expr::input(0)), &[DType::F32]);
            let program = Compiled::new(program.expect("a formula of floats"));
            group.bench_function(format!("{name} {n}"), |bench| {
                bench.iter(|| run(&program, &[&x]).expect("a run"));
            });
        }
    }
}

criterion_group!(benches, formulas);
criterion_main!(benches);
