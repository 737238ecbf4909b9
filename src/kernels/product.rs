//! The three matrix products of backpropagation: safe doors to the tiles.
//!
//! Every element of a product adds its terms one after the other along the inner dimension, each
//! with one fused multiply-add where the machine has it. Tiles, panels and blocks change the order
//! in which elements are computed, never that of the terms: so a row has the same bits alone and
//! in any batch, and a product the same bits at any width of register.

use super::level::{Registers, current};
use super::panel::{self, Source};
use super::tile::{MAX_ROWS, MAX_VECTORS, Start, Tile, Tiles, tiles};
use crate::interrupt::Pulse;

/// The steps of a block: with a panel's width it fits the second-level cache, its pages the
/// table of the processor.
const BLOCK_STEPS: usize = 512;
/// The bytes across the widest panel.
const PANEL_BYTES: usize = MAX_VECTORS * 64;
/// From this distance on between the rows of B, in bytes, their addresses get into each other's way
/// in the first-level cache.
const FAR_APART: usize = 4096;
/// The rows of A that make copying a block of B worth its while.
const WORTH_COPYING: usize = 32;

/// The numbers that a product needs room for.
pub const fn room<T>() -> usize {
    BLOCK_STEPS * PANEL_BYTES / size_of::<T>()
}

/// z = 1 bᵀ + a W.
///
/// `a`: (rows, n_in); `w`: (n_in, n_out); `b`: (n_out,); `z`: (rows, n_out), overwritten;
/// `room`: [`room`] numbers.
pub fn forward<T: Registers>(
    a: &[T],
    w: &[T],
    b: &[T],
    z: &mut [T],
    room: &mut [T],
    pulse: &Pulse<'_>,
) {
    let (n_in, n_out) = (w.len() / b.len(), b.len());
    let product = Product {
        a: Factor {
            numbers: a,
            row: n_in,
            step: 1,
        },
        b: Source::Rows(w),
        start: Begin::Row(b),
        rows: z.len() / n_out,
        columns: n_out,
        steps: n_in,
    };
    product.run(z, room, pulse);
}

/// δ Wᵀ: the errors carried back through the weights.
///
/// `delta`: (rows, n_out); `w`: (n_in, n_out); `out`: (rows, n_in), overwritten; `room`: [`room`]
/// numbers.
pub fn errors<T: Registers>(
    delta: &[T],
    w: &[T],
    out: &mut [T],
    n_in: usize,
    room: &mut [T],
    pulse: &Pulse<'_>,
) {
    let n_out = w.len() / n_in;
    let product = Product {
        a: Factor {
            numbers: delta,
            row: n_out,
            step: 1,
        },
        b: Source::Columns(w),
        start: Begin::Zero,
        rows: out.len() / n_in,
        columns: n_in,
        steps: n_out,
    };
    product.run(out, room, pulse);
}

/// aᵀ δ for some of the columns of `a`: the gradient of the weights out of the neurons from `first`
/// on. With `add`, the terms are added to what `out` holds, after those.
///
/// `a`: (rows, n_in); `delta`: (rows, n_out); `out`: (neurons, n_out); `room`: [`room`] numbers.
pub fn gradients<T: Registers>(
    a: &[T],
    delta: &[T],
    rows: usize,
    first: usize,
    out: &mut [T],
    add: bool,
    room: &mut [T],
    pulse: &Pulse<'_>,
) {
    let (n_in, n_out) = (a.len() / rows, delta.len() / rows);
    let product = Product {
        a: Factor {
            numbers: &a[first..],
            row: 1,
            step: n_in,
        },
        b: Source::Rows(delta),
        start: if add { Begin::Sum } else { Begin::Zero },
        rows: out.len() / n_out,
        columns: n_out,
        steps: rows,
    };
    product.run(out, room, pulse);
}

/// A, read one number at a time.
struct Factor<'a, T> {
    numbers: &'a [T],
    /// From A(i, k) to A(i + 1, k).
    row: usize,
    /// From A(i, k) to A(i, k + 1).
    step: usize,
}

/// What the sums start from.
enum Begin<'a, T> {
    Zero,
    /// The same row for every row of C.
    Row(&'a [T]),
    /// What C holds.
    Sum,
}

