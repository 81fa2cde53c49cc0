// What the lanes of an output hold, put together and given to each of them. For uniform control flow only.
//!include lib/bits.wgsl
//!include lib/lanes.wgsl
var<workgroup> part: array<f32, 256>;

fn larger(a: f32, b: f32) -> f32 {
    return select(a, b, (b > a && !is_nan(a)) || is_nan(b));
}

fn tree_sum(lid: u32, value: f32) -> f32 {
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
