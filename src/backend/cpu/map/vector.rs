//! Elementwise loops over `float32` with the vectors of the processor; what has no vector form goes to plain loops.

#![allow(
    unsafe_op_in_unsafe_fn,
    reason = "the loops stay within slices of equal length"
)]

use crate::backend::cpu::simd::{Vector, Vector32, math};
use crate::error::Result;
use crate::expr::{Binary, Unary};
use crate::tiers;

use super::float;

/// An operation that has a vector loop. Truths are 1 and 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Copy,
    Neg,
    Abs,
    Exp,
    Log,
    Sqrt,
    Rsqrt,
    Square,
    Recip,
    Tanh,
    Sigmoid,
    Sign,
    Floor,
    Log1p,
    Expm1,
    Not,
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    SquaredDifference,
    Less,
    AtMost,
    Equal,
    NotEqual,
    /// `a * b + c`, rounded twice.
    MulAdd,
    /// `a * b - c`.
    MulSub,
    /// `c - a * b`.
    SubMul,
    /// `a != 0 ? b : c`.
    Choose,
    /// `a < b ? c : d`.
    IfLess,
    IfAtMost,
    IfEqual,
}

impl Lane {
    pub fn of_unary(op: Unary) -> Option<Lane> {
        Some(match op {
            Unary::Neg => Lane::Neg,
            Unary::Abs => Lane::Abs,
            Unary::Exp => Lane::Exp,
            Unary::Log => Lane::Log,
            Unary::Sqrt => Lane::Sqrt,
            Unary::Rsqrt => Lane::Rsqrt,
            Unary::Square => Lane::Square,
            Unary::Recip => Lane::Recip,
            Unary::Tanh => Lane::Tanh,
            Unary::Sigmoid => Lane::Sigmoid,
            Unary::Sign => Lane::Sign,
            Unary::Floor => Lane::Floor,
            Unary::Log1p => Lane::Log1p,
            Unary::Expm1 => Lane::Expm1,
            _ => return None,
        })
    }

    pub fn of_binary(op: Binary) -> Option<Lane> {
        Some(match op {
            Binary::Add => Lane::Add,
            Binary::Sub => Lane::Sub,
            Binary::Mul => Lane::Mul,
            Binary::Div => Lane::Div,
            Binary::Min => Lane::Min,
            Binary::Max => Lane::Max,
            Binary::SquaredDifference => Lane::SquaredDifference,
            _ => return None,
        })
    }

    /// What one element costs, an addition taken as 1.
    pub fn cost(self) -> usize {
        match self {
            Lane::Exp | Lane::Log | Lane::Sigmoid => 8,
            Lane::Tanh | Lane::Log1p | Lane::Expm1 => 12,
            Lane::Div | Lane::Sqrt | Lane::Rsqrt | Lane::Recip => 4,
            _ => 1,
        }
    }
}

/// Where an operand lies: its elements, or one element in every lane of a vector.
#[derive(Clone, Copy)]
pub struct Operand {
    ptr: *const f32,
    /// All ones for elements; zero for a vector that stays.
    mask: usize,
}

/// Lanes of the widest vector: the length of an operand that stays.
pub const WIDEST: usize = 16;

impl Operand {
    pub const NONE: Operand = Operand {
        ptr: std::ptr::null(),
        mask: 0,
    };

    pub fn elements(ptr: *const f32) -> Operand {
        Operand {
            ptr,
            mask: usize::MAX,
        }
    }

    /// The same `WIDEST` elements at `ptr` for every vector.
    pub fn repeated(ptr: *const f32) -> Operand {
        Operand { ptr, mask: 0 }
    }

    pub fn is_repeated(self) -> bool {
        self.mask == 0
    }

    pub fn ptr(self) -> *const f32 {
        self.ptr
    }

    #[inline(always)]
    unsafe fn load<V: Vector<Element = f32>>(self, i: usize) -> V {
        V::load(self.ptr.add(i & self.mask))
    }

    #[inline(always)]
    unsafe fn load_first<V: Vector<Element = f32>>(self, i: usize, n: usize) -> V {
        V::load_first(self.ptr.add(i & self.mask), n)
    }
}

