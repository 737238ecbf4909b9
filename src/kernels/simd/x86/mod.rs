//! The registers of AVX2 with FMA, and of AVX-512.

mod arithmetic;

#[allow(clippy::wildcard_imports)] // most lines use an intrinsic
use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use crate::kernels::simd::vector::Vector;

/// Implements the operators of `$name`, a register of `$lanes` lanes.
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

/// Sixteen float32 in AVX-512.
#[derive(Clone, Copy)]
pub struct F32x16(__m512);
/// Eight float64 in AVX-512.
#[derive(Clone, Copy)]
pub struct F64x8(__m512d);
/// Eight float32 in AVX2.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);
/// Four float64 in AVX2.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

operators!(F32x16: Add add _mm512_add_ps, Sub sub _mm512_sub_ps, Mul mul _mm512_mul_ps, Div div _mm512_div_ps);
operators!(F64x8: Add add _mm512_add_pd, Sub sub _mm512_sub_pd, Mul mul _mm512_mul_pd, Div div _mm512_div_pd);
operators!(F32x8: Add add _mm256_add_ps, Sub sub _mm256_sub_ps, Mul mul _mm256_mul_ps, Div div _mm256_div_ps);
operators!(F64x4: Add add _mm256_add_pd, Sub sub _mm256_sub_pd, Mul mul _mm256_mul_pd, Div div _mm256_div_pd);

/// Implements for `$name` what is a single instruction in every type.
macro_rules! vector {
    (
        $name:ident, $scalar:ty, $lanes:literal, $accumulators:literal,
        $broadcast:ident, $load:ident, $store:ident, $stream:ident, $fma:ident, $transpose:ident $square:literal,
        load_first: |$from:ident, $count:ident| $load_first:expr,
        store_first: |$to:ident, $value:ident, $stored:ident| $store_first:expr
    ) => {
        impl Vector for $name {
            type Scalar = $scalar;
            const LANES: usize = $lanes;
            const ACCUMULATORS: usize = $accumulators;

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
            unsafe fn load_first($from: *const $scalar, $count: usize) -> Self {
                // SAFETY: the caller guarantees the instructions and that `count` elements are readable;
                // masked lanes are not read.
                Self(unsafe { $load_first })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $scalar) {
                // SAFETY: the caller guarantees that all lanes are writable.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn store_first(self, $to: *mut $scalar, $stored: usize) {
                let $value = self.0;
                // SAFETY: the caller guarantees that `count` elements are writable; masked lanes are not
                // written.
                unsafe { $store_first }
            }
            #[inline(always)]
            unsafe fn store_non_temporal(self, to: *mut $scalar) {
                // SAFETY: the caller guarantees that all lanes are writable, their alignment, and the order.
                unsafe { $stream(to, self.0) }
            }
            #[inline(always)]
            fn store_fence() {
                // SAFETY: every x86-64 has the instruction.
                unsafe { _mm_sfence() }
            }
            const SQUARE: usize = $square;
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
            fn prefetch(from: *const $scalar) {
                // SAFETY: a prefetch hint accesses no memory; every x86-64 has the instruction.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
            }
            #[inline(always)]
            fn prefetch_far(from: *const $scalar) {
                // SAFETY: as above.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) }
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: a value of the type proves the instructions.
                Self(unsafe { $fma(self.0, factor.0, term.0) })
            }
        }
    };
}

vector!(
    F32x16, f32, 16, 28, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_stream_ps, _mm512_fmadd_ps, transpose8x8 8,
    load_first: |from, count| _mm512_maskz_loadu_ps(first16(count), from),
    store_first: |to, value, count| _mm512_mask_storeu_ps(to, first16(count), value)
);
vector!(
    F64x8, f64, 8, 28, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_stream_pd, _mm512_fmadd_pd, transpose4x4 4,
    load_first: |from, count| _mm512_maskz_loadu_pd(first8(count), from),
    store_first: |to, value, count| _mm512_mask_storeu_pd(to, first8(count), value)
);
vector!(
    F32x8, f32, 8, 12, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_stream_ps, _mm256_fmadd_ps, transpose8x8 8,
    load_first: |from, count| _mm256_maskload_ps(from, first8x32(count)),
    store_first: |to, value, count| _mm256_maskstore_ps(to, first8x32(count), value)
);
vector!(
    F64x4, f64, 4, 12, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_stream_pd, _mm256_fmadd_pd, transpose4x4 4,
    load_first: |from, count| _mm256_maskload_pd(from, first4x64(count)),
    store_first: |to, value, count| _mm256_maskstore_pd(to, first4x64(count), value)
);

