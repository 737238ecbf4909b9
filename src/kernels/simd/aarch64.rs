//! The registers of NEON, which every AArch64 processor that Rust supports has.

#[allow(clippy::wildcard_imports)] // most lines use an intrinsic
use std::arch::aarch64::*;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::kernels::simd::vector::{Arithmetic, Vector};

/// Four float32.
#[derive(Clone, Copy)]
pub struct F32x4(float32x4_t);
/// Two float64.
#[derive(Clone, Copy)]
pub struct F64x2(float64x2_t);

/// Implements the operators of `$name`.
macro_rules! operators {
    ($name:ident: $($trait:ident $method:ident $intrinsic:ident),*) => {$(
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    )*};
}

operators!(F32x4: Add add vaddq_f32, Sub sub vsubq_f32, Mul mul vmulq_f32, Div div vdivq_f32);
operators!(F64x2: Add add vaddq_f64, Sub sub vsubq_f64, Mul mul vmulq_f64, Div div vdivq_f64);

macro_rules! vector {
    (
        $name:ident, $scalar:ty, $lanes:literal,
        $broadcast:ident, $load:ident, $store:ident, $fma:ident,
        transpose: $transpose:ident, load_first: $load_first:ident, store_first: $store_first:ident
    ) => {
        impl Vector for $name {
            type Scalar = $scalar;
            const LANES: usize = $lanes;
            /// Of 32 registers.
            const ACCUMULATORS: usize = 24;

            #[inline(always)]
            unsafe fn broadcast(value: $scalar) -> Self {
                // SAFETY: the caller guarantees the instructions.
                Self(unsafe { $broadcast(value) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $scalar) -> Self {
                // SAFETY: the caller guarantees the instructions and that the elements are readable.
                Self(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $scalar, count: usize) -> Self {
                // SAFETY: the caller guarantees the instructions and that `count` elements are readable.
                Self(unsafe { $load_first(from, count) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $scalar) {
                // SAFETY: the caller guarantees that all lanes are writable.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $scalar, count: usize) {
                // SAFETY: the caller guarantees that `count` elements are writable.
                unsafe { $store_first(to, self.0, count) }
            }
            const SQUARE: usize = $lanes;
            #[inline(always)]
            unsafe fn transpose(
                from: *const $scalar,
                from_row: usize,
                to: *mut $scalar,
                to_row: usize,
            ) {
                // SAFETY: the caller guarantees the instructions and both squares.
                unsafe { $transpose(from, from_row, to, to_row) }
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $fma(term.0, self.0, factor.0) })
            }
        }
    };
}

vector!(
    F32x4, f32, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vfmaq_f32,
    transpose: transpose4x4, load_first: load_first4, store_first: store_first4
);
vector!(
    F64x2, f64, 2, vdupq_n_f64, vld1q_f64, vst1q_f64, vfmaq_f64,
    transpose: transpose2x2, load_first: load_first2, store_first: store_first2
);

/// Loads `count` elements, 1 ≤ `count` ≤ 4, and zeros behind them.
///
/// # Safety
/// The machine has NEON; `count` elements are readable.
#[inline(always)]
unsafe fn load_first4(from: *const f32, count: usize) -> float32x4_t {
    // SAFETY: the caller guarantees NEON; each case reads `count` elements.
    unsafe {
        let zero = vdupq_n_f32(0.0);
        match count {
            1 => vld1q_lane_f32::<0>(from, zero),
            2 => vcombine_f32(vld1_f32(from), vdup_n_f32(0.0)),
            3 => {
                let two = vcombine_f32(vld1_f32(from), vdup_n_f32(0.0));
                vld1q_lane_f32::<2>(from.add(2), two)
            }
            _ => vld1q_f32(from),
        }
    }
}

/// Stores the first `count` lanes, 1 ≤ `count` ≤ 4.
///
/// # Safety
/// The machine has NEON; `count` elements are writable.
#[inline(always)]
unsafe fn store_first4(to: *mut f32, value: float32x4_t, count: usize) {
    // SAFETY: the caller guarantees NEON; each case writes `count` elements.
    unsafe {
        match count {
            1 => vst1q_lane_f32::<0>(to, value),
            2 => vst1_f32(to, vget_low_f32(value)),
            3 => {
                vst1_f32(to, vget_low_f32(value));
                vst1q_lane_f32::<2>(to.add(2), value);
            }
            _ => vst1q_f32(to, value),
        }
    }
}

/// Loads one element and a zero, or two.
///
/// # Safety
/// The machine has NEON; `count` elements are readable.
#[inline(always)]
unsafe fn load_first2(from: *const f64, count: usize) -> float64x2_t {
    // SAFETY: the caller guarantees NEON; each case reads `count` elements.
    unsafe {
        match count {
            1 => vld1q_lane_f64::<0>(from, vdupq_n_f64(0.0)),
            _ => vld1q_f64(from),
        }
    }
}

/// Stores the first lane, or both.
///
/// # Safety
/// The machine has NEON; `count` elements are writable.
#[inline(always)]
unsafe fn store_first2(to: *mut f64, value: float64x2_t, count: usize) {
    // SAFETY: the caller guarantees NEON; each case writes `count` elements.
    unsafe {
        match count {
            1 => vst1q_lane_f64::<0>(to, value),
            _ => vst1q_f64(to, value),
        }
    }
}

/// Transposes a square of four rows of float32: neighbours, then pairs.
///
/// # Safety
/// The machine has NEON; the square is readable and its transpose writable.
#[inline(always)]
unsafe fn transpose4x4(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    // SAFETY: the caller guarantees NEON and both squares.
    unsafe {
        let row: [float32x4_t; 4] = std::array::from_fn(|i| vld1q_f32(from.add(i * from_row)));
        // Columns 0 and 2, then 1 and 3, of two rows each.
        let even = [0, 2].map(|i| vreinterpretq_f64_f32(vtrn1q_f32(row[i], row[i + 1])));
        let odd = [0, 2].map(|i| vreinterpretq_f64_f32(vtrn2q_f32(row[i], row[i + 1])));
        for (j, pair) in [even, odd].into_iter().enumerate() {
            let left = vreinterpretq_f32_f64(vzip1q_f64(pair[0], pair[1]));
            let right = vreinterpretq_f32_f64(vzip2q_f64(pair[0], pair[1]));
            vst1q_f32(to.add(j * to_row), left);
            vst1q_f32(to.add((j + 2) * to_row), right);
        }
    }
}

/// Transposes a square of two rows of float64.
///
/// # Safety
/// The machine has NEON; the square is readable and its transpose writable.
#[inline(always)]
unsafe fn transpose2x2(from: *const f64, from_row: usize, to: *mut f64, to_row: usize) {
    // SAFETY: the caller guarantees NEON and both squares.
    unsafe {
        let (above, below) = (vld1q_f64(from), vld1q_f64(from.add(from_row)));
        vst1q_f64(to, vzip1q_f64(above, below));
        vst1q_f64(to.add(to_row), vzip2q_f64(above, below));
    }
}

macro_rules! arithmetic {
    (
        $name:ident, $mask:ty, $abs:ident, $negative:ident, $sqrt:ident, $less:ident, $select:ident,
        sign_bit: $sign_bit:expr,
        any: |$any:ident| $is_any:expr,
        low_bits: |$bits:ident| $exponent:expr
    ) => {
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $negative(self.0) })
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
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $abs(self.0) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $sqrt(self.0) })
            }
            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $select($sign_bit, sign.0, self.0) })
            }
            // The instructions for maximum and minimum order −0 before 0, so comparisons decide.
            #[inline(always)]
            fn at_least(self, floor: Self) -> Self {
                Self::select(self.less(floor), floor, self)
            }
            #[inline(always)]
            fn at_most(self, ceiling: Self) -> Self {
                Self::select(ceiling.less(self), ceiling, self)
            }
            #[inline(always)]
            fn low_bits_as_exponent(self) -> Self {
                let $bits = self.0;
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $exponent })
            }
            #[inline(always)]
            fn less(self, other: Self) -> $mask {
                // SAFETY: a value of the type proves the instructions.
                unsafe { $less(self.0, other.0) }
            }
            #[inline(always)]
            fn any($any: $mask) -> bool {
                // SAFETY: a mask comes from a value of the type, which proves the instructions.
                unsafe { $is_any }
            }
            #[inline(always)]
            fn select(mask: $mask, yes: Self, no: Self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $select(mask, yes.0, no.0) })
            }
        }
    };
}

arithmetic!(
    F32x4, uint32x4_t, vabsq_f32, vnegq_f32, vsqrtq_f32, vcltq_f32, vbslq_f32,
    sign_bit: vdupq_n_u32(1 << 31),
    any: |mask| vmaxvq_u32(mask) != 0,
    low_bits: |x| vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(x)))
);
arithmetic!(
    F64x2, uint64x2_t, vabsq_f64, vnegq_f64, vsqrtq_f64, vcltq_f64, vbslq_f64,
    sign_bit: vdupq_n_u64(1 << 63),
    any: |mask| vmaxvq_u32(vreinterpretq_u32_u64(mask)) != 0,
    low_bits: |x| vreinterpretq_f64_u64(vshlq_n_u64::<52>(vreinterpretq_u64_f64(x)))
);
