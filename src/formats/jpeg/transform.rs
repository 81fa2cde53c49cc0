//! The discrete cosine transform of a block and its inverse, in libjpeg's integers (Loeffler, Ligtenberg and Moschytz,
//! ICASSP 1989, with 13 bits of fraction).

const BITS: i32 = 13;
const PASS: i32 = 2;

const F0_298: i32 = 2446;
const F0_390: i32 = 3196;
const F0_541: i32 = 4433;
const F0_765: i32 = 6270;
const F0_899: i32 = 7373;
const F1_175: i32 = 9633;
const F1_501: i32 = 12299;
const F1_847: i32 = 15137;
const F1_961: i32 = 16069;
const F2_053: i32 = 16819;
const F2_562: i32 = 20995;
const F3_072: i32 = 25172;

fn times(a: i32, b: i32) -> i32 {
    a.wrapping_mul(b)
}

fn plus(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

fn minus(a: i32, b: i32) -> i32 {
    a.wrapping_sub(b)
}

/// `x / 2^n`, rounded.
fn down(x: i32, n: i32) -> i32 {
    plus(x, 1 << (n - 1)) >> n
}

/// Eight coefficients to eight samples, scaled up by `2^BITS`.
fn inverse_row(c: [i32; 8]) -> [i32; 8] {
    let z1 = times(plus(c[2], c[6]), F0_541);
    let (t2, t3) = (
        minus(z1, times(c[6], F1_847)),
        plus(z1, times(c[2], F0_765)),
    );
    let (t0, t1) = (
        plus(c[0], c[4]).wrapping_shl(BITS as u32),
        minus(c[0], c[4]).wrapping_shl(BITS as u32),
    );
    let even = [plus(t0, t3), plus(t1, t2), minus(t1, t2), minus(t0, t3)];

    let odd = odd_part(c[7], c[5], c[3], c[1]);
    [
        plus(even[0], odd[3]),
        plus(even[1], odd[2]),
        plus(even[2], odd[1]),
        plus(even[3], odd[0]),
        minus(even[3], odd[0]),
        minus(even[2], odd[1]),
        minus(even[1], odd[2]),
        minus(even[0], odd[3]),
    ]
}

/// The rotations of the odd half, the same in both directions.
fn odd_part(a: i32, b: i32, c: i32, d: i32) -> [i32; 4] {
    let (z1, z2, z3, z4) = (plus(a, d), plus(b, c), plus(a, c), plus(b, d));
    let z5 = times(plus(z3, z4), F1_175);
    let (z1, z2) = (times(z1, -F0_899), times(z2, -F2_562));
    let (z3, z4) = (plus(times(z3, -F1_961), z5), plus(times(z4, -F0_390), z5));
    [
        plus(plus(times(a, F0_298), z1), z3),
        plus(plus(times(b, F2_053), z2), z4),
        plus(plus(times(c, F3_072), z2), z3),
        plus(plus(times(d, F1_501), z1), z4),
    ]
}

/// The samples of a block of dequantized coefficients.
pub fn inverse(coefficients: &[i32; 64]) -> [u8; 64] {
    let mut work = [0i32; 64];
    for x in 0..8 {
        let column = std::array::from_fn(|y| coefficients[y * 8 + x]);
        if column[1..].iter().all(|c| *c == 0) {
            for y in 0..8 {
                work[y * 8 + x] = column[0].wrapping_shl(PASS as u32);
            }
            continue;
        }
        for (y, value) in inverse_row(column).into_iter().enumerate() {
            work[y * 8 + x] = down(value, BITS - PASS);
        }
    }
    let mut out = [0u8; 64];
    for y in 0..8 {
        let row = std::array::from_fn(|x| work[y * 8 + x]);
        for (x, value) in inverse_row(row).into_iter().enumerate() {
            out[y * 8 + x] = plus(down(value, BITS + PASS + 3), 128).clamp(0, 255) as u8;
        }
    }
    out
}

/// What `inverse_fast` scales each coefficient by, times `2^14` (Arai, Agui and Nakajima, 1988), as libjpeg rounds it.
const PRODUCTS: [i32; 64] = [
    16384, 22725, 21407, 19266, 16384, 12873, 8867, 4520, 22725, 31521, 29692, 26722, 22725, 17855,
    12299, 6270, 21407, 29692, 27969, 25172, 21407, 16819, 11585, 5906, 19266, 26722, 25172, 22654,
    19266, 15137, 10426, 5315, 16384, 22725, 21407, 19266, 16384, 12873, 8867, 4520, 12873, 17855,
    16819, 15137, 12873, 10114, 6967, 3552, 8867, 12299, 11585, 10426, 8867, 6967, 4799, 2446,
    4520, 6270, 5906, 5315, 4520, 3552, 2446, 1247,
];

/// The factors that make coefficients ready for `inverse_fast`, from the quantization table.
pub fn fast_factors(table: &[u16; 64]) -> [i32; 64] {
    std::array::from_fn(|i| (i32::from(table[i]) * PRODUCTS[i] + (1 << 11)) >> 12)
}

/// Eight scaled coefficients to eight samples, with products of eight bits.
fn fast_row(c: [i32; 8]) -> [i32; 8] {
    let by = |x: i32, factor: i32| times(x, factor) >> 8;
    let (t10, t11) = (plus(c[0], c[4]), minus(c[0], c[4]));
    let t13 = plus(c[2], c[6]);
    let t12 = minus(by(minus(c[2], c[6]), 362), t13);
    let even = [
        plus(t10, t13),
        plus(t11, t12),
        minus(t11, t12),
        minus(t10, t13),
    ];

    let (z13, z10) = (plus(c[5], c[3]), minus(c[5], c[3]));
    let (z11, z12) = (plus(c[1], c[7]), minus(c[1], c[7]));
    let t7 = plus(z11, z13);
    let z5 = by(plus(z10, z12), 473);
    let t6 = minus(plus(by(z10, -669), z5), t7);
    let t5 = minus(by(minus(z11, z13), 362), t6);
    let t4 = plus(minus(by(z12, 277), z5), t5);
    [
        plus(even[0], t7),
        plus(even[1], t6),
        plus(even[2], t5),
        minus(even[3], t4),
        plus(even[3], t4),
        minus(even[2], t5),
        minus(even[1], t6),
        minus(even[0], t7),
    ]
}

/// The samples of a block whose coefficients were multiplied by `fast_factors`: quicker and less exact, which is what
/// TensorFlow asks for when programs say nothing.
pub fn inverse_fast(coefficients: &[i32; 64]) -> [u8; 64] {
    let mut work = [0i32; 64];
    for x in 0..8 {
        let column = std::array::from_fn(|y| coefficients[y * 8 + x]);
        for (y, value) in fast_row(column).into_iter().enumerate() {
            work[y * 8 + x] = value;
        }
    }
    let mut out = [0u8; 64];
    for y in 0..8 {
        let row = std::array::from_fn(|x| work[y * 8 + x]);
        for (x, value) in fast_row(row).into_iter().enumerate() {
            out[y * 8 + x] = plus(value >> (PASS + 3), 128).clamp(0, 255) as u8;
        }
    }
    out
}

/// The coefficients of a block of samples less 128, eight times as large.
pub fn forward(samples: &[i32; 64]) -> [i32; 64] {
    let mut work = [0i32; 64];
    for y in 0..8 {
        let row = std::array::from_fn(|x| samples[y * 8 + x]);
        let made = forward_row(row, |x| x.wrapping_shl(PASS as u32), BITS - PASS);
        work[y * 8..y * 8 + 8].copy_from_slice(&made);
    }
    let mut out = [0i32; 64];
    for x in 0..8 {
        let column = std::array::from_fn(|y| work[y * 8 + x]);
        for (y, value) in forward_row(column, |x| down(x, PASS), BITS + PASS)
            .into_iter()
            .enumerate()
        {
            out[y * 8 + x] = value;
        }
    }
    out
}

fn forward_row(d: [i32; 8], plain: fn(i32) -> i32, shift: i32) -> [i32; 8] {
    let sums: [i32; 4] = std::array::from_fn(|i| d[i] + d[7 - i]);
    let differences: [i32; 4] = std::array::from_fn(|i| d[i] - d[7 - i]);
    let (t10, t13) = (sums[0] + sums[3], sums[0] - sums[3]);
    let (t11, t12) = (sums[1] + sums[2], sums[1] - sums[2]);
    let z1 = times(t12 + t13, F0_541);
    let odd = odd_part(
        differences[3],
        differences[2],
        differences[1],
        differences[0],
    );
    [
        plain(t10 + t11),
        down(odd[3], shift),
        down(plus(z1, times(t13, F0_765)), shift),
        down(odd[2], shift),
        plain(t10 - t11),
        down(odd[1], shift),
        down(minus(z1, times(t12, F1_847)), shift),
        down(odd[0], shift),
    ]
}
