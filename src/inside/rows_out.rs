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

impl<'a, T> RowsOut<'a, T> {
    /// For chunks of `rows` examples; `out`: (n, `width`).
    ///
    /// # Errors
    /// Memory runs out.
    pub fn new(out: &'a mut [T], width: usize, rows: usize) -> Result<Self> {
        let of_chunks = out.chunks_mut(rows * width);
        let mut chunks = Vec::new();
        try_reserve("workspace", &mut chunks, of_chunks.len())?;
        chunks.extend(of_chunks.map(Mutex::new));
        Ok(Self { rows, chunks })
    }

    /// Calls `write` with the rows of the chunk that has the examples `rows`.
    pub fn write(&self, rows: &Range<usize>, write: impl FnOnce(&mut [T])) {
        let chunk = self.chunks[rows.start / self.rows].lock();
        write(*chunk.unwrap_or_else(PoisonError::into_inner));
    }
}
