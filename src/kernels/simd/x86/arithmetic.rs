//! Elementary operations on the registers of AVX2 and AVX-512.

#[allow(clippy::wildcard_imports)] // most lines use an intrinsic
use std::arch::x86_64::*;
use std::ops::Neg;

use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::simd::x86::{F32x8, F32x16, F64x4, F64x8};

macro_rules! arithmetic {
    (
        $name:ident, $mask:ty, $max:ident, $min:ident, $sqrt:ident,
        abs: |$x:ident| $abs:expr,
        negative: |$n:ident| $negative:expr,
        with_sign_of: |$size:ident, $sign:ident| $with_sign:expr,
        low_bits: |$bits:ident| $exponent:expr,
        less: |$a:ident, $b:ident| $less:expr,
        any: |$any:ident| $is_any:expr,
        select: |$m:ident, $yes:ident, $no:ident| $select:expr
    ) => {
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                let $n = self.0;
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $negative })
            }
        }
        impl Arithmetic for $name {
            type Mask = $mask;
            #[inline(always)]
            fn splat(self, value: Self::Scalar) -> Self {
                // SAFETY: a value of the type proves the instructions.
                unsafe { Self::broadcast(value) }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                let $x = self.0;
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $abs })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                let ($size, $sign) = (self.0, sign.0);
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $with_sign })
            }
            #[inline(always)]
            fn at_least(self, floor: Self) -> Self {
                // The instruction returns its second operand if either is NaN or both are equal.
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $max(floor.0, self.0) })
            }
            #[inline(always)]
            fn at_most(self, ceiling: Self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $min(ceiling.0, self.0) })
            }
            #[inline(always)]
            fn low_bits_as_exponent(self) -> Self {
                let $bits = self.0;
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $exponent })
            }
            #[inline(always)]
            fn less(self, other: Self) -> $mask {
                let ($a, $b) = (self.0, other.0);
                // SAFETY: a value of the type proves the instructions.
                unsafe { $less }
            }
            #[inline(always)]
            #[allow(unused_unsafe)] // a mask of AVX-512 is an integer
            fn any($any: $mask) -> bool {
                // SAFETY: a mask comes from a value of the type, which proves the instructions.
                unsafe { $is_any }
            }
            #[inline(always)]
            fn select($m: $mask, yes: Self, no: Self) -> Self {
                let ($yes, $no) = (yes.0, no.0);
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $select })
            }
        }
    };
}

arithmetic!(
    F32x16, __mmask16, _mm512_max_ps, _mm512_min_ps, _mm512_sqrt_ps,
    abs: |x| _mm512_abs_ps(x),
    negative: |x| _mm512_xor_ps(x, _mm512_set1_ps(-0.0)),
    with_sign_of: |size, sign| _mm512_or_ps(
        _mm512_abs_ps(size),
        _mm512_and_ps(sign, _mm512_set1_ps(-0.0))
    ),
    low_bits: |x| _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(x))),
    less: |a, b| _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b),
    any: |mask| mask != 0,
    select: |mask, yes, no| _mm512_mask_blend_ps(mask, no, yes)
);
arithmetic!(
    F64x8, __mmask8, _mm512_max_pd, _mm512_min_pd, _mm512_sqrt_pd,
    abs: |x| _mm512_abs_pd(x),
    negative: |x| _mm512_xor_pd(x, _mm512_set1_pd(-0.0)),
    with_sign_of: |size, sign| _mm512_or_pd(
        _mm512_abs_pd(size),
        _mm512_and_pd(sign, _mm512_set1_pd(-0.0))
    ),
    low_bits: |x| _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_castpd_si512(x))),
    less: |a, b| _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b),
    any: |mask| mask != 0,
    select: |mask, yes, no| _mm512_mask_blend_pd(mask, no, yes)
);
arithmetic!(
    F32x8, __m256, _mm256_max_ps, _mm256_min_ps, _mm256_sqrt_ps,
    abs: |x| _mm256_andnot_ps(_mm256_set1_ps(-0.0), x),
    negative: |x| _mm256_xor_ps(x, _mm256_set1_ps(-0.0)),
    with_sign_of: |size, sign| _mm256_or_ps(
        _mm256_andnot_ps(_mm256_set1_ps(-0.0), size),
        _mm256_and_ps(sign, _mm256_set1_ps(-0.0))
    ),
    low_bits: |x| _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(x))),
    less: |a, b| _mm256_cmp_ps::<_CMP_LT_OQ>(a, b),
    any: |mask| _mm256_movemask_ps(mask) != 0,
    select: |mask, yes, no| _mm256_blendv_ps(no, yes, mask)
);
arithmetic!(
    F64x4, __m256d, _mm256_max_pd, _mm256_min_pd, _mm256_sqrt_pd,
    abs: |x| _mm256_andnot_pd(_mm256_set1_pd(-0.0), x),
    negative: |x| _mm256_xor_pd(x, _mm256_set1_pd(-0.0)),
    with_sign_of: |size, sign| _mm256_or_pd(
        _mm256_andnot_pd(_mm256_set1_pd(-0.0), size),
        _mm256_and_pd(sign, _mm256_set1_pd(-0.0))
    ),
    low_bits: |x| _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(x))),
    less: |a, b| _mm256_cmp_pd::<_CMP_LT_OQ>(a, b),
    any: |mask| _mm256_movemask_pd(mask) != 0,
    select: |mask, yes, no| _mm256_blendv_pd(no, yes, mask)
);
