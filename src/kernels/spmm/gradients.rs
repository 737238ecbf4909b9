//! The gradient of the weights that a sparse x meets.

use crate::base::cancel::CancelToken;
use crate::kernels::csr::SparseRows;
use crate::kernels::simd::level::{Job, Registers, current, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::spmm::blocks;
use crate::kernels::spmm::microkernel::{MOST, SparseTile, last, load, load_row, store_row, tiles};

/// Some rows of a gradient of weights: those out of the inputs from `first` on.
#[derive(Debug)]
pub struct Rows<'a, T> {
    /// (inputs, n_out), and what lies between the rows.
    pub numbers: &'a mut [T],
    /// The first of the inputs.
    pub first: usize,
    /// From one row to the next.
    pub stride: usize,
}

/// xᵀ δ for some of the columns of x: the gradient of the weights out of these inputs. With `add`,
/// added to what `out` holds.
///
/// `delta`: (rows, n_out), at least one row; `out`: what lies between its rows is set to 0 or left as
/// it is.
///
/// # Panics
/// A slice has another length.
pub fn gradients<T: Registers>(
    x: SparseRows<'_, T>,
    delta: &[T],
    out: Rows<'_, T>,
    add: bool,
    cancel: &CancelToken<'_>,
) {
    /// The numbers that are set to 0 between two looks at the stop flag.
    const PIECE: usize = 1 << 16;
    let Rows {
        numbers: out,
        first,
        stride: row,
    } = out;
    let n_out = delta.len() / x.len();
    assert_eq!(delta.len(), x.len() * n_out, "the length of a factor");
    assert!(row >= n_out, "the rows of a product");
    let inputs = out.len() / row;
    assert_eq!(out.len(), inputs * row, "the length of a product");
    if !add {
        for out in out.chunks_mut(PIECE) {
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
        let x = x.part(rows.clone());
        if cancel.poll_after(x.stored() * columns.len()) {
            return;
        }
        let job = Gradients {
            x,
            delta: delta[rows.start * n_out + columns.start..].as_ptr(),
            out: out[columns.start..].as_mut_ptr(),
            n_out,
            row,
            room: row - columns.start,
            first,
            inputs,
            columns: columns.len(),
        };
        // SAFETY: `current` is this machine's; the assertions prove that rows and columns lie in
        // their slices.
        unsafe { run(current(), job) };
    }
}

struct Gradients<'a, T> {
    x: SparseRows<'a, T>,
    delta: *const T,
    out: *mut T,
    n_out: usize,
    row: usize,
    /// The numbers of a row from the first column on.
    room: usize,
    first: usize,
    inputs: usize,
    columns: usize,
}

impl<T: Registers> Job<T> for Gradients<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        for tile in tiles(self.columns, V::LANES) {
            // SAFETY: the caller proves the instructions, and that rows and columns lie in their
            // slices; tiles are cut from these columns.
            unsafe {
                match (tile.registers, tile.last(V::LANES, self.room)) {
                    (1, last::MASKED) => self.tile::<V, 1, { last::MASKED }>(tile),
                    (1, _) => self.tile::<V, 1, { last::WHOLE }>(tile),
                    (2, last::WHOLE) => self.tile::<V, 2, { last::WHOLE }>(tile),
                    (2, _) => self.tile::<V, 2, { last::BACK }>(tile),
                    (3, last::WHOLE) => self.tile::<V, 3, { last::WHOLE }>(tile),
                    (3, _) => self.tile::<V, 3, { last::BACK }>(tile),
                    (_, last::WHOLE) => self.tile::<V, MOST, { last::WHOLE }>(tile),
                    _ => self.tile::<V, MOST, { last::BACK }>(tile),
                }
            }
        }
    }
}

impl<T: Copy> Gradients<'_, T> {
    /// A tile for all rows.
    ///
    /// # Safety
    /// The machine has the instructions; rows and columns lie in their slices; as for [`load`].
    #[inline(always)]
    unsafe fn tile<V: Vector<Scalar = T>, const REGISTERS: usize, const LAST: u8>(
        &self,
        SparseTile { first, columns, .. }: SparseTile,
    ) {
        for row in 0..self.x.len() {
            // SAFETY: the caller proves the instructions and the slices; an input that is not left
            // out is below `inputs`.
            unsafe {
                let delta = self.delta.add(row * self.n_out + first);
                let delta = load::<V, REGISTERS, LAST>(delta, columns);
                let (inputs, values) = self.x.row(row);
                for (&input, &value) in inputs.iter().zip(values) {
                    let input = (input as usize).wrapping_sub(self.first);
                    if input >= self.inputs {
                        continue;
                    }
                    let place = self.out.add(input * self.row + first);
                    let factor = V::broadcast(value);
                    let mut sums = load_row::<V, REGISTERS, LAST>(place, columns);
                    for (sum, delta) in sums.iter_mut().zip(delta) {
                        *sum = factor.mul_add(delta, *sum);
                    }
                    store_row::<V, REGISTERS, LAST>(sums, place, columns);
                }
            }
        }
    }
}
