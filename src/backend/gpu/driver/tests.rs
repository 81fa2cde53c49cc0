//! The driver on whatever adapter there is.

use std::sync::Arc;

use crate::backend::gpu::{Gpu, Launch, Shader, Text, groups_for};
use crate::error::Error;
use crate::value::DeviceBuffer;

use super::for_tests;

/// `out[i] = x[i] * factor + 1`
const SCALE: &str = "
struct Params { zero: u32, flag: u32, n: u32, factor: f32 }
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (w.y * 65535u + w.x) * 256u + lane;
  if (i < p.n) { out[i] = x[i] * p.factor + 1.0; }
}";

/// Notes the first element that is negative.
const NO_NEGATIVES: &str = "
struct Params { zero: u32, flag: u32, n: u32 }
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> checks: array<u32>;
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) i: u32) {
  if (i < p.n && x[i] < 0.0) { checks[4u * p.flag + 1u] = i; checks[4u * p.flag] = 1u; }
}";

fn upload(gpu: &dyn Gpu, x: &[f32]) -> DeviceBuffer {
    gpu.upload(bytemuck::cast_slice(x)).unwrap()
}

fn download(gpu: &dyn Gpu, x: &DeviceBuffer) -> Vec<f32> {
    let bytes = gpu.download(&[x]).unwrap().remove(0);
    bytemuck::cast_slice(bytes.as_bytes()).to_vec()
}

fn scale(gpu: &dyn Gpu, x: &DeviceBuffer, out: &DeviceBuffer, factor: f32) {
    let n = x.len_bytes() / 4;
    gpu.launch(Launch {
        shader: &Shader::text(Text::new(SCALE)),
        bindings: &[x, out],
        params: &[n as u32, factor.to_bits()],
        groups: groups_for(n),
        check: None,
    })
    .unwrap();
}

fn check(gpu: &dyn Gpu, x: &DeviceBuffer, name: &'static str) {
    gpu.launch(Launch {
        shader: &Shader::text(Text::new(NO_NEGATIVES)),
        bindings: &[x],
        params: &[x.len_bytes() as u32 / 4],
        groups: [1, 1, 1],
        check: Some(Box::new(move |words| {
            Error::invalid(format!("element {} is negative", words[0])).at(name)
        })),
    })
    .unwrap();
}

fn with_gpu(test: impl FnOnce(Arc<dyn Gpu>)) {
    if let Some(gpu) = for_tests() {
        test(gpu);
    }
}

#[test]
fn work_is_done_in_order_and_in_place() {
    with_gpu(|gpu| {
        for n in [1, 3, 255, 256, 257, 70_000] {
            let x: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let on = upload(&*gpu, &x);
            let out = gpu.allocate(n * 4).unwrap();
            scale(&*gpu, &on, &out, 2.0);
            scale(&*gpu, &out, &out, 3.0);
            let expected: Vec<f32> = x.iter().map(|x| (x * 2.0 + 1.0) * 3.0 + 1.0).collect();
            assert_eq!(download(&*gpu, &out), expected);
        }
    });
}

#[test]
fn memory_given_back_while_work_waits_is_not_overwritten_by_the_host() {
    with_gpu(|gpu| {
        let mut results = Vec::new();
        for i in 0..20 {
            // Each upload is dropped before the recording that reads it is handed over.
            let x = upload(&*gpu, &[i as f32; 100]);
            let out = gpu.allocate(400).unwrap();
            scale(&*gpu, &x, &out, 1.0);
            results.push(out);
        }
        for (i, out) in results.iter().enumerate() {
            assert_eq!(download(&*gpu, out), vec![i as f32 + 1.0; 100]);
        }
    });
}

#[test]
fn a_check_fails_the_run_of_its_thread_and_no_other() {
    with_gpu(|gpu| {
        let good = upload(&*gpu, &[1.0, 2.0]);
        let bad = upload(&*gpu, &[1.0, 2.0, -3.0]);
        check(&*gpu, &good, "good");
        check(&*gpu, &bad, "bad");
        std::thread::scope(|scope| {
            scope.spawn(|| gpu.finish().unwrap());
        });
        let error = gpu.finish().unwrap_err();
        assert_eq!(error.node.as_deref(), Some("bad"));
        assert_eq!(error.message, "element 2 is negative");
        check(&*gpu, &good, "good");
        gpu.finish().unwrap();
    });
}

