// Rows put together by index, in the order in which they came, so the result has one value only: for each segment its row
// of `made` takes the updates of that segment. HOW: 0 the last is set, 1 added, 2 subtracted, 3 multiplied, 4 divided,
// 5 the least, 6 the largest, 7 added and divided by their number, 8 added and divided by its root. float32, or int32
// with WHOLE. FRESH: what `made` held counts for nothing. WEIGHTED: each update is multiplied by a number.
//
// Bindings: 0 updates [rows, block], 1 table, 2 made [rows, block].
// The table: the row of each segment; where each begins among the order, and the end; the updates in order of segment;
// with WEIGHTED then the places of their numbers in binding 3, in that order.
// With SORTED: the pairs that sort.wgsl makes of rows and updates, those from `first` to `segments`; rows from `limit` on
// are none.
// Parameters: count (segments * block); block; segments; limit; first.
//!default HOW 1
//!default WHOLE 0
//!default SORTED 0
//!default FRESH 0
//!default WEIGHTED 0
//!variant SORTED 1
//!variant SORTED 1 HOW 7
//!variant HOW 8
//!variant HOW 6 FRESH 1
//!variant WEIGHTED 1
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

struct Params { zero: u32, flag: u32, count: u32, block: u32, segments: u32, limit: u32, first: u32 }

@group(0) @binding(0) var<storage, read_write> updates: array<Number>;
//!if SORTED
@group(0) @binding(1) var<storage, read_write> table: array<vec2<u32>>;
//!else
@group(0) @binding(1) var<storage, read_write> table: array<u32>;
//!end
@group(0) @binding(2) var<storage, read_write> made: array<Number>;
//!if WEIGHTED
@group(0) @binding(3) var<storage, read_write> weights: array<Number>;
//!end
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
//!if HOW == 8
    return a + b;
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        let segment = i / p.block;
        let column = i % p.block;
//!if SORTED
        // The invocations at the first pair of a row do all of the row's.
        let begin = p.first + segment;
        let row = table[begin].x;
        let is_first = row < p.limit && (segment == 0u || table[max(begin, 1u) - 1u].x != row);
        var end = begin;
        if is_first {
            let at = row * p.block + column;
            var sum = made[at];
            var pair = table[end];
            while end < p.segments && pair.x == row {
                sum = join(sum, updates[pair.y * p.block + column]);
                end++;
                pair = table[min(end, p.segments - 1u)];
            }
//!else
        let begin = table[p.segments + segment];
        let end = table[p.segments + segment + 1u];
        let order = 2u * p.segments + 1u;
        {
            let at = table[segment] * p.block + column;
            var sum = made[at];
            for (var k = begin; k < end; k++) {
                var next = updates[table[order + k] * p.block + column];
//!if WEIGHTED
                next *= weights[table[order + table[2u * p.segments] + k]];
//!end
//!if FRESH
                sum = select(join(sum, next), next, k == begin);
//!else
                sum = join(sum, next);
//!end
            }
//!end
//!if HOW == 7
            sum /= Number(end - begin);
//!end
//!if HOW == 8
            sum /= sqrt(Number(end - begin));
//!end
            made[at] = sum;
        }
    }
}
