// Matrices [matrices, rows, columns] with only a band around the diagonal kept, else 0.
//
// Bindings: 0 given, 1 made.
// Parameters: count elements; rows; columns; lower, upper: how many diagonals below and above the main one are kept.
//!variant WIDTH 1
//!variant WIDTH 8
//!include lib/index.wgsl
//!include lib/given.wgsl

struct Params { zero: u32, flag: u32, count: u32, rows: u32, columns: u32, lower: u32, upper: u32 }

@group(0) @binding(0) var<storage, read_write> given: array<Unit>;
@group(0) @binding(1) var<storage, read_write> made: array<Unit>;
var<immediate> p: Params;

fn element(i: u32) -> Unit {
    let column = i % p.columns;
    let row = i / p.columns % p.rows;
    if column + p.lower < row || column > row + p.upper {
        return Unit();
    }
    return load_given(i);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    write_elements(linear_group(wid) * 256u + lid, p.count);
}
