// Floats by their bits, and sums that no compiler may rearrange.
// Needs: p.zero, a parameter that is always 0.
//!include lib/bits.wgsl

// x, as a value that no compiler knows anything of: sums on both sides of it stay as they are written.
fn opaque(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) ^ p.zero);
}

fn is_inf(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

fn is_negative(x: f32) -> bool {
    return (bitcast<u32>(x) >> 31u) == 1u;
}

// |magnitude| with the sign of `sign`, NaN included.
fn copysign(magnitude: f32, sign: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(magnitude) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}

// 2^e for -126 <= e <= 127.
fn power_of_two(e: i32) -> f32 {
    return bitcast<f32>(u32(e + 127) << 23u);
}

// x * 2^e, over the whole range of floats.
fn scaled(x: f32, e: i32) -> f32 {
    let whole = clamp(e, -252, 254);
    let half = whole / 2;
    return opaque(x * power_of_two(half)) * power_of_two(whole - half);
}

// The sum of two floats without error; x + y = sum + rest.
fn two_sum(x: f32, y: f32) -> vec2<f32> {
    let sum = opaque(x + y);
    let from_y = opaque(sum - x);
    let from_x = opaque(sum - from_y);
    return vec2<f32>(sum, opaque(x - from_x) + opaque(y - from_y));
}

// The product of two floats without error (Dekker 1971), while nothing overflows.
fn two_product(x: f32, y: f32) -> vec2<f32> {
    let product = opaque(x * y);
    let xh = bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
    let yh = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
    let xl = opaque(x - xh);
    let yl = opaque(y - yh);
    let rest = opaque(opaque(opaque(xh * yh) - product) + opaque(xh * yl)) + opaque(xl * yh);
    return vec2<f32>(product, rest + xl * yl);
}
