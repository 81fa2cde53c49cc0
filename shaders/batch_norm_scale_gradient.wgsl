// The gradients of batch normalization by scale and offset: what channel_sums.wgsl summed, the second sum over the
// standard deviation.
//
// Bindings: 0 sums [2, channels], 1 variance [channels], 2 d_scale, 3 d_offset.
// Parameters: channels; epsilon (f32).
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, channels: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> variance: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_offset: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = linear_group(wid) * 256u + lid;
    if c < p.channels {
        d_scale[c] = sums[p.channels + c] / sqrt(variance[c] + p.epsilon);
        d_offset[c] = sums[c];
    }
}
