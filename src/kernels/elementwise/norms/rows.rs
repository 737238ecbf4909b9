//! Sums of squares of the rows of a matrix.

use std::ops::Range;

use crate::base::sum::CompensatedSum;
use crate::kernels::elementwise::norms::{has_digits, is_single, load, total_of};
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::tuning::squares::{MAX_ROWS_PER_CALL, ROW_BLOCK_ELEMENTS, ROW_PARTIAL_SUMS};

/// The registers of the accumulators at the narrowest level: two float64 each.
const MAX_REGISTERS: usize = ROW_PARTIAL_SUMS / 2;
/// The accumulators that are added in their own type: [`total_of`] adds four at a time.
const QUARTER: usize = ROW_PARTIAL_SUMS / 4;

/// Σ_j x_j² of each row of a matrix of at most [`MAX_ROWS_PER_CALL`] rows. The bits do not depend on its memory order.
///
/// # Panics
/// There are more rows.
pub fn row_squares<T: Real>(matrix: Matrix<'_, T>, squares: &mut [f64]) {
    assert!(matrix.shape().0 <= MAX_ROWS_PER_CALL, "few rows");
    assert_eq!(matrix.shape().0, squares.len(), "a sum per row");
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), RowSquares { matrix, squares }) }
}

/// The same of a CSR row with ascending `columns`.
pub fn sparse_squares<T: Real>(columns: &[u32], values: &[T]) -> f64 {
    let (mut sum, mut lanes, mut block) =
        (CompensatedSum::default(), [T::ZERO; ROW_PARTIAL_SUMS], 0);
    for (&column, &x) in columns.iter().zip(values) {
        let column = column as usize;
        if column / ROW_BLOCK_ELEMENTS != block {
            sum.add(total_of(&lanes));
            (lanes, block) = ([T::ZERO; ROW_PARTIAL_SUMS], column / ROW_BLOCK_ELEMENTS);
        }
        lanes[column % ROW_PARTIAL_SUMS] += x * x;
    }
    sum.add(total_of(&lanes));
    if is_single::<T>() && !has_digits(sum.total()) {
        return values.iter().map(|x| x.to_f64() * x.to_f64()).sum();
    }
    sum.total()
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
        // SAFETY: the caller guarantees the instructions; `squares` has an element for each row.
        unsafe {
            if width <= ROW_BLOCK_ELEMENTS {
                squares_of_block::<T, V>(matrix, 0..width, squares);
            } else {
                squares_of_blocks::<T, V>(matrix, squares);
            }
        }
        if is_single::<T>() && !squares.iter().all(|&square| has_digits(square)) {
            add_in_float64(matrix, squares);
        }
    }
}

/// The rows whose squares may have left the range of float32.
#[cold]
fn add_in_float64<T: Real>(matrix: Matrix<'_, T>, squares: &mut [f64]) {
    for (row, square) in squares.iter_mut().enumerate() {
        if !has_digits(*square) {
            *square = matrix.row(row).map(|x| x.to_f64() * x.to_f64()).sum();
        }
    }
}

/// Σ x² of rows of several blocks.
///
/// # Safety
/// The machine has the instructions; there are at most [`MAX_ROWS_PER_CALL`] rows.
#[inline(always)]
unsafe fn squares_of_blocks<T: Real, V: Arithmetic<Scalar = T>>(
    matrix: Matrix<'_, T>,
    squares: &mut [f64],
) {
    let (_, width) = matrix.shape();
    let mut sums = [CompensatedSum::default(); MAX_ROWS_PER_CALL];
    for start in (0..width).step_by(ROW_BLOCK_ELEMENTS) {
        let columns = start..width.min(start + ROW_BLOCK_ELEMENTS);
        // SAFETY: as the caller guarantees.
        unsafe { squares_of_block::<T, V>(matrix, columns, squares) };
        for (sum, &square) in sums.iter_mut().zip(&*squares) {
            sum.add(square);
        }
    }
    for (square, sum) in squares.iter_mut().zip(sums) {
        *square = sum.total();
    }
}

