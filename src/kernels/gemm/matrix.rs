//! Strided matrices: the operands of a product.

use std::ops::Range;

/// Which axis of a matrix is contiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Row-major: the elements of a row are contiguous.
    #[default]
    RowMajor,
    /// Column-major: the elements of a column are contiguous.
    ColumnMajor,
}

/// Which rows or columns of the memory form the matrix. `I` points to their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gather<I> {
    /// The first ones, in order.
    None,
    /// The rows at these indices.
    Rows(I),
    /// The columns at these indices.
    Columns(I),
}

/// A matrix (rows, columns), read in place: element (i, j) is `numbers[i · row_stride + j ·
/// column_stride]`, where i or j is first mapped through the indices if rows or columns are gathered.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    pub(crate) numbers: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
    pub(super) gather: Gather<&'a [u32]>,
}

impl<'a, T> Matrix<'a, T> {
    /// All of `numbers`, in the given order.
    #[inline]
    pub fn new(numbers: &'a [T], rows: usize, columns: usize, order: Order) -> Self {
        let (row_stride, column_stride) = match order {
            Order::RowMajor => (columns, 1),
            Order::ColumnMajor => (1, rows),
        };
        Self {
            numbers,
            rows,
            columns,
            row_stride,
            column_stride,
            gather: Gather::None,
        }
    }

    /// All of `numbers`, row-major.
    #[inline]
    pub fn by_rows(numbers: &'a [T], rows: usize, columns: usize) -> Self {
        Self::new(numbers, rows, columns, Order::RowMajor)
    }

    /// The rows at the indices `places` of `numbers`, a row-major matrix of `columns` columns.
    pub fn gathered(numbers: &'a [T], columns: usize, places: &'a [u32]) -> Self {
        Self {
            gather: Gather::Rows(places),
            ..Self::by_rows(numbers, places.len(), columns)
        }
    }

    /// `row`, `rows` times.
    pub fn repeated(row: &'a [T], rows: usize) -> Self {
        Self {
            row_stride: 0,
            ..Self::by_rows(row, rows, row.len())
        }
    }

    /// (rows, columns).
    pub fn shape(self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Its elements as a slice, if the matrix is contiguous and row-major.
    pub fn as_slice(&self) -> Option<&'a [T]> {
        let is_whole = self.gather == Gather::None
            && (self.row_stride, self.column_stride) == (self.columns, 1)
            && Some(self.numbers.len()) == self.rows.checked_mul(self.columns);
        is_whole.then_some(self.numbers)
    }

    /// A matrix without rows.
    pub(super) fn empty(columns: usize) -> Self {
        Self::by_rows(&[], 0, columns)
    }

    /// The transpose.
    #[inline]
    pub fn transposed(self) -> Self {
        Self {
            numbers: self.numbers,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            gather: match self.gather {
                Gather::None => Gather::None,
                Gather::Rows(places) => Gather::Columns(places),
                Gather::Columns(places) => Gather::Rows(places),
            },
        }
    }

    /// A range of the rows.
    #[inline]
    pub fn row_range(self, range: &Range<usize>) -> Self {
        let (first, gather) = match self.gather {
            Gather::Rows(places) => (0, Gather::Rows(&places[range.clone()])),
            gather => (range.start * self.row_stride, gather),
        };
        Self {
            numbers: self.numbers.get(first..).unwrap_or_default(),
            rows: range.len(),
            gather,
            ..self
        }
    }

    /// A range of the columns.
    #[inline]
    pub fn column_range(self, range: &Range<usize>) -> Self {
        let (first, gather) = match self.gather {
            Gather::Columns(places) => (0, Gather::Columns(&places[range.clone()])),
            gather => (range.start * self.column_stride, gather),
        };
        Self {
            numbers: self.numbers.get(first..).unwrap_or_default(),
            columns: range.len(),
            gather,
            ..self
        }
    }

    /// The rows as slices.
    ///
    /// # Panics
    /// A row is not contiguous, or columns are gathered.
    pub fn iter_rows(self) -> impl Iterator<Item = &'a [T]> {
        assert!(self.has_rows_as_slices(), "rows that are slices");
        (0..self.rows).map(move |i| {
            let place = match self.gather {
                Gather::Rows(places) => places[i] as usize,
                _ => i,
            };
            &self.numbers[place * self.row_stride..][..self.columns]
        })
    }

    /// The elements of a row, unless columns are gathered.
    pub(crate) fn row(self, row: usize) -> impl Iterator<Item = &'a T> + Clone {
        let place = match self.gather {
            Gather::Rows(places) => places[row] as usize,
            _ => row,
        };
        let first = self.numbers.get(place * self.row_stride..);
        let first = first.unwrap_or_default().iter();
        first.step_by(self.column_stride).take(self.columns)
    }

    /// A column of a column-major matrix.
    pub(in crate::kernels) fn column(self, column: usize) -> &'a [T] {
        debug_assert_eq!(self.row_stride, 1, "a column whose elements are contiguous");
        &self.numbers[column * self.column_stride..][..self.rows]
    }

    /// Whether the elements of a row are contiguous.
    pub(in crate::kernels) fn has_contiguous_rows(&self) -> bool {
        self.column_stride == 1
    }

    /// Whether [`Self::iter_rows`] gives its rows.
    #[inline]
    pub(super) fn has_rows_as_slices(&self) -> bool {
        self.has_contiguous_rows() && !matches!(self.gather, Gather::Columns(_))
    }

    /// Whether rows or columns are gathered.
    pub fn is_gathered(self) -> bool {
        self.gather != Gather::None
    }

    /// Whether every element is in bounds of `numbers`.
    #[inline]
    pub(super) fn is_in_bounds(&self) -> bool {
        if self.rows == 0 || self.columns == 0 {
            return true;
        }
        if self.as_slice().is_some() {
            return true; // the usual case
        }
        let last = |places: &[u32], count: usize| {
            let places = &places[..count];
            places.iter().max().map_or(0, |&last| last as usize)
        };
        let (row, column) = match self.gather {
            Gather::None => (self.rows - 1, self.columns - 1),
            Gather::Rows(places) => (last(places, self.rows), self.columns - 1),
            Gather::Columns(places) => (self.rows - 1, last(places, self.columns)),
        };
        let row = row.checked_mul(self.row_stride);
        let column = column.checked_mul(self.column_stride);
        let last = row
            .zip(column)
            .and_then(|(row, column)| row.checked_add(column));
        last.is_some_and(|last| last < self.numbers.len())
    }
}

/// A matrix (rows, columns) that a product writes to: contiguous.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    pub(crate) numbers: &'a mut [T],
    pub(crate) columns: usize,
    pub(super) order: Order,
}

impl<'a, T> MatrixMut<'a, T> {
    /// All of `numbers`, in the given order.
    #[inline]
    pub fn new(numbers: &'a mut [T], rows: usize, columns: usize, order: Order) -> Self {
        debug_assert_eq!(numbers.len(), rows * columns, "the length of a matrix");
        Self {
            numbers,
            columns,
            order,
        }
    }

    /// All of `numbers`, row-major.
    #[inline]
    pub fn by_rows(numbers: &'a mut [T], rows: usize, columns: usize) -> Self {
        Self::new(numbers, rows, columns, Order::RowMajor)
    }

    /// The same matrix, reborrowed.
    #[inline]
    pub fn reborrow(&mut self) -> MatrixMut<'_, T> {
        MatrixMut {
            numbers: self.numbers,
            ..*self
        }
    }
}
