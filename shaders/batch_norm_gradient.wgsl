// The gradient of batch normalization by the image:
// dx = scale * r * (dy - mean(dy) - (x - mean) * r^2 * mean(dy * (x - mean))), r = 1 / sqrt(variance + epsilon).
// With given moments, which do not depend on x, both means are left out.
//
// Bindings: 0 dy, 1 x, 2 scale, 3 mean, 4 variance, 5 sums [2, channels] of dy and dy * (x - mean), 6 dx.
// Parameters: count of x's elements; channels; inner, the elements between one channel and the next; epsilon (f32);
// share (f32), one over the positions of a channel, or 0 for given moments.
// C_VEC: channels are last and a multiple of 4; an invocation then has four elements.
//!variant C_VEC 1
//!default C_VEC 0
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32, channels: u32, inner: u32, epsilon: f32, share: f32 }

//!if C_VEC
@group(0) @binding(0) var<storage, read_write> dy: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> scale: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> mean: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> variance: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> dx: array<vec4<f32>>;
//!else
@group(0) @binding(0) var<storage, read_write> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
//!end
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
//!if C_VEC
    let count = p.count / 4u;
    let channels = p.channels / 4u;
    let c = i % channels;
//!else
    let count = p.count;
    let channels = p.channels;
    let c = i / p.inner % channels;
//!end
    if i < count {
        let inverse = 1.0 / sqrt(variance[c] + p.epsilon);
        let slope = sums[channels + c] * p.share * inverse * inverse;
        let centred = dy[i] - sums[c] * p.share - (x[i] - mean[c]) * slope;
        dx[i] = centred * (scale[c] * inverse);
    }
}
