//! Matrices of several networks with the same shape, interleaved: an element of all networks after the other,
//! so that each network has a lane of the registers.
//!
//! Products of such matrices add their terms serially along k, each with one fused multiply-add where the
//! machine has it, as those of [`gemm`](crate::kernels::gemm) do: a network has the same bits in a lane and
//! alone.

mod product;
#[cfg(test)]
mod tests;

use crate::base::cache_line;

pub use product::{product, sums};

/// The networks whose elements fill a cache line, which holds whole registers at every level.
pub const fn networks<T>() -> usize {
    cache_line::numbers::<T>()
}

/// Copies the elements of one network, in its lane of `to`.
pub fn interleave<T: Copy>(from: &[T], to: &mut [T], lane: usize) {
    for (line, &element) in to.chunks_exact_mut(networks::<T>()).zip(from) {
        line[lane] = element;
    }
}

/// Copies the elements of one network from its lane of `from`.
pub fn separate<T: Copy>(from: &[T], to: &mut [T], lane: usize) {
    for (line, element) in from.chunks_exact(networks::<T>()).zip(to) {
        *element = line[lane];
    }
}

/// A matrix of each network, in their lanes.
#[derive(Debug, Clone, Copy)]
pub struct Matrices<'a, T> {
    numbers: &'a [T],
    rows: usize,
    columns: usize,
    /// The lines from an element to the one below and to the one beside it.
    strides: (usize, usize),
}

impl<'a, T> Matrices<'a, T> {
    /// (rows, columns), row-major.
    ///
    /// # Panics
    /// There are fewer numbers.
    pub fn by_rows(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        assert!(
            numbers.len() >= rows * columns * networks::<T>(),
            "the elements of interleaved matrices"
        );
        Self {
            numbers,
            rows,
            columns,
            strides: (columns, 1),
        }
    }

    /// The transposes.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            strides: (self.strides.1, self.strides.0),
            ..self
        }
    }
}
