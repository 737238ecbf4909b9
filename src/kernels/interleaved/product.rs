//! Products of interleaved matrices.

use crate::base::cache_line;
use crate::kernels::interleaved::{Matrices, networks};
use crate::kernels::simd::level::{Computation, Registers, current, run};
use crate::kernels::simd::vector::Arithmetic;

/// C = 1 bᵀ + A B, in every lane; b is `first`, or 0 if that is empty.
///
/// `a`: (m, k); `b`: (k, n); `first`: (n,); `c`: (m, n), row-major, overwritten.
///
/// # Panics
/// The shapes do not match.
pub fn product<T: Registers>(a: Matrices<'_, T>, b: Matrices<'_, T>, first: &[T], c: &mut [T]) {
    let lanes = networks::<T>();
    assert!(
        a.columns == b.rows
            && c.len() >= a.rows * b.columns * lanes
            && (first.is_empty() || first.len() >= b.columns * lanes),
        "the shapes of interleaved matrices"
    );
    // SAFETY: the machine has the level in use; the matrices have their elements, and the shapes match.
    unsafe { run(current(), InterleavedProduct { a, b, first, c }) }
}

/// 1ᵀ A in every lane: the sums of the columns.
///
/// `a`: (m, n), row-major; `sums`: (n,), overwritten.
///
/// # Panics
/// The shapes do not match.
pub fn sums<T: Registers>(a: Matrices<'_, T>, sums: &mut [T]) {
    let ones = [T::from(1); cache_line::BYTES];
    let ones = Matrices {
        numbers: &ones[..networks::<T>()],
        rows: 1,
        columns: a.rows,
        strides: (0, 0),
    };
    product(ones, a, &[], sums);
}

struct InterleavedProduct<'a, T> {
    a: Matrices<'a, T>,
    b: Matrices<'a, T>,
    first: &'a [T],
    c: &'a mut [T],
}

impl<T: Registers> Computation<T> for InterleavedProduct<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(mut self) {
        // SAFETY: the caller guarantees the instructions and shapes.
        unsafe {
            if V::ACCUMULATORS >= 16 {
                self.tiles::<V, 4, 4>();
            } else {
                self.tiles::<V, 4, 2>();
            }
        }
    }
}

impl<T: Registers> InterleavedProduct<'_, T> {
    /// Computes C in tiles whose sums are kept in registers.
    ///
    /// # Safety
    /// The machine has the instructions, and the shapes match.
    #[inline(always)]
    unsafe fn tiles<V: Arithmetic<Scalar = T>, const ROWS: usize, const COLUMNS: usize>(&mut self) {
        let (m, n) = (self.a.rows, self.b.columns);
        let (rows, columns) = (m - m % ROWS, n - n % COLUMNS);
        for lane in (0..networks::<T>()).step_by(V::LANES) {
            for j in (0..columns).step_by(COLUMNS) {
                for i in (0..rows).step_by(ROWS) {
                    // SAFETY: the caller guarantees the instructions and shapes; the tile is in C.
                    unsafe { self.tile::<V, ROWS, COLUMNS>(i, j, lane) };
                }
                for i in rows..m {
                    // SAFETY: as above.
                    unsafe { self.tile::<V, 1, COLUMNS>(i, j, lane) };
                }
            }
            for j in columns..n {
                for i in (0..rows).step_by(ROWS) {
                    // SAFETY: as above.
                    unsafe { self.tile::<V, ROWS, 1>(i, j, lane) };
                }
                for i in rows..m {
                    // SAFETY: as above.
                    unsafe { self.tile::<V, 1, 1>(i, j, lane) };
                }
            }
        }
    }

    /// Computes C(i, j) and its neighbours, in the lanes from `lane` on.
    ///
    /// # Safety
    /// The machine has the instructions, the shapes match, and the tile is in C; the lanes of a register are
    /// in a line.
    #[inline(always)]
    unsafe fn tile<V: Arithmetic<Scalar = T>, const ROWS: usize, const COLUMNS: usize>(
        &mut self,
        i: usize,
        j: usize,
        lane: usize,
    ) {
        let stride = networks::<T>();
        let at = |matrices: &Matrices<'_, T>, row: usize, column: usize| {
            let lines = row * matrices.strides.0 + column * matrices.strides.1;
            matrices
                .numbers
                .as_ptr()
                .wrapping_add(lines * stride + lane)
        };
        let (mut a, mut b) = (at(&self.a, i, 0), at(&self.b, 0, j));
        let ((a_row, a_next), (b_next, b_column)) = (self.a.strides, self.b.strides);
        // SAFETY: the caller guarantees the instructions, and that the rows of A, the columns of B and those of
        // `first` and C are in bounds; only elements of the matrices are loaded and stored.
        unsafe {
            let mut sums = [[V::broadcast(T::default()); COLUMNS]; ROWS];
            if !self.first.is_empty() {
                for column in 0..COLUMNS {
                    let first = V::load(self.first.as_ptr().add((j + column) * stride + lane));
                    for sums in &mut sums {
                        sums[column] = first;
                    }
                }
            }
            for _ in 0..self.a.columns {
                let mut row = [V::broadcast(T::default()); COLUMNS];
                for (column, b_of_column) in row.iter_mut().enumerate() {
                    *b_of_column = V::load(b.wrapping_add(column * b_column * stride));
                }
                for (row_of_a, sums) in sums.iter_mut().enumerate() {
                    let factor = V::load(a.wrapping_add(row_of_a * a_row * stride));
                    for (sum, &b) in sums.iter_mut().zip(&row) {
                        *sum = factor.mul_add(b, *sum);
                    }
                }
                a = a.wrapping_add(a_next * stride);
                b = b.wrapping_add(b_next * stride);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (column, sum) in sums.iter().enumerate() {
                    let index = (i + row) * self.b.columns + j + column;
                    sum.store(self.c.as_mut_ptr().add(index * stride + lane));
                }
            }
        }
    }
}
