//! Vectors of floats, one type for each instruction set, and which of them this processor has.
//!
//! Kernels are generic over [`Vector`] and compiled once per tier through [`tiers!`]; the tier is chosen once, when
//! first asked for. `FERROFLOW_CPU=avx2` or `plain` lowers it, so that one machine tests them all.

#![allow(
    unsafe_op_in_unsafe_fn,
    clippy::missing_safety_doc,
    reason = "every function here is one step of a kernel, whose caller vouches for pointers and instruction set"
)]

pub mod math;
mod plain;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

pub use plain::Lanes;
#[cfg(target_arch = "x86_64")]
pub use x86::{D256, D512, F256, F512};

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Plain,
    Avx2,
    Avx512,
}

/// The best tier of this processor, or the lower one that `FERROFLOW_CPU` names.
pub fn tier() -> Tier {
    static TIER: OnceLock<Tier> = OnceLock::new();
    *TIER.get_or_init(|| {
        let wanted = std::env::var("FERROFLOW_CPU").unwrap_or_default();
        match wanted.as_str() {
            "plain" | "sse2" => Tier::Plain,
            "avx2" => best().min_of(Tier::Avx2),
            _ => best(),
        }
    })
}

impl Tier {
    fn min_of(self, limit: Tier) -> Tier {
        if self == Tier::Avx512 { limit } else { self }
    }
}

fn best() -> Tier {
    #[cfg(target_arch = "x86_64")]
    {
        let has_256 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let has_512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        if has_256 && has_512 {
            return Tier::Avx512;
        }
        if has_256 {
            return Tier::Avx2;
        }
    }
    Tier::Plain
}

/// A vector of floats. Pointers must be valid for the elements read or written; they need not be aligned.
pub trait Vector: Copy {
    type Element: Copy;
    const LANES: usize;

    unsafe fn splat(x: Self::Element) -> Self;
    unsafe fn load(p: *const Self::Element) -> Self;
    unsafe fn store(self, p: *mut Self::Element);
    /// The first `n` elements (all, when there are more than lanes); zeros after them.
    unsafe fn load_first(p: *const Self::Element, n: usize) -> Self;
    unsafe fn store_first(self, p: *mut Self::Element, n: usize);
    /// `self * b + c`.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    unsafe fn div(self, b: Self) -> Self;
    /// `self > b ? self : b`, lane by lane: `b` where either is NaN.
    unsafe fn max(self, b: Self) -> Self;
    /// `self < b ? self : b`.
    unsafe fn min(self, b: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    /// The sum of the lanes: halves are added to halves until one is left.
    unsafe fn sum(self) -> Self::Element;
}

/// What elementary functions of `float32` need beside arithmetic.
pub trait Vector32: Vector<Element = f32> {
    unsafe fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    unsafe fn with_sign(self, sign: Self) -> Self;
    /// To the nearest integer, halves to even.
    unsafe fn round(self) -> Self;
    /// `self * 2^n` for integral `n`, right also where the result is denormal.
    unsafe fn scale(self, n: Self) -> Self;
    /// Exponent and mantissa in `1..2` of positive normal numbers.
    unsafe fn split(self) -> (Self, Self);
    /// `a < b ? x : y`; `y` where either is NaN.
    unsafe fn if_less(a: Self, b: Self, x: Self, y: Self) -> Self;
    /// `a <= b ? x : y`; `y` where either is NaN.
    unsafe fn if_at_most(a: Self, b: Self, x: Self, y: Self) -> Self;
    /// `a == b ? x : y`; `y` where either is NaN.
    unsafe fn if_equal(a: Self, b: Self, x: Self, y: Self) -> Self;
    unsafe fn floor(self) -> Self;
    /// The largest lane.
    unsafe fn largest(self) -> f32;
}

/// Makes `$name` run `$body::<V>` over `float32` with the vector type of the tier.
///
/// The function is `unsafe`: its caller vouches for the pointers it is given.
#[macro_export]
macro_rules! tiers {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $(<$(const $c:ident: $ct:ty),+>)? ($($a:ident: $t:ty),* $(,)?) $(-> $r:ty)? = $body:ident) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis unsafe fn $name $(<$(const $c: $ct),+>)? ($($a: $t),*) $(-> $r)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn wide $(<$(const $c: $ct),+>)? ($($a: $t),*) $(-> $r)? {
                    // SAFETY: the caller's promise; the instructions are there.
                    unsafe { $body::<$crate::backend::cpu::simd::F512 $($(, $c)+)?>($($a),*) }
                }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                unsafe fn half $(<$(const $c: $ct),+>)? ($($a: $t),*) $(-> $r)? {
                    // SAFETY: as above.
                    unsafe { $body::<$crate::backend::cpu::simd::F256 $($(, $c)+)?>($($a),*) }
                }
                match $crate::backend::cpu::simd::tier() {
                    // SAFETY: the tier was found on this processor; the rest is the caller's promise.
                    $crate::backend::cpu::simd::Tier::Avx512 => return unsafe { wide $(::<$($c),+>)? ($($a),*) },
                    // SAFETY: as above.
                    $crate::backend::cpu::simd::Tier::Avx2 => return unsafe { half $(::<$($c),+>)? ($($a),*) },
                    $crate::backend::cpu::simd::Tier::Plain => {}
                }
            }
            // SAFETY: the caller's promise.
            unsafe { $body::<$crate::backend::cpu::simd::Lanes<f32, 8> $($(, $c)+)?>($($a),*) }
        }
    };
}

/// A plain loop that the compiler shall turn into vector code for each tier. Its bits are those of the plain loop.
pub trait Loop {
    type Output;
    /// Mark it `#[inline(always)]`: code that is not inlined keeps the instructions of the oldest processor.
    fn run(self) -> Self::Output;
}

/// Runs a loop with the widest vectors there are.
pub fn run<L: Loop>(looped: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2")]
        unsafe fn wide<L: Loop>(looped: L) -> L::Output {
            looped.run()
        }
        #[target_feature(enable = "avx2")]
        unsafe fn half<L: Loop>(looped: L) -> L::Output {
            looped.run()
        }
        match tier() {
            // SAFETY: the tier was found on this processor.
            Tier::Avx512 => return unsafe { wide(looped) },
            // SAFETY: as above.
            Tier::Avx2 => return unsafe { half(looped) },
            Tier::Plain => {}
        }
    }
    looped.run()
}

/// A pointer that threads may share: each job writes a part of its own.
pub struct Shared<T>(pub *mut T);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<T> {}

// SAFETY: jobs that share the pointer touch disjoint parts; that is the promise of each kernel that uses it.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn of(slice: &mut [T]) -> Shared<T> {
        Shared(slice.as_mut_ptr())
    }

    /// The `len` elements from `start`.
    ///
    /// # Safety
    /// They lie in the slice that this was made of, and nobody else uses them meanwhile.
    pub unsafe fn part<'a>(self, start: usize, len: usize) -> &'a mut [T] {
        std::slice::from_raw_parts_mut(self.0.add(start), len)
    }

    pub fn ptr(self) -> *mut T {
        self.0
    }
}
