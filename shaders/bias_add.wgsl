// BiasAdd: y[i] = x[i] + bias[channel of i], for channels last and channels first.
//
// Bindings: 0 x, 1 bias, 2 y.
// Parameters: count elements; channels; inner, the elements between one channel and the next (1 when channels are last).
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32, channels: u32, inner: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        y[i] = x[i] + bias[(i / p.inner) % p.channels];
    }
}
