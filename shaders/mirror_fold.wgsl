// The gradient of a mirrored border along one axis: each place of the inner tensor takes the sum of the places of
// x [outer, padded, inner] that repeat it, at most three.
//
// Bindings: 0 x, 1 made [outer, size, inner].
// Parameters: count elements of made; padded; size; inner; before; edge: 1 when the edge is repeated too (symmetric).
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32, padded: u32, size: u32, inner: u32, before: u32, edge: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> made: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        let column = i % p.inner;
        let place = i / p.inner % p.size;
        let line = i / p.inner / p.size * p.padded;
        var sum = 0.0;
        // Places before 0 have wrapped around and are too large.
        let front = p.before - p.edge - place;
        if front < p.before {
            sum += x[(line + front) * p.inner + column];
        }
        sum += x[(line + p.before + place) * p.inner + column];
        let back = 2u * p.size - 2u + p.edge - place;
        if back >= p.size && p.before + back < p.padded {
            sum += x[(line + p.before + back) * p.inner + column];
        }
        made[i] = sum;
    }
}
