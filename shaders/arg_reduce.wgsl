// The place of the largest (smallest) element along the middle axis of x [outer, length, inner]: the first of equals.
// As TensorFlow's: NaN is never taken, nor what does not exceed the lowest finite float, and 0 stands when nothing is.
//
// A long axis is cut into chunks, whose places are put together by a second dispatch.
//
// Bindings: 0 x, 1 y [outer, inner], or [outer, chunks, inner] places of chunks; AMONG: 2 these places.
// Parameters: outputs, the elements of y; length; inner; chunks; chunk, the elements of each.
// LEAST: the smallest. INT: elements are i32. LONG: y is i64, else i32. AMONG: only the given places are looked at.
//!variant LEAST 1 INT 1 LONG 0
//!variant AMONG 1
//!default AMONG 0
//!default LEAST 0
//!default INT 0
//!default LONG 1
//!include lib/index.wgsl
//!include lib/lanes.wgsl

//!if INT
alias T = i32;
//!else
alias T = f32;
//!end

struct Params { zero: u32, flag: u32, outputs: u32, length: u32, inner: u32, chunks: u32, chunk: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
//!if AMONG
@group(0) @binding(2) var<storage, read_write> among: array<u32>;
//!end
var<immediate> p: Params;
var<workgroup> best: array<T, 256>;
var<workgroup> place: array<u32, 256>;

fn beats(a: T, b: T) -> bool {
//!if LEAST
    return a < b;
//!else
    return a > b;
//!end
}

// What the first element has to beat.
fn start() -> T {
//!if INT
    return bitcast<i32>(0x80000000u - LEAST);
//!else
    return bitcast<f32>((0xff7fffffu - LEAST * 0x80000000u) ^ p.zero);
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let o = linear_group(wid) * OUTS + out_of(lid);
    let lane = lane_of(lid);
    var value = start();
    var at = 0u;
    if o < p.outputs {
        let inside = o % p.inner;
//!if AMONG
        let outside = o / p.inner;
        for (var k = lane; k < p.chunks; k += LANES) {
            let place = among[(outside * p.chunks + k) * p.inner + inside];
//!else
        let chunk = o / p.inner % p.chunks;
        let outside = o / p.inner / p.chunks;
        let end = min((chunk + 1u) * p.chunk, p.length);
        for (var place = chunk * p.chunk + lane; place < end; place += LANES) {
//!end
            let next = x[(outside * p.length + place) * p.inner + inside];
            if beats(next, value) {
                value = next;
                at = place;
            }
        }
    }
    best[lid] = value;
    place[lid] = at;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            let other = best[lid + half * STEP];
            let behind = place[lid + half * STEP];
            if beats(other, best[lid]) || (other == best[lid] && behind < place[lid]) {
                best[lid] = other;
                place[lid] = behind;
            }
        }
    }
    workgroupBarrier();
    if lane == 0u && o < p.outputs {
//!if LONG
        y[2u * o] = place[lid];
        y[2u * o + 1u] = 0u;
//!else
        y[o] = place[lid];
//!end
    }
}
