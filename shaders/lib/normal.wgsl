// Two normal floats of two words (Box and Muller 1958).
// Needs: p.zero.
//!include lib/philox.wgsl
//!include lib/math.wgsl
//!include lib/trig.wgsl

fn normal_pair(words: vec2<u32>) -> vec2<f32> {
    let u = max(unit_float(words.x), 1e-7);
    // 2 pi times the unit, rounded once, as the CPU has it by way of float64: near a zero of the sine it shows.
    let unit = unit_float(words.y);
    let product = two_product(6.2831855, unit);
    let angle = product.x + (product.y - 1.7484555e-7 * unit);
    let radius = sqrt(-2.0 * math_log(u));
    return radius * vec2<f32>(math_sin(angle), math_cos(angle));
}
