//! What is asked of the products, and where the numbers of their matrices stand.

use crate::kernels::gemm::{Accumulate, Order};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// To some neurons: so many stand before them and after. How a and z lie.
    Forward([usize; 2], Order, Order),
    /// How both errors lie.
    Errors(Order, Order),
    /// Out of some neurons, so many before and after. How a and δ lie; what it is added to, and whether
    /// the biases' gradient comes behind it.
    Gradients([usize; 2], Order, Order, Accumulate, bool),
}

/// Row by row.
pub const R: Order = Order::RowMajor;
/// Column by column.
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

/// Those whose sums are added to what is there once they are whole.
pub const APART: [Kind; 2] = [
    Kind::Gradients([1, 0], R, R, Accumulate::Sum, false),
    Kind::Gradients([0, 2], C, C, Accumulate::Sum, true),
];

/// Where the numbers of a matrix stand.
#[derive(Clone, Copy)]
pub struct Place {
    from: usize,
    row: usize,
    column: usize,
}

impl Place {
    /// Of a matrix (rows, columns) that lies row by row, or column by column.
    pub fn of(by_rows: bool, rows: usize, columns: usize) -> Self {
        let (row, column) = if by_rows { (columns, 1) } else { (1, rows) };
        let from = 0;
        Self { from, row, column }
    }

    pub fn at(&self, i: usize, j: usize) -> usize {
        self.from + i * self.row + j * self.column
    }
}

/// A product: where A(i, k), B(k, j) and C(i, j) stand, and how many numbers A and B have.
pub struct Shape {
    pub a: Place,
    pub b: Place,
    pub c: Place,
    pub a_length: usize,
    pub b_length: usize,
    /// The rows of ones behind those of A.
    pub ones: usize,
    /// The examples and neurons of an input that may also be read where its examples lie.
    pub examples: Option<(usize, usize)>,
}

impl Shape {
    /// C (rows, columns) of `steps` terms each.
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
