//! A product of two matrices.

use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::matrix::Matrix;

/// C ← … + A B. A is (m, k), read element by element; B is (k, n), with contiguous rows or columns; C is
/// (m, n), row-major.
pub(super) struct Product<'a, T> {
    pub a: Matrix<'a, T>,
    pub b: Matrix<'a, T>,
    pub accumulate: Accumulate<&'a [T]>,
    /// Whether A has an additional last row of ones.
    pub ones: bool,
}
