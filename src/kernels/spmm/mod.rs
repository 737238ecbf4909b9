//! The products with x where only some of its numbers are stored. The weights out of an input, and
//! their gradient, are a row in memory: a stored number meets one row, and registers run along it.
//!
//! Terms are added one after the other, in the order in which they are stored, each with one fused
//! multiply-add where the machine has it: as in [`crate::kernels::gemm`], but for the terms that are 0.

use std::ops::Range;

use microkernel::{MOST, SparseTile, last, load, load_row, store, store_row, tiles};

use crate::base::cancel::CancelToken;
use crate::kernels::csr::SparseRows;
use crate::kernels::simd::level::{Job, Registers, current, run};
use crate::kernels::simd::vector::{Arithmetic, Vector};
use crate::kernels::tuning::spmm::{COLUMNS, EVEN, UNPOLLED};

mod microkernel;

#[cfg(test)]
mod tests;

/// z = 1 bᵀ + x W, for some of the neurons that it leads to.
///
/// `w`: (n_in, n_out), its rows apart as its length says; `b`: (n_out,); `z`: (rows, neurons),
/// overwritten.
///
/// # Panics
/// A slice has another length.
pub fn forward<T: Registers>(
    x: SparseRows<'_, T>,
    w: &[T],
    b: &[T],
    neurons: Range<usize>,
    z: &mut [T],
    cancel: &CancelToken<'_>,
) {
    let (n_out, width) = (b.len(), neurons.len());
    assert!(neurons.end <= n_out, "the columns of a factor");
    let w_row = w.len() / x.width();
    let fits = w_row >= n_out && w_row * x.width() == w.len();
    assert!(fits, "the length of a factor");
    let length = x.len().checked_mul(width);
    assert_eq!(length, Some(z.len()), "the length of a product");
    for (columns, rows) in walk(&x, &neurons) {
        let x = x.part(rows.clone());
        if cancel.poll_after(x.stored() * columns.len()) {
            return;
        }
        let job = Forward {
            x,
            w: w[columns.start..].as_ptr(),
            w_row,
            room: w_row - columns.start,
            b: b[columns.start..].as_ptr(),
            z: z[rows.start * width + columns.start - neurons.start..].as_mut_ptr(),
            z_row: width,
            columns: columns.len(),
        };
        // SAFETY: `current` is this machine's; the assertions prove that rows and columns lie in
        // their slices, as each column of x is below its width.
        unsafe { run(current(), job) };
    }
}

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
    for (columns, rows) in walk(&x, &(0..n_out)) {
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

/// The columns, some at a time, and for each the rows of x, as many as are worth a look at the stop
/// flag.
fn walk<T>(
    x: &SparseRows<'_, T>,
    columns: &Range<usize>,
) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let (rows, end) = (x.len(), columns.end);
    let parts = columns.len().div_ceil(COLUMNS).max(1);
    let width = columns.len().div_ceil(parts).next_multiple_of(EVEN).max(1);
    let work = x.stored().saturating_mul(width);
    let step = match work {
        0..=UNPOLLED => rows,
        _ => rows.saturating_mul(UNPOLLED) / work,
    };
    let step = step.max(1);
    columns.clone().step_by(width).flat_map(move |column| {
        let columns = column..end.min(column + width);
        let rows = (0..rows)
            .step_by(step)
            .map(move |row| row..rows.min(row + step));
        rows.map(move |rows| (columns.clone(), rows))
    })
}

struct Forward<'a, T> {
    x: SparseRows<'a, T>,
    w: *const T,
    w_row: usize,
    /// The numbers of a row from the first column on.
    room: usize,
    b: *const T,
    z: *mut T,
    z_row: usize,
    columns: usize,
}

impl<T: Registers> Job<T> for Forward<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        for tile in tiles(self.columns, V::LANES) {
            // SAFETY: the caller proves the instructions, and that rows and columns lie in their
            // slices; tiles are cut from these columns.
            unsafe {
                // Sums of several examples at once: each waits for its last term meanwhile.
                match (tile.registers, tile.last(V::LANES, self.room)) {
                    (1, last::MASKED) => self.tile::<V, 1, 4, { last::MASKED }>(tile),
                    (1, _) => self.tile::<V, 1, 4, { last::WHOLE }>(tile),
                    (2, last::WHOLE) => self.tile::<V, 2, 4, { last::WHOLE }>(tile),
                    (2, _) => self.tile::<V, 2, 4, { last::BACK }>(tile),
                    (3, last::WHOLE) => self.tile::<V, 3, 2, { last::WHOLE }>(tile),
                    (3, _) => self.tile::<V, 3, 2, { last::BACK }>(tile),
                    (_, last::WHOLE) => self.tile::<V, MOST, 2, { last::WHOLE }>(tile),
                    _ => self.tile::<V, MOST, 2, { last::BACK }>(tile),
                }
            }
        }
    }
}

impl<T: Copy> Forward<'_, T> {
    /// A tile for all rows, EXAMPLES of them at a time.
    ///
    /// # Safety
    /// The machine has the instructions; rows and columns lie in their slices; as for [`load`].
    #[inline(always)]
    unsafe fn tile<V, const REGISTERS: usize, const EXAMPLES: usize, const LAST: u8>(
        &self,
        tile: SparseTile,
    ) where
        V: Vector<Scalar = T>,
    {
        let rows = self.x.len();
        let whole = rows - rows % EXAMPLES;
        // SAFETY: the caller proves it.
        unsafe {
            for row in (0..whole).step_by(EXAMPLES) {
                self.rows::<V, REGISTERS, EXAMPLES, LAST>(row, tile);
            }
            for row in whole..rows {
                self.rows::<V, REGISTERS, 1, LAST>(row, tile);
            }
        }
    }

    /// # Safety
    /// As [`Self::tile`].
    #[inline(always)]
    unsafe fn rows<V, const REGISTERS: usize, const EXAMPLES: usize, const LAST: u8>(
        &self,
        row: usize,
        SparseTile { first, columns, .. }: SparseTile,
    ) where
        V: Vector<Scalar = T>,
    {
        let rows: [_; EXAMPLES] = std::array::from_fn(|example| self.x.row(row + example));
        // SAFETY: the caller proves the instructions and the slices; every column of x is the
        // index of a row of w, and every term that is named is stored.
        unsafe {
            let w = self.w.add(first);
            let mut sums = [load::<V, REGISTERS, LAST>(self.b.add(first), columns); EXAMPLES];
            let add = |sums: &mut [V; REGISTERS], (inputs, values): (&[u32], &[T]), term| {
                let input = *inputs.get_unchecked(term) as usize;
                let factor = V::broadcast(*values.get_unchecked(term));
                let row = load_row::<V, REGISTERS, LAST>(w.add(input * self.w_row), columns);
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
                store::<V, REGISTERS, LAST>(sums, z, columns);
            }
        }
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
