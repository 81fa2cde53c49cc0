// Bytes side by side: row r of made is row r of first, then row r of second. Packed four to a word.
//
// Bindings: 0 first, 1 second, 2 made. Parameters: count bytes of the result; the length of first's rows, of second's.
//!default WIDTH 1
//!include lib/index.wgsl
//!include lib/elements.wgsl

struct Params { zero: u32, flag: u32, count: u32, first_row: u32, second_row: u32 }

@group(0) @binding(0) var<storage, read_write> first: array<u32>;
@group(0) @binding(1) var<storage, read_write> second: array<u32>;
@group(0) @binding(2) var<storage, read_write> made: array<u32>;
var<immediate> p: Params;

fn element(i: u32) -> u32 {
    let row = i / (p.first_row + p.second_row);
    let column = i % (p.first_row + p.second_row);
    if column < p.first_row {
        let at = row * p.first_row + column;
        return byte_of(first[at >> 2u], at);
    }
    let at = row * p.second_row + column - p.first_row;
    return byte_of(second[at >> 2u], at);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
