// x to the power of y, as C's pow: every case of zeros, infinities, NaN and negative bases.
// Needs: p.zero.
//!include lib/math.wgsl

// The logarithm of a positive finite x in two parts that hold some 30 bits.
fn log_in_parts(x: f32) -> vec2<f32> {
    let s = split_float(x);
    let f = opaque(s.mantissa - 1.0);
    // log m = 2 (s + s^3/3 + s^5/5 ...) with s = f / (2 + f), here to twice the precision.
    let below = two_sum(2.0, f);
    let high = opaque(f / below.x);
    let product = two_product(high, below.x);
    let low = (opaque(opaque(f - product.x) - product.y) - high * below.y) / below.x;
    let z = high * high;
    let q = (((0.1818181818 * z + 0.2222222222) * z + 0.2857142857) * z + 0.4) * z + 0.6666666667;
    let e = f32(s.exponent);
    let sum = two_sum(e * 0.693359375, 2.0 * high);
    let rest = sum.y + (2.0 * low + high * z * (q)) - e * 2.12194440e-4;
    return two_sum(sum.x, rest);
}

fn math_pow(x: f32, y: f32) -> f32 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if is_nan(x) || is_nan(y) {
        return not_a_number(p.zero);
    }
    let a = abs(x);
    // From 2^24 on every float is an even integer.
    let is_large = abs(y) >= 16777216.0;
    let is_integer = is_large || floor(y) == y;
    let is_odd = is_integer && !is_large && (i32(clamp(y, -16777216.0, 16777216.0)) & 1) != 0;
    let sign = select(1.0, -1.0, is_odd && is_negative(x));
    if a == 0.0 || is_inf(x) {
        return sign * select(infinity(p.zero), 0.0, (a == 0.0) == (y > 0.0));
    }
    if is_inf(y) {
        if a == 1.0 {
            return 1.0;
        }
        return select(0.0, infinity(p.zero), (a > 1.0) == (y > 0.0));
    }
    if x < 0.0 && !is_integer {
        return not_a_number(p.zero);
    }
    if y == 2.0 {
        return x * x;
    }
    let log = log_in_parts(a);
    if abs(y * log.x) > 200.0 {
        return sign * select(0.0, infinity(p.zero), y * log.x > 0.0);
    }
    let product = two_product(y, log.x);
    return sign * exp_of_sum(product.x, product.y + y * log.y, 0);
}
