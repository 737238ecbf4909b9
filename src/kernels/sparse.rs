//! The products with x where only some of its numbers are stored. The weights out of an input, and
//! their gradient, are a row in memory: a stored number meets one row, and registers run along it.
//!
//! Terms are added one after the other, in the order in which they are stored, each with one fused
//! multiply-add where the machine has it: as in [`super::product`], but for the terms that are 0.

use std::ops::Range;

use super::level::{Job, Registers, current, run};
use super::tile::load_row;
use super::vector::{Arithmetic, Vector};
use crate::interrupt::Pulse;
use crate::sparse::SparseRows;

/// The columns that are computed together: the rows of weights that examples share stay in the
/// cache.
const COLUMNS: usize = 128;
/// The multiply-adds between two looks at the stop flag: some microseconds.
const UNWATCHED: usize = 1 << 18;
/// The most registers across that hold sums.
const MOST: usize = 4;

/// z = 1 bᵀ + x W, for some of the neurons that it leads to.
///
/// `w`: (n_in, n_out); `b`: (n_out,); `z`: (rows, neurons), overwritten.
///
/// # Panics
/// A slice has another length.
pub fn forward<T: Registers>(
    x: SparseRows<'_, T>,
    w: &[T],
    b: &[T],
    neurons: Range<usize>,
    z: &mut [T],
    pulse: &Pulse<'_>,
) {
    let (n_out, width) = (b.len(), neurons.len());
    assert!(neurons.end <= n_out, "the columns of a factor");
    let length = x.width().checked_mul(n_out);
    assert_eq!(length, Some(w.len()), "the length of a factor");
    let length = x.len().checked_mul(width);
    assert_eq!(length, Some(z.len()), "the length of a product");
    for (columns, rows) in walk(&x, &neurons) {
        let x = x.part(rows.clone());
        if pulse.stopped_after(x.stored() * columns.len()) {
            return;
        }
        let job = Forward {
            x,
            w: w[columns.start..].as_ptr(),
            w_row: n_out,
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

/// xᵀ δ for some of the columns of x: the gradient of the weights out of the inputs from `first`
/// on. With `add`, added to what `out` holds.
///
/// `delta`: (rows, n_out), at least one row; `out`: (inputs, n_out).
///
/// # Panics
/// A slice has another length.
pub fn gradients<T: Registers>(
    x: SparseRows<'_, T>,
    delta: &[T],
    first: usize,
    out: &mut [T],
    add: bool,
    pulse: &Pulse<'_>,
) {
    /// The numbers that are set to 0 between two looks at the stop flag.
    const PIECE: usize = 1 << 16;
    let n_out = delta.len() / x.len();
    assert_eq!(delta.len(), x.len() * n_out, "the length of a factor");
    let inputs = out.len() / n_out;
    assert_eq!(out.len(), inputs * n_out, "the length of a product");
    if !add {
        for out in out.chunks_mut(PIECE) {
            out.fill(T::default());
            if pulse.stopped_after(out.len()) {
                return;
            }
        }
    }
    if inputs == 0 {
        return;
    }
    for (columns, rows) in walk(&x, &(0..n_out)) {
        let x = x.part(rows.clone());
        if pulse.stopped_after(x.stored() * columns.len()) {
            return;
        }
        let job = Gradients {
            x,
            delta: delta[rows.start * n_out + columns.start..].as_ptr(),
            out: out[columns.start..].as_mut_ptr(),
            n_out,
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
    let work = x.stored().saturating_mul(columns.len().min(COLUMNS));
    let step = match work {
        0..=UNWATCHED => rows,
        _ => rows.saturating_mul(UNWATCHED) / work,
    };
    let step = step.max(1);
    columns.clone().step_by(COLUMNS).flat_map(move |column| {
        let columns = column..end.min(column + COLUMNS);
        let rows = (0..rows)
            .step_by(step)
            .map(move |row| row..rows.min(row + step));
        rows.map(move |rows| (columns.clone(), rows))
    })
}

/// Cuts `columns` into tiles of at most [`MOST`] registers, as even as can be: for each its first
/// column, its registers, and the lanes of the last.
fn tiles(columns: usize, lanes: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let registers = columns.div_ceil(lanes);
    let count = registers.div_ceil(MOST);
    let mut from = 0;
    (0..count).map(move |index| {
        let registers = (registers + index) / count;
        let (first, last) = (from, (columns - from).min(registers * lanes));
        from += registers * lanes;
        (first, registers, last - (registers - 1) * lanes)
    })
}

struct Forward<'a, T> {
    x: SparseRows<'a, T>,
    w: *const T,
    w_row: usize,
    b: *const T,
    z: *mut T,
    z_row: usize,
    columns: usize,
}

impl<T: Registers> Job<T> for Forward<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        for (first, registers, last) in tiles(self.columns, V::LANES) {
            // SAFETY: the caller proves the instructions, and that rows and columns lie in their
            // slices; tiles are cut from these columns.
            unsafe {
                // Sums of several examples at once: one waits for its last term meanwhile.
                match registers {
                    1 => self.tile::<V, 1, 4>(first, last),
                    2 => self.tile::<V, 2, 4>(first, last),
                    3 => self.tile::<V, 3, 2>(first, last),
                    _ => self.tile::<V, MOST, 2>(first, last),
                }
            }
        }
    }
}

impl<T: Copy> Forward<'_, T> {
    /// The columns from `column` on, in REGISTERS, for all rows, EXAMPLES of them at a time.
    ///
    /// # Safety
    /// The machine has the instructions; rows and columns lie in their slices.
    #[inline(always)]
    unsafe fn tile<V, const REGISTERS: usize, const EXAMPLES: usize>(
        &self,
        column: usize,
        last: usize,
    ) where
        V: Vector<Scalar = T>,
    {
        let rows = self.x.len();
        let whole = rows - rows % EXAMPLES;
        // SAFETY: the caller proves both.
        unsafe {
            for row in (0..whole).step_by(EXAMPLES) {
                self.rows::<V, REGISTERS, EXAMPLES>(row, column, last);
            }
            for row in whole..rows {
                self.rows::<V, REGISTERS, 1>(row, column, last);
            }
        }
    }

    /// # Safety
    /// As [`Self::tile`].
    #[inline(always)]
    unsafe fn rows<V, const REGISTERS: usize, const EXAMPLES: usize>(
        &self,
        first: usize,
        column: usize,
        last: usize,
    ) where
        V: Vector<Scalar = T>,
    {
        let rows: [_; EXAMPLES] = std::array::from_fn(|row| self.x.row(first + row));
        // SAFETY: the caller proves the instructions and the slices; every column of x is the
        // index of a row of w, and every term named below is stored.
        unsafe {
            let w = self.w.add(column);
            let start = load_row::<V, REGISTERS>(self.b.add(column), last);
            let mut sums = [start; EXAMPLES];
            let add = |sums: &mut [V; REGISTERS], (columns, values): (&[u32], &[T]), term| {
                let k = *columns.get_unchecked(term) as usize;
                let factor = V::broadcast(*values.get_unchecked(term));
                let row = load_row::<V, REGISTERS>(w.add(k * self.w_row), last);
                for (sum, w) in sums.iter_mut().zip(row) {
                    *sum = factor.mul_add(w, *sum);
                }
            };
            let lengths = rows.map(|(columns, _)| columns.len());
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
            for (index, sums) in sums.into_iter().enumerate() {
                let z = self.z.add((first + index) * self.z_row + column);
                store_row(sums, z, last);
            }
        }
    }
}

struct Gradients<'a, T> {
    x: SparseRows<'a, T>,
    delta: *const T,
    out: *mut T,
    n_out: usize,
    first: usize,
    inputs: usize,
    columns: usize,
}

