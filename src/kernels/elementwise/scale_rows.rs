//! Multiplies each row of a matrix by a factor of its own.

use std::ops::Range;

use crate::kernels::gemm::Order;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;

/// The rows `range` of a contiguous matrix of `rows` rows times `factors`, one for each of them.
///
/// # Panics
/// There are fewer rows or factors.
pub fn scale_rows<T: Real>(
    numbers: &mut [T],
    (rows, order): (usize, Order),
    range: Range<usize>,
    factors: &[T],
) {
    assert!(
        range.end <= rows && range.len() == factors.len(),
        "rows with factors"
    );
    if factors.is_empty() {
        return;
    }
    let scaled = ScaleRows {
        numbers,
        rows,
        order,
        range,
        factors,
    };
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), scaled) }
}

struct ScaleRows<'a, T> {
    numbers: &'a mut [T],
    rows: usize,
    order: Order,
    range: Range<usize>,
    factors: &'a [T],
}

impl<T: Real> Computation<T> for ScaleRows<'_, T> {
    /// In loops that the compiler vectorizes.
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        match self.order {
            Order::RowMajor => {
                let width = self.numbers.len() / self.rows;
                let numbers = &mut self.numbers[self.range.start * width..];
                for (row, &factor) in numbers.chunks_mut(width.max(1)).zip(self.factors) {
                    for x in row {
                        *x *= factor;
                    }
                }
            }
            Order::ColumnMajor => {
                for column in self.numbers.chunks_exact_mut(self.rows) {
                    let column = column[self.range.clone()].iter_mut();
                    column
                        .zip(self.factors)
                        .for_each(|(x, &factor)| *x *= factor);
                }
            }
        }
    }
}
