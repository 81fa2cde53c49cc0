// The k largest of each row of x [rows, length], and where they stand: the largest first, the first of equals first. They
// are looked for one after the other, so k should be small; top_k_pairs.wgsl is for the others. NaN is the largest, but
// left out when k is 1, as TensorFlow does.
//
// Bindings: 0 x, 1 values [rows, k], 2 places [rows, k]. Parameters: rows; length; k.
// WHOLE: elements are i32.
//!variant WHOLE 1 LANES 32
//!include lib/index.wgsl
//!include lib/lanes.wgsl
//!include lib/order.wgsl

struct Params { zero: u32, flag: u32, rows: u32, length: u32, k: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> places: array<u32>;
var<immediate> p: Params;
var<workgroup> best: array<vec2<u32>, 256>;

const NONE: u32 = 0xffffffffu;

// Whether element a (key, place) comes before b; no element comes last.
fn comes_before(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y != NONE && (b.y == NONE || a.x > b.x || (a.x == b.x && a.y < b.y));
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let row = linear_group(wid) * OUTS + out_of(lid);
    let lane = lane_of(lid);
    let of_nan = select(0xffffffffu, 0u, p.k == 1u);
    var last = vec2<u32>(0u, NONE);
    for (var t = 0u; t < p.k; t++) {
        var own = vec2<u32>(0u, NONE);
        if row < p.rows {
            for (var i = lane; i < p.length; i += LANES) {
                let next = vec2<u32>(ordered(x[row * p.length + i], of_nan), i);
                if (t == 0u || comes_before(last, next)) && comes_before(next, own) {
                    own = next;
                }
            }
        }
        best[lid] = own;
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if lane < half && comes_before(best[lid + half * STEP], best[lid]) {
                best[lid] = best[lid + half * STEP];
            }
        }
        workgroupBarrier();
        last = best[first_lane(out_of(lid))];
        workgroupBarrier();
        if lane == 0u && row < p.rows {
            values[row * p.k + t] = x[row * p.length + last.y];
            places[row * p.k + t] = last.y;
        }
    }
}
