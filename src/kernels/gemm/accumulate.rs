//! What the sums of a product begin with.

use std::convert::Infallible;

/// What the sums of C ← … A B begin with. `V` points to a row or a column of numbers; a product that
/// takes none has [`Infallible`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accumulate<V = Infallible> {
    /// 0: C ← A B.
    Overwrite,
    /// The same row for every row of C.
    Row(V),
    /// The same column for every column of C.
    Column(V),
    /// The terms that C holds: C ← C + A B, where these terms come after those, one by one.
    Terms,
    /// 0, and the finished sums are added to those that C holds: C ← C + (A B). Of each block of KC
    /// terms by itself.
    Sum,
}

impl Accumulate {
    /// The same for a product that may take a row or a column.
    pub(super) fn with_vector<V>(self) -> Accumulate<V> {
        match self {
            Self::Overwrite => Accumulate::Overwrite,
            Self::Terms => Accumulate::Terms,
            Self::Sum => Accumulate::Sum,
            Self::Row(never) | Self::Column(never) => match never {},
        }
    }
}