/// Every operation's loop. A closure would be a function of its own, without the instructions of the tier: each body is
/// written into its loop by the macro.
#[inline(always)]
unsafe fn lanes<V: Vector32>(op: Lane, x: &[Operand; 4], out: *mut f32, n: usize) {
    macro_rules! each {
        ($($name:ident $k:literal),* => $body:expr) => {{
            let mut i = 0;
            while i + V::LANES <= n {
                $(let $name: V = x[$k].load(i);)*
                let y: V = $body;
                y.store(out.add(i));
                i += V::LANES;
            }
            if i < n {
                $(let $name: V = x[$k].load_first(i, n - i);)*
                let y: V = $body;
                y.store_first(out.add(i), n - i);
            }
        }};
    }
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    match op {
        Lane::Copy => each!(a 0 => a),
        Lane::Neg => each!(a 0 => V::splat(-0.0).sub(a)),
        Lane::Abs => each!(a 0 => a.abs()),
        Lane::Exp => each!(a 0 => math::exp(a)),
        Lane::Log => each!(a 0 => math::log(a)),
        Lane::Sqrt => each!(a 0 => a.sqrt()),
        Lane::Rsqrt => each!(a 0 => one.div(a.sqrt())),
        Lane::Square => each!(a 0 => a.mul(a)),
        Lane::Recip => each!(a 0 => one.div(a)),
        Lane::Tanh => each!(a 0 => math::tanh(a)),
        Lane::Sigmoid => each!(a 0 => math::sigmoid(a)),
        Lane::Sign => each!(a 0 => math::sign(a)),
        Lane::Floor => each!(a 0 => a.floor()),
        Lane::Log1p => each!(a 0 => math::log1p(a)),
        Lane::Expm1 => each!(a 0 => math::expm1(a)),
        Lane::Not => each!(a 0 => one.sub(a)),
        Lane::Add => each!(a 0, b 1 => a.add(b)),
        Lane::Sub => each!(a 0, b 1 => a.sub(b)),
        Lane::Mul => each!(a 0, b 1 => a.mul(b)),
        Lane::Div => each!(a 0, b 1 => a.div(b)),
        // `b < a ? b : a`: the operands change places, so that NaN passes as in the plain loop.
        Lane::Min => each!(a 0, b 1 => b.min(a)),
        Lane::Max => each!(a 0, b 1 => b.max(a)),
        Lane::SquaredDifference => each!(a 0, b 1 => a.sub(b).mul(a.sub(b))),
        Lane::Less => each!(a 0, b 1 => V::if_less(a, b, one, zero)),
        Lane::AtMost => each!(a 0, b 1 => V::if_at_most(a, b, one, zero)),
        Lane::Equal => each!(a 0, b 1 => V::if_equal(a, b, one, zero)),
        Lane::NotEqual => each!(a 0, b 1 => V::if_equal(a, b, zero, one)),
        Lane::MulAdd => each!(a 0, b 1, c 2 => a.mul(b).add(c)),
        Lane::MulSub => each!(a 0, b 1, c 2 => a.mul(b).sub(c)),
        Lane::SubMul => each!(a 0, b 1, c 2 => c.sub(a.mul(b))),
        Lane::Choose => each!(a 0, b 1, c 2 => V::if_equal(a, zero, c, b)),
        Lane::IfLess => each!(a 0, b 1, c 2, d 3 => V::if_less(a, b, c, d)),
        Lane::IfAtMost => each!(a 0, b 1, c 2, d 3 => V::if_at_most(a, b, c, d)),
        Lane::IfEqual => each!(a 0, b 1, c 2, d 3 => V::if_equal(a, b, c, d)),
    }
}

tiers!(
    /// Computes `n` elements of `out`.
    ///
    /// # Safety
    /// `out` can be written and each operand that the operation reads can be read at `n` elements (`WIDEST` where it is
    /// repeated). `out` may be an operand; it overlaps none otherwise.
    pub fn run_lanes(op: Lane, x: &[Operand; 4], out: *mut f32, n: usize) = lanes
);

/// The sum of `n` elements, in as many lanes whatever the processor has.
#[inline(always)]
unsafe fn sum_lanes<V: Vector32>(x: *const f32, n: usize) -> f32 {
    let mut total = [0f32; 4 * WIDEST];
    let mut i = 0;
    while i + total.len() <= n {
        let mut k = 0;
        while k < total.len() {
            let to = total.as_mut_ptr().add(k);
            V::load(to).add(V::load(x.add(i + k))).store(to);
            k += V::LANES;
        }
        i += total.len();
    }
    for k in i..n {
        total[k - i] += *x.add(k);
    }
    let mut width = total.len();
    while width > 1 {
        width /= 2;
        for k in 0..width {
            total[k] += total[k + width];
        }
    }
    total[0]
}

tiers!(
    /// The sum of the `n` elements at `x`: the same bits on every processor.
    ///
    /// # Safety
    /// `x` can be read at `n` elements.
    pub fn sum(x: *const f32, n: usize) -> f32 = sum_lanes
);

pub fn unary(op: Unary, x: &[f32], out: &mut [u8]) -> Result<()> {
    let Some(lane) = Lane::of_unary(op) else {
        return float::unary_f32(op, x, out);
    };
    let out: &mut [f32] = bytemuck::cast_slice_mut(out);
    let n = x.len().min(out.len());
    let mut operands = [Operand::NONE; 4];
    operands[0] = Operand::elements(x.as_ptr());
    // SAFETY: both slices have at least n elements.
    unsafe { run_lanes(lane, &operands, out.as_mut_ptr(), n) }
    Ok(())
}

