//! Products of a single row.
//!
//! A sum waits for its previous term, so the sums of many columns are computed at a time: more than a tile is wide.

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::accumulate::{Accumulate, add_to_finished, initial_sums};
use crate::kernels::gemm::matrix::Matrix;
use crate::kernels::gemm::pack;
use crate::kernels::gemm::product::Product;
use crate::kernels::gemm::shapes::gemv::add_rows;
use crate::kernels::gemm::split::{blocks, parts};
use crate::kernels::gemm::tiles::microkernels;
use crate::kernels::simd::level::{Computation, Level, Registers, run};
use crate::kernels::simd::row::{load_row, store_row};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::tuning::gemm::{
    GEMV_BYTES, MAX_NR, MAX_ONE_ROW_REGISTERS, ONE_ROW_TRANSPOSED, STREAMS,
};

impl<T: Registers> Product<'_, T> {
    /// Computes `c`, whose only row has the factors `a`. Returns whether it did: not if the sum of a large B is
    /// added to C when it is finished, nor if fewer columns of B would be transposed than a tile is wide.
    pub(in crate::kernels::gemm) fn one_row(
        &self,
        level: Level,
        a: &[T],
        c: &mut [T],
        pack_buffer: &mut [T],
        cancel: &CancelToken<'_>,
    ) -> bool {
        let (b, k) = (&self.b, self.b.rows);
        if b.has_contiguous_rows() {
            if k * b.row_stride * size_of::<T>() < GEMV_BYTES {
                if !cancel.poll_after(k * c.len()) {
                    multiply(level, a, b, self.accumulate, c);
                }
                return true;
            }
            let is_streamed = !matches!(self.accumulate, Accumulate::Sum);
            if is_streamed {
                self.stream(level, a, c, cancel);
            }
            return is_streamed;
        }
        let kernels = microkernels::<T>(level);
        let transposed = pack_buffer.len().min(ONE_ROW_TRANSPOSED);
        let registers = (transposed / k / kernels.lanes).min(MAX_ONE_ROW_REGISTERS);
        if registers < MAX_NR {
            return false;
        }
        for columns in blocks(b.columns, registers * kernels.lanes) {
            if cancel.poll_after(k * columns.len()) {
                return true;
            }
            let block = b.column_range(&columns);
            pack::copy(kernels, &block, pack_buffer);
            let width = kernels.registers(columns.len()) * kernels.lanes;
            let packed = Matrix::by_rows(&pack_buffer[..k * width], k, width);
            let packed = packed.column_range(&(0..columns.len()));
            let accumulate = (self.accumulate).map(|row| &row[columns.start..], |column| column);
            multiply(level, a, &packed, accumulate, &mut c[columns]);
        }
        true
    }

    /// The same while B is streamed from memory.
    fn stream(&self, level: Level, a: &[T], c: &mut [T], cancel: &CancelToken<'_>) {
        match self.accumulate {
            Accumulate::Overwrite => c.fill(T::default()),
            Accumulate::Row(row) => c.copy_from_slice(row),
            Accumulate::Column(column) => c.fill(column[0]),
            Accumulate::Terms | Accumulate::Sum => {}
        }
        let stride = self.b.row_stride;
        for (a, b) in a
            .chunks(STREAMS)
            .zip(self.b.numbers.chunks(STREAMS * stride))
        {
            if cancel.poll_after(b.len()) {
                return;
            }
            add_rows(level, a, b, stride, c);
        }
    }
}

/// Computes `c`, (n,), from `a`, (k,), and `b`, (k, n), with contiguous rows.
///
/// # Panics
/// The shapes do not match, or B exceeds its memory.
fn multiply<T: Registers>(
    level: Level,
    a: &[T],
    b: &Matrix<'_, T>,
    accumulate: Accumulate<&[T]>,
    c: &mut [T],
) {
    assert!(
        b.has_contiguous_rows() && !b.is_gathered() && b.is_in_bounds(),
        "the rows of B"
    );
    assert_eq!((a.len(), c.len()), (b.rows, b.columns), "the shape of B");
    if c.is_empty() {
        return;
    }
    let row = Row {
        a,
        b: b.numbers.as_ptr(),
        b_stride: b.row_stride,
        start: accumulate.map(|row| row[..c.len()].as_ptr(), |column| column[..1].as_ptr()),
        c: c.as_mut_ptr(),
        columns: c.len(),
    };
    // SAFETY: `level` is that of this machine. The rows of B were asserted to be in bounds, C and an initial row have
    // as many columns, a column has an element, and C is borrowed mutably.
    unsafe { run(level, row) };
}

/// A row of C of one element or more.
struct Row<'a, T> {
    a: &'a [T],
    /// As many rows as there are factors, of `columns` elements.
    b: *const T,
    b_stride: usize,
    /// The initial value of the sums.
    start: Accumulate<*const T>,
    c: *mut T,
    columns: usize,
}

impl<T: Registers> Computation<T> for Row<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let mut column = 0;
        for vectors in parts(self.columns.div_ceil(V::LANES), MAX_ONE_ROW_REGISTERS) {
            let width = (vectors * V::LANES).min(self.columns - column);
            let last = width - (vectors - 1) * V::LANES;
            // SAFETY: the caller guarantees the instructions and the elements.
            unsafe {
                match vectors {
                    1 => self.sum::<V, 1>(column, last),
                    2 => self.sum::<V, 2>(column, last),
                    3 => self.sum::<V, 3>(column, last),
                    4 => self.sum::<V, 4>(column, last),
                    5 => self.sum::<V, 5>(column, last),
                    6 => self.sum::<V, 6>(column, last),
                    7 => self.sum::<V, 7>(column, last),
                    8 => self.sum::<V, 8>(column, last),
                    9 => self.sum::<V, 9>(column, last),
                    10 => self.sum::<V, 10>(column, last),
                    11 => self.sum::<V, 11>(column, last),
                    _ => self.sum::<V, MAX_ONE_ROW_REGISTERS>(column, last),
                }
            }
            column += width;
        }
    }
}

impl<T: Registers> Row<'_, T> {
    /// The sums of a row of registers from `column` on, with `last` lanes in the last one.
    ///
    /// # Safety
    /// The machine has the instructions; the elements are in bounds.
    #[inline(always)]
    unsafe fn sum<V: Vector<Scalar = T>, const VECTORS: usize>(&self, column: usize, last: usize) {
        // SAFETY: the caller guarantees the instructions and the elements.
        unsafe {
            let c = self.c.add(column);
            let start = self
                .start
                .map(|row| row.wrapping_add(column), |first| first);
            let mut sums = initial_sums::<V, VECTORS>(start, c, last);
            let mut b = self.b.wrapping_add(column);
            for &factor in self.a {
                let factor = V::broadcast(factor);
                for (sum, b) in sums.iter_mut().zip(load_row::<V, VECTORS>(b, last)) {
                    *sum = factor.mul_add(b, *sum);
                }
                b = b.wrapping_add(self.b_stride);
            }
            if let Accumulate::Sum = self.start {
                add_to_finished(&mut sums, c, last);
            }
            store_row(&sums, c, last);
        }
    }
}
