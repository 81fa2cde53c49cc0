// Batch normalization with given moments: y = (x - mean) * scale / sqrt(variance + epsilon) + offset.
//
// Bindings: 0 x, 1 scale, 2 offset, 3 mean, 4 variance (these four [channels]), 5 y (or what lib/end.wgsl's place holds).
// Parameters: count of x's elements; channels; inner, the elements between one channel and the next; epsilon (f32);
// those of lib/end.wgsl.
// C_VEC: channels are last and a multiple of 4; an invocation then has four elements.
//!variant C_VEC 1
//!default END 5
//!include lib/index.wgsl
//!include lib/end.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, channels: u32, inner: u32, epsilon: f32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if C_VEC
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> scale: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> offset: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> variance: array<vec4<f32>>;
//!else
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> offset: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;
//!end
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
//!if C_VEC
    if i < p.count / 4u {
        let n = i % (p.channels / 4u);
        let factor = scale[n] / sqrt(variance[n] + p.epsilon);
        finish(4u * i, 4u * n, p.channels, (x[i] - mean[n]) * factor + offset[n]);
    }
//!else
    if i < p.count {
        let n = i / p.inner % p.channels;
        let factor = scale[n] / sqrt(variance[n] + p.epsilon);
        finish_one(i, n, (x[i] - mean[n]) * factor + offset[n]);
    }
//!end
}
