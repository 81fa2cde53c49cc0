// Sines, tangents and their inverses to a few units in the last place, for arguments of any size.
// Needs: p.zero.
//!include lib/floats.wgsl

// x = quadrant * pi/2 + rest, the rest within pi/4.
struct Turn { quadrant: u32, rest: f32 }

fn high_product(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let u = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let v = (a & 0xffffu) * (b >> 16u) + (u & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (u >> 16u) + (v >> 16u);
}

// Payne and Hanek 1983: only those bits of 2/pi are multiplied that tell the place within four quadrants.
fn turn_of_large(x: f32) -> Turn {
    var two_over_pi = array<u32, 8>(
        0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
    let bits = bitcast<u32>(abs(x));
    let m = (bits & 0x7fffffu) | 0x800000u;
    let start = (bits >> 23u) - 150u + 30u;
    let word = start >> 5u;
    let shift = start & 31u;
    var w = vec3<u32>(two_over_pi[word], two_over_pi[word + 1u], two_over_pi[word + 2u]);
    if shift > 0u {
        let next = vec3<u32>(w.y, w.z, two_over_pi[word + 3u]);
        w = (w << vec3<u32>(shift)) | (next >> vec3<u32>(32u - shift));
    }
    let middle = m * w.y + high_product(m, w.z);
    let carry = select(0u, 1u, middle < m * w.y);
    let high = m * w.x + high_product(m, w.y) + carry;
    let quadrant = (high + 0x20000000u) >> 30u;
    // What is left, as a signed fraction of a quadrant in 62 bits.
    var top = (high << 2u) | (middle >> 30u);
    var bottom = middle << 2u;
    let is_below = (top >> 31u) == 1u;
    if is_below {
        bottom = ~bottom + 1u;
        top = ~top + select(0u, 1u, bottom == 0u);
    }
    let zeros = min(countLeadingZeros(top), 31u);
    if zeros > 0u {
        top = (top << zeros) | (bottom >> (32u - zeros));
    }
    let rest = f32(top >> 7u) * power_of_two(-25 - i32(zeros)) * 1.570796327;
    let is_other = is_below != (x < 0.0);
    return Turn(select(quadrant, 0u - quadrant, x < 0.0) & 3u, select(rest, -rest, is_other));
}

fn turn_of(x: f32) -> Turn {
    if abs(x) > 8192.0 {
        return turn_of_large(x);
    }
    let n = round(x * 0.6366197724);
    // pi/2 in parts of eleven bits: their products with n are exact.
    var r = opaque(x - n * 1.5703125);
    r = opaque(r - n * 0.0004837512969970703);
    r = opaque(r - n * 7.549533620476723e-8);
    r = opaque(r - n * 2.5633440682570896e-12);
    return Turn(bitcast<u32>(i32(n)) & 3u, r);
}

fn sin_within(r: f32) -> f32 {
    let z = r * r;
    return r + r * z * ((-0.00019515295891 * z + 0.0083321608736) * z + -0.16666654611);
}

fn cos_within(r: f32) -> f32 {
    let z = r * r;
    return 1.0 - 0.5 * z + z * z * ((2.443315711809948e-05 * z + -0.001388731625493765) * z + 0.04166664568298827);
}

fn math_sin(x: f32) -> f32 {
    if !is_finite(x) {
        return not_a_number(p.zero);
    }
    if abs(x) < 1e-4 {
        return x;
    }
    let t = turn_of(x);
    let y = select(sin_within(t.rest), cos_within(t.rest), (t.quadrant & 1u) == 1u);
    return select(y, -y, t.quadrant >= 2u);
}

fn math_cos(x: f32) -> f32 {
    if !is_finite(x) {
        return not_a_number(p.zero);
    }
    let t = turn_of(x);
    let y = select(cos_within(t.rest), sin_within(t.rest), (t.quadrant & 1u) == 1u);
    return select(y, -y, t.quadrant == 1u || t.quadrant == 2u);
}

fn math_tan(x: f32) -> f32 {
    if !is_finite(x) {
        return not_a_number(p.zero);
    }
    if abs(x) < 1e-4 {
        return x;
    }
    let t = turn_of(x);
    let r = t.rest;
    let z = r * r;
    let q = ((((0.00938540185543 * z + 0.00311992232697) * z + 0.0244301354525) * z + 0.0534112807005) * z +
        0.133387994085) * z + 0.333331568548;
    let y = r + r * z * (q);
    if (t.quadrant & 1u) == 1u {
        return -1.0 / y;
    }
    return y;
}

fn asin_within(x: f32, z: f32) -> f32 {
    return x + x * z * ((((0.042163199048 * z + 0.024181311049) * z + 0.045470025998) * z + 0.074953002686) * z +
        0.16666752422);
}

fn math_asin(x: f32) -> f32 {
    let a = abs(x);
    if !(a <= 1.0) || is_nan(x) {
        return not_a_number(p.zero);
    }
    if a <= 0.5 {
        return asin_within(x, x * x);
    }
    let z = 0.5 * opaque(1.0 - a);
    return copysign(1.570796327 - 2.0 * asin_within(sqrt(z), z), x);
}

fn math_acos(x: f32) -> f32 {
    let a = abs(x);
    if !(a <= 1.0) || is_nan(x) {
        return not_a_number(p.zero);
    }
    if a <= 0.5 {
        return 1.570796327 - asin_within(x, x * x);
    }
    let z = 0.5 * opaque(1.0 - a);
    let y = 2.0 * asin_within(sqrt(z), z);
    return select(y, 3.141592654 - y, x < 0.0);
}

fn math_atan(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let a = abs(x);
    var base = 0.0;
    var r = a;
    if a > 2.414213562 {
        base = 1.570796327;
        r = -1.0 / a;
    } else if a > 0.4142135624 {
        base = 0.7853981634;
        r = (a - 1.0) / (a + 1.0);
    }
    let z = r * r;
    let q = ((0.0805374449538 * z + -0.138776856032) * z + 0.199777106478) * z + -0.333329491539;
    return copysign(base + (r + r * z * (q)), x);
}

fn math_atan2(y: f32, x: f32) -> f32 {
    if is_nan(x) || is_nan(y) {
        return not_a_number(p.zero);
    }
    var t = 0.0;
    if is_inf(x) && is_inf(y) {
        t = 0.7853981634;
    } else if is_inf(y) || abs(x) == 0.0 && abs(y) > 0.0 {
        t = 1.570796327;
    } else if abs(y) > 0.0 && !is_inf(x) {
        t = math_atan(abs(y) / abs(x));
    }
    if is_negative(x) {
        // pi is this much above its float.
        t = 3.141592654 - (t + 8.742278e-8);
    }
    return copysign(t, y);
}
