// Whether fewer than k scores of a row exceed that of its target: made [rows], a byte each. Not where a score of the row is
// infinite or NaN, nor where the target is none of the row.
//
// Bindings: 0 scores [rows, length], 1 indices [rows] (of INDEX_WIDTH 4 or 8 bytes), 2 made. Parameters: rows; length; k.
// A workgroup takes 32 rows, eight lanes each.
//!variant INDEX_WIDTH 8
//!include lib/index.wgsl
//!include lib/indices.wgsl

struct Params { zero: u32, flag: u32, rows: u32, length: u32, k: i32 }

@group(0) @binding(0) var<storage, read_write> scores: array<u32>;
@group(0) @binding(1) var<storage, read_write> indices: array<Index>;
@group(0) @binding(2) var<storage, read_write> made: array<u32>;
var<immediate> p: Params;

// For each lane how many scores exceed the target's, or SPOILT.
var<workgroup> better: array<u32, 256>;
const SPOILT: u32 = 0x80000000u;

fn is_finite(bits: u32) -> bool {
    return (bits & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let first = linear_group(wid) * 32u;
    let row = first + lid / 8u;
    var count = 0u;
    if row < p.rows {
        let target_index = wide_index(row);
        if is_within(target_index, p.length) {
            let score = scores[row * p.length + target_index.x];
            for (var i = lid % 8u; i < p.length; i += 8u) {
                let other = scores[row * p.length + i];
                if !is_finite(other) {
                    count |= SPOILT;
                }
                if bitcast<f32>(other) > bitcast<f32>(score) {
                    count++;
                }
            }
        } else {
            count = SPOILT;
        }
    }
    better[lid] = count;
    workgroupBarrier();
    // Eight words hold the 32 rows.
    if lid < 8u && first + 4u * lid < p.rows {
        var word = 0u;
        for (var r = 0u; r < 4u; r++) {
            var sum = 0u;
            var is_spoilt = false;
            for (var lane = 0u; lane < 8u; lane++) {
                let part = better[(4u * lid + r) * 8u + lane];
                is_spoilt = is_spoilt || (part & SPOILT) != 0u;
                sum += part & ~SPOILT;
            }
            let is_hit = !is_spoilt && i32(sum) < p.k && first + 4u * lid + r < p.rows;
            word |= select(0u, 1u, is_hit) << (8u * r);
        }
        made[first / 4u + lid] = word;
    }
}
