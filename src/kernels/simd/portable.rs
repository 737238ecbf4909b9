//! A register as an array, which the compiler vectorizes: the baseline of every machine. With FUSED it uses
//! fused multiply-add, and takes NEON's place in the tests on other machines.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::kernels::simd::vector::{Arithmetic, Vector};

/// N lanes. FUSED: multiply-add rounds once.
#[derive(Clone, Copy)]
pub struct Lanes<T, const N: usize, const FUSED: bool>([T; N]);

macro_rules! lanes {
    ($scalar:ty, $mantissa:literal) => {
        impl<const N: usize, const FUSED: bool> Vector for Lanes<$scalar, N, FUSED> {
            type Scalar = $scalar;
            const LANES: usize = N;
            /// NEON has 32 registers, SSE2 16.
            const ACCUMULATORS: usize = if FUSED { 24 } else { 12 };
            const TERMS_PER_PASS: usize = 1;

            #[inline(always)]
            unsafe fn broadcast(value: $scalar) -> Self {
                Self([value; N])
            }
            #[inline(always)]
            unsafe fn load(from: *const $scalar) -> Self {
                // SAFETY: the caller guarantees that all lanes are readable.
                Self(unsafe { from.cast::<[$scalar; N]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $scalar, count: usize) -> Self {
                if count == N {
                    // SAFETY: the caller guarantees that `count` elements are readable.
                    return unsafe { Self::load(from) };
                }
                Self(std::array::from_fn(|lane| {
                    if lane < count {
                        // SAFETY: the caller guarantees that `count` elements are readable.
                        unsafe { *from.add(lane) }
                    } else {
                        0.0
                    }
                }))
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $scalar) {
                // SAFETY: the caller guarantees that all lanes are writable.
                unsafe { to.cast::<[$scalar; N]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $scalar, count: usize) {
                for (lane, &value) in self.0.iter().enumerate().take(count) {
                    // SAFETY: the caller guarantees that `count` elements are writable.
                    unsafe { *to.add(lane) = value }
                }
            }
            const SQUARE: usize = N;
            #[inline(always)]
            unsafe fn transpose(
                from: *const $scalar,
                from_row: usize,
                to: *mut $scalar,
                to_row: usize,
            ) {
                let rows: [Self; N] = std::array::from_fn(|i| {
                    // SAFETY: the caller guarantees that the square is readable.
                    unsafe { Self::load(from.add(i * from_row)) }
                });
                for j in 0..N {
                    let row = Self(rows.map(|row| row.0[j]));
                    // SAFETY: the caller guarantees that the transpose is writable.
                    unsafe { row.store(to.add(j * to_row)) }
                }
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                Self(std::array::from_fn(|lane| {
                    let (a, b, c) = (self.0[lane], factor.0[lane], term.0[lane]);
                    if FUSED { a.mul_add(b, c) } else { a * b + c }
                }))
            }
        }

        lanes!(operator $scalar, Add, add, +);
        lanes!(operator $scalar, Sub, sub, -);
        lanes!(operator $scalar, Mul, mul, *);
        lanes!(operator $scalar, Div, div, /);

        impl<const N: usize, const FUSED: bool> Neg for Lanes<$scalar, N, FUSED> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(self.0.map(|x| -x))
            }
        }

        impl<const N: usize, const FUSED: bool> Arithmetic for Lanes<$scalar, N, FUSED> {
            type Mask = [bool; N];
            #[inline(always)]
            fn splat(self, value: $scalar) -> Self {
                Self([value; N])
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.map(<$scalar>::abs))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.map(<$scalar>::sqrt))
            }
            #[inline(always)]
            fn with_sign_of(self, sign: Self) -> Self {
                Self(std::array::from_fn(|lane| self.0[lane].copysign(sign.0[lane])))
            }
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
                Self(self.0.map(|x| <$scalar>::from_bits(x.to_bits() << $mantissa)))
            }
            #[inline(always)]
            fn less(self, other: Self) -> [bool; N] {
                std::array::from_fn(|lane| self.0[lane] < other.0[lane])
            }
            #[inline(always)]
            fn any(mask: [bool; N]) -> bool {
                mask.contains(&true)
            }
            #[inline(always)]
            fn select(mask: [bool; N], yes: Self, no: Self) -> Self {
                Self(std::array::from_fn(|lane| if mask[lane] { yes.0[lane] } else { no.0[lane] }))
            }
        }
    };
    (operator $scalar:ty, $trait:ident, $method:ident, $symbol:tt) => {
        impl<const N: usize, const FUSED: bool> $trait for Lanes<$scalar, N, FUSED> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(std::array::from_fn(|lane| self.0[lane] $symbol other.0[lane]))
            }
        }
    };
}

lanes!(f32, 23);
lanes!(f64, 52);
