// made[i] = yes[i] where condition[i / inner] is true, else no[i]: elementwise (inner 1), by rows, or all of one.
//
// Bindings: 0 condition (packed bytes), 1 yes, 2 no, 3 made. Parameters: count elements; inner.
//!variant WIDTH 1
//!variant WIDTH 8
//!include lib/index.wgsl
//!include lib/elements.wgsl

struct Params { zero: u32, flag: u32, count: u32, inner: u32 }

@group(0) @binding(0) var<storage, read_write> condition: array<u32>;
@group(0) @binding(1) var<storage, read_write> yes: array<Unit>;
@group(0) @binding(2) var<storage, read_write> no: array<Unit>;
@group(0) @binding(3) var<storage, read_write> made: array<Unit>;
var<immediate> p: Params;

fn element(i: u32) -> Unit {
    let at = i / p.inner;
    let is_true = byte_of(condition[at >> 2u], at) != 0u;
//!if WIDTH == 1
    return byte_of(select(no[i >> 2u], yes[i >> 2u], is_true), i);
//!else
    return select(no[i], yes[i], is_true);
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
