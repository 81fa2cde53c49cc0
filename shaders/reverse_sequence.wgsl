// Elements along one axis the other way round, as many from the beginning as `indices` says for each place of another axis
// (the batch). A length that is not in 0..=size is noted in the checks (its place, its two words) and taken to be 0.
//
// Bindings: 0 given, 1 indices (lengths of INDEX_WIDTH 4 or 8 bytes), 2 made, 3 checks.
// Parameters: count elements; of the axis its size and step; of the batch its size and step.
//!variant WIDTH 1 INDEX_WIDTH 8
//!variant WIDTH 8
//!include lib/index.wgsl
//!include lib/given.wgsl
//!include lib/checked.wgsl

struct Params { zero: u32, flag: u32, count: u32, size: u32, step: u32, batch: u32, batch_step: u32 }

@group(0) @binding(0) var<storage, read_write> given: array<Unit>;
@group(0) @binding(1) var<storage, read_write> indices: array<Index>;
@group(0) @binding(2) var<storage, read_write> made: array<Unit>;
@group(0) @binding(3) var<storage, read_write> checks: array<u32>;
var<immediate> p: Params;

fn element(i: u32) -> Unit {
    let length = checked_index(i / p.batch_step % p.batch, p.size + 1u);
    let place = i / p.step % p.size;
    let source = select(place, length - 1u - place, place < length);
    return load_given(i + (source - place) * p.step);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
