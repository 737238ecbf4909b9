//! Rows of proven positions with their values: all, some, or gathered in another order.

use std::ops::{AddAssign, Range};

use crate::base::alloc::reserve_list;
use crate::base::error::Result;

/// Where what is stored of a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSpan {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Some rows of a matrix. Every span lies in `columns` and in `values`; every column is below
/// `width`.
#[derive(Debug, Clone, Copy)]
pub struct SparseRows<'a, T> {
    pub(super) spans: &'a [RowSpan],
    pub(super) columns: &'a [u32],
    pub(super) values: &'a [T],
    pub(super) width: usize,
}

impl<'a, T> SparseRows<'a, T> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of a row, those that are not stored among them.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many numbers are stored.
    pub fn stored(&self) -> usize {
        self.spans.iter().map(|span| span.end - span.start).sum()
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// There are not so many.
    pub fn part(&self, rows: Range<usize>) -> Self {
        let spans = &self.spans[rows];
        Self { spans, ..*self }
    }

    /// The columns and values of a row.
    ///
    /// # Panics
    /// There are not so many rows.
    #[inline]
    pub fn row(&self, row: usize) -> (&'a [u32], &'a [T]) {
        let RowSpan { start, end } = self.spans[row];
        (&self.columns[start..end], &self.values[start..end])
    }
}

impl<T: Copy + Default + AddAssign> SparseRows<'_, T> {
    /// All numbers, into `out`, (rows, width): 0 where none is stored, the sum where several are.
    ///
    /// # Panics
    /// `out` has another length.
    pub fn write_dense(&self, out: &mut [T]) {
        let length = self.len().checked_mul(self.width);
        assert_eq!(Some(out.len()), length, "the length of out");
        out.fill(T::default());
        for (row, out) in out.chunks_exact_mut(self.width.max(1)).enumerate() {
            let (columns, values) = self.row(row);
            for (&column, &value) in columns.iter().zip(values) {
                out[column as usize] += value;
            }
        }
    }
}

/// Rows that are gathered from others, where these lie: what is proven of those holds for these. Its
/// memory is kept from one gathering to the next.
#[derive(Debug, Clone, Default)]
pub struct Gathered(Vec<RowSpan>);

impl Gathered {
    /// The rows of `from` that `rows` names, in that order.
    ///
    /// # Errors
    /// No memory.
    ///
    /// # Panics
    /// `from` has not so many rows.
    pub fn gather<'a, T>(
        &'a mut self,
        from: SparseRows<'a, T>,
        rows: &[u32],
    ) -> Result<SparseRows<'a, T>> {
        let Self(spans) = self;
        spans.clear();
        reserve_list("x", spans, rows.len())?;
        spans.extend(rows.iter().map(|&row| from.spans[row as usize]));
        Ok(SparseRows { spans, ..from })
    }
}
