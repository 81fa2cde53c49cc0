// The error function and the gamma family, by polynomials fitted piece by piece.
// Needs: p.zero.
//!include lib/trig.wgsl
//!include lib/math.wgsl

// exp(-a^2) for 0 <= a < 12: the square's rounding error is carried along.
fn exp_of_minus_square(a: f32) -> f32 {
    let square = two_product(a, a);
    return exp_of_sum(-square.x, -square.y, 0);
}

// For a >= 0.4.
fn erfc_above(a: f32) -> f32 {
    if a > 11.0 {
        return 0.0;
    }
    var y = 0.0;
    if a < 1.2 {
        let t = opaque(a - 0.8);
        y = (((((((0.0021348162554204464 * t + -0.005445047747343779) * t + 0.012326855212450027) * t +
        -0.02787698619067669) * t + 0.059326473623514175) * t + -0.1172424927353859) * t +
        0.21244601905345917) * t + -0.3458181917667389) * t + 0.4891005754470825;
    } else if a < 2.2 {
        let t = opaque(a - 1.7);
        y = (((((((0.00013188285811338574 * t + -0.00041330329258926213) * t + 0.001166613888926804) * t +
        -0.003347261343151331) * t + 0.00920010730624199) * t + -0.024019358679652214) * t +
        0.059232570230960846) * t + -0.13672395050525665) * t + 0.2916632890701294;
    } else {
        let t = 1.0 / a;
        y = t * (((((((-0.10626920312643051 * t + 0.5576077103614807) * t + -0.9671991467475891) * t +
        0.716964840888977) * t + -0.05271613597869873) * t + -0.27648308873176575) * t +
        -0.00032628694316372275) * t + 0.5641975402832031);
    }
    return exp_of_minus_square(a) * y;
}

fn erf_below(x: f32) -> f32 {
    let z = x * x;
    return x * ((((((7.854026625864208e-05 * z + -0.0008010247838683426) * z + 0.005188334733247757) * z +
        -0.026853816583752632) * z + 0.1128358542919159) * z + -0.3761262595653534) * z +
        1.1283791065216064);
}

fn math_erf(x: f32) -> f32 {
    let a = abs(x);
    if is_nan(x) {
        return x;
    }
    if a < 0.9 {
        return erf_below(x);
    }
    return copysign(1.0 - erfc_above(a), x);
}

fn math_erfc(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    if abs(x) < 0.4 {
        return 1.0 - erf_below(x);
    }
    if x < 0.0 {
        return 2.0 - erfc_above(-x);
    }
    return erfc_above(x);
}

// sin(pi x), exact in its zeros.
fn sin_of_pi_times(x: f32) -> f32 {
    let r = opaque(x - 2.0 * round(0.5 * x));
    let half = select(r, copysign(1.0, r) - r, abs(r) > 0.5);
    return math_sin(3.141592654 * half);
}

// For x >= 0.5.
fn lgamma_above(x: f32) -> f32 {
    if x < 0.75 {
        let e = opaque(x - 1.0);
        return e * lgamma_past_two(e) - math_log(x);
    }
    if x < 1.5 {
        let d = opaque(x - 1.0);
        return d * (((((((((0.04185488075017929 * d + -0.10143817961215973) * d + 0.1316601186990738) * d +
        -0.1464405208826065) * d + 0.16946540772914886) * d + -0.20727071166038513) * d +
        0.2705771028995514) * d + -0.4006873369216919) * d + 0.8224670886993408) * d + -0.5772156715393066);
    }
    if x < 8.0 {
        var z = x;
        var product = 1.0;
        for (var i = 0; i < 6 && z >= 2.5; i++) {
            z = opaque(z - 1.0);
            product *= z;
        }
        let d = opaque(z - 2.0);
        let y = d * lgamma_past_two(d);
        if x < 2.5 {
            return y;
        }
        return math_log(product) + y;
    }
    if x > 1e30 {
        return x * (math_log(x) - 1.0);
    }
    let t = 1.0 / x;
    let series = t * (0.08333333333 - t * t * (0.002777777778 - t * t * 0.0007936507937));
    return (x - 0.5) * (math_log(x) - 1.0) + (0.4189385332 + series);
}

// lgamma(2 + d) / d for |d| <= 1/2.
fn lgamma_past_two(d: f32) -> f32 {
    return (((((((-0.00026984899886883795 * d + 0.0005698216846212745) * d + -0.0011778431944549084) * d +
        0.002879056613892317) * d + -0.007387427147477865) * d + 0.020581601187586784) * d +
        -0.06735222041606903) * d + 0.32246702909469604) * d + 0.42278432846069336;
}

fn math_lgamma(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    if is_inf(x) || x <= 0.0 && floor(x) == x {
        return infinity(p.zero);
    }
    if x >= 0.5 {
        return lgamma_above(x);
    }
    if x > 0.0 {
        return lgamma_above(1.0 + x) - math_log(x);
    }
    return 1.1447298858 - math_log(abs(sin_of_pi_times(x))) - lgamma_above(opaque(1.0 - x));
}

// For x > 0.
fn digamma_above(x: f32) -> f32 {
    var z = x;
    var sum = 0.0;
    if x < 1.0 {
        sum = -1.0 / z;
        z = 1.0 + z;
    }
    for (var i = 0; i < 8 && z >= 2.0 && x < 8.0; i++) {
        z = opaque(z - 1.0);
        sum += 1.0 / z;
    }
    if x < 8.0 {
        // The only positive root, in two parts.
        let off = opaque(z - 1.4616321) - 1.2438149843e-8;
        let t = opaque(z - 1.5);
        return sum + off * (((((((((-0.0162210650742054 * t + 0.02392432652413845) * t + -0.025872506201267242) * t +
        0.03936181962490082) * t + -0.062039971351623535) * t + 0.09511740505695343) * t +
        -0.1483999639749527) * t + 0.24053838849067688) * t + -0.42362746596336365) * t +
        0.9510558843612671);
    }
    let r = 1.0 / z;
    let q = r * r;
    return math_log(z) - 0.5 * r - q * (0.08333333333 - q * (0.008333333333 - q * 0.003968253968));
}

fn math_digamma(x: f32) -> f32 {
    if is_nan(x) || x > 3e38 {
        return x;
    }
    if x > 0.0 {
        return digamma_above(x);
    }
    if floor(x) == x {
        return infinity(p.zero);
    }
    let r = opaque(x - round(x));
    return digamma_above(opaque(1.0 - x)) - 3.141592654 / math_tan(3.141592654 * r);
}
