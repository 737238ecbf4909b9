//! Sums of squares, element by element, whose roots are right where the squares leave the range of float64.
//!
//! The squares are summed at up to three scales, as in Blue, *A Portable Fortran Program to Find the Euclidean
//! Norm of a Vector*, 1978. Which of them gives the root of an element depends on its own values alone.

use std::ops::BitOr;

use crate::kernels::real::Real;

/// Values whose squares have all their digits, in float64.
const LARGEST: f64 = power_of_two(500);
const SMALLEST: f64 = power_of_two(-480);

/// The power of two by which the values are multiplied before they are squared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    One,
    /// For values below [`SMALLEST`].
    Up,
    /// For values above [`LARGEST`].
    Down,
}

impl Scale {
    const fn factor(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Up => power_of_two(600),
            Self::Down => power_of_two(-600),
        }
    }
}

/// Whether some values need another scale than 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extremes {
    pub small: bool,
    pub large: bool,
}

impl BitOr for Extremes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            small: self.small | other.small,
            large: self.large | other.large,
        }
    }
}

/// sums ← sums + (scale · values)².
pub fn add_squares<T: Real>(values: &[T], scale: Scale, sums: &mut [f64]) -> Extremes {
    let (factor, mut found) = (scale.factor(), Extremes::default());
    for (sum, value) in sums.iter_mut().zip(values) {
        let value = value.to_f64();
        let (size, scaled) = (value.abs(), value * factor);
        *sum += scaled * scaled;
        found.small |= size < SMALLEST && size > 0.0;
        found.large |= size > LARGEST;
    }
    found
}

/// roots ← unit · √Σ values², from sums at `scale`: of all elements at scale 1, afterwards at another scale of
/// those whose sum of squares lost digits.
pub fn write_roots(sums: &[f64], scale: Scale, unit: f64, roots: &mut [f64]) {
    let factor = unit / scale.factor();
    for (root, sum) in roots.iter_mut().zip(sums) {
        let is_meant = match scale {
            Scale::One => true,
            Scale::Up => *root < SMALLEST * unit,
            Scale::Down => *root > LARGEST * unit,
        };
        if is_meant {
            *root = sum.sqrt() * factor;
        }
    }
}

/// 2^`exponent`, in the range of normal numbers.
pub const fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits((1023 + exponent).cast_unsigned() << 52)
}
