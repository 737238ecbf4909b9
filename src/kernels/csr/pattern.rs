//! The sparsity pattern of a CSR matrix, validated.

use std::fmt::Display;

use crate::base::alloc::{try_defaults, try_reserve};
use crate::base::error::{Error, Result};
use crate::kernels::csr::matrix::{CsrMatrix, RowSpan};

/// The most columns. SciPy's 32-bit indices cannot name more.
const MAX_COLUMNS: usize = 1 << 31;

/// An index type of SciPy: names a column, or the start of a row.
pub trait Index: Copy + Display {
    /// As the start of a row; None if negative.
    fn start(self) -> Option<usize>;
    /// As a column; 2^31 or more if it is invalid.
    fn column(self) -> u32;
}

impl Index for i32 {
    fn start(self) -> Option<usize> {
        usize::try_from(self).ok()
    }
    #[inline]
    fn column(self) -> u32 {
        self.cast_unsigned()
    }
}

impl Index for i64 {
    fn start(self) -> Option<usize> {
        usize::try_from(self).ok()
    }
    #[inline]
    fn column(self) -> u32 {
        u32::try_from(self).unwrap_or(u32::MAX)
    }
}

/// The sparsity pattern of a CSR matrix, in a private copy that nobody can change. Every row's span is
/// within `columns`, and every column is below `width`.
#[derive(Debug, Clone)]
pub struct CsrPattern {
    spans: Vec<RowSpan>,
    columns: Vec<u32>,
    width: usize,
}

impl CsrPattern {
    /// Validates the `indptr` and `indices` of a CSR matrix of `shape`. The columns of a row may be
    /// unsorted and may repeat; see [`CsrPattern::has_duplicates`]. Entries past the end of the last row are
    /// dropped.
    ///
    /// # Errors
    /// The arrays do not describe a matrix of that shape, it has more than 2^31 columns, or memory runs
    /// out.
    pub fn new<I: Index>((n, width): (usize, usize), indptr: &[I], indices: &[I]) -> Result<Self> {
        if width > MAX_COLUMNS {
            let expected = format!("at most {MAX_COLUMNS} columns where it is sparse");
            return Err(Error::value("x", expected, width));
        }
        if n.checked_add(1) != Some(indptr.len()) {
            let expected = format!("an indptr of {n} + 1 numbers");
            return Err(Error::value("x", expected, indptr.len()));
        }
        let (mut spans, mut columns) = (Vec::new(), Vec::new());
        try_reserve("x", &mut spans, n)?;
        let mut before = 0;
        for (row, start) in indptr.iter().enumerate() {
            let Some(start) = start
                .start()
                .filter(|&start| start >= before && (row > 0 || start == 0))
            else {
                let expected = "an indptr that starts at 0 and never decreases";
                let got = format!("{start} as its number {row}");
                return Err(Error::value("x", expected, got));
            };
            if row > 0 {
                let end = start;
                spans.push(RowSpan { start: before, end });
            }
            before = start;
        }
        let Some(indices) = indices.get(..before) else {
            let expected = format!("indices for {before} stored numbers");
            return Err(Error::value("x", expected, indices.len()));
        };
        try_reserve("x", &mut columns, before)?;
        columns.extend(indices.iter().map(|index| index.column()));
        // No early exit, so that the loop vectorizes.
        let is_bad = |column: u32| column as usize >= width;
        if columns
            .iter()
            .fold(false, |bad, &column| bad | is_bad(column))
        {
            let first = columns.iter().position(|&column| is_bad(column));
            let index = &indices[first.unwrap_or(0)];
            let expected = format!("indices of at least 0 and below {width}");
            return Err(Error::value("x", expected, index));
        }
        Ok(Self {
            spans,
            columns,
            width,
        })
    }

    /// The pattern and the values of the nonzero elements of `x`, or None if there are more than `most`.
    /// `x`: (n, `width`), row-major.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn from_dense<T>(x: &[T], width: usize, most: usize) -> Result<Option<(Self, Vec<T>)>>
    where
        T: Copy + Default + PartialEq,
    {
        let is_stored = |x: T| usize::from(x != T::default());
        let (mut count, rows) = (0, x.chunks_exact(width));
        for row in rows.clone() {
            count += row.iter().map(|&x| is_stored(x)).sum::<usize>();
            if count > most {
                return Ok(None);
            }
        }
        let (mut spans, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
        try_reserve("x", &mut spans, rows.len())?;
        try_reserve("x", &mut columns, count)?;
        try_reserve("x", &mut values, count)?;
        // Branch-free: every element is written, and a zero is overwritten by the next one.
        let mut row_columns = try_defaults("x", width)?;
        let mut row_values: Vec<T> = try_defaults("x", width)?;
        for row in rows {
            let mut end = 0;
            for (&x, column) in row.iter().zip(0..) {
                row_columns[end] = column;
                row_values[end] = x;
                end += is_stored(x);
            }
            let start = columns.len();
            columns.extend_from_slice(&row_columns[..end]);
            values.extend_from_slice(&row_values[..end]);
            let end = columns.len();
            spans.push(RowSpan { start, end });
        }
        let pattern = Self {
            spans,
            columns,
            width,
        };
        Ok(Some((pattern, values)))
    }

    /// Whether any row has a column more than once.
    ///
    /// # Errors
    /// Memory runs out. Only matrices with unsorted rows need memory here.
    pub fn has_duplicates(&self) -> Result<bool> {
        let is_fall = |left: u32, right: u32| left >= right;
        let mut sorted: Vec<u32> = Vec::new();
        for &RowSpan { start, end } in &self.spans {
            let row = &self.columns[start..end];
            // No early exit, so that the loop vectorizes.
            let neighbours = row.iter().zip(row.get(1..).unwrap_or_default());
            if !neighbours.fold(false, |any, (&left, &right)| any | is_fall(left, right)) {
                continue;
            }
            sorted.clear();
            try_reserve("x", &mut sorted, row.len())?;
            sorted.extend_from_slice(row);
            sorted.sort_unstable();
            if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// # Errors
    /// `values` is less than the number of stored elements.
    pub fn check(&self, values: usize) -> Result<()> {
        let nnz = self.columns.len();
        if values < nnz {
            let expected = format!("data for {nnz} stored numbers");
            return Err(Error::value("x", expected, values));
        }
        Ok(())
    }

    /// The rows with these `values`, one for each stored position; surplus values are ignored.
    ///
    /// # Errors
    /// There are too few values.
    pub fn with_values<'a, T>(&'a self, values: &'a [T]) -> Result<CsrMatrix<'a, T>> {
        self.check(values.len())?;
        Ok(CsrMatrix {
            spans: &self.spans,
            columns: &self.columns,
            values: &values[..self.columns.len()],
            width: self.width,
        })
    }
}
