//! Rows of which only some numbers are stored, the others being 0: compressed sparse rows (CSR),
//! proven once. Kernels rely on what is proven here.

use std::fmt::Display;
use std::ops::{AddAssign, Range};

use crate::error::{Error, Result};

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

/// Where what is stored of a row stands.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// Where the stored numbers of a matrix stand, in an own copy that nobody can change: every span
/// lies in `columns`, each of which is below `width`.
#[derive(Debug, Clone)]
pub struct Positions {
    spans: Vec<Span>,
    columns: Vec<u32>,
    width: usize,
}

impl Positions {
    /// Takes the `indptr` and `indices` of a CSR matrix of `shape`. The columns of a row may stand
    /// in any order and more than once; what lies behind the last row's is left out.
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
        reserve(&mut spans, n)?;
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
                spans.push(Span { start: before, end });
            }
            before = start;
        }
        let Some(indices) = indices.get(..before) else {
            let expected = format!("indices for {before} stored numbers");
            return Err(Error::value("x", expected, indices.len()));
        };
        reserve(&mut columns, before)?;
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
        reserve(&mut spans, rows.len())?;
        reserve(&mut columns, count)?;
        reserve(&mut values, count)?;
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
            let start = columns.len();
            columns.extend_from_slice(&row_columns[..end]);
            values.extend_from_slice(&row_values[..end]);
            let end = columns.len();
            spans.push(Span { start, end });
        }
        let positions = Self {
            spans,
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
            spans: &self.spans,
            columns: &self.columns,
            values: &values[..self.columns.len()],
            width: self.width,
        })
    }
}

/// Some rows of a matrix. Every span lies in `columns` and in `values`; every column is below
/// `width`.
#[derive(Debug, Clone, Copy)]
pub struct SparseRows<'a, T> {
    spans: &'a [Span],
    columns: &'a [u32],
    values: &'a [T],
    width: usize,
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
        let Span { start, end } = self.spans[row];
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
pub struct Gathered(Vec<Span>);

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
        reserve(spans, rows.len())?;
        spans.extend(rows.iter().map(|&row| from.spans[row as usize]));
        Ok(SparseRows { spans, ..from })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rows of four numbers; 5 + 6 stand at one place.
    fn positions() -> Positions {
        Positions::new((3, 4), &[0, 2, 2, 5], &[3, 0, 1, 1, 2, 99]).expect("positions")
    }

    #[test]
    fn what_is_not_stored_is_0() {
        let positions = positions();
        let x = positions.with(&[1, 2, 5, 6, 7, 8]);
        let x = x.expect("values enough");
        let mut dense = [-1; 12];
        x.write_dense(&mut dense);
        let wanted = [2, 0, 0, 1, 0, 0, 0, 0, 0, 11, 7, 0];
        assert_eq!(dense, wanted);
        let part = x.part(1..3);
        assert_eq!((part.len(), part.width(), part.stored()), (2, 4, 3));
        part.write_dense(&mut dense[..8]);
        assert_eq!(dense[..8], wanted[4..]);
        assert!(x.part(1..1).is_empty());
    }

    #[test]
    fn gathered_rows_are_those_of_the_matrix() {
        let positions = positions();
        let x = positions.with(&[1, 2, 5, 6, 7]).expect("values");
        let mut gathered = Gathered::default();
        for rows in [&[2, 0, 2, 1][..], &[], &[1], &[0, 1, 2]] {
            let some = gathered.gather(x, rows).expect("memory");
            assert_eq!((some.len(), some.width()), (rows.len(), 4));
            for (index, &row) in rows.iter().enumerate() {
                assert_eq!(some.row(index), x.row(row as usize));
            }
        }
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let message = |shape, indptr: &[i64], indices: &[i64]| {
            Positions::new(shape, indptr, indices)
                .expect_err("damaged")
                .to_string()
        };
        let shape = (2, 3);
        for (indptr, indices, expected) in [
            (
                &[0, 1][..],
                &[0][..],
                "x: expected an indptr of 2 + 1 numbers, got 2",
            ),
            (&[1, 1, 1], &[0], "never falls, got 1 as its number 0"),
            (&[0, 2, 1], &[0, 0], "never falls, got 1 as its number 2"),
            (&[0, -1, 1], &[0], "never falls, got -1 as its number 1"),
            (
                &[0, 1, i64::MAX],
                &[0],
                "x: expected indices for 9223372036854775807",
            ),
            (
                &[0, 1, 2],
                &[0],
                "x: expected indices for 2 stored numbers, got 1",
            ),
            (
                &[0, 1, 2],
                &[0, 3],
                "x: expected indices of at least 0 and below 3, got 3",
            ),
            (
                &[0, 1, 2],
                &[-1, 9],
                "x: expected indices of at least 0 and below 3, got -1",
            ),
            (&[0, 1, 2], &[0, 1 << 32], "below 3, got 4294967296"),
        ] {
            let got = message(shape, indptr, indices);
            assert!(got.contains(expected), "{got}");
        }
        let indices = Positions::new((1, 3), &[0, 1], &[-1]).expect_err("damaged");
        assert!(indices.to_string().ends_with("got -1"), "{indices}");
        assert!(message((usize::MAX, 3), &[0], &[]).contains("indptr"));
        assert!(message((1, 1 << 40), &[0, 0], &[]).contains("at most 2147483648 columns"));
        let short = positions().with(&[0; 4]).map(|x| x.len());
        let short = short.expect_err("too few").to_string();
        assert_eq!(short, "x: expected data for 5 stored numbers, got 4");
    }
}
