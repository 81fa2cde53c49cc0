// Largest elements by sorting (sort.wgsl) pairs (key, place) of x [rows, length]. PART 0: pairs that sort the largest
// first; 1: the same pairs with their rows as keys, in place; 2: of what is sorted by rows, then by size, the first k of
// each row.
//
// Bindings: 0 x, 1 pairs, 2 PART 2: values [rows, k], 3 places [rows, k]. PART 1: only 0 pairs.
// Parameters: count (of pairs, or of places); length; k.
// WHOLE: elements are i32.
//!default PART 0
//!variant PART 1
//!variant PART 2
//!variant WHOLE 1
//!include lib/index.wgsl
//!include lib/order.wgsl

struct Params { zero: u32, flag: u32, count: u32, length: u32, k: u32 }

//!if PART == 1
@group(0) @binding(0) var<storage, read_write> pairs: array<vec2<u32>>;
//!else
@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2<u32>>;
//!end
//!if PART == 2
@group(0) @binding(2) var<storage, read_write> values: array<u32>;
@group(0) @binding(3) var<storage, read_write> places: array<u32>;
//!end
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
//!if PART == 0
        pairs[i] = vec2<u32>(~ordered(x[i], select(0xffffffffu, 0u, p.k == 1u)), i);
//!end
//!if PART == 1
        pairs[i].x = pairs[i].y / p.length;
//!end
//!if PART == 2
        let place = pairs[i / p.k * p.length + i % p.k].y;
        values[i] = x[place];
        places[i] = place % p.length;
//!end
    }
}
