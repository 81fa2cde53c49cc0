// Random numbers in TensorFlow's order, seed for seed: KIND 0 uniform floats in [0, 1), 1 normal floats, 2 normal floats
// drawn again while they lie two standard deviations or more from 0, 3 int32 in low..low + range.
//
// Bindings: 0 made, in fours (or what lib/end.wgsl's place holds, where no operand is a row). Parameters: fours in all; the
// counter where the stream begins; the key; low; range; those of lib/end.wgsl.
//!default END 0
//!default C_VEC 1
//!default KIND 0
//!variant KIND 1
//!variant KIND 2
//!variant KIND 3
//!include lib/index.wgsl
//!include lib/normal.wgsl

struct Params {
    zero: u32, flag: u32, fours: u32, counter0: u32, counter1: u32, counter2: u32, counter3: u32,
    key0: u32, key1: u32, low: u32, range: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if KIND == 3
@group(0) @binding(0) var<storage, read_write> made: array<vec4<u32>>;
//!else
//!include lib/end.wgsl
//!end
var<immediate> p: Params;

// Group number `at` of words in the stream that begins at the counter; `times` 256 when each four has its own 256 groups.
fn words_at(i: u32, times: u32, more: u32) -> vec4<u32> {
    let start = vec4<u32>(p.counter0, p.counter1, p.counter2, p.counter3);
    let far = vec2<u32>(i * times, select(0u, i >> 24u, times == 256u));
    let counter = philox_skip(philox_skip(start, far), vec2<u32>(more, 0u));
    return philox(counter, vec2<u32>(p.key0, p.key1));
}

//!if KIND == 0
fn four(i: u32) -> vec4<u32> {
    let w = words_at(i, 1u, 0u);
    return bitcast<vec4<u32>>(vec4<f32>(unit_float(w.x), unit_float(w.y), unit_float(w.z), unit_float(w.w)));
}
//!end
//!if KIND == 1
fn four(i: u32) -> vec4<u32> {
    let w = words_at(i, 1u, 0u);
    return bitcast<vec4<u32>>(vec4<f32>(normal_pair(w.xy), normal_pair(w.zw)));
}
//!end
//!if KIND == 2
// The stream of a four is 256 groups long; that they do not suffice has a chance of 1 in 10^600.
fn four(i: u32) -> vec4<u32> {
    var found = array<f32, 4>(0.0, 0.0, 0.0, 0.0);
    var count = 0u;
    for (var group = 0u; group < 256u && count < 4u; group++) {
        let w = words_at(i, 256u, group);
        let all = vec4<f32>(normal_pair(w.xy), normal_pair(w.zw));
        for (var k = 0u; k < 4u; k++) {
            if abs(all[k]) < 2.0 && count < 4u {
                found[count] = all[k];
                count++;
            }
        }
    }
    return bitcast<vec4<u32>>(vec4<f32>(found[0], found[1], found[2], found[3]));
}
//!end
//!if KIND == 3
fn four(i: u32) -> vec4<u32> {
    return words_at(i, 1u, 0u) % vec4<u32>(max(p.range, 1u)) + vec4<u32>(p.low);
}
//!end

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.fours {
//!if KIND == 3
        made[i] = four(i);
//!else
        finish(4u * i, 0u, 0u, bitcast<vec4<f32>>(four(i)));
//!end
    }
}
