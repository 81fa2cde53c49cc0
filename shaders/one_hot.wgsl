// made[before, depth, after] = on where indices[before, after] is the place along depth, else off.
//
// Bindings: 0 indices, 1 made.
// Parameters: count elements of the result; depth; after; the two words of on, and of off.
//!variant WIDTH 1 INDEX_WIDTH 8
//!variant WIDTH 8 INDEX_WIDTH 1
//!include lib/index.wgsl
//!include lib/elements.wgsl
//!include lib/indices.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, depth: u32, after: u32,
    on_low: u32, on_high: u32, off_low: u32, off_high: u32,
}

@group(0) @binding(0) var<storage, read_write> indices: array<Index>;
@group(0) @binding(1) var<storage, read_write> made: array<Unit>;
var<immediate> p: Params;

fn element(i: u32) -> Unit {
    let after = i % p.after;
    let rest = i / p.after;
    let index = wide_index(rest / p.depth * p.after + after);
    let is_on = index.y == 0u && index.x == rest % p.depth;
    let low = select(p.off_low, p.on_low, is_on);
//!if WIDTH == 8
    return Unit(low, select(p.off_high, p.on_high, is_on));
//!else
    return low;
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
