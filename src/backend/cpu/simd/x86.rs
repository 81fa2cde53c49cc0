//! AVX-512 and AVX2 vectors.

use std::arch::x86_64::*;

use super::{Vector, Vector32};

#[derive(Clone, Copy)]
pub struct F512(__m512);
#[derive(Clone, Copy)]
pub struct F256(__m256);
#[derive(Clone, Copy)]
pub struct D512(__m512d);
#[derive(Clone, Copy)]
pub struct D256(__m256d);

/// Sliding over it gives a mask of so many leading lanes.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Eight 32-bit lanes, the first `n` of them set.
#[inline(always)]
unsafe fn mask_256(n: usize) -> __m256i {
    _mm256_loadu_si256(MASKS.as_ptr().add(8 - n.min(8)).cast())
}

macro_rules! arithmetic {
    ($add:ident $sub:ident $mul:ident $div:ident $max:ident $min:ident $sqrt:ident $fma:ident
     $load:ident $store:ident $splat:ident) => {
        #[inline(always)]
        unsafe fn splat(x: Self::Element) -> Self {
            Self($splat(x))
        }
        #[inline(always)]
        unsafe fn load(p: *const Self::Element) -> Self {
            Self($load(p))
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut Self::Element) {
            $store(p, self.0)
        }
        #[inline(always)]
        unsafe fn mul_add(self, b: Self, c: Self) -> Self {
            Self($fma(self.0, b.0, c.0))
        }
        #[inline(always)]
        unsafe fn add(self, b: Self) -> Self {
            Self($add(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn sub(self, b: Self) -> Self {
            Self($sub(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn mul(self, b: Self) -> Self {
            Self($mul(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn div(self, b: Self) -> Self {
            Self($div(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn max(self, b: Self) -> Self {
            Self($max(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn min(self, b: Self) -> Self {
            Self($min(self.0, b.0))
        }
        #[inline(always)]
        unsafe fn sqrt(self) -> Self {
            Self($sqrt(self.0))
        }
    };
}

impl Vector for F512 {
    type Element = f32;
    const LANES: usize = 16;
    arithmetic!(_mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_max_ps _mm512_min_ps _mm512_sqrt_ps
        _mm512_fmadd_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps);

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        F512(_mm512_maskz_loadu_ps(((1u32 << n.min(16)) - 1) as u16, p))
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, n: usize) {
        _mm512_mask_storeu_ps(p, ((1u32 << n.min(16)) - 1) as u16, self.0);
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let low = _mm512_castps512_ps256(self.0);
        F256(_mm256_add_ps(low, _mm512_extractf32x8_ps::<1>(self.0))).sum()
    }
}

impl Vector32 for F512 {
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        F512(_mm512_abs_ps(self.0))
    }
    #[inline(always)]
    unsafe fn with_sign(self, sign: Self) -> Self {
        let bit = _mm512_set1_ps(-0.0);
        F512(_mm512_or_ps(
            _mm512_andnot_ps(bit, self.0),
            _mm512_and_ps(bit, sign.0),
        ))
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        F512(_mm512_roundscale_ps::<8>(self.0))
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        F512(_mm512_scalef_ps(self.0, n.0))
    }
    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        (
            F512(_mm512_getexp_ps(self.0)),
            F512(_mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(
                self.0,
            )),
        )
    }
    #[inline(always)]
    unsafe fn if_less(a: Self, b: Self, x: Self, y: Self) -> Self {
        let less = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a.0, b.0);
        F512(_mm512_mask_blend_ps(less, y.0, x.0))
    }
    #[inline(always)]
    unsafe fn if_at_most(a: Self, b: Self, x: Self, y: Self) -> Self {
        let holds = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a.0, b.0);
        F512(_mm512_mask_blend_ps(holds, y.0, x.0))
    }
    #[inline(always)]
    unsafe fn if_equal(a: Self, b: Self, x: Self, y: Self) -> Self {
        let holds = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a.0, b.0);
        F512(_mm512_mask_blend_ps(holds, y.0, x.0))
    }
    #[inline(always)]
    unsafe fn floor(self) -> Self {
        F512(_mm512_roundscale_ps::<9>(self.0))
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        _mm512_reduce_max_ps(self.0)
    }
}

impl Vector for F256 {
    type Element = f32;
    const LANES: usize = 8;
    arithmetic!(_mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_max_ps _mm256_min_ps _mm256_sqrt_ps
        _mm256_fmadd_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps);

    #[inline(always)]
    unsafe fn load_first(p: *const f32, n: usize) -> Self {
        F256(_mm256_maskload_ps(p, mask_256(n)))
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, n: usize) {
        _mm256_maskstore_ps(p, mask_256(n), self.0);
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        let half = _mm_add_ps(
            _mm256_castps256_ps128(self.0),
            _mm256_extractf128_ps::<1>(self.0),
        );
        let two = _mm_add_ps(half, _mm_movehl_ps(half, half));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

impl F256 {
    /// `2^n` for integral `n` in the range of normal exponents.
    #[inline(always)]
    unsafe fn power(self) -> Self {
        let n = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127));
        F256(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(n)))
    }
}

impl Vector32 for F256 {
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        F256(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0))
    }
    #[inline(always)]
    unsafe fn with_sign(self, sign: Self) -> Self {
        let bit = _mm256_set1_ps(-0.0);
        F256(_mm256_or_ps(
            _mm256_andnot_ps(bit, self.0),
            _mm256_and_ps(bit, sign.0),
        ))
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        F256(_mm256_round_ps::<8>(self.0))
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        // In two steps, so that neither power leaves the range of normal numbers.
        let half = n.mul(Self::splat(0.5)).round();
        self.mul(half.power()).mul(n.sub(half).power())
    }
    #[inline(always)]
    unsafe fn split(self) -> (Self, Self) {
        let bits = _mm256_castps_si256(self.0);
        let exponent = _mm256_sub_epi32(_mm256_srli_epi32::<23>(bits), _mm256_set1_epi32(127));
        let mantissa = _mm256_or_si256(
            _mm256_and_si256(bits, _mm256_set1_epi32(0x007f_ffff)),
            _mm256_set1_epi32(0x3f80_0000),
        );
        (
            F256(_mm256_cvtepi32_ps(exponent)),
            F256(_mm256_castsi256_ps(mantissa)),
        )
    }
    #[inline(always)]
    unsafe fn if_less(a: Self, b: Self, x: Self, y: Self) -> Self {
        F256(_mm256_blendv_ps(
            y.0,
            x.0,
            _mm256_cmp_ps::<_CMP_LT_OQ>(a.0, b.0),
        ))
    }
    #[inline(always)]
    unsafe fn if_at_most(a: Self, b: Self, x: Self, y: Self) -> Self {
        let holds = _mm256_cmp_ps::<_CMP_LE_OQ>(a.0, b.0);
        F256(_mm256_blendv_ps(y.0, x.0, holds))
    }
    #[inline(always)]
    unsafe fn if_equal(a: Self, b: Self, x: Self, y: Self) -> Self {
        let holds = _mm256_cmp_ps::<_CMP_EQ_OQ>(a.0, b.0);
        F256(_mm256_blendv_ps(y.0, x.0, holds))
    }
    #[inline(always)]
    unsafe fn floor(self) -> Self {
        F256(_mm256_floor_ps(self.0))
    }
    #[inline(always)]
    unsafe fn largest(self) -> f32 {
        let mut all = [0f32; 8];
        self.store(all.as_mut_ptr());
        all.iter().fold(all[0], |m, x| if *x > m { *x } else { m })
    }
}

impl Vector for D512 {
    type Element = f64;
    const LANES: usize = 8;
    arithmetic!(_mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd _mm512_max_pd _mm512_min_pd _mm512_sqrt_pd
        _mm512_fmadd_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd);

    #[inline(always)]
    unsafe fn load_first(p: *const f64, n: usize) -> Self {
        D512(_mm512_maskz_loadu_pd(((1u32 << n.min(8)) - 1) as u8, p))
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f64, n: usize) {
        _mm512_mask_storeu_pd(p, ((1u32 << n.min(8)) - 1) as u8, self.0);
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        let low = _mm512_castpd512_pd256(self.0);
        D256(_mm256_add_pd(low, _mm512_extractf64x4_pd::<1>(self.0))).sum()
    }
}

impl Vector for D256 {
    type Element = f64;
    const LANES: usize = 4;
    arithmetic!(_mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd _mm256_max_pd _mm256_min_pd _mm256_sqrt_pd
        _mm256_fmadd_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd);

    #[inline(always)]
    unsafe fn load_first(p: *const f64, n: usize) -> Self {
        D256(_mm256_maskload_pd(p, mask_256(2 * n.min(4))))
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f64, n: usize) {
        _mm256_maskstore_pd(p, mask_256(2 * n.min(4)), self.0);
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        let half = _mm_add_pd(
            _mm256_castpd256_pd128(self.0),
            _mm256_extractf128_pd::<1>(self.0),
        );
        _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
    }
}
