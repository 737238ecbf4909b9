//! Products with a CSR x. The outgoing weights of an input, and their gradient, are a row in memory: a
//! stored element uses one row, and registers run along it.
//!
//! Terms are added serially in storage order, each with one fused multiply-add where the machine has it: as
//! in [`crate::kernels::gemm`], except that zero terms are skipped.

mod forward;
mod gradients;
mod microkernel;
mod non_temporal;

use std::ops::Range;

pub use forward::forward;
pub use gradients::gradients;

use crate::kernels::csr::CsrMatrix;
use crate::kernels::tuning::spmm::{COLUMN_MULTIPLE, MAX_COLUMNS, MAX_UNPOLLED_WORK};

#[cfg(test)]
mod tests;

/// Some rows of a weight gradient: those of the inputs from `first` on.
#[derive(Debug)]
pub struct GradientRows<'a, T> {
    /// (inputs, n_out), including the padding between rows.
    pub numbers: &'a mut [T],
    /// The first input.
    pub first: usize,
    /// The row stride.
    pub stride: usize,
}

/// Blocks of columns, and for each of them blocks of rows of x, as many as are computed between two polls
/// of the cancellation token.
fn blocks<T>(
    x: &CsrMatrix<'_, T>,
    columns: &Range<usize>,
) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let (rows, end) = (x.len(), columns.end);
    let count = columns.len().div_ceil(MAX_COLUMNS).max(1);
    let width = columns
        .len()
        .div_ceil(count)
        .next_multiple_of(COLUMN_MULTIPLE)
        .max(1);
    let work = x.nnz().saturating_mul(width);
    let step = match work {
        0..=MAX_UNPOLLED_WORK => rows,
        _ => rows.saturating_mul(MAX_UNPOLLED_WORK) / work,
    };
    let step = step.max(1);
    columns.clone().step_by(width).flat_map(move |column| {
        let columns = column..end.min(column + width);
        let rows = (0..rows)
            .step_by(step)
            .map(move |row| row..rows.min(row + step));
        rows.map(move |rows| (columns.clone(), rows))
    })
}
