//! Rows of which only some numbers are stored, the others being 0: compressed sparse rows (CSR),
//! proven once. Kernels rely on what is proven here.

use std::ops::{AddAssign, Range};

use crate::error::{Error, Result};

/// Where the stored numbers of a matrix stand, in an own copy that nobody can change: `starts`
/// begins with 0, never falls and ends with the number of `columns`, each of which is below `width`.
#[derive(Debug, Clone)]
pub struct Positions {
    starts: Vec<usize>,
    columns: Vec<u32>,
    width: usize,
}

impl Positions {
    /// Takes the `indptr` and `indices` of a CSR matrix of `shape`. The columns of a row may stand
    /// in any order and more than once; what lies behind the last row's is left out.
    ///
    /// # Errors
    /// They are not those of a matrix of that shape; no memory; more columns than 2^32.
    pub fn new<I: Copy + Into<i64>>(
        (n, width): (usize, usize),
        indptr: &[I],
        indices: &[I],
    ) -> Result<Self> {
        let most = 1_u64 << u32::BITS;
        if u64::try_from(width).is_ok_and(|width| width > most) {
            let expected = format!("at most {most} columns");
            return Err(Error::value("x", expected, width));
        }
        if n.checked_add(1) != Some(indptr.len()) {
            let expected = format!("an indptr of {n} + 1 numbers");
            return Err(Error::value("x", expected, indptr.len()));
        }
        let (mut starts, mut columns) = (Vec::new(), Vec::new());
        reserve(&mut starts, indptr.len())?;
        let mut before = 0;
        for (row, start) in indptr.iter().map(|&start| start.into()).enumerate() {
            let Some(start) = usize::try_from(start)
                .ok()
                .filter(|&start| start >= before && (row > 0 || start == 0))
            else {
                let expected = "an indptr that begins with 0 and never falls";
                let got = format!("{start} as its number {row}");
                return Err(Error::value("x", expected, got));
            };
            starts.push(start);
            before = start;
        }
        let Some(indices) = indices.get(..before) else {
            let expected = format!("indices for {before} stored numbers");
            return Err(Error::value("x", expected, indices.len()));
        };
        reserve(&mut columns, before)?;
        let below = i64::try_from(width).unwrap_or(i64::MAX);
        let is_bad = |index: i64| !(0..below).contains(&index);
        let mut bad = false;
        columns.extend(indices.iter().map(|&index| {
            let index = index.into();
            bad |= is_bad(index);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below 2^32, or bad
            let column = index as u32;
            column
        }));
        if bad {
            let mut indices = indices.iter().map(|&index| index.into());
            let index = indices.find(|&index| is_bad(index)).unwrap_or_default();
            let expected = match width {
                0 => "no indices in no columns".to_owned(),
                _ => format!("indices from 0 to {}", width - 1),
            };
            return Err(Error::value("x", expected, index));
        }
        Ok(Self {
            starts,
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
        let (mut starts, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
        reserve(&mut starts, rows.len() + 1)?;
        reserve(&mut columns, count)?;
        reserve(&mut values, count)?;
        starts.push(0);
        // Each number is written, and kept where the next does not take its place: no branch.
        let mut row_columns = vec![0; width];
        let mut row_values = vec![T::default(); width];
        for row in rows {
            let mut end = 0;
            for (&x, column) in row.iter().zip(0..) {
                row_columns[end] = column;
                row_values[end] = x;
                end += is_stored(x);
            }
            columns.extend_from_slice(&row_columns[..end]);
            values.extend_from_slice(&row_values[..end]);
            starts.push(columns.len());
        }
        let positions = Self {
            starts,
            columns,
            width,
        };
        Ok(Some((positions, values)))
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
            starts: &self.starts,
            columns: &self.columns,
            values: &values[..self.columns.len()],
            width: self.width,
        })
    }
}

/// Some neighbouring rows of a matrix. Every start is at most the number of columns and of values,
/// and none is below the one before; every column is below `width`.
#[derive(Debug, Clone, Copy)]
pub struct SparseRows<'a, T> {
    /// Where each row starts, and where the last ends.
    starts: &'a [usize],
    columns: &'a [u32],
    values: &'a [T],
    width: usize,
}

impl<'a, T> SparseRows<'a, T> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
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
        self.starts[self.len()] - self.starts[0]
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// There are not so many.
    pub fn part(&self, rows: Range<usize>) -> Self {
        let starts = &self.starts[rows.start..=rows.end];
        Self { starts, ..*self }
    }

    /// The columns and values of a row.
    ///
    /// # Panics
    /// There are not so many rows.
    #[inline]
    pub fn row(&self, row: usize) -> (&'a [u32], &'a [T]) {
        let stored = self.starts[row]..self.starts[row + 1];
        (&self.columns[stored.clone()], &self.values[stored])
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

/// Rows that are gathered from others: what is proven of those holds for these, so nothing is
/// looked at again. Its memory is kept from one gathering to the next.
#[derive(Debug, Clone)]
pub struct Gathered<T> {
    positions: Positions,
    values: Vec<T>,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        let positions = Positions {
            starts: vec![0],
            columns: Vec::new(),
            width: 0,
        };
        let values = Vec::new();
        Self { positions, values }
    }
}

impl<T: Copy> Gathered<T> {
    /// Gathers the rows of `from` that `rows` names, in that order, in the place of those before.
    ///
    /// # Errors
    /// No memory: there are no rows then.
    ///
    /// # Panics
    /// `from` has not so many rows.
    pub fn gather(&mut self, from: SparseRows<'_, T>, rows: &[u32]) -> Result<SparseRows<'_, T>> {
        let Self { positions, values } = self;
        let Positions {
            starts,
            columns,
            width,
        } = positions;
        starts.truncate(1); // the 0
        columns.clear();
        values.clear();
        *width = from.width;
        let stored = rows.iter().map(|&row| from.row(row as usize).0.len()).sum();
        reserve(starts, rows.len())?;
        reserve(columns, stored)?;
        reserve(values, stored)?;
        for &row in rows {
            let (more_columns, more_values) = from.row(row as usize);
            columns.extend_from_slice(more_columns);
            values.extend_from_slice(more_values);
            starts.push(columns.len());
        }
        Ok(SparseRows {
            starts,
            columns,
            values,
            width: *width,
        })
    }
}

/// Makes room for `more` entries.
fn reserve<T>(entries: &mut Vec<T>, more: usize) -> Result<()> {
    entries.try_reserve_exact(more).map_err(|_| {
        Error::memory(
            "x",
            format_args!("cannot allocate {more} positions or numbers"),
        )
    })
}