pub fn binary(op: Binary, a: &[f32], b: &[f32], out: &mut [u8]) -> Result<()> {
    let Some(lane) = Lane::of_binary(op) else {
        return float::binary_f32(op, a, b, out);
    };
    let out: &mut [f32] = bytemuck::cast_slice_mut(out);
    let n = a.len().min(b.len()).min(out.len());
    let mut operands = [Operand::NONE; 4];
    operands[0] = Operand::elements(a.as_ptr());
    operands[1] = Operand::elements(b.as_ptr());
    // SAFETY: all three slices have at least n elements.
    unsafe { run_lanes(lane, &operands, out.as_mut_ptr(), n) }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::simd::Lanes;
    use super::*;

    const SPECIAL: [f32; 18] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
        1e-40,
        -1e-40,
        f32::MAX,
        f32::MIN,
        88.7,
        88.8,
        -87.5,
        -103.9,
        0.625,
        9.1,
    ];

    fn inputs() -> Vec<f32> {
        let spread = (0..4001).map(|i| (i - 2000) as f32 * 0.0471);
        let small = (0..999).map(|i| 1.5f32.powi(i % 100 - 60));
        SPECIAL.into_iter().chain(spread).chain(small).collect()
    }

    /// How many floats lie between the two.
    fn distance(a: f32, b: f64) -> f64 {
        let near = b as f32;
        if a == near || (a.is_nan() && near.is_nan()) {
            return 0.0;
        }
        let unit = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
        (f64::from(a) - b).abs() / unit
    }

    #[test]
    fn functions_agree_with_float64_within_a_few_units() {
        let x = inputs();
        let cases: [(Unary, fn(f64) -> f64, f64); 6] = [
            (Unary::Log1p, f64::ln_1p, 4.0),
            (Unary::Expm1, f64::exp_m1, 4.0),
            (Unary::Exp, f64::exp, 2.0),
            (Unary::Log, f64::ln, 2.0),
            (Unary::Tanh, f64::tanh, 3.0),
            (Unary::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 4.0),
        ];
        for (op, f, limit) in cases {
            let mut out = vec![0f32; x.len()];
            unary(op, &x, bytemuck::cast_slice_mut(&mut out)).unwrap();
            let mut plain = vec![0f32; x.len()];
            // SAFETY: the slices are of one length.
            unsafe {
                let lane = Lane::of_unary(op).unwrap();
                let mut operands = [Operand::NONE; 4];
                operands[0] = Operand::elements(x.as_ptr());
                lanes::<Lanes<f32, 8>>(lane, &operands, plain.as_mut_ptr(), x.len());
            }
            for (i, x) in x.iter().enumerate() {
                let want = f(f64::from(*x));
                for got in [out[i], plain[i]] {
                    // Tails of the sigmoid underflow where exp(-x) overflows float32.
                    let is_tail = op == Unary::Sigmoid && *x < -88.0;
                    let is_near = distance(got, want) <= limit || is_tail && got == 0.0;
                    assert!(is_near, "{op:?}({x}) = {got}, not {want}");
                }
            }
        }
    }

    #[test]
    fn an_element_has_the_same_bits_wherever_it_stands() {
        let x = inputs();
        for op in [
            Unary::Exp,
            Unary::Log,
            Unary::Tanh,
            Unary::Rsqrt,
            Unary::Neg,
        ] {
            let mut all = vec![0f32; x.len()];
            unary(op, &x, bytemuck::cast_slice_mut(&mut all)).unwrap();
            for (from, len) in [(1, 1), (3, 15), (5, 33), (100, 7)] {
                let mut part = vec![0f32; len];
                unary(
                    op,
                    &x[from..from + len],
                    bytemuck::cast_slice_mut(&mut part),
                )
                .unwrap();
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&part), bits(&all[from..from + len]), "{op:?}");
            }
        }
    }

    #[test]
    fn arithmetic_is_that_of_the_plain_loops() {
        let a = inputs();
        let b: Vec<f32> = a.iter().rev().copied().collect();
        for op in [
            Binary::Add,
            Binary::Div,
            Binary::Min,
            Binary::Max,
            Binary::SquaredDifference,
        ] {
            let (mut fast, mut plain) = (vec![0f32; a.len()], vec![0f32; a.len()]);
            binary(op, &a, &b, bytemuck::cast_slice_mut(&mut fast)).unwrap();
            float::binary_f32(op, &a, &b, bytemuck::cast_slice_mut(&mut plain)).unwrap();
            for (x, y) in fast.into_iter().zip(plain) {
                assert!(
                    x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan(),
                    "{op:?}: {x} {y}"
                );
            }
        }
    }
}
