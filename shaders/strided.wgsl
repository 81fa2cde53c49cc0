// A tensor seen through steps: transposed, cut, repeated, reversed, spread. Element i of RANK axes is the input's element
// start + sum of index * step; with SPREAD it goes to made[to + sum of index * to_step], else to made[i].
//
// Bindings: 0 given, 1 made.
// Parameters: count elements; start; then for each axis, the innermost first, its size and step; with SPREAD `to` and the
// steps of the result. Steps and places are in elements, negative ones as two's complement.
//!default RANK 2
//!default SPREAD 0
//!variant WIDTH 1 RANK 6
//!variant WIDTH 8 RANK 1 SPREAD 1
//!variant WIDTH 16 RANK 3 SPREAD 1
//!include lib/index.wgsl
//!include lib/given.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, start: u32,
//!for i in 0..RANK
    size$i: u32, step$i: u32,
//!end
//!if SPREAD
    to: u32,
//!for i in 0..RANK
    to_step$i: u32,
//!end
//!end
}

@group(0) @binding(0) var<storage, read_write> given: array<Unit>;
@group(0) @binding(1) var<storage, read_write> made: array<Unit>;
var<immediate> p: Params;

fn element(i: u32) -> Unit {
    var rest = i;
    var at = p.start;
//!for i in 0..RANK
    at += rest % p.size$i * p.step$i;
    rest /= p.size$i;
//!end
    return load_given(at);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
//!if SPREAD
    if i < p.count {
        var rest = i;
        var to = p.to;
//!for i in 0..RANK
        to += rest % p.size$i * p.to_step$i;
        rest /= p.size$i;
//!end
        made[to] = element(i);
    }
//!else
    write_elements(i, p.count);
//!end
}
