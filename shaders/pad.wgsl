// A tensor with a border around it: of one value (MODE 0), or mirrored without the edge (1, reflect) or with it
// (2, symmetric). With MODE 3 a tensor of the same size, turned by what would lie before it.
//
// Bindings: 0 given, 1 made.
// Parameters: count elements of the result; the border's value in two words; then for each axis, the innermost first,
// the result's size, the border before, the input's size.
//!default RANK 2
//!default MODE 0
//!variant WIDTH 1 RANK 4 MODE 1
//!variant WIDTH 8 RANK 1 MODE 2
//!variant MODE 3
//!include lib/index.wgsl
//!include lib/given.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, fill_low: u32, fill_high: u32,
//!for i in 0..RANK
    size$i: u32, before$i: u32, given$i: u32,
//!end
}

@group(0) @binding(0) var<storage, read_write> given: array<Unit>;
@group(0) @binding(1) var<storage, read_write> made: array<Unit>;
var<immediate> p: Params;

// The place in the input of a place in the result; out of its `size` in the border when MODE is 0.
fn inside(at: u32, before: u32, size: u32) -> u32 {
    let place = at - before;
//!if MODE == 3
    return select(place, place + size, at < before);
//!else
//!if MODE
    let edge = MODE - 1u;
    if at < before {
        return before - at - edge;
    }
    if place >= size {
        return 2u * size - 2u - place + edge;
    }
//!end
    return place;
//!end
}

fn element(i: u32) -> Unit {
    var rest = i;
    var at = 0u;
    var stride = 1u;
    var is_inside = true;
//!for i in 0..RANK
    {
        let place = inside(rest % p.size$i, p.before$i, p.given$i);
        is_inside = is_inside && place < p.given$i;
        at += place * stride;
        stride *= p.given$i;
        rest /= p.size$i;
    }
//!end
    if is_inside {
        return load_given(at);
    }
//!if WIDTH == 8
    return Unit(p.fill_low, p.fill_high);
//!else
    return p.fill_low;
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
