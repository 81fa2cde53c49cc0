// The last two axes swapped: made[b, c, r] = given[b, r, c], by tiles of 32 by 32 in workgroup memory, so that reads and
// writes both run along memory.
//
// Bindings: 0 given, 1 made. Workgroups: tiles along the columns, tiles along the rows, matrices.
// Parameters: rows, columns of the given matrices.
//!default WIDTH 4
//!variant WIDTH 8

//!if WIDTH == 8
alias Unit = vec2<u32>;
//!else
alias Unit = u32;
//!end

struct Params { zero: u32, flag: u32, rows: u32, columns: u32 }

@group(0) @binding(0) var<storage, read_write> given: array<Unit>;
@group(0) @binding(1) var<storage, read_write> made: array<Unit>;
var<immediate> p: Params;

// A column more than the tile has, so that a column's elements lie in different banks.
var<workgroup> tile: array<Unit, 1056>;

@compute @workgroup_size(32, 8)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>) {
    let base = wid.z * p.rows * p.columns;
    let column = wid.x * 32u + lid.x;
    let row = wid.y * 32u + lid.x;
//!for q in 0..4
    {
        let k = lid.y + 8u * $qu;
        let r = wid.y * 32u + k;
        if r < p.rows && column < p.columns {
            tile[k * 33u + lid.x] = given[base + r * p.columns + column];
        }
    }
//!end
    workgroupBarrier();
//!for q in 0..4
    {
        let k = lid.y + 8u * $qu;
        let c = wid.x * 32u + k;
        if c < p.columns && row < p.rows {
            made[base + c * p.rows + row] = tile[lid.x * 33u + k];
        }
    }
//!end
}
