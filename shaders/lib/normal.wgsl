// Two normal floats of two words (Box and Muller 1958).
// Needs: p.zero.
//!include lib/philox.wgsl
//!include lib/math.wgsl
//!include lib/trig.wgsl

fn normal_pair(words: vec2<u32>) -> vec2<f32> {
    let u = max(unit_float(words.x), 1e-7);
    let angle = 6.283185307 * unit_float(words.y);
    let radius = sqrt(-2.0 * math_log(u));
    return radius * vec2<f32>(math_sin(angle), math_cos(angle));
}
