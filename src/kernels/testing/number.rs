//! What the tests of the products need of f32 and f64.

use std::fmt::Debug;

use crate::kernels::simd::level::Registers;

/// What a test needs of f32 and f64.
pub(in crate::kernels) trait Number: Registers + Debug + PartialEq {
    const NAN: Self;
    const ONE: Self;
    /// From −1 to 1, from random bits: sums of such values depend on the order of their terms.
    fn random(bits: u64) -> Self;
    fn bits(self) -> u64;
    /// self · factor + term, rounded once or twice.
    fn multiply_add(self, factor: Self, term: Self, once: bool) -> Self;
}

macro_rules! number {
    ($name:ident) => {
        impl Number for $name {
            const NAN: Self = Self::NAN;
            const ONE: Self = 1.0;
            #[allow(clippy::cast_precision_loss)] // as many bits as the type has
            fn random(bits: u64) -> Self {
                (bits >> (64 - Self::MANTISSA_DIGITS)) as Self
                    / (1_u64 << (Self::MANTISSA_DIGITS - 1)) as Self
                    - 1.0
            }
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            #[inline]
            fn multiply_add(self, factor: Self, term: Self, once: bool) -> Self {
                if once {
                    self.mul_add(factor, term)
                } else {
                    self * factor + term
                }
            }
        }
    };
}

number!(f32);
number!(f64);

/// Pseudorandom values, the same on every run; advances `seed`.
pub(in crate::kernels) fn fill<T: Number>(seed: &mut u64, numbers: &mut [T]) {
    for number in numbers {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        *number = T::random(*seed);
    }
}
