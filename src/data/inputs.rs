//! A validated input batch, dense or CSR.

use std::ops::Range;

use crate::base::cancel::ELEMENT_WORK;
use crate::base::checksum;
use crate::base::error::{Error, Result};
use crate::data::contiguous;
use crate::kernels::csr::CsrMatrix;
use crate::kernels::elementwise::checksum::checksum;
use crate::kernels::gemm::Matrix;
use crate::kernels::real::Real;
use crate::model::architecture::Architecture;

/// a^(l−1) of some examples: the input of a layer.
#[derive(Debug, Clone, Copy)]
pub enum LayerInput<'a, T> {
    /// A strided matrix.
    Dense(Matrix<'a, T>),
    /// A CSR matrix.
    Sparse(CsrMatrix<'a, T>),
}

/// x: n examples of n_1 values, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a, T> {
    pub(crate) n: usize,
    width: usize,
    pub(crate) x: LayerInput<'a, T>,
}

impl<'a, T: Real> Inputs<'a, T> {
    /// Takes x of shape (n, n_1), n ≥ 1, contiguous and row-major.
    ///
    /// # Errors
    /// Another shape, an empty batch, or another layout.
    pub fn new(architecture: &Architecture, x: Matrix<'a, T>) -> Result<Self> {
        let (n, width) = check_shape(architecture, x.shape())?;
        contiguous("x", &x)?;
        let x = LayerInput::Dense(x);
        Ok(Self { n, width, x })
    }

    /// Takes a CSR x of shape (n, n_1), n ≥ 1. Its indices are already validated: only the shape is
    /// checked.
    ///
    /// # Errors
    /// Another shape, or an empty batch.
    pub fn sparse(architecture: &Architecture, x: CsrMatrix<'a, T>) -> Result<Self> {
        let (n, width) = check_shape(architecture, (x.len(), x.width()))?;
        let x = LayerInput::Sparse(x);
        Ok(Self { n, width, x })
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.n
    }

    /// A range of the examples.
    pub(crate) fn row_range(&self, rows: &Range<usize>) -> Self {
        let (n, width) = (rows.len(), self.width);
        let x = match self.x {
            LayerInput::Dense(x) => LayerInput::Dense(x.row_range(rows)),
            LayerInput::Sparse(x) => LayerInput::Sparse(x.row_range(rows.clone())),
        };
        Self { n, width, x }
    }

    /// `n` other examples of the same width, dense in `x`.
    pub(crate) fn with_dense<'b>(&self, n: usize, x: &'b [T]) -> Inputs<'b, T> {
        let x = LayerInput::Dense(Matrix::by_rows(x, n, self.width));
        Inputs {
            n,
            width: self.width,
            x,
        }
    }

    /// `n` examples of the same width that are all `x`.
    pub(crate) fn with_repeated<'b>(&self, n: usize, x: &'b [T]) -> Inputs<'b, T> {
        let x = LayerInput::Dense(Matrix::repeated(x, n));
        Inputs {
            n,
            width: self.width,
            x,
        }
    }

    /// Some of the examples of `all`, read in place: `all` is dense and row-major.
    pub(crate) fn gathered(&self, all: &'a [T], rows: &'a [u32]) -> Self {
        let (n, x) = (rows.len(), Matrix::gathered(all, self.width, rows));
        Self {
            n,
            x: LayerInput::Dense(x),
            ..*self
        }
    }

    /// Whether the first layer's buffers must be row-major.
    pub(crate) fn needs_row_major(&self) -> bool {
        match self.x {
            LayerInput::Dense(x) => x.is_gathered(),
            LayerInput::Sparse(_) => true,
        }
    }

    /// Other examples of the same width, as CSR.
    pub(crate) fn with_sparse(&self, x: CsrMatrix<'a, T>) -> Self {
        let (n, x) = (x.len(), LayerInput::Sparse(x));
        Self { n, x, ..*self }
    }

    /// n_1.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The number of stored elements of a CSR x; None for a dense x.
    pub(crate) fn nnz(&self) -> Option<usize> {
        match self.x {
            LayerInput::Dense(_) => None,
            LayerInput::Sparse(x) => Some(x.nnz()),
        }
    }

    /// The multiply-adds of the products in the forward pass.
    pub(crate) fn products(&self, architecture: &Architecture) -> usize {
        let all = self.n.saturating_mul(architecture.n_weights());
        let Some(nnz) = self.nnz() else {
            return all;
        };
        let first = &architecture.layers()[0];
        let missing = self.n.saturating_mul(first.n_in).saturating_sub(nnz);
        all.saturating_sub(missing.saturating_mul(first.n_out))
    }

    /// The cost of the forward pass, in multiply-adds.
    pub fn work(&self, architecture: &Architecture) -> usize {
        let elements = architecture.n_neurons().saturating_mul(ELEMENT_WORK);
        self.products(architecture)
            .saturating_add(self.n.saturating_mul(elements))
    }

    /// Writes x to `out`, (n, n_1), dense.
    ///
    /// # Panics
    /// `out` has another length.
    pub fn write_dense(&self, out: &mut [T]) {
        match self.x {
            LayerInput::Dense(x) => {
                for (out, row) in out.chunks_exact_mut(self.width).zip(x.iter_rows()) {
                    out.copy_from_slice(row);
                }
            }
            LayerInput::Sparse(x) => x.write_dense(out),
        }
    }

    /// A checksum of all numbers, to notice that they have changed.
    pub fn checksum(&self) -> u64 {
        if let LayerInput::Dense(x) = self.x
            && let Some(numbers) = x.as_slice()
        {
            return checksum(numbers);
        }
        self.checksum_of_rows(0..self.n)
    }

    /// A checksum of the numbers of some examples, in their order.
    pub(crate) fn checksum_of_rows(&self, rows: impl IntoIterator<Item = usize>) -> u64 {
        let of_row = |row| match &self.x {
            LayerInput::Dense(x) => {
                let row = x.row_range(&(row..row + 1)).iter_rows().next();
                checksum(row.unwrap_or_default())
            }
            LayerInput::Sparse(x) => {
                let (columns, values) = x.row(row);
                let columns = columns.iter().map(|&column| u64::from(column));
                checksum::checksum(columns.chain([checksum(values)]))
            }
        };
        checksum::checksum(rows.into_iter().map(of_row))
    }

    /// Always false: an empty batch is an error.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// # Errors
/// x is not of shape (n, n_1), or n = 0.
fn check_shape(architecture: &Architecture, (n, width): (usize, usize)) -> Result<(usize, usize)> {
    let n_inputs = architecture.n_inputs();
    if n == n_inputs && width != n_inputs && width > 0 {
        let expected = format_args!("shape ({n}, {n_inputs})");
        let got = format_args!("({n}, {width}); examples are rows: x.T");
        return Err(Error::value("x", expected, got));
    }
    if width != n_inputs {
        return Err(Error::shape("x", &[n, n_inputs], &[n, width]));
    }
    if n == 0 {
        return Err(Error::value("x", "one example or more", "an empty batch"));
    }
    Ok((n, width))
}
