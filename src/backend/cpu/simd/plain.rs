//! Vectors as arrays: for processors without a tier of their own, and the twin that tests compare with.

use super::{Vector, Vector32};

#[derive(Clone, Copy)]
pub struct Lanes<T, const N: usize>([T; N]);

macro_rules! lanes {
    ($t:ty) => {
        impl<const N: usize> Vector for Lanes<$t, N> {
            type Element = $t;
            const LANES: usize = N;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                Lanes([x; N])
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                Lanes(p.cast::<[$t; N]>().read_unaligned())
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                p.cast::<[$t; N]>().write_unaligned(self.0);
            }
            #[inline(always)]
            unsafe fn load_first(p: *const $t, n: usize) -> Self {
                Lanes(std::array::from_fn(|i| if i < n { *p.add(i) } else { 0.0 }))
            }
            #[inline(always)]
            unsafe fn store_first(self, p: *mut $t, n: usize) {
                for (i, x) in self.0.iter().enumerate().take(n) {
                    *p.add(i) = *x;
                }
            }
            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                Lanes(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                Lanes(std::array::from_fn(|i| self.0[i] + b.0[i]))
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                Lanes(std::array::from_fn(|i| self.0[i] - b.0[i]))
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                Lanes(std::array::from_fn(|i| self.0[i] * b.0[i]))
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                Lanes(std::array::from_fn(|i| self.0[i] / b.0[i]))
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                Lanes(std::array::from_fn(|i| {
                    if self.0[i] > b.0[i] {
                        self.0[i]
                    } else {
                        b.0[i]
                    }
                }))
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                Lanes(std::array::from_fn(|i| {
                    if self.0[i] < b.0[i] {
                        self.0[i]
                    } else {
                        b.0[i]
                    }
                }))
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                Lanes(self.0.map(|x| x.sqrt()))
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                let mut all = self.0;
                let mut n = N;
                while n > 1 {
                    n /= 2;
                    for i in 0..n {
                        all[i] += all[i + n];
                    }
                }
                all[0]
            }
        }
    };
}

lanes!(f32);
lanes!(f64);

impl<const N: usize> Vector32 for Lanes<f32, N> {
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        Lanes(self.0.map(f32::abs))
    }
    #[inline(always)]
    unsafe fn with_sign(self, sign: Self) -> Self {
        Lanes(std::array::from_fn(|i| self.0[i].copysign(sign.0[i])))
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        Lanes(self.0.map(f32::round_ties_even))
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        Lanes(std::array::from_fn(|i| {
            // In two steps, so that neither power leaves the range of normal numbers.
            let half = (n.0[i] * 0.5).round_ties_even();
            let power = |n: f32| f32::from_bits(((n as i32 + 127).clamp(0, 255) as u32) << 23);
            self.0[i] * power(half) * power(n.0[i] - half)
        }))
    }
    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        let bits = self.0.map(f32::to_bits);
        (
            Lanes(bits.map(|b| (b >> 23) as f32 - 127.0)),
            Lanes(bits.map(|b| f32::from_bits(b & 0x007f_ffff | 0x3f80_0000))),
        )
    }
    #[inline(always)]
    unsafe fn if_less(a: Self, b: Self, x: Self, y: Self) -> Self {
        Lanes(std::array::from_fn(|i| {
            if a.0[i] < b.0[i] { x.0[i] } else { y.0[i] }
        }))
    }
    #[inline(always)]
    unsafe fn if_at_most(a: Self, b: Self, x: Self, y: Self) -> Self {
        Lanes(std::array::from_fn(|i| {
            if a.0[i] <= b.0[i] { x.0[i] } else { y.0[i] }
        }))
    }
    #[inline(always)]
    unsafe fn if_equal(a: Self, b: Self, x: Self, y: Self) -> Self {
        Lanes(std::array::from_fn(|i| {
            if a.0[i] == b.0[i] { x.0[i] } else { y.0[i] }
        }))
    }
    #[inline(always)]
    unsafe fn floor(self) -> Self {
        Lanes(self.0.map(f32::floor))
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        self.0
            .iter()
            .fold(self.0[0], |m, x| if *x > m { *x } else { m })
    }
}
