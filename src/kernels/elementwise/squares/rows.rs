//! Sums of squares of the rows of a matrix.

use std::ops::Range;

use crate::kernels::elementwise::squares::{has_digits, is_single, load, total_of};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::tuning::plan::COST_GROUP;

/// The accumulators of a row, which may be short.
const ROW_LANES: usize = 16;
/// The elements of a row whose squares are added in their own type, before the sum continues in float64.
const ROW_BLOCK: usize = 64 * ROW_LANES;
/// The most rows that [`row_squares`] takes.
pub const MOST_ROWS: usize = COST_GROUP;

/// Σ_j x_j² of each row of a matrix of at most [`MOST_ROWS`] rows. The bits do not depend on its memory order.
///
/// # Panics
/// There are more rows.
pub fn row_squares<T: Real>(matrix: Matrix<'_, T>, squares: &mut [f64]) {
    assert!(matrix.shape().0 <= MOST_ROWS, "few rows");
    // SAFETY: the machine has the level in use.
    unsafe { level::run(current(), RowSquares { matrix, squares }) }
}

/// The same of a CSR row with ascending `columns`.
pub fn sparse_squares<T: Real>(columns: &[u32], values: &[T]) -> f64 {
    let (mut sum, mut lanes, mut block) = (0.0, [T::ZERO; ROW_LANES], 0);
    for (&column, &x) in columns.iter().zip(values) {
        let column = column as usize;
        if column / ROW_BLOCK != block {
            sum += total_of(&lanes);
            (lanes, block) = ([T::ZERO; ROW_LANES], column / ROW_BLOCK);
        }
        lanes[column % ROW_LANES] += x * x;
    }
    sum += total_of(&lanes);
    if is_single::<T>() && !has_digits(sum) {
        return values.iter().map(|x| x.to_f64() * x.to_f64()).sum();
    }
    sum
}

/// Σ_j x_j² of each row.
struct RowSquares<'a, T> {
    matrix: Matrix<'a, T>,
    squares: &'a mut [f64],
}

impl<T: Real> Computation<T> for RowSquares<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self { matrix, squares } = self;
        let (_, width) = matrix.shape();
        squares.fill(0.0);
        for start in (0..width).step_by(ROW_BLOCK) {
            let end = width.min(start + ROW_BLOCK);
            if matrix.has_contiguous_rows() {
                for (square, row) in squares.iter_mut().zip(matrix.iter_rows()) {
                    // SAFETY: the caller guarantees the instructions.
                    *square += total_of(&unsafe { row_lanes::<T, V>(&row[start..end]) });
                }
            } else {
                let columns = start..end;
                // SAFETY: the caller guarantees the instructions; there are few rows.
                let lanes = unsafe { column_lanes::<T, V>(matrix, columns) };
                for (square, lanes) in squares.iter_mut().zip(&lanes) {
                    *square += total_of(lanes);
                }
            }
        }
        for (row, square) in squares.iter_mut().enumerate() {
            if is_single::<T>() && !has_digits(*square) {
                *square = matrix.row(row).map(|x| x.to_f64() * x.to_f64()).sum();
            }
        }
    }
}

/// The accumulators of a part of a row.
///
/// # Safety
/// The machine has the instructions.
#[inline(always)]
unsafe fn row_lanes<T: Real, V: Arithmetic<Scalar = T>>(row: &[T]) -> [T; ROW_LANES] {
    let mut lanes = [T::ZERO; ROW_LANES];
    for first in (0..ROW_LANES).step_by(V::LANES) {
        // SAFETY: the caller guarantees the instructions. A load begins in the row and reads no more than is
        // left of it; the lanes divide ROW_LANES, so the store is in bounds.
        unsafe {
            let mut squares = V::broadcast(T::ZERO);
            for at in (first..row.len()).step_by(ROW_LANES) {
                let x = load::<T, V>(row, at, row.len() - at);
                squares = squares + x * x;
            }
            squares.store(lanes.as_mut_ptr().add(first));
        }
    }
    lanes
}

/// The accumulators of some columns of a column-major matrix, of each row.
///
/// # Safety
/// The machine has the instructions; there are at most [`MOST_ROWS`] rows.
#[inline(always)]
unsafe fn column_lanes<T: Real, V: Arithmetic<Scalar = T>>(
    matrix: Matrix<'_, T>,
    columns: Range<usize>,
) -> [[T; ROW_LANES]; MOST_ROWS] {
    let mut lanes = [[T::ZERO; ROW_LANES]; MOST_ROWS];
    let (rows, _) = matrix.shape();
    for first in (0..rows).step_by(V::LANES) {
        for lane in 0..ROW_LANES {
            let mut of_rows = [T::ZERO; ROW_LANES];
            // SAFETY: the caller guarantees the instructions. A load begins in the column and reads no more
            // than is left of it; a register has at most ROW_LANES lanes.
            unsafe {
                let mut squares = V::broadcast(T::ZERO);
                for column in (columns.start + lane..columns.end).step_by(ROW_LANES) {
                    let x = load::<T, V>(matrix.column(column), first, rows - first);
                    squares = squares + x * x;
                }
                squares.store(of_rows.as_mut_ptr());
            }
            for (lanes, &sum) in lanes[first..].iter_mut().zip(&of_rows[..V::LANES]) {
                lanes[lane] = sum;
            }
        }
    }
    lanes
}