/// Transposes a square of eight rows of float32 in three rounds: neighbours, pairs, halves.
///
/// # Safety
/// The machine has AVX2; the square is readable and its transpose writable.
#[inline(always)]
unsafe fn transpose8x8(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    // SAFETY: the caller guarantees AVX2 and both squares.
    unsafe {
        let row: [__m256; 8] = std::array::from_fn(|i| _mm256_loadu_ps(from.add(i * from_row)));
        let low = |i: usize| _mm256_unpacklo_ps(row[i], row[i + 1]);
        let high = |i: usize| _mm256_unpackhi_ps(row[i], row[i + 1]);
        let front = |a, b| _mm256_shuffle_ps::<0x44>(a, b);
        let back = |a, b| _mm256_shuffle_ps::<0xee>(a, b);
        let fours = |i: usize| {
            let (low, low_next) = (low(i), low(i + 2));
            let (high, high_next) = (high(i), high(i + 2));
            [
                front(low, low_next),
                back(low, low_next),
                front(high, high_next),
                back(high, high_next),
            ]
        };
        let (above, below) = (fours(0), fours(4));
        for j in 0..4 {
            let left = _mm256_permute2f128_ps::<0x20>(above[j], below[j]);
            let right = _mm256_permute2f128_ps::<0x31>(above[j], below[j]);
            _mm256_storeu_ps(to.add(j * to_row), left);
            _mm256_storeu_ps(to.add((j + 4) * to_row), right);
        }
    }
}

/// Transposes a square of four rows of float64.
///
/// # Safety
/// The machine has AVX2; the square is readable and its transpose writable.
#[inline(always)]
unsafe fn transpose4x4(from: *const f64, from_row: usize, to: *mut f64, to_row: usize) {
    // SAFETY: the caller guarantees AVX2 and both squares.
    unsafe {
        let row: [__m256d; 4] = std::array::from_fn(|i| _mm256_loadu_pd(from.add(i * from_row)));
        let low = [0, 2].map(|i| _mm256_unpacklo_pd(row[i], row[i + 1]));
        let high = [0, 2].map(|i| _mm256_unpackhi_pd(row[i], row[i + 1]));
        for (j, pair) in [low, high].into_iter().enumerate() {
            let left = _mm256_permute2f128_pd::<0x20>(pair[0], pair[1]);
            let right = _mm256_permute2f128_pd::<0x31>(pair[0], pair[1]);
            _mm256_storeu_pd(to.add(j * to_row), left);
            _mm256_storeu_pd(to.add((j + 2) * to_row), right);
        }
    }
}

/// A mask of the lowest `count` ≤ 16 bits.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // the mask has 16 bits
fn first16(count: usize) -> __mmask16 {
    ((1_u32 << count) - 1) as __mmask16
}

/// A mask of the lowest `count` ≤ 8 bits.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // the mask has 8 bits
fn first8(count: usize) -> __mmask8 {
    ((1_u32 << count) - 1) as __mmask8
}

/// A mask with all bits set in the first `count` ≤ 8 lanes.
#[inline(always)]
unsafe fn first8x32(count: usize) -> __m256i {
    static ONES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the 8 elements from 8 − count on are in the table; the caller guarantees AVX2.
    unsafe { _mm256_loadu_si256(ONES.as_ptr().add(8 - count).cast()) }
}

/// A mask with all bits set in the first `count` ≤ 4 lanes.
#[inline(always)]
unsafe fn first4x64(count: usize) -> __m256i {
    static ONES: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
    // SAFETY: the 4 elements from 4 − count on are in the table; the caller guarantees AVX2.
    unsafe { _mm256_loadu_si256(ONES.as_ptr().add(4 - count).cast()) }
}
