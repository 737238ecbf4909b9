//! The forward product of a CSR x.

use std::ops::Range;

use crate::base::cancel::CancelToken;
use crate::kernels::csr::CsrMatrix;
use crate::kernels::gemm::Matrix;
use crate::kernels::simd::level::{Computation, Registers, current, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::spmm::blocks;
use crate::kernels::spmm::microkernel::{SparseTile, load, load_row, store, tail, tiles};
use crate::kernels::tuning::spmm::MAX_REGISTERS;

/// z = 1 bᵀ + x W, or x W if b is empty, for a range of the layer's neurons.
///
/// `w`: (n_in, n_out), whole, with or without padding columns; `b`: (n_out,); `z`: (rows, neurons), overwritten.
///
/// # Panics
/// The shapes do not match, or the rows of `w` are not contiguous.
pub fn forward<T: Registers>(
    x: CsrMatrix<'_, T>,
    w: Matrix<'_, T>,
    b: &[T],
    neurons: Range<usize>,
    z: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let width = neurons.len();
    let (n_in, w_row) = w.shape();
    let n_out = if b.is_empty() { w_row } else { b.len() };
    assert!(
        neurons.end <= n_out && n_out <= w_row,
        "the columns of a factor"
    );
    assert_eq!(n_in, x.width(), "the inner dimension");
    let Some(w) = w.as_slice() else {
        panic!("the rows of a factor");
    };
    let length = x.len().checked_mul(width);
    assert_eq!(length, Some(z.len()), "the length of a product");
    for (columns, rows) in blocks(&x, &neurons) {
        let x = x.row_range(rows.clone());
        if cancel.poll_after(x.nnz() * columns.len()) {
            return;
        }
        let computation = Forward {
            x,
            w: w[columns.start..].as_ptr(),
            w_row,
            row_length: w_row - columns.start,
            b: (!b.is_empty()).then(|| b[columns.start..].as_ptr()),
            z: z[rows.start * width + columns.start - neurons.start..].as_mut_ptr(),
            z_row: width,
            columns: columns.len(),
        };
        // SAFETY: `current` is a level of this machine; the assertions prove that rows and columns are in
        // bounds, as every column of x is below its width.
        unsafe { run(current(), computation) };
    }
}

struct Forward<'a, T> {
    x: CsrMatrix<'a, T>,
    w: *const T,
    w_row: usize,
    /// The elements of a row from the first column on.
    row_length: usize,
    b: Option<*const T>,
    z: *mut T,
    z_row: usize,
    columns: usize,
}

impl<T: Registers> Computation<T> for Forward<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        for tile in tiles(self.columns, V::LANES) {
            // SAFETY: the caller guarantees the instructions, and that rows and columns are in bounds;
            // tiles subdivide these columns.
            unsafe {
                // Several rows at once hide the latency of the dependent multiply-adds.
                match (tile.registers, tile.tail(V::LANES, self.row_length)) {
                    (1, tail::MASKED) => self.tile::<V, 1, 4, { tail::MASKED }>(tile),
                    (1, _) => self.tile::<V, 1, 4, { tail::PADDED }>(tile),
                    (2, tail::PADDED) => self.tile::<V, 2, 4, { tail::PADDED }>(tile),
                    (2, _) => self.tile::<V, 2, 4, { tail::OVERLAPPED }>(tile),
                    (3, tail::PADDED) => self.tile::<V, 3, 2, { tail::PADDED }>(tile),
                    (3, _) => self.tile::<V, 3, 2, { tail::OVERLAPPED }>(tile),
                    (_, tail::PADDED) => self.tile::<V, MAX_REGISTERS, 2, { tail::PADDED }>(tile),
                    _ => self.tile::<V, MAX_REGISTERS, 2, { tail::OVERLAPPED }>(tile),
                }
            }
        }
    }
}

impl<T: Copy + Default> Forward<'_, T> {
    /// Computes a tile for all rows, EXAMPLES rows at a time.
    ///
    /// # Safety
    /// The machine has the instructions; rows and columns are in bounds; the conditions of [`load`] hold.
    #[inline(always)]
    unsafe fn tile<V, const REGISTERS: usize, const EXAMPLES: usize, const TAIL: u8>(
        &self,
        tile: SparseTile,
    ) where
        V: Vector<Scalar = T>,
    {
        let rows = self.x.len();
        let whole = rows - rows % EXAMPLES;
        // SAFETY: the caller guarantees it.
        unsafe {
            for row in (0..whole).step_by(EXAMPLES) {
                self.rows::<V, REGISTERS, EXAMPLES, TAIL>(row, tile);
            }
            for row in whole..rows {
                self.rows::<V, REGISTERS, 1, TAIL>(row, tile);
            }
        }
    }

    /// # Safety
    /// As [`Self::tile`].
    #[inline(always)]
    unsafe fn rows<V, const REGISTERS: usize, const EXAMPLES: usize, const TAIL: u8>(
        &self,
        row: usize,
        SparseTile { first, columns, .. }: SparseTile,
    ) where
        V: Vector<Scalar = T>,
    {
        let rows: [_; EXAMPLES] = std::array::from_fn(|example| self.x.row(row + example));
        // SAFETY: the caller guarantees the instructions and the bounds; every column of x is the index of
        // a row of w, and every term accessed is stored.
        unsafe {
            let w = self.w.add(first);
            let start = match self.b {
                Some(b) => load::<V, REGISTERS, TAIL>(b.add(first), columns),
                None => [V::broadcast(T::default()); REGISTERS],
            };
            let mut sums = [start; EXAMPLES];
            let add = |sums: &mut [V; REGISTERS], (inputs, values): (&[u32], &[T]), term| {
                let input = *inputs.get_unchecked(term) as usize;
                let factor = V::broadcast(*values.get_unchecked(term));
                let row = load_row::<V, REGISTERS, TAIL>(w.add(input * self.w_row), columns);
                for (sum, w) in sums.iter_mut().zip(row) {
                    *sum = factor.mul_add(w, *sum);
                }
            };
            let lengths = rows.map(|(inputs, _)| inputs.len());
            let common = lengths.into_iter().min().unwrap_or(0);
            for term in 0..common {
                for (sums, row) in sums.iter_mut().zip(rows) {
                    add(sums, row, term);
                }
            }
            for ((sums, row), length) in sums.iter_mut().zip(rows).zip(lengths) {
                for term in common..length {
                    add(sums, row, term);
                }
            }
            for (example, sums) in sums.into_iter().enumerate() {
                let z = self.z.add((row + example) * self.z_row + first);
                store::<V, REGISTERS, TAIL>(sums, z, columns);
            }
        }
    }
}
