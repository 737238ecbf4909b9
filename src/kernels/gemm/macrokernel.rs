//! Loop 1 around the microkernel: the tiles of a micropanel of C.

use std::ops::Range;

use crate::base::cancel::CancelToken;
use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::matrix::{Gather, Matrix};
use crate::kernels::gemm::pack;
use crate::kernels::gemm::product::Product;
use crate::kernels::gemm::split::even;
use crate::kernels::gemm::tiles::Microkernels;
use crate::kernels::gemm::tiles::access::AccessA;
use crate::kernels::gemm::tiles::tile::Tile;
use crate::kernels::simd::level::Registers;
use crate::kernels::tuning::gemm::{MAX_MR, UNPOLLED};

/// A block of A and a micropanel of columns.
pub(super) struct MicropanelOfC<'a, T> {
    pub a: &'a BlockOfA<'a, T>,
    pub rows: Range<usize>,
    pub terms: Range<usize>,
    pub columns: Range<usize>,
    /// The element of the row of ones.
    pub one: &'a [T; 1],
}

/// A block of A, (MC, KC).
pub(super) enum BlockOfA<'a, T> {
    /// In its original place, or copied by [`pack::copy_rows`].
    Strided(Matrix<'a, T>),
    /// Packed by [`pack::interleave`].
    Interleaved(&'a [T]),
}

impl<T> BlockOfA<'_, T> {
    /// How its tiles read it. `is_b_packed`: B is packed too, in whole registers.
    fn access(&self, is_b_packed: bool) -> AccessA {
        match self {
            Self::Interleaved(_) if is_b_packed => AccessA::Packed,
            Self::Interleaved(_) => AccessA::Columns,
            Self::Strided(a) => match a.gather {
                Gather::Columns(_) => AccessA::GatheredColumns,
                Gather::None if a.row_stride == 1 => AccessA::Columns,
                Gather::None | Gather::Rows(_) => AccessA::Rows,
            },
        }
    }
}

