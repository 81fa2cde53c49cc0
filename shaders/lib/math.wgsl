// Exponentials and logarithms to a few units in the last place: the builtins are promised far less.
// Needs: p.zero.
//!include lib/floats.wgsl

// exp(x + rest) * 2^shift, for a rest that is small beside x.
fn exp_of_sum(x: f32, rest: f32, shift: i32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let c = clamp(x, -250.0, 250.0);
    let n = round(c * 1.442695041);
    // ln 2 in two parts; the first has nine bits, so its product with n is exact.
    let r = opaque(opaque(c - n * 0.693359375) + n * 2.12194440e-4) + rest;
    let tail = ((((0.000198756915 * r + 0.0013981999507) * r + 0.0083334519073) * r + 0.041665795894) * r +
        0.16666665459) * r + 0.50000001201;
    return scaled(1.0 + (r + r * r * (tail)), i32(n) + shift);
}

fn math_exp(x: f32) -> f32 {
    return exp_of_sum(x, 0.0, 0);
}

fn math_expm1(x: f32) -> f32 {
    if is_nan(x) || abs(x) < 1e-8 {
        return x;
    }
    let c = clamp(x, -30.0, 100.0);
    let n = round(c * 1.442695041);
    let high = opaque(c - n * 0.693359375);
    let r = opaque(high + n * 2.12194440e-4);
    let lost = opaque(high - r) + n * 2.12194440e-4;
    let tail = ((((2.4877906980691478e-05 * r + 0.00019904857617802918) * r + 0.001388882170431316) * r +
        0.008333289064466953) * r + 0.0416666679084301) * r + 0.1666666716337204;
    let e = r + (r * r * (0.5 + r * (tail)) + lost);
    if n == 0.0 {
        return e;
    }
    if n > 127.0 {
        return scaled(1.0 + e, i32(n));
    }
    let t = power_of_two(max(i32(n), -60));
    return opaque(t - 1.0) + t * e;
}

// The mantissa in [sqrt 1/2, sqrt 2) and the exponent of a positive finite x.
struct Split { mantissa: f32, exponent: i32 }

fn split_float(x: f32) -> Split {
    var bits = bitcast<u32>(x);
    var e = 0;
    if bits < 0x00800000u {
        // Denormal: its bits are its multiple of 2^-149.
        bits = bitcast<u32>(f32(bits));
        e = -149;
    }
    let k = bitcast<i32>(bits - 0x3f3504f3u) >> 23u;
    return Split(bitcast<f32>(bits - (bitcast<u32>(k) << 23u)), e + k);
}

// Whether the logarithm of x is one of the values that `log_edge` gives.
fn is_log_edge(x: f32) -> bool {
    return bitcast<u32>(x) - 1u >= 0x7f7fffffu;
}

// Of 0, negative numbers, infinity and NaN.
fn log_edge(x: f32) -> f32 {
    if (bitcast<u32>(x) & 0x7fffffffu) == 0u {
        return -infinity(p.zero);
    }
    if is_nan(x) || !is_negative(x) {
        return x;
    }
    return not_a_number(p.zero);
}

fn math_log(x: f32) -> f32 {
    if is_log_edge(x) {
        return log_edge(x);
    }
    let s = split_float(x);
    let f = opaque(s.mantissa - 1.0);
    let e = f32(s.exponent);
    let z = f * f;
    let q = (((((((0.070376836292 * f + -0.1151461031) * f + 0.1167699874) * f + -0.12420140846) * f +
        0.14249322787) * f + -0.16668057665) * f + 0.20000714765) * f + -0.24999993993) * f + 0.33333331174;
    let tail = f * z * (q) - e * 2.12194440e-4 - 0.5 * z;
    return opaque(f + tail) + e * 0.693359375;
}

fn math_log1p(x: f32) -> f32 {
    if abs(x) < 2e-8 {
        return x;
    }
    let u = opaque(1.0 + x);
    if is_log_edge(u) {
        return log_edge(u);
    }
    // What the sum lost.
    let back = opaque(u - 1.0);
    var rest = opaque(x - back);
    if x > 1.0 {
        rest = 1.0 - opaque(u - x);
    }
    return math_log(u) + rest / u;
}

fn math_sigmoid(x: f32) -> f32 {
    let e = math_exp(-abs(x));
    return select(1.0, e, x < 0.0) / (1.0 + e);
}

fn math_tanh(x: f32) -> f32 {
    let a = abs(x);
    if a < 1e-4 {
        return x;
    }
    if a < 0.625 {
        let z = x * x;
        let q = (((-0.00570498872745 * z + 0.0206390887954) * z + -0.0537397155531) * z + 0.133314422036) * z +
        -0.333332819422;
        return x + x * z * (q);
    }
    if is_nan(x) {
        return x;
    }
    return copysign(1.0 - 2.0 / (math_exp(2.0 * a) + 1.0), x);
}

fn math_sinh(x: f32) -> f32 {
    let a = abs(x);
    if a < 1.0 {
        let z = x * x;
        let q = (0.000203721912945 * z + 0.00833028376239) * z + 0.166667160211;
        return x + x * z * (q);
    }
    let half = exp_of_sum(a, 0.0, -1);
    return copysign(half - 0.25 / half, x);
}

fn math_cosh(x: f32) -> f32 {
    let half = exp_of_sum(abs(x), 0.0, -1);
    return half + 0.25 / half;
}

fn math_asinh(x: f32) -> f32 {
    let a = abs(x);
    if is_nan(x) || a < 1e-4 {
        return x;
    }
    if a > 1e9 {
        return copysign(math_log(a) + 0.6931471806, x);
    }
    let z = a * a;
    return copysign(math_log1p(a + z / (1.0 + sqrt(z + 1.0))), x);
}

fn math_acosh(x: f32) -> f32 {
    if x > 1e9 {
        return math_log(x) + 0.6931471806;
    }
    let t = opaque(x - 1.0);
    if t >= 0.0 {
        return math_log1p(t + sqrt(t * (t + 2.0)));
    }
    return not_a_number(p.zero);
}

fn math_atanh(x: f32) -> f32 {
    let a = abs(x);
    if is_nan(x) || a < 1e-4 {
        return x;
    }
    if a > 1.0 {
        return not_a_number(p.zero);
    }
    if a == 1.0 {
        return copysign(infinity(p.zero), x);
    }
    return copysign(0.5 * math_log1p(2.0 * a / opaque(1.0 - a)), x);
}
