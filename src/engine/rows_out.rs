//! Results with a row per example, written by the chunks of a batch.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::base::alloc::try_reserve;
use crate::base::error::Result;

/// The rows of a matrix (n, width), of which each chunk writes its own.
pub struct RowsOut<'a, T> {
    rows: usize,
    chunks: Vec<Mutex<&'a mut [T]>>,
}

/// The memory of the list of chunks, kept between calls; empty.
pub(crate) type RowsOutList<T> = Vec<Mutex<&'static mut [T]>>;

impl<'a, T> RowsOut<'a, T> {
    /// For chunks of `rows` examples; `out`: (n, `width`). It takes the memory of `list`.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn new(
        out: &'a mut [T],
        width: usize,
        rows: usize,
        list: &mut RowsOutList<T>,
    ) -> Result<Self> {
        let of_chunks = out.chunks_mut(rows * width);
        let mut chunks = reuse_allocation(std::mem::take(list));
        try_reserve("workspace", &mut chunks, of_chunks.len())?;
        chunks.extend(of_chunks.map(Mutex::new));
        Ok(Self { rows, chunks })
    }

    /// Calls `write` with the rows of the chunk that has the examples `rows`.
    pub fn write(&self, rows: &Range<usize>, write: impl FnOnce(&mut [T])) {
        let chunk = self.chunks[rows.start / self.rows].lock();
        write(*chunk.unwrap_or_else(PoisonError::into_inner));
    }

    /// Gives the memory of the list back.
    pub fn give_back(self, list: &mut RowsOutList<T>) {
        *list = reuse_allocation(self.chunks);
    }
}

/// The memory of an emptied list, for slices of another lifetime: `collect` reuses it in place.
fn reuse_allocation<'b, T>(mut list: Vec<Mutex<&mut [T]>>) -> Vec<Mutex<&'b mut [T]>> {
    list.clear();
    list.into_iter()
        .map(|_| unreachable!("nothing is left"))
        .collect()
}
