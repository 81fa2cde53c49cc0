// Local response normalization across the last axis: y = x * norm^-beta, norm = bias + alpha * (the sum of the squares of
// the channels up to `radius` away); with GRADIENT its gradient.
//
// Bindings: forward: 0 x, 1 y; gradient: 0 dy, 1 x, 2 y, 3 dx.
// Parameters: count of elements; channels; radius; bias, alpha, beta (f32).
//!variant GRADIENT 1
//!default GRADIENT 0
//!include lib/index.wgsl
//!include lib/pow.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, channels: u32, radius: u32, bias: f32, alpha: f32, beta: f32,
}

//!if GRADIENT
@group(0) @binding(0) var<storage, read_write> dy: array<f32>;
//!end
@group(0) @binding(GRADIENT) var<storage, read_write> x: array<f32>;
@group(0) @binding(1 + GRADIENT) var<storage, read_write> y: array<f32>;
//!if GRADIENT
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
//!end
var<immediate> p: Params;

// The channels around element i are elements first_around(i) to behind_around(i).
fn first_around(i: u32) -> u32 {
    return i - min(i % p.channels, p.radius);
}

fn behind_around(i: u32) -> u32 {
    return i + min(p.channels - 1u - i % p.channels, p.radius) + 1u;
}

fn norm(i: u32) -> f32 {
    var sum = 0.0;
    for (var k = first_around(i); k < behind_around(i); k++) {
        sum += x[k] * x[k];
    }
    return p.bias + p.alpha * sum;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i >= p.count {
        return;
    }
    let factor = math_pow(norm(i), -p.beta);
//!if GRADIENT
    var sum = 0.0;
    for (var k = first_around(i); k < behind_around(i); k++) {
        sum += dy[k] * y[k] / norm(k);
    }
    dx[i] = dy[i] * factor - 2.0 * p.alpha * p.beta * x[i] * sum;
//!else
    y[i] = x[i] * factor;
//!end
}
