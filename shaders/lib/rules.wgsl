// The step of rule RULE for one element: s holds the variable, then its slots; g is the gradient; p.h0.. are the rule's
// numbers (of Adam: its rate, beta1, beta2, epsilon).
//!default RULE 16
//!default FLAG 0
//!include lib/pow.wgsl

// sign(x) * max(|x| - l1, 0).
fn shrink(x: f32, l1: f32) -> f32 {
    return sign(x) * max(abs(x) - l1, 0.0);
}

fn ftrl_power(x: f32, power: f32) -> f32 {
    if power == -0.5 {
        return sqrt(x);
    }
    return math_pow(x, -power);
}

// FTRL-Proximal (McMahan et al., KDD 2013).
fn ftrl(s: vec4<f32>, g: f32, shrunk: f32, power: f32) -> vec4<f32> {
    let lr = p.h0;
    let l1 = p.h1;
    let squares = s.y + g * g;
    let linear = s.z + shrunk - (ftrl_power(squares, power) - ftrl_power(s.y, power)) / lr * s.x;
    let x = l1 * sign(linear) - linear;
    let y = ftrl_power(squares, power) / lr + 2.0 * p.h2;
    return vec4<f32>(select(0.0, x / y, abs(linear) > l1), squares, linear, 0.0);
}

fn step(s: vec4<f32>, g: f32) -> vec4<f32> {
//!if RULE == 0
    return vec4<f32>(s.x - g * p.h0, s.yzw);
//!end
//!if RULE == 1
    let accum = s.y * p.h1 + g;
//!if FLAG
    return vec4<f32>(s.x - (g * p.h0 + accum * p.h1 * p.h0), accum, s.zw);
//!else
    return vec4<f32>(s.x - accum * p.h0, accum, s.zw);
//!end
//!end
//!if RULE == 2
    let accum = s.y * p.h1 - g * p.h0;
//!if FLAG
    return vec4<f32>(s.x + (accum * p.h1 - g * p.h0), accum, s.zw);
//!else
    return vec4<f32>(s.x + accum, accum, s.zw);
//!end
//!end
//!if RULE == 3
    let accum = s.y + f32(FLAG) * g * g;
    return vec4<f32>(s.x - g * p.h0 / sqrt(accum), accum, s.zw);
//!end
//!if RULE == 4
    let accum = s.y + f32(FLAG) * g * g;
    return vec4<f32>(s.x - g * p.h0 / (sqrt(accum) + p.h1), accum, s.zw);
//!end
//!if RULE == 5
    let accum = s.y * p.h1 + g * g * (1.0 - p.h1);
    let update = sqrt(s.z + p.h2) / sqrt(accum + p.h2) * g;
    return vec4<f32>(s.x - update * p.h0, accum, s.z * p.h1 + update * update * (1.0 - p.h1), s.w);
//!end
//!if RULE == 6
    let m = s.y + (g - s.y) * (1.0 - p.h2);
    let v = max(p.h3 * s.z, abs(g));
    return vec4<f32>(s.x - p.h1 / (1.0 - p.h0) * (m / (v + p.h4)), m, v, s.w);
//!end
//!if RULE == 7
    let squares = s.y + (g * g - s.y) * (1.0 - p.h1);
    let momentum = s.z * p.h2 + (g * p.h0) / sqrt(squares + p.h3);
    return vec4<f32>(s.x - momentum, squares, momentum, s.w);
//!end
//!if RULE == 8
    let squares = s.z + (g * g - s.z) * (1.0 - p.h1);
    let mean = s.y + (g - s.y) * (1.0 - p.h1);
    let momentum = s.w * p.h2 + (g * p.h0) / sqrt((squares - mean * mean) + p.h3);
    return vec4<f32>(s.x - momentum, mean, squares, momentum);
//!end
//!if RULE == 9
    return ftrl(s, g, g, p.h3);
//!end
//!if RULE == 10
    return ftrl(s, g, g + 2.0 * p.h3 * s.x, p.h4);
//!end
//!if RULE == 11
    let next = s.x - g * p.h0;
    return vec4<f32>(select(next, shrink(next, p.h0 * p.h1), p.h1 > 0.0) / (1.0 + p.h2 * p.h0), s.yzw);
//!end
//!if RULE == 12
    let accum = s.y + g * g;
    let rate = p.h0 / sqrt(accum);
    let next = s.x - g * rate;
    return vec4<f32>(select(next, shrink(next, rate * p.h1), p.h1 > 0.0) / (1.0 + p.h2 * rate), accum, s.zw);
//!end
//!if RULE == 13
    let sum = s.y + g;
    let squares = s.z + g * g;
    let x = select(sum, shrink(sum, p.h1 * p.h3), p.h1 > 0.0);
    return vec4<f32>(-p.h0 * x / (p.h2 * p.h3 * p.h0 + sqrt(squares)), sum, squares, s.w);
//!end
//!if RULE == 14
    let m = s.y * p.h3 + g * (1.0 - p.h3);
    return vec4<f32>(s.x - p.h0 * (p.h1 + p.h2 * sign(g) * sign(m)) * g, m, s.zw);
//!end
//!if RULE == 15
    let m = s.y * p.h3 + g * (1.0 - p.h3);
    return vec4<f32>(s.x - p.h0 * math_exp(p.h1 * p.h2 * sign(g) * sign(m)) * g, m, s.zw);
//!end
//!if RULE == 16
    let m = s.y + (g - s.y) * (1.0 - p.h1);
    let v = s.z + (g * g - s.z) * (1.0 - p.h2);
//!if FLAG
    let direction = (g * (1.0 - p.h1) + p.h1 * m) * p.h0;
//!else
    let direction = m * p.h0;
//!end
    return vec4<f32>(s.x - direction / (sqrt(v) + p.h3), m, v, s.w);
//!end
}
