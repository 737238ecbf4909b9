//! Which neurons of a layer are saturated or off.

use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation, current};
use crate::kernels::simd::vector::Arithmetic;

/// The columns whose largest elements are computed together.
const COLUMNS_TOGETHER: usize = 64;

/// When a gate σ' is closed, by a = σ(z).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClosedGate {
    /// σ' = a (1 − a) of the sigmoid is below the limit.
    Sigmoid(f64),
    /// a² of tanh is above the limit, so σ' = 1 − a² is below 1 − the limit.
    Tanh(f64),
}

impl ClosedGate {
    /// The number of closed gates among those with these a.
    pub fn count<T: Real>(self, a: &[T]) -> usize {
        match self {
            Self::Sigmoid(limit) => {
                let limit = T::from_f64(limit);
                count(a, move |a| is_closed_sigmoid(a, limit))
            }
            Self::Tanh(limit) => {
                let limit = T::from_f64(limit);
                count(a, move |a| is_closed_tanh(a, limit))
            }
        }
    }

    /// The number of closed gates in a row of a matrix of any memory order.
    pub fn count_in_row<T: Real>(self, a: Matrix<'_, T>, row: usize) -> usize {
        let a = a.row(row);
        match self {
            Self::Sigmoid(limit) => {
                let limit = T::from_f64(limit);
                a.filter(|&&a| is_closed_sigmoid(a, limit)).count()
            }
            Self::Tanh(limit) => {
                let limit = T::from_f64(limit);
                a.filter(|&&a| is_closed_tanh(a, limit)).count()
            }
        }
    }
}

#[inline(always)]
fn is_closed_sigmoid<T: Real>(a: T, limit: T) -> bool {
    a * (T::ONE - a) < limit
}

#[inline(always)]
fn is_closed_tanh<T: Real>(a: T, limit: T) -> bool {
    a * a > limit
}

/// Calls `each` with the index of each column that has an element above `limit`.
pub fn columns_above<T: Real>(matrix: Matrix<'_, T>, limit: f64, each: impl FnMut(usize)) {
    let limit = T::from_f64(limit);
    let computation = ColumnsAbove {
        matrix,
        limit,
        each,
    };
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), computation) }
}

fn count<T: Real>(values: &[T], is_counted: impl Fn(T) -> bool) -> usize {
    let mut count = 0;
    let computation = Count {
        values,
        is_counted,
        result: &mut count,
    };
    // SAFETY: the machine has the level in use; the computation has slices and needs no more.
    unsafe { level::run(current(), computation) }
    count
}

struct Count<'a, T, F> {
    values: &'a [T],
    is_counted: F,
    result: &'a mut usize,
}

impl<T: Real, F: Fn(T) -> bool> Computation<T> for Count<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        // A sum of 32 bits, which the compiler vectorizes.
        for values in self.values.chunks(1 << 20) {
            let mut count = 0_u32;
            for &x in values {
                count += u32::from((self.is_counted)(x));
            }
            *self.result += count as usize;
        }
    }
}

struct ColumnsAbove<'a, T, F> {
    matrix: Matrix<'a, T>,
    limit: T,
    each: F,
}

impl<T: Real, F: FnMut(usize)> Computation<T> for ColumnsAbove<'_, T, F> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self {
            matrix,
            limit,
            mut each,
        } = self;
        let (_, width) = matrix.shape();
        if !matrix.has_contiguous_rows() {
            for (index, column) in matrix.transposed().iter_rows().enumerate() {
                if column.iter().any(|&x| x > limit) {
                    each(index);
                }
            }
            return;
        }
        for first in (0..width).step_by(COLUMNS_TOGETHER) {
            let columns = first..width.min(first + COLUMNS_TOGETHER);
            let mut largest = [limit; COLUMNS_TOGETHER];
            for row in matrix.column_range(&columns).iter_rows() {
                for (largest, &x) in largest.iter_mut().zip(row) {
                    *largest = if x > *largest { x } else { *largest };
                }
            }
            for (index, &largest) in columns.zip(&largest) {
                if largest > limit {
                    each(index);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gemm::Order;

    #[test]
    fn each_closed_neuron_counts() {
        let a: Vec<f32> = (0..=100_u8).map(|k| f32::from(k) / 100.0).collect();
        // 0.00 to 0.02 and 0.98 to 1.00: 0.03 · 0.97 = 0.0291.
        assert_eq!(ClosedGate::Sigmoid(0.025).count(&a), 6);
        // √0.9 = 0.949.
        assert_eq!(ClosedGate::Tanh(0.9).count(&a), 6);
        for order in [Order::RowMajor, Order::ColumnMajor] {
            let matrix = Matrix::new(&a, 101, 1, order);
            let counts = (0..101).map(|row| ClosedGate::Sigmoid(0.025).count_in_row(matrix, row));
            assert_eq!(counts.sum::<usize>(), 6);
            let row = matrix.transposed();
            assert_eq!(ClosedGate::Tanh(0.9).count_in_row(row, 0), 6);
        }
    }

    #[test]
    fn columns_above_a_limit_are_found_in_each_memory_order() {
        let (rows, width) = (5, 150);
        let is_on = |column: usize| column % 7 == 3 || column == 149;
        let mut numbers = vec![-0.5_f64; rows * width];
        let mut across = numbers.clone();
        for column in (0..width).filter(|&column| is_on(column)) {
            numbers[column % rows * width + column] = 0.5;
            across[column * rows + column % rows] = 0.5;
        }
        numbers[0] = f64::NAN; // no number above anything
        for (numbers, order) in [(numbers, Order::RowMajor), (across, Order::ColumnMajor)] {
            let mut found = Vec::new();
            let matrix = Matrix::new(&numbers, rows, width, order);
            columns_above(matrix, 0.0, |column| found.push(column));
            assert!(
                found
                    .into_iter()
                    .eq((0..width).filter(|&column| is_on(column)))
            );
        }
    }
}