/// A micropanel of B, (KC, NR), and whether it is packed.
pub(super) enum PanelOfB<'a, T> {
    /// To be read in its original place.
    InPlace,
    /// To be packed into this buffer.
    ToPack(&'a mut [T]),
    /// Packed at the start of this buffer, by [`pack::copy_block`].
    Packed(&'a [T]),
}

/// Where the tiles of a micropanel read B, (KC, NR).
#[derive(Clone, Copy)]
struct MicropanelOfB<T> {
    b: *const T,
    /// The row stride.
    stride: usize,
    /// The lanes in use of the last register.
    last: usize,
    /// Where the tile packs B; null if it does not.
    packed: *mut T,
}

impl<T: Registers> Product<'_, T> {
    /// Loop 1: a range of k for a micropanel of C.
    pub(super) fn macrokernel(
        &self,
        kernels: &'static Microkernels<T>,
        panel_of_c: MicropanelOfC<'_, T>,
        panel_of_b: PanelOfB<'_, T>,
        c: &mut [T],
        cancel: &CancelToken<'_>,
    ) {
        let (rows, k, columns) = (
            panel_of_c.rows.len(),
            panel_of_c.terms.len(),
            panel_of_c.columns.len(),
        );
        let all_rows = rows + usize::from(self.ones && panel_of_c.rows.end == self.a.rows);
        let work = all_rows * columns * k;
        let polled = work > UNPOLLED;
        if cancel.poll_after(if polled { 0 } else { work }) {
            return;
        }
        let kernels = match (panel_of_c.a, &panel_of_b) {
            (BlockOfA::Strided(_), PanelOfB::ToPack(_)) => kernels.for_panel(columns),
            _ => kernels,
        };
        let vectors = kernels.registers(columns);
        let (mut done, panel) = match panel_of_b {
            PanelOfB::InPlace => (0, self.panel(kernels, &panel_of_c)),
            PanelOfB::ToPack(buffer) => self.pack(kernels, &panel_of_c, buffer, c),
            PanelOfB::Packed(buffer) => (
                0,
                packed_panel(kernels, &buffer[..k * vectors * kernels.lanes], columns),
            ),
        };
        let mr = match panel_of_c.a {
            BlockOfA::Strided(_) => {
                even(rows - done, (kernels.accumulators / vectors).min(MAX_MR)).max(1)
            }
            BlockOfA::Interleaved(_) => kernels.mr,
        };
        let is_b_packed = panel.stride == vectors * kernels.lanes && panel.last == kernels.lanes;
        let access = panel_of_c.a.access(is_b_packed);
        // As many tiles at once as may pass between two polls of the cancellation token.
        let at_once = if polled {
            (UNPOLLED / (mr * columns * k)).max(1)
        } else {
            usize::MAX
        };
        while done < all_rows {
            let left = rows - done;
            let these = mr.min(left).max(1);
            let count = if left > these {
                (left / these).min(at_once)
            } else {
                1
            };
            if polled && cancel.poll_after(count * these * columns * k) {
                return;
            }
            let tile = self.tile(&panel_of_c, done..done + these, count, panel, c);
            let access = if left == 0 {
                AccessA::Columns // the row of ones
            } else {
                access
            };
            // SAFETY: the machine has the level of the tiles. `run` has asserted that all elements of A
            // (through the indices of a gather) and B are in bounds, that C has m rows of n, and the length
            // of an initial row or column; the functions of `pack` that their blocks fit the pack buffer.
            // The row of ones is a single element that every column reads.
            unsafe { kernels.get(these, vectors, access)(&tile) };
            done += these * count;
        }
    }

    /// The columns of B in their original place.
    #[inline(always)]
    fn panel(
        &self,
        kernels: &Microkernels<T>,
        panel_of_c: &MicropanelOfC<'_, T>,
    ) -> MicropanelOfB<T> {
        let (stride, columns) = (self.b.row_stride, panel_of_c.columns.len());
        MicropanelOfB {
            b: self.b.numbers[panel_of_c.terms.start * stride + panel_of_c.columns.start..]
                .as_ptr(),
            stride,
            last: columns - (kernels.registers(columns) - 1) * kernels.lanes,
            packed: std::ptr::null_mut(),
        }
    }

    /// Packs the columns of B into `buffer`. Returns the number of rows of C that were computed meanwhile,
    /// and where B is.
    #[inline(never)] // keeps the code of small products, which pack nothing, short
    fn pack(
        &self,
        kernels: &'static Microkernels<T>,
        panel_of_c: &MicropanelOfC<'_, T>,
        buffer: &mut [T],
        c: &mut [T],
    ) -> (usize, MicropanelOfB<T>) {
        let block = self
            .b
            .row_range(&panel_of_c.terms)
            .column_range(&panel_of_c.columns);
        let vectors = kernels.registers(block.columns);
        let stride = vectors * kernels.lanes;
        let buffer = &mut buffer[..block.rows * stride];
        let mut done = 0;
        if block.has_contiguous_rows()
            && panel_of_c.rows.len() >= kernels.mr
            && vectors <= kernels.nr
        {
            // The first tile packs what it reads.
            done = kernels.mr;
            let panel = MicropanelOfB {
                packed: buffer.as_mut_ptr(),
                ..self.panel(kernels, panel_of_c)
            };
            let tile = self.tile(panel_of_c, 0..done, 1, panel, c);
            let access = panel_of_c.a.access(false);
            // SAFETY: as in `tiles`; `buffer` has a row of whole registers for every row of the block.
            unsafe { kernels.packing(vectors, access)(&tile) };
        } else {
            pack::copy(kernels, &block, buffer);
        }
        (done, packed_panel(kernels, buffer, block.columns))
    }

    /// `count` tiles, the first of the given rows of the block, or the row of ones behind them.
    #[inline(always)] // its fields are stored once
    fn tile(
        &self,
        panel_of_c: &MicropanelOfC<'_, T>,
        rows: Range<usize>,
        count: usize,
        panel: MicropanelOfB<T>,
        c: &mut [T],
    ) -> Tile<T> {
        let MicropanelOfC {
            a,
            rows: ref block,
            ref terms,
            ref columns,
            ..
        } = *panel_of_c;
        let (n, k) = (self.b.columns, terms.len());
        let mut gather = Gather::None;
        let (first, these) = (rows.start, rows.len());
        let (a, a_row_stride, a_column_stride, a_next) = match a {
            _ if first == block.len() => (&panel_of_c.one[..], 0, 0, 0),
            BlockOfA::Strided(a) => {
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
            BlockOfA::Interleaved(a) => (&a[first * k..], 1, these, these * k),
        };
        let row = block.start + first;
        Tile {
            count,
            a_next,
            a: a.as_ptr(),
            a_row_stride,
            a_column_stride,
            gather,
            b: panel.b,
            b_stride: panel.stride,
            c: c[row * n + columns.start..].as_mut_ptr(),
            c_stride: n,
            k,
            accumulate: match self.accumulate {
                Accumulate::Sum => Accumulate::Sum,
                _ if terms.start > 0 => Accumulate::Terms,
                start => start.map(
                    |start| start[columns.start..].as_ptr(),
                    |start| start[row..].as_ptr(),
                ),
            },
            last: panel.last,
            packed: panel.packed,
        }
    }
}

/// A packed micropanel of `columns` columns.
#[inline(always)]
fn packed_panel<T>(kernels: &Microkernels<T>, packed: &[T], columns: usize) -> MicropanelOfB<T> {
    let vectors = kernels.registers(columns);
    MicropanelOfB {
        b: packed.as_ptr(),
        stride: vectors * kernels.lanes,
        last: columns - (vectors - 1) * kernels.lanes,
        packed: std::ptr::null_mut(),
    }
}
