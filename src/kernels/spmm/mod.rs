//! The products with x where only some of its numbers are stored. The weights out of an input, and
//! their gradient, are a row in memory: a stored number meets one row, and registers run along it.
//!
//! Terms are added one after the other, in the order in which they are stored, each with one fused
//! multiply-add where the machine has it: as in [`crate::kernels::gemm`], but for the terms that are 0.

mod forward;
mod gradients;
mod microkernel;

use std::ops::Range;

pub use forward::forward;
pub use gradients::{Rows, gradients};

use crate::kernels::csr::SparseRows;
use crate::kernels::tuning::spmm::{COLUMNS, EVEN, UNPOLLED};

#[cfg(test)]
mod tests;

/// The columns, some at a time, and for each the rows of x, as many as are worth a look at the stop
/// flag.
fn blocks<T>(
    x: &SparseRows<'_, T>,
    columns: &Range<usize>,
) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let (rows, end) = (x.len(), columns.end);
    let parts = columns.len().div_ceil(COLUMNS).max(1);
    let width = columns.len().div_ceil(parts).next_multiple_of(EVEN).max(1);
    let work = x.stored().saturating_mul(width);
    let step = match work {
        0..=UNPOLLED => rows,
        _ => rows.saturating_mul(UNPOLLED) / work,
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
