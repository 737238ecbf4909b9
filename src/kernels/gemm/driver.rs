//! How a product is walked: blocks of its factors, copied where that is worth it, and tiles of the
//! result.

use std::ops::Range;

use crate::base::cache_line;
use crate::base::cancel::CancelToken;
use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::blocking::{
    self, BLOCK_STEPS, FAR_APART, FROM_AFAR, INTERLEAVED, LARGE, PANEL_BYTES, UNCOPIED_STEPS,
    WORTH_COPYING, WORTH_INTERLEAVING, blocks, even, parts,
};
use crate::kernels::gemm::dispatch::{Tiles, tiles};
use crate::kernels::gemm::factor::{Factor, Picked};
use crate::kernels::gemm::gemv::{STREAMS, add_rows};
use crate::kernels::gemm::microkernel::{self, MAX_ROWS, MAX_VECTORS, Tile};
use crate::kernels::gemm::pack::{self, Source};
use crate::kernels::simd::level::{Level, Registers, current};

/// The multiply-adds of tiles that are done without a look at the stop flag: some microseconds.
const UNPOLLED: usize = 1 << 18;

/// C ← start + A B, with A (rows, steps), some `columns` of B (steps, b_row), and of these C, row by
/// row.
pub(super) struct Product<'a, T> {
    pub a: Factor<'a, T>,
    pub b: Source<'a, T>,
    pub accumulate: Accumulate<&'a [T]>,
    /// The columns of B.
    pub b_row: usize,
    pub rows: usize,
    /// Whether A has one more row, of ones.
    pub ones: bool,
    pub columns: Range<usize>,
    pub steps: usize,
}

