// One value everywhere: words that alternate between two, so int64 has its low and its high one. Bytes come four to a word.
//
// Bindings: 0 made. Parameters: words in all; the words at even and at odd places.
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32, even: u32, odd: u32 }

@group(0) @binding(0) var<storage, read_write> made: array<u32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        made[i] = select(p.even, p.odd, (i & 1u) == 1u);
    }
}
