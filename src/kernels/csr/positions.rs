//! Where the stored numbers of a matrix stand, proven.

use std::fmt::Display;

use crate::base::alloc::{defaults, reserve_list};
use crate::base::error::{Error, Result};
use crate::kernels::csr::rows::{RowSpan, SparseRows};

/// More columns than any index of SciPy's 32 bits can name.
const MOST_COLUMNS: usize = 1 << 31;

/// An integer that names a column or the start of a row.
pub trait Index: Copy + Display {
    /// As the start of a row, unless it is negative.
    fn start(self) -> Option<usize>;
    /// As a column; 2^31 or more where it is none.
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

/// Where the stored numbers of a matrix stand, in an own copy that nobody can change: every span
/// lies in `columns`, each of which is below `width`.
#[derive(Debug, Clone)]
pub struct Positions {
    spans: Vec<RowSpan>,
    columns: Vec<u32>,
    width: usize,
}

impl Positions {
    /// Takes the `indptr` and `indices` of a CSR matrix of `shape`. The columns of a row may stand
    /// in any order and more than once, as [`Positions::has_repeats`] tells; what lies behind the last row's is left out.
    ///
    /// # Errors
    /// They are not those of a matrix of that shape; it has more than 2^31 columns; no memory.
    pub fn new<I: Index>((n, width): (usize, usize), indptr: &[I], indices: &[I]) -> Result<Self> {
        if width > MOST_COLUMNS {
            let expected = format!("at most {MOST_COLUMNS} columns where it is sparse");
            return Err(Error::value("x", expected, width));
        }
        if n.checked_add(1) != Some(indptr.len()) {
            let expected = format!("an indptr of {n} + 1 numbers");
            return Err(Error::value("x", expected, indptr.len()));
        }
        let (mut spans, mut columns) = (Vec::new(), Vec::new());
        reserve_list("x", &mut spans, n)?;
        let mut before = 0;
        for (row, start) in indptr.iter().enumerate() {
            let Some(start) = start
                .start()
                .filter(|&start| start >= before && (row > 0 || start == 0))
            else {
                let expected = "an indptr that begins with 0 and never falls";
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
        reserve_list("x", &mut columns, before)?;
        columns.extend(indices.iter().map(|index| index.column()));
        // Without a way out of the loop, which then takes a register at a time.
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

    /// Where the numbers of `x` stand that are not 0, and these numbers; None where they are more
    /// than `most`. `x`: (n, `width`), row by row.
    ///
    /// # Errors
    /// No memory.
    pub fn of_dense<T>(x: &[T], width: usize, most: usize) -> Result<Option<(Self, Vec<T>)>>
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
        reserve_list("x", &mut spans, rows.len())?;
        reserve_list("x", &mut columns, count)?;
        reserve_list("x", &mut values, count)?;
        // Each number is written, and kept where the next does not take its place: no branch.
        let mut row_columns = defaults("x", width)?;
        let mut row_values: Vec<T> = defaults("x", width)?;
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
        let positions = Self {
            spans,
            columns,
            width,
        };
        Ok(Some((positions, values)))
    }

    /// Whether a row has a column more than once.
    ///
    /// # Errors
    /// No memory, which only rows whose columns do not rise take.
    pub fn has_repeats(&self) -> Result<bool> {
        let is_fall = |left: u32, right: u32| left >= right;
        let mut sorted: Vec<u32> = Vec::new();
        for &RowSpan { start, end } in &self.spans {
            let row = &self.columns[start..end];
            // Without a way out of the loop, which then takes a register at a time.
            let neighbours = row.iter().zip(row.get(1..).unwrap_or_default());
            if !neighbours.fold(false, |any, (&left, &right)| any | is_fall(left, right)) {
                continue;
            }
            sorted.clear();
            reserve_list("x", &mut sorted, row.len())?;
            sorted.extend_from_slice(row);
            sorted.sort_unstable();
            if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// # Errors
    /// So many values are too few.
    pub fn check(&self, values: usize) -> Result<()> {
        let stored = self.columns.len();
        if values < stored {
            let expected = format!("data for {stored} stored numbers");
            return Err(Error::value("x", expected, values));
        }
        Ok(())
    }

    /// The rows with these `values`, one for each position; what lies behind them is left out.
    ///
    /// # Errors
    /// There are fewer.
    pub fn with<'a, T>(&'a self, values: &'a [T]) -> Result<SparseRows<'a, T>> {
        self.check(values.len())?;
        Ok(SparseRows {
            spans: &self.spans,
            columns: &self.columns,
            values: &values[..self.columns.len()],
            width: self.width,
        })
    }
}
