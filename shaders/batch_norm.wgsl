// Batch normalization with given moments: y = (x - mean) * scale / sqrt(variance + epsilon) + offset.
//
// Bindings: 0 x, 1 scale, 2 offset, 3 mean, 4 variance (these four [channels]), 5 y.
// Parameters: count of x's elements; channels; inner, the elements between one channel and the next; epsilon (f32).
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32, channels: u32, inner: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> offset: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        let c = i / p.inner % p.channels;
        let factor = scale[c] / sqrt(variance[c] + p.epsilon);
        y[i] = (x[i] - mean[c]) * factor + offset[c];
    }
}