impl<T: Registers> Job<T> for Gradients<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        for (first, registers, last) in tiles(self.columns, V::LANES) {
            // SAFETY: the caller proves the instructions, and that rows and columns lie in their
            // slices; tiles are cut from these columns.
            unsafe {
                match registers {
                    1 => self.tile::<V, 1>(first, last),
                    2 => self.tile::<V, 2>(first, last),
                    3 => self.tile::<V, 3>(first, last),
                    _ => self.tile::<V, MOST>(first, last),
                }
            }
        }
    }
}

impl<T: Copy> Gradients<'_, T> {
    /// The columns from `column` on, in REGISTERS.
    ///
    /// # Safety
    /// The machine has the instructions; rows and columns lie in their slices.
    #[inline(always)]
    unsafe fn tile<V: Vector<Scalar = T>, const REGISTERS: usize>(
        &self,
        column: usize,
        last: usize,
    ) {
        for row in 0..self.x.len() {
            // SAFETY: the caller proves the instructions and the slices; an input that is left
            // over is below `inputs`.
            unsafe {
                let delta = self.delta.add(row * self.n_out + column);
                let delta = load_row::<V, REGISTERS>(delta, last);
                let (columns, values) = self.x.row(row);
                for (&k, &value) in columns.iter().zip(values) {
                    let input = (k as usize).wrapping_sub(self.first);
                    if input >= self.inputs {
                        continue;
                    }
                    let place = self.out.add(input * self.n_out + column);
                    let factor = V::broadcast(value);
                    let mut sums = load_row::<V, REGISTERS>(place, last);
                    for (sum, delta) in sums.iter_mut().zip(delta) {
                        *sum = factor.mul_add(delta, *sum);
                    }
                    store_row(sums, place, last);
                }
            }
        }
    }
}

/// Writes a row of registers, `last` lanes of the last one.
///
/// # Safety
/// The numbers may be written.
#[inline(always)]
unsafe fn store_row<V: Vector, const REGISTERS: usize>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    last: usize,
) {
    for (j, register) in row.into_iter().enumerate() {
        // SAFETY: the caller proves the numbers.
        unsafe {
            let to = to.add(j * V::LANES);
            if j < REGISTERS - 1 {
                register.store(to);
            } else {
                register.store_first(to, last);
            }
        }
    }
}
