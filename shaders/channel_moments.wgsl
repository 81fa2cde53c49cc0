// Adds up the chunks that channel_sums.wgsl summed, for batch normalization. GRADIENT 0: parts [chunks, channels] of squares
// become the variance and the unbiased variance. GRADIENT 1: parts [2, chunks, channels] become sums [2, channels] and the
// gradients by scale (the second sum over the standard deviation) and by offset (the first).
//
// Bindings: GRADIENT 0: 0 parts, 1 variance, 2 unbiased. GRADIENT 1: 0 parts, 1 variance, 2 sums, 3 d_scale, 4 d_offset.
// Parameters: channels; chunks; positions of a channel; epsilon (f32). LANES: lib/lanes.wgsl.
//!variant GRADIENT 1
//!default GRADIENT 0
//!default STRIDED 1
//!default LANES 16
//!include lib/index.wgsl
//!include lib/trees.wgsl

struct Params { zero: u32, flag: u32, channels: u32, chunks: u32, positions: u32, epsilon: f32 }

@group(0) @binding(0) var<storage, read_write> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> variance: array<f32>;
//!if GRADIENT
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_offset: array<f32>;
//!else
@group(0) @binding(2) var<storage, read_write> unbiased: array<f32>;
//!end
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let channel = linear_group(wid) * OUTS + out_of(lid);
    var first = 0.0;
    var second = 0.0;
    if channel < p.channels {
        for (var k = lane_of(lid); k < p.chunks; k += LANES) {
            first += parts[k * p.channels + channel];
//!if GRADIENT
            second += parts[(p.chunks + k) * p.channels + channel];
//!end
        }
    }
    first = tree_sum(lid, first);
//!if GRADIENT
    second = tree_sum(lid, second);
//!end
    if channel < p.channels && lane_of(lid) == 0u {
//!if GRADIENT
        sums[channel] = first;
        sums[p.channels + channel] = second;
        d_scale[channel] = second / sqrt(variance[channel] + p.epsilon);
        d_offset[channel] = first;
//!else
        variance[channel] = first / f32(p.positions);
        unbiased[channel] = first / f32(max(p.positions, 2u) - 1u);
//!end
    }
}
