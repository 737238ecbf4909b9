//! The operations that the kernels need of a SIMD register, independent of the machine.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::kernels::tuning::gemm::TERMS_PER_PASS;

/// A register of [`Self::LANES`] lanes.
///
/// A value of the type proves that the machine has its instructions: the functions that create one from
/// nothing are unsafe, all others are safe.
pub trait Vector: Copy {
    /// The element of a lane.
    type Scalar: Copy;
    /// The number of lanes.
    const LANES: usize;
    /// The most accumulators of a tile that leave registers for its operands.
    const ACCUMULATORS: usize;
    /// The terms that a microkernel adds in each pass of its loop. An array of lanes is compiled into so many
    /// instructions that those of the loop do not count.
    const TERMS_PER_PASS: usize = TERMS_PER_PASS;

    /// `value` in every lane.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn broadcast(value: Self::Scalar) -> Self;

    /// Loads [`Self::LANES`] elements starting at `from`.
    ///
    /// # Safety
    /// The machine has the instructions; the elements are readable.
    unsafe fn load(from: *const Self::Scalar) -> Self;

    /// Loads the first `count` lanes, 1 ≤ `count` ≤ [`Self::LANES`], and sets the others to 0.
    ///
    /// # Safety
    /// The machine has the instructions; `count` elements are readable.
    unsafe fn load_first(from: *const Self::Scalar, count: usize) -> Self;

    /// Stores all lanes starting at `to`.
    ///
    /// # Safety
    /// [`Self::LANES`] elements are writable.
    unsafe fn store(self, to: *mut Self::Scalar);

    /// Stores the first `count` lanes, 1 ≤ `count` ≤ [`Self::LANES`].
    ///
    /// # Safety
    /// `count` elements are writable.
    unsafe fn store_first(self, to: *mut Self::Scalar, count: usize);

    /// Stores all lanes with a non-temporal store, which bypasses the caches, where the machine has one, elsewhere as [`Self::store`] does.
    ///
    /// # Safety
    /// [`Self::LANES`] elements are writable, and `to` is a multiple of their size in bytes. Before anything
    /// else accesses them, this thread calls [`Self::store_fence`].
    #[inline(always)]
    unsafe fn store_non_temporal(self, to: *mut Self::Scalar) {
        // SAFETY: the caller guarantees that the elements are writable.
        unsafe { self.store(to) }
    }

    /// Orders the non-temporal stores of this thread before its later stores.
    #[inline(always)]
    fn store_fence() {}

    /// The rows of the square that [`Self::transpose`] copies.
    const SQUARE: usize;

    /// to(j, i) = from(i, j) for a square of [`Self::SQUARE`] rows, with row strides `from_row` and
    /// `to_row`.
    ///
    /// # Safety
    /// The machine has the instructions; the square is readable and its transpose writable.
    unsafe fn transpose(
        from: *const Self::Scalar,
        from_row: usize,
        to: *mut Self::Scalar,
        to_row: usize,
    );

    /// Prefetches the cache line at `from` into the L1 cache. Any address is allowed.
    fn prefetch(_from: *const Self::Scalar) {}

    /// Prefetches into the L2 cache only.
    fn prefetch_far(_from: *const Self::Scalar) {}

    /// self · `factor` + `term`, rounded once if the machine has fused multiply-add.
    fn mul_add(self, factor: Self, term: Self) -> Self;
}

/// A register with the arithmetic of the elementary functions.
///
/// Every operation rounds as in IEEE 754, so a formula gives the same bits in every type.
pub trait Arithmetic:
    Vector
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// One boolean per lane.
    type Mask: Copy;

    /// `value` in every lane.
    fn splat(self, value: Self::Scalar) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// |x| with the sign of `sign`.
    fn with_sign_of(self, sign: Self) -> Self;
    /// The larger of x and `floor`. NaN in x stays NaN; if both are equal, the result is x.
    fn at_least(self, floor: Self) -> Self;
    /// The smaller of x and `ceiling`. NaN in x stays NaN; if both are equal, the result is x.
    fn at_most(self, ceiling: Self) -> Self;
    /// Shifts the bits of x left by the width of the mantissa: the low bits become sign and exponent.
    fn low_bits_as_exponent(self) -> Self;
    /// x < `other`; false if either is NaN.
    fn less(self, other: Self) -> Self::Mask;
    /// Whether `mask` is true in any lane.
    fn any(mask: Self::Mask) -> bool;
    /// `yes` where `mask` is true, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
}
