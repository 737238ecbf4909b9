//! The loops around the microkernel: blocks of the factors, packed where that pays off, and tiles of C.
//!
//! The loops have BLIS's numbers: loop 4 over blocks of KC of the k terms, loop 3 over blocks of MC of the
//! m rows, loop 2 over micropanels of at most NR of the n columns, loop 1 over tiles of MR rows. There is
//! no loop 5: a micropanel of B is packed right before it is used.

use std::ops::Range;

use crate::base::cache_line;
use crate::base::cancel::CancelToken;
use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::blocking::{self, blocks, even, parts};
use crate::kernels::gemm::context::Context;
use crate::kernels::gemm::dispatch::{Tiles, tiles};
use crate::kernels::gemm::gemv::add_rows;
use crate::kernels::gemm::matrix::{Gather, Matrix};
use crate::kernels::gemm::microkernel::Tile;
use crate::kernels::gemm::pack;
use crate::kernels::simd::level::{Level, Registers, current};
use crate::kernels::tuning::gemm::{
    ALIASING_STRIDE, GEMV_BYTES, KC, KC_IN_PLACE, LARGE, MAX_MR, MAX_NR, MC_KC_PACKED_A, NR_BYTES,
    PACK_A_COLUMNS, PACK_B_NARROW, PACK_B_ROWS, STREAMS, UNPOLLED,
};

/// C ← … + A B. A is (m, k), read element by element; B is (k, n), with contiguous rows or columns; C is
/// (m, n), row-major.
pub(super) struct Product<'a, T> {
    pub a: Matrix<'a, T>,
    pub b: Matrix<'a, T>,
    pub accumulate: Accumulate<&'a [T]>,
    /// Whether A has an additional last row of ones.
    pub ones: bool,
}

