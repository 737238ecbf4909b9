//! The initial value of a product's accumulators.

use std::convert::Infallible;

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

impl Accumulate {
    /// The same for a product that may take a vector.
    pub(super) fn with_vector<V>(self) -> Accumulate<V> {
        match self {
            Self::Overwrite => Accumulate::Overwrite,
            Self::Terms => Accumulate::Terms,
            Self::Sum => Accumulate::Sum,
            Self::Row(never) | Self::Column(never) => match never {},
        }
    }
}