impl<T: Registers> Product<'_, T> {
    /// # Panics
    /// A slice is shorter than its matrix.
    pub fn run(&self, c: &mut [T], pack_buffer: &mut [T], cancel: &CancelToken<'_>) {
        let rows = self.rows + usize::from(self.ones);
        if rows == 0 || self.columns.is_empty() || self.steps == 0 {
            return;
        }
        // What the tiles rely on.
        let numbers = |a: usize, b: usize| a.checked_mul(b).expect("a matrix fits its slice");
        let fits = self.rows == 0 || self.a.holds(self.rows, self.steps);
        assert!(fits, "the length of a factor");
        let (Source::Rows(b) | Source::Columns(b)) = self.b;
        assert_eq!(
            b.len(),
            numbers(self.steps, self.b_row),
            "the length of a factor"
        );
        assert!(self.columns.end <= self.b_row, "the columns of a factor");
        let length = numbers(rows, self.columns.len());
        assert_eq!(c.len(), length, "the length of a product");
        match self.accumulate {
            Accumulate::Row(row) => assert_eq!(row.len(), self.b_row, "the length of a row"),
            Accumulate::Column(column) => assert_eq!(column.len(), rows, "the length of a column"),
            Accumulate::Overwrite | Accumulate::Terms | Accumulate::Sum => {}
        }
        assert!(
            pack_buffer.len() >= blocking::pack_buffer::<T>(0),
            "the room of a product"
        );

        let level = current();
        let tiles = tiles::<T>(level);
        if let Source::Rows(b) = self.b
            && self.rows == 1
            && !self.ones
            && !matches!(self.accumulate, Accumulate::Sum)
            && self.a.step == 1
            && matches!(self.a.picked, Picked::None)
            && size_of_val(b) >= FROM_AFAR
        {
            self.stream(level, b, c, cancel);
            return;
        }
        let far = |row: usize| row * size_of::<T>() >= FAR_APART;
        let across = matches!(self.b, Source::Columns(_));
        let copy = across || (far(self.b_row) && self.rows >= WORTH_COPYING);
        let large = pack_buffer.len() >= blocking::pack_buffer::<T>(LARGE);
        let interleave = large
            && matches!(self.a.picked, Picked::None)
            && self.a.row == 1
            && far(self.a.step)
            && self.columns.len() >= WORTH_INTERLEAVING;
        let (rows, steps, copied) = match (copy, interleave) {
            (_, true) => (INTERLEAVED.0, INTERLEAVED.1, BLOCK_STEPS.1),
            (true, false) if large => (self.rows, BLOCK_STEPS.1, BLOCK_STEPS.1),
            (true, false) => (self.rows, BLOCK_STEPS.0, BLOCK_STEPS.0),
            (false, false) => (self.rows, UNCOPIED_STEPS, 0),
        };
        let before = cache_line::before(pack_buffer);
        let (b_room, a_room) =
            pack_buffer[before..].split_at_mut(copied * PANEL_BYTES / size_of::<T>());
        for steps in blocks(self.steps, steps) {
            for rows in blocks(self.rows, rows) {
                let (row, step) = match self.a.picked {
                    Picked::None => (rows.start, steps.start),
                    Picked::Rows(_) => (0, steps.start),
                    Picked::Steps(_) => (rows.start, 0),
                };
                let numbers = &self.a.numbers[row * self.a.row + step * self.a.step..];
                let a = if interleave {
                    let (row, count, steps) = (self.a.step, rows.len(), steps.len());
                    pack::interleave(tiles, numbers, row, count, steps, a_room);
                    Left::Interleaved(&*a_room)
                } else {
                    Left::AsItLies(Factor { numbers, ..self.a })
                };
                for columns in self.panels(tiles) {
                    let pack_buffer = copy.then_some(&mut *b_room);
                    let block = (rows.clone(), steps.clone(), columns);
                    self.tiles(tiles, &a, block, pack_buffer, c, cancel);
                }
            }
        }
    }

    /// The one row of C, as B comes from memory.
    fn stream(&self, level: Level, b: &[T], c: &mut [T], cancel: &CancelToken<'_>) {
        match self.accumulate {
            Accumulate::Overwrite => c.fill(T::default()),
            Accumulate::Row(row) => c.copy_from_slice(&row[self.columns.clone()]),
            Accumulate::Column(column) => c.fill(column[0]),
            Accumulate::Terms | Accumulate::Sum => {}
        }
        let a = self.a.numbers[..self.steps].chunks(STREAMS);
        for (a, b) in a.zip(b.chunks(STREAMS * self.b_row)) {
            if cancel.poll_after(b.len()) {
                return;
            }
            add_rows(level, a, b, self.b_row, &self.columns, c);
        }
    }

    /// The columns, some registers at a time.
    fn panels(&self, tiles: &Tiles<T>) -> impl Iterator<Item = Range<usize>> {
        let (end, lanes) = (self.columns.end, tiles.lanes);
        // Few rows leave registers for a wider tile.
        let widest = if self.rows * MAX_VECTORS <= tiles.sums {
            MAX_VECTORS
        } else {
            tiles.across
        };
        let mut from = self.columns.start;
        parts(tiles.registers(self.columns.len()), widest).map(move |vectors| {
            let panel = from..end.min(from + vectors * lanes);
            from = panel.end;
            panel
        })
    }

    /// Some terms of some numbers of C; where there is room to copy, from a copy of that part of B.
    fn tiles(
        &self,
        tiles: &'static Tiles<T>,
        a: &Left<'_, T>,
        (rows, steps, columns): (Range<usize>, Range<usize>, Range<usize>),
        pack_buffer: Option<&mut [T]>,
        c: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let work = (rows.len() + usize::from(self.ones)) * columns.len() * steps.len();
        let polled = work > UNPOLLED;
        if cancel.poll_after(if polled { 0 } else { work }) {
            return;
        }
        let tiles = match (a, &pack_buffer) {
            (Left::AsItLies(_), Some(_)) => tiles.for_panel(columns.len()),
            _ => tiles,
        };
        let vectors = tiles.registers(columns.len());
        let (b, b_step) = match (self.b, pack_buffer) {
            (_, Some(pack_buffer)) => {
                let width = pack::copy(tiles, &self.b, self.b_row, &columns, &steps, pack_buffer);
                (&*pack_buffer, width)
            }
            (Source::Rows(b) | Source::Columns(b), None) => {
                (&b[steps.start * self.b_row + columns.start..], self.b_row)
            }
        };
        let most = match a {
            Left::AsItLies(_) => even(rows.len(), (tiles.sums / vectors).min(MAX_ROWS)),
            Left::Interleaved(_) => tiles.interleaved,
        };
        // So many tiles at once that the stop flag is looked at often enough.
        let at_once = if polled {
            (UNPOLLED / (most.max(1) * columns.len() * steps.len())).max(1)
        } else {
            usize::MAX
        };
        let one = [T::from(1)];
        let ones = self.ones && rows.end == self.rows;
        let mut done = 0;
        while done < rows.len() + usize::from(ones) {
            let (first, left) = (done, rows.len() - done);
            let these = most.min(left).max(1);
            let count = if left > these {
                (left / these).min(at_once)
            } else {
                1
            };
            done += these * count;
            let row = rows.start + first;
            let mut picked = microkernel::Picked::None;
            let (a, a_row, a_step, a_next) = match a {
                _ if left == 0 => (&one[..], 0, 0, 0),
                Left::AsItLies(a) => {
                    let (first, next) = match a.picked {
                        Picked::Rows(rows) => {
                            picked = microkernel::Picked::Rows(rows[row..].as_ptr());
                            (0, 0)
                        }
                        Picked::Steps(all) => {
                            picked = microkernel::Picked::Steps(all[steps.start..].as_ptr());
                            (first * a.row, these * a.row)
                        }
                        Picked::None => (first * a.row, these * a.row),
                    };
                    (&a.numbers[first..], a.row, a.step, next)
                }
                Left::Interleaved(a) => (&a[first * steps.len()..], 1, these, these * steps.len()),
            };
            if polled && cancel.poll_after(count * these * columns.len() * steps.len()) {
                return;
            }
            let place = row * self.columns.len() + columns.start - self.columns.start;
            let tile = Tile {
                count,
                a_next,
                a: a.as_ptr(),
                a_row,
                a_step,
                picked,
                b: b.as_ptr(),
                b_step,
                c: c[place..].as_mut_ptr(),
                c_row: self.columns.len(),
                steps: steps.len(),
                accumulate: match self.accumulate {
                    Accumulate::Sum => Accumulate::Sum,
                    _ if steps.start > 0 => Accumulate::Terms,
                    Accumulate::Overwrite => Accumulate::Overwrite,
                    Accumulate::Row(start) => Accumulate::Row(start[columns.start..].as_ptr()),
                    Accumulate::Column(start) => Accumulate::Column(start[row..].as_ptr()),
                    Accumulate::Terms => Accumulate::Terms,
                },
                last: columns.len() - (vectors - 1) * tiles.lanes,
            };
            // SAFETY: the machine has the level of the tiles; `run` has proven that rows, columns
            // and steps of all three matrices lie in their slices, `copy` and `interleave` that
            // their blocks lie in `pack_buffer`; the row of ones is read at one place.
            unsafe { tiles.get(these, vectors)(&tile) };
        }
    }
}

/// A block of A.
enum Left<'a, T> {
    /// Where the user has it.
    AsItLies(Factor<'a, T>),
    /// As [`panel::interleave`] leaves it.
    Interleaved(&'a [T]),
}
