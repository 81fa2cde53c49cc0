// Slices picked by index: made[batch, outer, pick, inner] = given[batch, outer, indices[batch, pick], inner]. An index
// outside 0..rows is noted in the checks (its place, its two words), and taken to be 0.
//
// Bindings: 0 given, 1 indices (of INDEX_WIDTH 4 or 8 bytes), 2 made, 3 checks.
// Parameters: count elements of the result; outer, picks (of a batch), rows, inner.
//!default INDEX_WIDTH 4
//!variant WIDTH 1 INDEX_WIDTH 8
//!variant WIDTH 8
//!variant WIDTH 16 INDEX_WIDTH 8
//!include lib/index.wgsl
//!include lib/given.wgsl
//!include lib/checked.wgsl

struct Params { zero: u32, flag: u32, count: u32, outer: u32, picks: u32, rows: u32, inner: u32 }

@group(0) @binding(0) var<storage, read_write> given: array<Unit>;
@group(0) @binding(1) var<storage, read_write> indices: array<Index>;
@group(0) @binding(2) var<storage, read_write> made: array<Unit>;
@group(0) @binding(3) var<storage, read_write> checks: array<u32>;
var<immediate> p: Params;

fn element(i: u32) -> Unit {
    let column = i % p.inner;
    let rest = i / p.inner;
    let pick = rest % p.picks;
    let slice = rest / p.picks;
    let place = slice / p.outer * p.picks + pick;
    let row = checked_index(place, p.rows);
    return load_given((slice * p.rows + row) * p.inner + column);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
