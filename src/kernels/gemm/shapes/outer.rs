//! Outer products: those of a single term, as a layer of one input and the gradient of one example have.
//!
//! Storing C takes most of their time, so it is written row by row.

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::accumulate::{Accumulate, add_to_finished, initial_sums};
use crate::kernels::gemm::product::Product;
use crate::kernels::simd::level::{Computation, Level, Registers, run};
use crate::kernels::simd::row::{load_row, store_row};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::tuning::gemm::{MAX_NR, UNPOLLED};

impl<T: Registers> Product<'_, T> {
    /// Computes `c`, (m, n), whose rows have the factors `a`, (m,), and those behind them the factor 1.
    ///
    /// # Panics
    /// The shapes do not match.
    pub(in crate::kernels::gemm) fn outer(
        &self,
        level: Level,
        a: &[T],
        c: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let n = self.b.columns;
        let b = &self.b.numbers[..n];
        assert_eq!(a.len(), self.a.rows, "the rows of A");
        let rows_at_once = (UNPOLLED / n).max(1);
        for (part, c) in c.chunks_mut(rows_at_once * n).enumerate() {
            if cancel.poll_after(c.len()) {
                return;
            }
            let first = part * rows_at_once;
            let outer = Outer {
                a: a.get(first..).unwrap_or_default(),
                b,
                start: (self.accumulate).map(|row| row, |column| &column[first..]),
                c,
            };
            // SAFETY: `level` is that of this machine; the computation has slices and needs no more.
            unsafe { run(level, outer) };
        }
    }
}

/// Some rows of C.
struct Outer<'a, T> {
    /// The factors of the first rows; those of further rows are 1.
    a: &'a [T],
    b: &'a [T],
    /// The initial value of the sums.
    start: Accumulate<&'a [T]>,
    c: &'a mut [T],
}

impl<T: Registers> Computation<T> for Outer<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let Self { a, b, start, c } = self;
        let n = b.len();
        for (i, c) in c.chunks_exact_mut(n).enumerate() {
            let factor = a.get(i).copied().unwrap_or(T::from(1));
            let row = Row {
                // SAFETY: the caller guarantees the instructions.
                factor: unsafe { V::broadcast(factor) },
                start: start.map(|row| row[..n].as_ptr(), |column| column[i..=i].as_ptr()),
                c: c.as_mut_ptr(),
            };
            let mut column = 0;
            while column < n {
                let numbers = (n - column).min(MAX_NR * V::LANES);
                let vectors = numbers.div_ceil(V::LANES);
                let last = numbers - (vectors - 1) * V::LANES;
                let b = b[column..].as_ptr();
                // SAFETY: the caller guarantees the instructions; `numbers` elements from `column` on are in
                // bounds of b, c and an initial row, and a column has an element for the row.
                unsafe {
                    match vectors {
                        1 => row.store::<1>(b, column, last),
                        2 => row.store::<2>(b, column, last),
                        3 => row.store::<3>(b, column, last),
                        _ => row.store::<MAX_NR>(b, column, last),
                    }
                }
                column += numbers;
            }
        }
    }
}

/// A row of C and its factor.
struct Row<V: Vector> {
    factor: V,
    start: Accumulate<*const V::Scalar>,
    c: *mut V::Scalar,
}

impl<V: Vector<Scalar: Registers>> Row<V> {
    /// The elements of a row of registers from `column` on, with `last` lanes in the last one.
    ///
    /// # Safety
    /// The machine has the instructions; the elements of b, c and the initial values are in bounds.
    #[inline(always)]
    unsafe fn store<const VECTORS: usize>(&self, b: *const V::Scalar, column: usize, last: usize) {
        // SAFETY: the caller guarantees the instructions and the elements.
        unsafe {
            let c = self.c.add(column);
            let start = self
                .start
                .map(|row| row.wrapping_add(column), |first| first);
            let mut sums = initial_sums::<V, VECTORS>(start, c, last);
            for (sum, b) in sums.iter_mut().zip(load_row::<V, VECTORS>(b, last)) {
                *sum = self.factor.mul_add(b, *sum);
            }
            if let Accumulate::Sum = self.start {
                add_to_finished(&mut sums, c, last);
            }
            store_row(&sums, c, last);
        }
    }
}
