//! Matrix products of the sizes that models have. `cargo bench --bench gemm`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroflow::backend::cpu::gemm::matmul;

/// Rows, inner size, columns, and which operands lie transposed.
const CASES: [([usize; 3], bool, bool); 9] = [
    ([64, 64, 64], false, false),
    ([256, 256, 256], false, false),
    ([1024, 1024, 1024], false, false),
    ([100, 784, 500], false, false),
    ([784, 100, 500], true, false),
    ([100, 500, 784], false, true),
    ([100, 500, 10], false, false),
    ([1, 784, 500], false, false),
    ([1, 500, 784], false, true),
];

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("gemm");
    for ([m, k, n], ta, tb) in CASES {
        let (a, b) = (vec![0.5f32; m * k], vec![0.25f32; k * n]);
        let mut out = vec![0f32; m * n];
        let letter = |t| if t { 'T' } else { 'N' };
        let name = format!("{m}x{k}x{n} {}{}", letter(ta), letter(tb));
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| matmul(&a, &b, &mut out, [m, k, n], ta, tb));
        });
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