/// C ← start + A B, with A (rows, steps), B (steps, columns) and C (rows, columns), row by row.
struct Product<'a, T> {
    a: Factor<'a, T>,
    b: Source<'a, T>,
    start: Begin<'a, T>,
    rows: usize,
    columns: usize,
    steps: usize,
}

impl<T: Registers> Product<'_, T> {
    /// # Panics
    /// A slice is shorter than its matrix.
    fn run(&self, c: &mut [T], room: &mut [T], pulse: &Pulse<'_>) {
        if self.rows == 0 || self.columns == 0 || self.steps == 0 {
            return;
        }
        // What the tiles rely on.
        let last = (self.rows - 1) * self.a.row + (self.steps - 1) * self.a.step;
        assert!(last < self.a.numbers.len(), "the length of a factor");
        assert_eq!(
            self.b.len(),
            self.steps * self.columns,
            "the length of a factor"
        );
        assert_eq!(c.len(), self.rows * self.columns, "the length of a product");
        if let Begin::Row(row) = self.start {
            assert_eq!(row.len(), self.columns, "the length of a row");
        }
        assert!(room.len() >= self::room::<T>(), "the room of a product");

        let tiles = tiles::<T>(current());
        let across = self.columns.div_ceil(tiles.lanes);
        // Few rows leave registers for a wider tile.
        let widest = if self.rows * MAX_VECTORS <= tiles.sums {
            MAX_VECTORS
        } else {
            tiles.across
        };
        let mut from = 0;
        for vectors in parts(across, widest) {
            let to = self.columns.min(from + vectors * tiles.lanes);
            if !self.panel(tiles, vectors, from..to, c, room, pulse) {
                return;
            }
            from = to;
        }
    }

    /// Some columns of C, block by block of steps; false where the rest should be left undone.
    fn panel(
        &self,
        tiles: &Tiles<T>,
        vectors: usize,
        columns: std::ops::Range<usize>,
        c: &mut [T],
        room: &mut [T],
        pulse: &Pulse<'_>,
    ) -> bool {
        let copied = match self.b {
            Source::Columns(_) => true,
            Source::Rows(_) => {
                self.rows >= WORTH_COPYING && self.columns * size_of::<T>() >= FAR_APART
            }
        };
        let block = if copied { BLOCK_STEPS } else { self.steps };
        for from in (0..self.steps).step_by(block) {
            let steps = from..self.steps.min(from + block);
            let (b, b_step) = match self.b {
                Source::Rows(b) if !copied => {
                    (&b[from * self.columns + columns.start..], self.columns)
                }
                _ => {
                    let width = vectors * tiles.lanes;
                    panel::copy(tiles, &self.b, self.columns, &columns, &steps, room, width);
                    (&*room, width)
                }
            };
            let mut row = 0;
            for rows in parts(self.rows, (tiles.sums / vectors).min(MAX_ROWS)) {
                if pulse.stopped_after(rows * columns.len() * steps.len()) {
                    return false;
                }
                let place = row * self.columns + columns.start;
                let tile = Tile {
                    a: self.a.numbers[row * self.a.row + from * self.a.step..].as_ptr(),
                    a_row: self.a.row,
                    a_step: self.a.step,
                    b: b.as_ptr(),
                    b_step,
                    c: c[place..].as_mut_ptr(),
                    c_row: self.columns,
                    steps: steps.len(),
                    start: match self.start {
                        _ if from > 0 => Start::Sum,
                        Begin::Zero => Start::Zero,
                        Begin::Row(start) => Start::Row(start[columns.start..].as_ptr()),
                        Begin::Sum => Start::Sum,
                    },
                    last: columns.len() - (vectors - 1) * tiles.lanes,
                };
                // SAFETY: the tile is of the current level; `run` has proven that rows, columns
                // and steps of all three matrices lie in their slices, and `copy` that the block
                // lies in `room`.
                unsafe { tiles.get(rows, vectors)(&tile) };
                row += rows;
            }
        }
        true
    }
}

/// Cuts `length` into the fewest parts of at most `longest`, as even as can be.
fn parts(length: usize, longest: usize) -> impl Iterator<Item = usize> {
    let count = length.div_ceil(longest);
    (0..count).map(move |part| length / count + usize::from(part < length % count))
}
