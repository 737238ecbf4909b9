//! Rows of a validated pattern with their values: all, a range, or gathered.

use std::ops::{AddAssign, Range};

use crate::base::alloc::try_reserve;
use crate::base::error::Result;

/// The span of a row's stored elements in `columns` and `values`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSpan {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Rows of a CSR matrix. Every span is within `columns` and within `values`, and every column is below
/// `width`.
#[derive(Debug, Clone, Copy)]
pub struct CsrMatrix<'a, T> {
    pub(super) spans: &'a [RowSpan],
    pub(super) columns: &'a [u32],
    pub(super) values: &'a [T],
    pub(super) width: usize,
}

impl<'a, T> CsrMatrix<'a, T> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns of a row, stored or not.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of stored elements.
    pub fn nnz(&self) -> usize {
        self.spans.iter().map(|span| span.end - span.start).sum()
    }

    /// The stored values of all rows of the pattern.
    pub fn values(&self) -> &'a [T] {
        self.values
    }

    /// The same matrix with other values.
    ///
    /// # Panics
    /// Their number is another.
    pub fn with_values<'b>(&self, values: &'b [T]) -> CsrMatrix<'b, T>
    where
        'a: 'b,
    {
        assert_eq!(values.len(), self.values.len(), "the number of values");
        CsrMatrix { values, ..*self }
    }

    /// A range of the rows.
    ///
    /// # Panics
    /// The range exceeds the rows.
    pub fn row_range(&self, rows: Range<usize>) -> Self {
        let spans = &self.spans[rows];
        Self { spans, ..*self }
    }

    /// The columns and values of a row.
    ///
    /// # Panics
    /// The row does not exist.
    #[inline]
    pub fn row(&self, row: usize) -> (&'a [u32], &'a [T]) {
        let RowSpan { start, end } = self.spans[row];
        (&self.columns[start..end], &self.values[start..end])
    }
}

impl<T: Copy + Default + AddAssign> CsrMatrix<'_, T> {
    /// Writes the dense matrix to `out`, (rows, width). Elements that are not stored are 0; repeated ones
    /// add up.
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

/// Rows gathered from another matrix, whose columns and values are shared: its invariants hold here too.
/// The memory is reused by the next gather.
#[derive(Debug, Clone, Default)]
pub struct GatheredRows(Vec<RowSpan>);

impl GatheredRows {
    /// Gathers the rows of `from` that `rows` names, in that order.
    ///
    /// # Errors
    /// Memory runs out.
    ///
    /// # Panics
    /// A row does not exist in `from`.
    pub fn gather<'a, T>(
        &'a mut self,
        from: CsrMatrix<'a, T>,
        rows: &[u32],
    ) -> Result<CsrMatrix<'a, T>> {
        let Self(spans) = self;
        spans.clear();
        try_reserve("x", spans, rows.len())?;
        spans.extend(rows.iter().map(|&row| from.spans[row as usize]));
        Ok(CsrMatrix { spans, ..from })
    }
}
