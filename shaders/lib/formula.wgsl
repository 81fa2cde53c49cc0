// What formulas need beyond the operators of WGSL. Integer division tells of a zero divisor by `failed`.
var<private> failed: u32 = 0u;

// C's fmod, exactly: the mantissa of a is divided eight bits at a time.
fn float_remainder(a: f32, b: f32) -> f32 {
    let x = bitcast<u32>(a) & 0x7fffffffu;
    let y = bitcast<u32>(b) & 0x7fffffffu;
    if y == 0u || y > 0x7f800000u || x >= 0x7f800000u {
        return not_a_number(p.zero);
    }
    if x < y {
        return a;
    }
    let exponent = max(y >> 23u, 1u);
    let divisor = (y & 0x7fffffu) | select(0u, 0x800000u, y >= 0x800000u);
    var rest = ((x & 0x7fffffu) | select(0u, 0x800000u, x >= 0x800000u)) % divisor;
    for (var left = max(x >> 23u, 1u) - exponent; left > 0u && rest > 0u; left -= min(left, 8u)) {
        rest = (rest << min(left, 8u)) % divisor;
    }
    return copysign(scaled(f32(rest), i32(exponent) - 150), a);
}

// The remainder with the sign of b.
fn float_floor_mod(a: f32, b: f32) -> f32 {
    let rest = float_remainder(a, b);
    return select(rest, rest + b, abs(rest) > 0.0 && (rest < 0.0) != (b < 0.0));
}

// The divisor of a division that is defined: 1 for 0, which is an error, and for -1, whose quotient is a negation.
fn int_div(a: i32, b: i32) -> i32 {
    if (b == 0) { failed = 1u; }
    let negated = bitcast<i32>(0u - bitcast<u32>(a));
    return select(a / select(b, 1, b == 0 || b == -1), negated, b == -1);
}

fn int_remainder(a: i32, b: i32) -> i32 {
    return a - int_div(a, b) * b;
}

fn int_floor_div(a: i32, b: i32) -> i32 {
    let quotient = int_div(a, b);
    let rest = a - quotient * b;
    return quotient - select(0, 1, rest != 0 && ((rest < 0) != (b < 0)));
}

fn int_floor_mod(a: i32, b: i32) -> i32 {
    let rest = int_remainder(a, b);
    return rest + select(0, b, rest != 0 && ((rest < 0) != (b < 0)));
}

// Out of range and NaN give the least integer, as x86 has it.
fn int_of_float(x: f32) -> i32 {
    let fits = x >= -2147483648.0 && x < 2147483648.0;
    return select(-2147483647 - 1, i32(select(0.0, x, fits)), fits);
}

// int64 as two words, the low one first.
fn wide_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn wide_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

// The low words of a product; the upper half of that of two low words goes by 16 bits.
fn wide_mul(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = (a.x & 0xffffu) * (b.x & 0xffffu);
    let u = (a.x >> 16u) * (b.x & 0xffffu) + (low >> 16u);
    let v = (a.x & 0xffffu) * (b.x >> 16u) + (u & 0xffffu);
    let high = (a.x >> 16u) * (b.x >> 16u) + (u >> 16u) + (v >> 16u);
    return vec2<u32>(a.x * b.x, high + a.x * b.y + a.y * b.x);
}

fn wide_abs(x: vec2<u32>) -> vec2<u32> {
    return select(x, wide_sub(vec2<u32>(), x), (x.y >> 31u) == 1u);
}

fn wide_less(a: vec2<u32>, b: vec2<u32>) -> bool {
    let high = bitcast<i32>(a.y) < bitcast<i32>(b.y);
    return select(a.x < b.x, high, a.y != b.y);
}

fn float_of_wide(x: vec2<u32>) -> f32 {
    let is_negative = bitcast<i32>(x.y) < 0;
    let size = select(x, wide_sub(vec2<u32>(0u, 0u), x), is_negative);
    // The first 32 bits that count; that others follow them is kept in the last, so that all is rounded once.
    let shift = min(countLeadingZeros(size.y), 31u);
    let first = (size.y << shift) | ((size.x >> 1u) >> (31u - shift));
    let value = f32(first | select(0u, 1u, (size.x << shift) != 0u)) * power_of_two(32 - i32(shift));
    let rounded = select(value, f32(size.x), size.y == 0u);
    return select(rounded, -rounded, is_negative);
}

fn wide_of_float(x: f32) -> vec2<u32> {
    let fits = abs(x) < 9223372036854775808.0;
    let size = trunc(select(0.0, abs(x), fits));
    let high = floor(size / 4294967296.0);
    let value = vec2<u32>(u32(size - high * 4294967296.0), u32(high));
    let signed = select(value, wide_sub(vec2<u32>(0u, 0u), value), x < 0.0);
    return select(vec2<u32>(0u, 0x80000000u), signed, fits);
}
