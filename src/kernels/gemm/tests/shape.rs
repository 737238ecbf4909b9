//! The products that are tested, and where the elements of their matrices are.

use crate::kernels::gemm::{Accumulate, Order};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// To a range of neurons: the numbers before and after it. The orders of a and z.
    Forward([usize; 2], Order, Order),
    /// The orders of both errors.
    Errors(Order, Order),
    /// From a range of neurons: the numbers before and after it. The orders of a and δ, what the product is
    /// added to, and whether the bias gradient follows.
    Gradients([usize; 2], Order, Order, Accumulate, bool),
}

/// Row-major.
pub const R: Order = Order::RowMajor;
/// Column-major.
pub const C: Order = Order::ColumnMajor;

pub const KINDS: [Kind; 13] = [
    Kind::Forward([0, 0], R, R),
    Kind::Forward([5, 2], R, R),
    Kind::Forward([0, 1], C, R),
    Kind::Forward([3, 0], R, C),
    Kind::Forward([2, 1], C, C),
    Kind::Errors(R, R),
    Kind::Errors(C, R),
    Kind::Errors(R, C),
    Kind::Errors(C, C),
    Kind::Gradients([0, 2], R, R, Accumulate::Overwrite, false),
    Kind::Gradients([3, 0], R, R, Accumulate::Terms, true),
    Kind::Gradients([2, 1], C, C, Accumulate::Overwrite, true),
    Kind::Gradients([0, 1], R, C, Accumulate::Terms, false),
];

/// Those whose finished sums are added to the output.
pub const APART: [Kind; 3] = [
    Kind::Gradients([1, 0], R, R, Accumulate::Sum, false),
    Kind::Gradients([0, 1], R, R, Accumulate::Sum, true),
    Kind::Gradients([0, 2], C, C, Accumulate::Sum, true),
];

/// The strides of a matrix.
#[derive(Clone, Copy)]
pub struct Place {
    from: usize,
    row: usize,
    column: usize,
}

impl Place {
    /// For a contiguous matrix (rows, columns), row-major or column-major.
    pub fn of(by_rows: bool, rows: usize, columns: usize) -> Self {
        let (row, column) = if by_rows { (columns, 1) } else { (1, rows) };
        let from = 0;
        Self { from, row, column }
    }

    pub fn at(&self, i: usize, j: usize) -> usize {
        self.from + i * self.row + j * self.column
    }
}

/// A product: the strides of A(i, k), B(k, j) and C(i, j), and the lengths of A and B.
pub struct Shape {
    pub a: Place,
    pub b: Place,
    pub c: Place,
    pub a_length: usize,
    pub b_length: usize,
    /// The rows of ones after those of A.
    pub ones: usize,
    /// The examples and neurons of an input that may also be gathered.
    pub examples: Option<(usize, usize)>,
}

impl Shape {
    /// C (rows, columns) with `steps` terms per element.
    pub fn of(kind: Kind, rows: usize, columns: usize, steps: usize) -> Self {
        match kind {
            Kind::Forward([before, after], from, to) => {
                let n_out = before + columns + after;
                Self {
                    a: Place::of(from == R, rows, steps),
                    b: Place {
                        from: before,
                        row: n_out,
                        column: 1,
                    },
                    c: Place::of(to == R, rows, columns),
                    a_length: rows * steps,
                    b_length: steps * n_out,
                    ones: 0,
                    examples: (from == R && to == R).then_some((rows, steps)),
                }
            }
            Kind::Errors(from, to) => Self {
                a: Place::of(from == R, rows, steps),
                b: Place::of(false, steps, columns),
                c: Place::of(to == R, rows, columns),
                a_length: rows * steps,
                b_length: steps * columns,
                ones: 0,
                examples: None,
            },
            Kind::Gradients([before, after], a, delta, _, biases) => {
                let n_in = before + rows + after;
                let (row, column) = if a == R { (1, n_in) } else { (steps, 1) };
                Self {
                    a: Place {
                        from: before * row,
                        row,
                        column,
                    },
                    b: Place::of(delta == R, steps, columns),
                    c: Place::of(true, rows, columns),
                    a_length: steps * n_in,
                    b_length: steps * columns,
                    ones: usize::from(biases),
                    examples: (a == R).then_some((steps, n_in)),
                }
            }
        }
    }
}
