// What the lanes of an output hold, put together and given to each of them. For uniform control flow only. TREE_VEC: each
// holds four.
//!include lib/bits.wgsl
//!include lib/lanes.wgsl
//!default TREE_VEC 0
//!if TREE_VEC
alias Leaf = vec4<f32>;
//!else
alias Leaf = f32;
//!end
var<workgroup> part: array<Leaf, 256>;

fn larger(a: f32, b: f32) -> f32 {
    return select(a, b, (b > a && !is_nan(a)) || is_nan(b));
}

fn tree_sum(lid: u32, value: Leaf) -> Leaf {
    workgroupBarrier();
    part[lid] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane_of(lid) < half {
            part[lid] += part[lid + half * STEP];
        }
    }
    workgroupBarrier();
    return part[first_lane(out_of(lid))];
}

//!if TREE_VEC
//!else
// The largest value; NaN where there is one.
fn tree_max(lid: u32, value: f32) -> f32 {
    workgroupBarrier();
    part[lid] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane_of(lid) < half {
            part[lid] = larger(part[lid], part[lid + half * STEP]);
        }
    }
    workgroupBarrier();
    return part[first_lane(out_of(lid))];
}
//!end
