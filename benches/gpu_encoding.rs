//! What a dispatch costs the host: given to wgpu's noop backend, so that no driver is in the figure.
//!
//!     cargo bench --features noop --bench gpu_encoding

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ferroflow::backend::gpu::{Launch, Shader, Text, groups_for, noop};
use ferroflow::value::DeviceBuffer;

const SHADER: &str = "
struct Params { zero: u32, flag: u32, n: u32 }
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) i: u32) { if (i < p.n) { out[i] = x[i]; } }";

/// Dispatches of one recording: a large training step.
const DISPATCHES: u64 = 100;

fn encoding(c: &mut Criterion) {
    let gpu = noop().expect("the noop backend is built in");
    let shader = Shader::text(Text::new(SHADER));
    let launch = |x: &DeviceBuffer, out: &DeviceBuffer| {
        gpu.launch(Launch {
            shader: black_box(&shader),
            bindings: &[x, out],
            params: &[1024],
            groups: groups_for(1024),
            check: None,
        })
        .expect("a launch");
    };
    let memory = || gpu.allocate(4096).expect("memory");
    let mut group = c.benchmark_group("gpu");
    group.throughput(Throughput::Elements(DISPATCHES));
    let buffers: Vec<_> = (0..DISPATCHES + 1).map(|_| memory()).collect();
    group.bench_function("dispatches recorded and handed over", |b| {
        b.iter(|| {
            for pair in buffers.windows(2) {
                launch(&pair[0], &pair[1]);
            }
            gpu.finish().expect("handed over");
        });
    });
    group.bench_function("the same, results in memory of the pool", |b| {
        b.iter(|| {
            let mut x = memory();
            for _ in 0..DISPATCHES {
                let out = memory();
                launch(&x, &out);
                x = out;
            }
            gpu.finish().expect("handed over");
        });
    });
    group.finish();
}

criterion_group!(benches, encoding);
criterion_main!(benches);
