// Rows put together by index, in the order in which they came, so the result has one value only: for each segment its row
// of `made` takes the updates of that segment. HOW: 0 the last is set, 1 added, 2 subtracted, 3 multiplied, 4 divided,
// 5 the least, 6 the largest, 7 added and divided by their number. float32, or int32 with WHOLE.
//
// Bindings: 0 updates [rows, block], 1 table, 2 made [rows, block].
// The table: the row of each segment; where each begins among the order, and the end; the updates in order of segment.
// Parameters: count (segments * block); block; segments.
//!default HOW 1
//!default WHOLE 0
//!variant HOW 0
//!variant HOW 2 WHOLE 1
//!variant HOW 3
//!variant HOW 4
//!variant HOW 5 WHOLE 1
//!variant HOW 6
//!variant HOW 7
//!include lib/index.wgsl
//!include lib/bits.wgsl

//!if WHOLE
alias Number = i32;
//!else
alias Number = f32;
//!end

struct Params { zero: u32, flag: u32, count: u32, block: u32, segments: u32 }

@group(0) @binding(0) var<storage, read_write> updates: array<Number>;
@group(0) @binding(1) var<storage, read_write> table: array<u32>;
@group(0) @binding(2) var<storage, read_write> made: array<Number>;
var<immediate> p: Params;

fn join(a: Number, b: Number) -> Number {
//!if HOW == 0
    return b;
//!end
//!if HOW == 1
    return a + b;
//!end
//!if HOW == 2
    return a - b;
//!end
//!if HOW == 3
    return a * b;
//!end
//!if HOW == 4
    return a / b;
//!end
//!if HOW == 5
    return select(a, b, b < a);
//!end
//!if HOW == 6
    return select(a, b, a < b);
//!end
//!if HOW == 7
    return a + b;
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        let segment = i / p.block;
        let column = i % p.block;
        let begin = table[p.segments + segment];
        let end = table[p.segments + segment + 1u];
        let order = 2u * p.segments + 1u;
        let at = table[segment] * p.block + column;
        var sum = made[at];
        for (var k = begin; k < end; k++) {
            sum = join(sum, updates[table[order + k] * p.block + column]);
        }
//!if HOW == 7
        sum /= Number(end - begin);
//!end
        made[at] = sum;
    }
}
