// The row that each index vector names, of a matrix whose rows are the slices named. A vector that names nothing is noted
// in the checks: its place, and its DEPTH numbers packed into two words (64 / DEPTH bits each, those of two words as they
// are; one that is too large as the largest).
//
// Bindings: 0 indices [count, DEPTH] (of INDEX_WIDTH 4 or 8 bytes), 1 made, 2 checks.
// Parameters: count; limit, the number of rows; `ahead` rows lie between the first rows of one `each` vectors and of the
// next; for each of the DEPTH numbers its limit and its step.
// PAIRS: made holds (row, place) to be sorted, with row `limit` for what goes nowhere; else rows, 0 for what names nothing.
// DROP: a vector with a negative number goes nowhere, and that is no error.
//!default DEPTH 1
//!default PAIRS 1
//!default DROP 0
//!variant PAIRS 0 DEPTH 2
//!variant DEPTH 3 INDEX_WIDTH 8
//!variant DROP 1
//!include lib/index.wgsl
//!include lib/indices.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, limit: u32, each: u32, ahead: u32,
//!for k in 0..DEPTH
    limit$k: u32, step$k: u32,
//!end
}

@group(0) @binding(0) var<storage, read_write> indices: array<Index>;
//!if PAIRS
@group(0) @binding(1) var<storage, read_write> made: array<vec2<u32>>;
//!else
@group(0) @binding(1) var<storage, read_write> made: array<u32>;
//!end
@group(0) @binding(2) var<storage, read_write> checks: array<u32>;
var<immediate> p: Params;

// The number at `place` put behind those packed before.
fn packed(words: vec2<u32>, place: u32) -> vec2<u32> {
    let number = wide_index(place);
//!if DEPTH == 1
    return number;
//!else
//!if DEPTH == 2
    return vec2<u32>(number.x, words.x);
//!else
    let bits = 64u / DEPTH;
    let most = (1u << (bits - 1u)) - 1u;
    var kept = select(most, min(number.x, most), number.y == 0u);
    if (number.y >> 31u) == 1u {
        let is_near = number.y == 0xffffffffu && (number.x >> 31u) == 1u;
        kept = select(most + 1u, max(number.x, ~most) & (2u * most + 1u), is_near);
    }
    return vec2<u32>((words.x << bits) | kept, (words.y << bits) | (words.x >> (32u - bits)));
//!end
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        var row = i / p.each * p.ahead;
        var is_there = true;
        var is_dropped = false;
//!for k in 0..DEPTH
        {
            let index = wide_index(i * DEPTH + $ku);
            is_there = is_there && is_within(index, p.limit$k);
            is_dropped = is_dropped || (index.y >> 31u) == 1u;
            row += index.x * p.step$k;
        }
//!end
        if !is_there && !(DROP == 1u && is_dropped) {
            var words = vec2<u32>();
//!for k in 0..DEPTH
            words = packed(words, i * DEPTH + $ku);
//!end
            checks[4u * p.flag + 1u] = i;
            checks[4u * p.flag + 2u] = words.x;
            checks[4u * p.flag + 3u] = words.y;
            checks[4u * p.flag] = 1u;
        }
//!if PAIRS
        made[i] = vec2<u32>(select(p.limit, row, is_there), i);
//!else
        made[i] = select(0u, row, is_there);
//!end
    }
}
