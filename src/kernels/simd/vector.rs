//! What the kernels need of a SIMD register, and nothing of the machine.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A register of [`Self::LANES`] numbers.
///
/// A value of the type is the proof that the machine has its instructions: the functions that make
/// one from nothing are unsafe, all others are not.
pub trait Vector: Copy {
    /// What a lane holds.
    type Scalar: Copy;
    /// The numbers of a register.
    const LANES: usize;
    /// The registers that a tile may fill with sums, so that its operands still find room.
    const SUMS: usize;

    /// `value` in every lane.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn broadcast(value: Self::Scalar) -> Self;

    /// [`Self::LANES`] numbers from `from` on.
    ///
    /// # Safety
    /// The machine has the instructions; the numbers may be read.
    unsafe fn load(from: *const Self::Scalar) -> Self;

    /// The first `count` lanes from `from` on, 1 ≤ `count` ≤ [`Self::LANES`]; 0 in the others.
    ///
    /// # Safety
    /// The machine has the instructions; `count` numbers may be read.
    unsafe fn load_first(from: *const Self::Scalar, count: usize) -> Self;

    /// Writes all lanes from `to` on.
    ///
    /// # Safety
    /// [`Self::LANES`] numbers may be written.
    unsafe fn store(self, to: *mut Self::Scalar);

    /// Writes the first `count` lanes from `to` on, 1 ≤ `count` ≤ [`Self::LANES`].
    ///
    /// # Safety
    /// `count` numbers may be written.
    unsafe fn store_first(self, to: *mut Self::Scalar, count: usize);

    /// The rows of the square that [`Self::transpose`] copies.
    const SQUARE: usize;

    /// to(j, i) = from(i, j) for a square of [`Self::SQUARE`] rows, `from_row` and `to_row` apart.
    ///
    /// # Safety
    /// The machine has the instructions; the square may be read and its transpose written.
    unsafe fn transpose(
        from: *const Self::Scalar,
        from_row: usize,
        to: *mut Self::Scalar,
        to_row: usize,
    );

    /// Asks for the numbers at `from` to come to the first-level cache; any address will do.
    fn prefetch(_from: *const Self::Scalar) {}

    /// The same for the second-level cache alone.
    fn prefetch_far(_from: *const Self::Scalar) {}

    /// self · `factor` + `term`, rounded once where the machine can.
    fn mul_add(self, factor: Self, term: Self) -> Self;
}

/// A register with the arithmetic that the elementary functions are made of.
///
/// Every operation rounds as IEEE 754 says, so that a formula has the same bits in every type.
pub trait Arithmetic:
    Vector
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// One truth a lane.
    type Mask: Copy;

    /// `value` in every lane.
    fn splat(self, value: Self::Scalar) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// |x| with the sign of `sign`.
    fn with_sign_of(self, sign: Self) -> Self;
    /// x, or `floor` where x is below it. NaN stays NaN, and x stays x where they are equal.
    fn at_least(self, floor: Self) -> Self;
    /// x, or `ceiling` where x is above it. NaN stays NaN, and x stays x where they are equal.
    fn at_most(self, ceiling: Self) -> Self;
    /// The number whose bits are those of x, moved left by the width of the mantissa: the low bits
    /// become sign and exponent.
    fn low_bits_as_exponent(self) -> Self;
    /// x < `other`; false where one is NaN.
    fn less(self, other: Self) -> Self::Mask;
    /// `yes` where `mask` holds, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}
