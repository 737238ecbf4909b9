//! The initial value of a product's accumulators.

use std::convert::Infallible;

use crate::kernels::simd::row::load_row;
use crate::kernels::simd::vector::Vector;

/// The initial value of the accumulators of C ← … A B. `V` is the type of a row or column vector; a product
/// that takes none uses [`Infallible`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accumulate<V = Infallible> {
    /// 0: C ← A B.
    Overwrite,
    /// The same row vector for every row of C.
    Row(V),
    /// The same column vector for every column of C.
    Column(V),
    /// The elements of C: C ← C + A B, where the terms of A B are added to C one by one.
    Terms,
    /// 0, and the finished sums are added to C: C ← C + (A B). k is not split into blocks.
    Sum,
}

impl<V> Accumulate<V> {
    /// The same, with another type of vector.
    pub(super) fn map<W>(
        self,
        row: impl FnOnce(V) -> W,
        column: impl FnOnce(V) -> W,
    ) -> Accumulate<W> {
        match self {
            Self::Overwrite => Accumulate::Overwrite,
            Self::Row(vector) => Accumulate::Row(row(vector)),
            Self::Column(vector) => Accumulate::Column(column(vector)),
            Self::Terms => Accumulate::Terms,
            Self::Sum => Accumulate::Sum,
        }
    }
}

impl Accumulate {
    /// The same for a product that may take a vector.
    pub(super) fn with_vector<V>(self) -> Accumulate<V> {
        self.map(|never| match never {}, |never| match never {})
    }
}

/// The initial sums of a row of registers of C, with `last` lanes in the last one. `start` points to the elements of an
/// initial row at the same columns, or to that of an initial column in the same row.
///
/// # Safety
/// The machine has the instructions; the elements of C and `start` are readable.
#[inline(always)]
pub(super) unsafe fn initial_sums<V: Vector<Scalar: Default>, const VECTORS: usize>(
    start: Accumulate<*const V::Scalar>,
    c: *const V::Scalar,
    last: usize,
) -> [V; VECTORS] {
    // SAFETY: the caller guarantees the instructions and the elements.
    unsafe {
        match start {
            Accumulate::Overwrite | Accumulate::Sum => {
                [V::broadcast(V::Scalar::default()); VECTORS]
            }
            Accumulate::Row(row) => load_row(row, last),
            Accumulate::Column(first) => [V::broadcast(*first); VECTORS],
            Accumulate::Terms => load_row(c, last),
        }
    }
}

/// Adds finished sums to C, a row of registers: sums ← C + sums.
///
/// # Safety
/// The machine has the instructions; the elements of C are readable.
#[inline(always)]
pub(super) unsafe fn add_to_finished<V: Vector<Scalar: From<u8>>, const VECTORS: usize>(
    sums: &mut [V; VECTORS],
    c: *const V::Scalar,
    last: usize,
) {
    // SAFETY: the caller guarantees the instructions and the elements.
    unsafe {
        let one = V::broadcast(V::Scalar::from(1));
        // All are loaded before any is stored: registers may overlap, and loading what a masked store has just
        // written is slow.
        let before = load_row::<V, VECTORS>(c, last);
        for (sum, before) in sums.iter_mut().zip(before) {
            *sum = sum.mul_add(one, before);
        }
    }
}