/// Σ x² over some columns.
///
/// # Safety
/// The machine has the instructions; there are at most [`MAX_ROWS_PER_CALL`] rows.
#[inline(always)]
unsafe fn squares_of_block<T: Real, V: Arithmetic<Scalar = T>>(
    matrix: Matrix<'_, T>,
    columns: Range<usize>,
    squares: &mut [f64],
) {
    // SAFETY: as the caller guarantees.
    unsafe {
        if matrix.has_contiguous_rows() {
            squares_of_rows::<T, V>(matrix, columns, squares);
        } else {
            squares_of_columns::<T, V>(matrix, columns, squares);
        }
    }
}

/// The same of a row-major matrix.
///
/// # Safety
/// The machine has the instructions.
#[inline(always)]
unsafe fn squares_of_rows<T: Real, V: Arithmetic<Scalar = T>>(
    matrix: Matrix<'_, T>,
    columns: Range<usize>,
    squares: &mut [f64],
) {
    const { assert!(ROW_PARTIAL_SUMS.is_multiple_of(V::LANES), "whole registers") }
    let whole = columns.len() - columns.len() % ROW_PARTIAL_SUMS;
    for (square, row) in squares.iter_mut().zip(matrix.iter_rows()) {
        let (row, mut lanes) = (&row[columns.clone()], [T::ZERO; ROW_PARTIAL_SUMS]);
        // SAFETY: the caller guarantees the instructions. A load begins in the row and reads no more than is left
        // of it; the lanes of a register divide ROW_PARTIAL_SUMS, so the stores are in bounds.
        unsafe {
            let mut sums = [V::broadcast(T::ZERO); MAX_REGISTERS];
            let sums = &mut sums[..ROW_PARTIAL_SUMS / V::LANES];
            for at in (0..whole).step_by(ROW_PARTIAL_SUMS) {
                for (k, sum) in sums.iter_mut().enumerate() {
                    let x = V::load(row.as_ptr().add(at + k * V::LANES));
                    *sum = *sum + x * x;
                }
            }
            for (k, sum) in sums.iter_mut().enumerate() {
                let at = whole + k * V::LANES;
                if at < row.len() {
                    let x = load::<T, V>(row, at, row.len() - at);
                    *sum = *sum + x * x;
                }
                sum.store(lanes.as_mut_ptr().add(k * V::LANES));
            }
        }
        *square = total_of(&lanes);
    }
}

/// The same of a column-major matrix.
///
/// # Safety
/// The machine has the instructions; there are at most [`MAX_ROWS_PER_CALL`] rows.
#[inline(always)]
unsafe fn squares_of_columns<T: Real, V: Arithmetic<Scalar = T>>(
    matrix: Matrix<'_, T>,
    columns: Range<usize>,
    squares: &mut [f64],
) {
    const {
        assert!(
            MAX_ROWS_PER_CALL.is_multiple_of(V::LANES),
            "whole registers"
        );
    }
    let mut quarters = [[T::ZERO; MAX_ROWS_PER_CALL]; QUARTER];
    let (rows, _) = matrix.shape();
    for first in (0..rows).step_by(V::LANES) {
        for (k, quarter) in quarters.iter_mut().enumerate() {
            // SAFETY: the caller guarantees the instructions. A load begins in the column and reads no more
            // than is left of it; the lanes divide MAX_ROWS_PER_CALL, so the store is in bounds.
            unsafe {
                let mut lanes = [V::broadcast(T::ZERO); 4];
                for start in (columns.start + k..columns.end).step_by(ROW_PARTIAL_SUMS) {
                    let these = (start..columns.end).step_by(QUARTER);
                    for (lane, column) in lanes.iter_mut().zip(these) {
                        let x = load::<T, V>(matrix.column(column), first, rows - first);
                        *lane = *lane + x * x;
                    }
                }
                let sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
                sum.store(quarter.as_mut_ptr().add(first));
            }
        }
    }
    // As `total_of`, which begins with the quarters.
    let [a, b, c, d] = &quarters;
    for (row, square) in squares.iter_mut().enumerate() {
        *square = (a[row].to_f64() + c[row].to_f64()) + (b[row].to_f64() + d[row].to_f64());
    }
}
