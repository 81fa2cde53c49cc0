// Notes in the checks whether x holds an infinite number (word 1) or NaN (word 2).
//
// Bindings: 0 x, 1 checks. Parameters: count elements.
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> checks: array<u32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        let size = x[i] & 0x7fffffffu;
        if size >= 0x7f800000u {
            checks[4u * p.flag + select(1u, 2u, size > 0x7f800000u)] = 1u;
            checks[4u * p.flag] = 1u;
        }
    }
}
