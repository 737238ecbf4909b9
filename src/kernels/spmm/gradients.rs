//! The gradient of the weights that multiply a CSR x.

use crate::base::cancel::{COPIED_PER_POLL, CancelToken};
use crate::kernels::csr::CsrMatrix;
use crate::kernels::simd::level::{Computation, Registers, current, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::spmm::microkernel::{SparseTile, load, load_row, store_row, tail, tiles};
use crate::kernels::spmm::{GradientRows, blocks, non_temporal};
use crate::kernels::tuning::spmm::MAX_REGISTERS;

/// xᵀ δ for a range of the columns of x: the gradient of these inputs' weights. With `add`, it is added to
/// `out`.
///
/// `delta`: (rows, n_out), at least one row. Padding between the rows of `out` is zeroed or left
/// unchanged, or NaN if x has an element that is not finite.
///
/// # Panics
/// The length of a slice does not match.
pub fn gradients<T: Registers>(
    x: CsrMatrix<'_, T>,
    delta: &[T],
    mut out: GradientRows<'_, T>,
    add: bool,
    cancel: &CancelToken<'_>,
) {
    let n_out = delta.len() / x.len();
    assert_eq!(delta.len(), x.len() * n_out, "the length of a factor");
    assert!(out.stride >= n_out, "the rows of a product");
    assert_eq!(out.numbers.len() % out.stride, 0, "the length of a product");
    if !add && non_temporal::pays_off(&x, &out) {
        // Without memory to sort the elements of x, terms are added where they belong.
        if non_temporal::gradients(&x, (delta, n_out), &mut out, cancel).is_ok() {
            return;
        }
    }
    let GradientRows {
        numbers: out,
        first,
        stride: row,
    } = out;
    let inputs = out.len() / row;
    if !add {
        for out in out.chunks_mut(COPIED_PER_POLL) {
            out.fill(T::default());
            if cancel.poll_after(out.len()) {
                return;
            }
        }
    }
    if inputs == 0 {
        return;
    }
    for (columns, rows) in blocks(&x, &(0..n_out)) {
        let x = x.row_range(rows.clone());
        if cancel.poll_after(x.nnz() * columns.len()) {
            return;
        }
        let computation = Gradients {
            x,
            delta: delta[rows.start * n_out + columns.start..].as_ptr(),
            out: out[columns.start..].as_mut_ptr(),
            n_out,
            row,
            row_length: row - columns.start,
            first,
            inputs,
            columns: columns.len(),
        };
        // SAFETY: `current` is a level of this machine; the assertions prove that rows and columns are in
        // bounds.
        unsafe { run(current(), computation) };
    }
}

struct Gradients<'a, T> {
    x: CsrMatrix<'a, T>,
    delta: *const T,
    out: *mut T,
    n_out: usize,
    row: usize,
    /// The elements of a row from the first column on.
    row_length: usize,
    first: usize,
    inputs: usize,
    columns: usize,
}

impl<T: Registers> Computation<T> for Gradients<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        for tile in tiles(self.columns, V::LANES) {
            // SAFETY: the caller guarantees the instructions, and that rows and columns are in bounds;
            // tiles subdivide these columns.
            unsafe {
                match (tile.registers, tile.tail(V::LANES, self.row_length)) {
                    (1, tail::MASKED) => self.tile::<V, 1, { tail::MASKED }>(tile),
                    (1, _) => self.tile::<V, 1, { tail::PADDED }>(tile),
                    (2, tail::PADDED) => self.tile::<V, 2, { tail::PADDED }>(tile),
                    (2, _) => self.tile::<V, 2, { tail::OVERLAPPED }>(tile),
                    (3, tail::PADDED) => self.tile::<V, 3, { tail::PADDED }>(tile),
                    (3, _) => self.tile::<V, 3, { tail::OVERLAPPED }>(tile),
                    (_, tail::PADDED) => self.tile::<V, MAX_REGISTERS, { tail::PADDED }>(tile),
                    _ => self.tile::<V, MAX_REGISTERS, { tail::OVERLAPPED }>(tile),
                }
            }
        }
    }
}

impl<T: Copy> Gradients<'_, T> {
    /// Computes a tile for all rows.
    ///
    /// # Safety
    /// The machine has the instructions; rows and columns are in bounds; the conditions of [`load`] hold.
    #[inline(always)]
    unsafe fn tile<V: Vector<Scalar = T>, const REGISTERS: usize, const TAIL: u8>(
        &self,
        SparseTile { first, columns, .. }: SparseTile,
    ) {
        for row in 0..self.x.len() {
            // SAFETY: the caller guarantees the instructions and the bounds; inputs that are not skipped
            // are below `inputs`.
            unsafe {
                let delta = self.delta.add(row * self.n_out + first);
                let delta = load::<V, REGISTERS, TAIL>(delta, columns);
                let (inputs, values) = self.x.row(row);
                for (&input, &value) in inputs.iter().zip(values) {
                    let input = (input as usize).wrapping_sub(self.first);
                    if input >= self.inputs {
                        continue;
                    }
                    let pointer = self.out.add(input * self.row + first);
                    let factor = V::broadcast(value);
                    let mut sums = load_row::<V, REGISTERS, TAIL>(pointer, columns);
                    for (sum, delta) in sums.iter_mut().zip(delta) {
                        *sum = factor.mul_add(delta, *sum);
                    }
                    store_row::<V, REGISTERS, TAIL>(sums, pointer, columns);
                }
            }
        }
    }
}
