// Floats looked at by their bits: comparisons may be compiled as if there were no NaN.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// `zero` is the parameter of that name: a bit pattern known while compiling may not be infinite.
fn infinity(zero: u32) -> f32 {
    return bitcast<f32>(0x7f800000u ^ zero);
}

fn not_a_number(zero: u32) -> f32 {
    return bitcast<f32>(0x7fc00000u ^ zero);
}