impl<T: Registers> Product<'_, T> {
    /// Computes `c`, (m, n).
    ///
    /// # Panics
    /// The shapes do not match, or a matrix exceeds its memory.
    pub fn run(&self, c: &mut [T], context: &mut Context<'_, T>) {
        let Self { a, b, .. } = self;
        let (m, n, k) = (a.rows + usize::from(self.ones), b.columns, b.rows);
        if m == 0 || n == 0 || k == 0 {
            return;
        }
        // What the microkernels rely on.
        assert!(
            a.is_in_bounds() && b.is_in_bounds(),
            "the length of a factor"
        );
        assert_eq!(a.columns, k, "the inner dimension");
        assert!(
            !b.is_gathered() && (b.row_stride == 1 || b.column_stride == 1),
            "a factor that is read by registers"
        );
        assert_eq!(Some(c.len()), m.checked_mul(n), "the length of a product");
        match self.accumulate {
            Accumulate::Row(row) => assert_eq!(row.len(), n, "the length of a row"),
            Accumulate::Column(column) => assert_eq!(column.len(), m, "the length of a column"),
            Accumulate::Overwrite | Accumulate::Terms | Accumulate::Sum => {}
        }
        let Context {
            pack_buffer,
            cancel,
        } = context;
        assert!(
            pack_buffer.len() >= blocking::pack_buffer::<T>(0),
            "the length of a pack buffer"
        );

        let level = current();
        let tiles = tiles::<T>(level);
        let by_rows = b.has_contiguous_rows();
        if by_rows
            && a.rows == 1
            && !self.ones
            && !matches!(self.accumulate, Accumulate::Sum)
            && a.column_stride == 1
            && !a.is_gathered()
            && k * b.row_stride * size_of::<T>() >= GEMV_BYTES
        {
            self.stream(level, c, cancel);
            return;
        }
        let far = |stride: usize| stride * size_of::<T>() >= ALIASING_STRIDE;
        let narrow = tiles.across <= 2
            && b.row_stride * size_of::<T>() >= PACK_B_NARROW.0
            && a.rows >= PACK_B_NARROW.1;
        let pack_b = !by_rows || narrow || (far(b.row_stride) && a.rows >= PACK_B_ROWS);
        let large = pack_buffer.len() >= blocking::pack_buffer::<T>(LARGE);
        let pack_a = large
            && !a.is_gathered()
            && a.row_stride == 1
            && far(a.column_stride)
            && n >= PACK_A_COLUMNS;
        let (mc, kc, packed) = match (pack_b, pack_a) {
            (_, true) => (MC_KC_PACKED_A.0, MC_KC_PACKED_A.1, KC.1),
            (true, false) if large => (a.rows, KC.1, KC.1),
            (true, false) => (a.rows, KC.0, KC.0),
            (false, false) => (a.rows, KC_IN_PLACE, 0),
        };
        let before = cache_line::before(pack_buffer);
        let (b_buffer, a_buffer) =
            pack_buffer[before..].split_at_mut(packed * NR_BYTES / size_of::<T>());
        // Loop 4.
        for steps in blocks(k, kc) {
            // Loop 3.
            for rows in blocks(a.rows, mc) {
                let block = a.row_range(&rows).column_range(&steps);
                let block = if pack_a {
                    pack::interleave(tiles, &block, a_buffer);
                    BlockOfA::Packed(&*a_buffer)
                } else {
                    BlockOfA::InPlace(block)
                };
                // Loop 2.
                for columns in self.panels(tiles) {
                    let b_buffer = pack_b.then_some(&mut *b_buffer);
                    let part = Part {
                        a: &block,
                        rows: rows.clone(),
                        steps: steps.clone(),
                        columns,
                    };
                    self.tiles(tiles, part, b_buffer, c, cancel);
                }
            }
        }
    }

    /// Computes C of a single row while B is streamed from memory.
    fn stream(&self, level: Level, c: &mut [T], cancel: &CancelToken<'_>) {
        match self.accumulate {
            Accumulate::Overwrite => c.fill(T::default()),
            Accumulate::Row(row) => c.copy_from_slice(row),
            Accumulate::Column(column) => c.fill(column[0]),
            Accumulate::Terms | Accumulate::Sum => {}
        }
        let stride = self.b.row_stride;
        let a = self.a.numbers[..self.a.columns].chunks(STREAMS);
        for (a, b) in a.zip(self.b.numbers.chunks(STREAMS * stride)) {
            if cancel.poll_after(b.len()) {
                return;
            }
            add_rows(level, a, b, stride, c);
        }
    }

    /// The micropanels of B: ranges of columns, some registers wide.
    fn panels(&self, tiles: &Tiles<T>) -> impl Iterator<Item = Range<usize>> {
        let (n, lanes) = (self.b.columns, tiles.lanes);
        // With few rows, registers are left for a wider tile.
        let widest = if self.a.rows * MAX_NR <= tiles.sums {
            MAX_NR
        } else {
            tiles.across
        };
        let mut from = 0;
        parts(tiles.registers(n), widest).map(move |vectors| {
            let panel = from..n.min(from + vectors * lanes);
            from = panel.end;
            panel
        })
    }

    /// Loop 1: a range of k for a micropanel of C. If B is packed, `Part` holds the copy.
    fn tiles(
        &self,
        tiles: &'static Tiles<T>,
        part: Part<'_, T>,
        b_buffer: Option<&mut [T]>,
        c: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let Part {
            a,
            rows,
            steps,
            columns,
        } = part;
        let n = self.b.columns;
        let work = (rows.len() + usize::from(self.ones)) * columns.len() * steps.len();
        let polled = work > UNPOLLED;
        if cancel.poll_after(if polled { 0 } else { work }) {
            return;
        }
        let tiles = match (a, &b_buffer) {
            (BlockOfA::InPlace(_), Some(_)) => tiles.for_panel(columns.len()),
            _ => tiles,
        };
        let vectors = tiles.registers(columns.len());
        let (b, b_stride) = if let Some(b_buffer) = b_buffer {
            let block = self.b.row_range(&steps).column_range(&columns);
            let width = pack::copy(tiles, &block, b_buffer);
            (&*b_buffer, width)
        } else {
            let stride = self.b.row_stride;
            (
                &self.b.numbers[steps.start * stride + columns.start..],
                stride,
            )
        };
        let mr = match a {
            BlockOfA::InPlace(_) => even(rows.len(), (tiles.sums / vectors).min(MAX_MR)),
            BlockOfA::Packed(_) => tiles.interleaved,
        };
        // As many tiles at once as may pass between two polls of the cancellation token.
        let at_once = if polled {
            (UNPOLLED / (mr.max(1) * columns.len() * steps.len())).max(1)
        } else {
            usize::MAX
        };
        let one = [T::from(1)];
        let ones = self.ones && rows.end == self.a.rows;
        let mut done = 0;
        while done < rows.len() + usize::from(ones) {
            let (first, left) = (done, rows.len() - done);
            let these = mr.min(left).max(1);
            let count = if left > these {
                (left / these).min(at_once)
            } else {
                1
            };
            done += these * count;
            let row = rows.start + first;
            let mut gather = Gather::None;
            let (a, a_row_stride, a_column_stride, a_next) = match a {
                _ if left == 0 => (&one[..], 0, 0, 0),
                BlockOfA::InPlace(a) => {
                    let stride = a.row_stride;
                    let (first, next) = match a.gather {
                        Gather::Rows(places) => {
                            gather = Gather::Rows(places[first..].as_ptr());
                            (0, 0)
                        }
                        Gather::Columns(places) => {
                            gather = Gather::Columns(places.as_ptr());
                            (first * stride, these * stride)
                        }
                        Gather::None => (first * stride, these * stride),
                    };
                    (&a.numbers[first..], stride, a.column_stride, next)
                }
                BlockOfA::Packed(a) => (&a[first * steps.len()..], 1, these, these * steps.len()),
            };
            if polled && cancel.poll_after(count * these * columns.len() * steps.len()) {
                return;
            }
            let tile = Tile {
                count,
                a_next,
                a: a.as_ptr(),
                a_row_stride,
                a_column_stride,
                gather,
                b: b.as_ptr(),
                b_stride,
                c: c[row * n + columns.start..].as_mut_ptr(),
                c_stride: n,
                k: steps.len(),
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
            // SAFETY: the machine has the level of the tiles. `run` has asserted that all elements of A and
            // B are in bounds and that C has m rows of n; `copy` and `interleave` that their blocks fit the
            // pack buffer. The row of ones is a single element that every column reads.
            unsafe { tiles.get(these, vectors)(&tile) };
        }
    }
}

/// A block of A and a micropanel of columns.
struct Part<'a, T> {
    a: &'a BlockOfA<'a, T>,
    rows: Range<usize>,
    steps: Range<usize>,
    columns: Range<usize>,
}

/// A block of A, (MC, KC).
enum BlockOfA<'a, T> {
    /// In its original place.
    InPlace(Matrix<'a, T>),
    /// Packed by [`pack::interleave`].
    Packed(&'a [T]),
}
