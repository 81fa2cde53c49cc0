// Sum, product, mean, maximum and minimum along the middle axis of x [outer, length, inner], in a tree whose shape
// depends on the sizes alone. The axis may be cut into chunks: y is then [outer, chunks, inner], and a second dispatch
// over it gives the result. Maximum and minimum pass NaN over, as TensorFlow does.
//
// Bindings: 0 x, 1 y (of floats, or what lib/end.wgsl's place holds).
// Parameters: outputs = outer * chunks * inner; length; inner; chunks; chunk, the elements of each; divisor of a mean;
// those of lib/end.wgsl. C_VEC goes with VEC and STRIDED.
// KIND: 0 sum, 1 product, 2 maximum (any, for bool), 3 minimum (all). MEAN: divides by the divisor.
// SQUARE: squares of x are folded.
// VEC: four floats at a time. With STRIDED, four neighbouring results: outputs and inner are those of fours. Else (inner
// is 1) four neighbours of a row: length and chunk are those of fours.
// INT: elements are i32. BYTES: elements are bool, packed four to a word; OUTS must then be 4 or more.
//!variant KIND 1 STRIDED 1
//!variant KIND 2 STRIDED 1 VEC 1 C_VEC 1
//!variant MEAN 1 SQUARE 1 VEC 1
//!variant KIND 2
//!variant KIND 3
//!variant MEAN 1 SQUARE 1
//!variant KIND 2 INT 1
//!variant KIND 3 BYTES 1 LANES 32
//!variant MEAN 1 INT 1
//!default KIND 0
//!default MEAN 0
//!default SQUARE 0
//!default INT 0
//!default BYTES 0
//!default VEC 0
//!default END 1
//!include lib/index.wgsl
//!include lib/bits.wgsl
//!include lib/lanes.wgsl

//!if BYTES
alias T = u32;
//!else
//!if INT
alias T = i32;
//!else
//!if VEC
alias T = vec4<f32>;
//!else
alias T = f32;
//!end
//!end
//!end

struct Params {
    zero: u32, flag: u32, outputs: u32, length: u32, inner: u32, chunks: u32, chunk: u32, divisor: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<T>;
//!if BYTES
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
//!else
//!if INT
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
//!else
//!include lib/end.wgsl
//!end
//!end
var<immediate> p: Params;
var<workgroup> part: array<T, 256>;

fn identity() -> T {
//!if KIND == 0
    return T(0);
//!end
//!if KIND == 1
    return T(1);
//!end
//!if KIND == 2
    //!if BYTES
    return 0u;
    //!else
    //!if INT
    return bitcast<i32>(0x80000000u);
    //!else
    return T(-infinity(p.zero));
    //!end
    //!end
//!end
//!if KIND == 3
    //!if BYTES
    return 1u;
    //!else
    //!if INT
    return 0x7fffffff;
    //!else
    return T(infinity(p.zero));
    //!end
    //!end
//!end
}

fn fold(a: T, b: T) -> T {
//!if KIND == 0
    return a + b;
//!end
//!if KIND == 1
    return a * b;
//!end
//!if KIND == 2
    //!if INT
    return max(a, b);
    //!else
    //!if BYTES
    return max(a, b);
    //!else
    return select(a, b, b > a);
    //!end
    //!end
//!end
//!if KIND == 3
    //!if INT
    return min(a, b);
    //!else
    //!if BYTES
    return min(a, b);
    //!else
    return select(a, b, b < a);
    //!end
    //!end
//!end
}

//!if BYTES
//!else
fn put(o: u32, v: T) {
//!if INT
    y[o] = v;
//!else
//!if VEC
//!if C_VEC
    finish(4u * o, o % p.inner * 4u, p.inner * 4u, v);
//!else
    let half = fold(vec4<f32>(v.xy, identity().xy), vec4<f32>(v.zw, identity().zw));
    finish_one(o, 0u, fold(half, half.yyyy).x);
//!end
//!else
    finish_one(o, o % p.inner, v);
//!end
//!end
}
//!end

fn load(i: u32) -> T {
//!if BYTES
    return (x[i / 4u] >> (8u * (i % 4u))) & 0xffu;
//!else
    return x[i];
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let first = linear_group(wid) * OUTS;
    let o = first + out_of(lid);
    let lane = lane_of(lid);
    var acc = identity();
    if o < p.outputs {
        let rest = o / p.inner;
        let begin = (rest % p.chunks) * p.chunk;
        let end = min(begin + p.chunk, p.length);
        let row = (rest / p.chunks) * p.length;
        for (var k = begin + lane; k < end; k += LANES) {
            let value = load((row + k) * p.inner + o % p.inner);
//!if SQUARE
            acc = fold(acc, value * value);
//!else
            acc = fold(acc, value);
//!end
        }
    }
    part[lid] = acc;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            part[lid] = fold(part[lid], part[lid + half * STEP]);
        }
    }
    workgroupBarrier();
//!if BYTES
    if 4u * lid < OUTS && first + 4u * lid < p.outputs {
        let at = 4u * lid;
        y[first / 4u + lid] = part[first_lane(at)] | (part[first_lane(at + 1u)] << 8u)
            | (part[first_lane(at + 2u)] << 16u) | (part[first_lane(at + 3u)] << 24u);
    }
//!else
    if lane == 0u && o < p.outputs {
    //!if MEAN
        // No integer is divided by zero; a float is, and gives NaN.
    //!if INT
        put(o, part[lid] / max(i32(p.divisor), 1));
    //!else
        put(o, part[lid] / f32(p.divisor));
    //!end
    //!else
        put(o, part[lid]);
    //!end
    }
//!end
}
