//! The loops around the microkernel: blocks of the factors, packed where that pays off, and tiles of C.
//!
//! The loops have BLIS's numbers: loop 4 over blocks of KC of the k terms, loop 3 over blocks of MC of the
//! m rows, loop 2 over micropanels of at most NR of the n columns, loop 1 over tiles of MR rows. Loop 5, over
//! blocks of NC of the n columns, is there if the blocks are packed: a single block of A packs a micropanel of B
//! while its first tile is computed. Loop 1 is in `macrokernel`. Products of a single row or a single term have
//! kernels of their own, in `shapes`.

use std::ops::Range;

use crate::base::cache_line;
use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::blocking::{Blocking, PackA, PackB};
use crate::kernels::gemm::context::Context;
use crate::kernels::gemm::macrokernel::{BlockOfA, MicropanelOfC, PanelOfB};
use crate::kernels::gemm::pack;
use crate::kernels::gemm::product::Product;
use crate::kernels::gemm::split::{blocks, parts};
use crate::kernels::gemm::tiles::{Microkernels, microkernels};
use crate::kernels::simd::level::{Registers, current};
use crate::kernels::tuning::gemm::{MAX_NR, NR_BYTES};

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
            pack_buffer.len() >= cache_line::numbers::<T>() + NR_BYTES / size_of::<T>(),
            "the length of a pack buffer"
        );

        let level = current();
        let kernels = microkernels::<T>(level);
        let column = a.transposed();
        if k == 1
            && b.has_contiguous_rows()
            && column.has_rows_as_slices()
            && let Some(column) = column.iter_rows().next()
        {
            return self.outer(level, column, c, cancel);
        }
        let before = cache_line::before(pack_buffer);
        if m == 1
            && a.has_rows_as_slices()
            && let Some(row) = a.iter_rows().next()
            && self.one_row(level, row, c, &mut pack_buffer[before..], cancel)
        {
            return;
        }
        let whole = matches!(self.accumulate, Accumulate::Sum);
        let blocking = Blocking::of(kernels, a, b, pack_buffer.len(), whole);
        let (b_buffer, a_buffer) = pack_buffer[before..].split_at_mut(blocking.buffer_of_b);
        let one = [T::from(1)];
        // Loop 5.
        for block_columns in blocks(n, blocking.nc) {
            // Loop 4.
            for terms in blocks(k, blocking.kc) {
                let micropanels = self.micropanels(kernels, &block_columns);
                if blocking.pack_b == PackB::Block {
                    if cancel.poll_after(terms.len() * block_columns.len()) {
                        return;
                    }
                    let block = b.row_range(&terms).column_range(&block_columns);
                    let columns = micropanels.clone().map(|columns| {
                        columns.start - block_columns.start..columns.end - block_columns.start
                    });
                    pack::copy_block(kernels, &block, columns, b_buffer);
                }
                // Loop 3.
                for rows in blocks(a.rows, blocking.mc) {
                    let block = a.row_range(&rows).column_range(&terms);
                    let block = match blocking.pack_a {
                        PackA::InPlace => BlockOfA::Strided(block),
                        PackA::CopyRows => BlockOfA::Strided(pack::copy_rows(&block, a_buffer)),
                        PackA::Interleave => {
                            pack::interleave(kernels, &block, a_buffer);
                            BlockOfA::Interleaved(&*a_buffer)
                        }
                    };
                    // Loop 2.
                    for columns in micropanels.clone() {
                        let panel_of_b = match blocking.pack_b {
                            PackB::InPlace => PanelOfB::InPlace,
                            PackB::Micropanel => PanelOfB::ToPack(&mut *b_buffer),
                            PackB::Block => {
                                let before = columns.start - block_columns.start;
                                PanelOfB::Packed(&b_buffer[before * terms.len()..])
                            }
                        };
                        let panel_of_c = MicropanelOfC {
                            a: &block,
                            rows: rows.clone(),
                            terms: terms.clone(),
                            columns,
                            one: &one,
                        };
                        self.macrokernel(kernels, panel_of_c, panel_of_b, c, cancel);
                    }
                }
            }
        }
    }

    /// The micropanels of some columns of B: ranges of columns, some registers wide.
    fn micropanels(
        &self,
        kernels: &Microkernels<T>,
        columns: &Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> + Clone + use<T> {
        let (lanes, end) = (kernels.lanes, columns.end);
        // With few rows, registers are left for a wider tile.
        let widest = if self.a.rows * MAX_NR <= kernels.accumulators {
            MAX_NR
        } else {
            kernels.nr
        };
        let mut from = columns.start;
        parts(kernels.registers(columns.len()), widest).map(move |vectors| {
            let panel = from..end.min(from + vectors * lanes);
            from = panel.end;
            panel
        })
    }
}