#[test]
fn odd_bytes_copies_and_nothing_at_all() {
    with_gpu(|gpu| {
        let bytes = [1u8, 2, 3, 4, 5, 6, 7];
        let there = gpu.upload(&bytes).unwrap();
        let copy = gpu.copy(&there).unwrap();
        assert!(!copy.shares_memory_with(&there));
        assert_eq!(copy.read().unwrap().as_bytes(), bytes);
        let none = gpu.upload(&[]).unwrap();
        let both = gpu.download(&[&none, &there]).unwrap();
        assert_eq!((both[0].len_bytes(), both[1].as_bytes()), (0, &bytes[..]));
        assert!(gpu.allocate(usize::MAX / 2).is_err());
    });
}

#[test]
fn a_shader_that_is_wrong_is_an_error_of_the_run_that_launched_it() {
    with_gpu(|gpu| {
        let x = upload(&*gpu, &[1.0]);
        let out = gpu.allocate(4).unwrap();
        let shader = Shader::text(Text::new("fn main() { nonsense }"));
        for _ in 0..2 {
            scale(&*gpu, &x, &out, 2.0);
            gpu.launch(Launch {
                shader: &shader,
                bindings: &[&x],
                params: &[],
                groups: [1, 1, 1],
                check: None,
            })
            .unwrap();
            std::thread::scope(|scope| {
                // Another run hands it over and is none the worse.
                scope.spawn(|| assert_eq!(download(&*gpu, &out), [3.0]));
            });
            let error = gpu.finish().unwrap_err();
            assert!(error.message.contains("is not accepted"), "{error:?}");
            assert_eq!(download(&*gpu, &x), [1.0]);
        }
    });
}

#[test]
fn shaders_compiled_at_once_all_run() {
    with_gpu(|gpu| {
        let x = upload(&*gpu, &[1.0]);
        let outs: Vec<_> = (0..24)
            .map(|i| {
                let text = format!("{SCALE} // {i}").replace("+ 1.0", &format!("+ {i}.0"));
                let out = gpu.allocate(4).unwrap();
                gpu.launch(Launch {
                    shader: &Shader::text(Text::new(&text)),
                    bindings: &[&x, &out],
                    params: &[1, 2f32.to_bits()],
                    groups: [1, 1, 1],
                    check: None,
                })
                .unwrap();
                out
            })
            .collect();
        for (i, out) in outs.iter().enumerate() {
            assert_eq!(download(&*gpu, out), [2.0 + i as f32]);
        }
    });
}

/// Floats that go up through buffers that are kept.
const MANY: usize = (9 << 20) + 1;

#[test]
fn many_bytes_arrive_ahead_of_the_work_that_reads_them_and_their_buffers_are_used_again() {
    with_gpu(|gpu| {
        let out = gpu.allocate(MANY * 4).unwrap();
        for step in 0..3 {
            let x: Vec<f32> = (0..MANY).map(|k| ((k + step) % 1000) as f32).collect();
            scale(&*gpu, &upload(&*gpu, &x), &out, 2.0);
            let found = download(&*gpu, &out);
            assert!(found.iter().zip(x).all(|(y, x)| *y == x * 2.0 + 1.0));
        }
    });
}

#[test]
fn many_bytes_written_in_place_come_between_what_was_launched_before_and_after() {
    with_gpu(|gpu| {
        let n = MANY;
        let x = upload(&*gpu, &vec![1.0; n]);
        let outs: Vec<_> = (0..2).map(|_| gpu.allocate(n * 4).unwrap()).collect();
        scale(&*gpu, &x, &outs[0], 2.0);
        let twos = vec![2.0f32; n];
        x.write(bytemuck::cast_slice(&twos)).unwrap();
        scale(&*gpu, &x, &outs[1], 2.0);
        for (out, value) in outs.iter().zip([3.0, 5.0]) {
            assert!(download(&*gpu, out).iter().all(|x| *x == value));
        }
    });
}
