//! What a microkernel computes.

use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::matrix::Gather;

/// Vertically adjacent tiles of C ← … + A B.
pub struct Tile<T> {
    /// The number of tiles.
    pub count: usize,
    /// The offset from a tile's A(0, 0) to the next tile's.
    pub a_next: usize,
    /// A(0, 0). One element is broadcast for each row and term.
    pub a: *const T,
    /// The offset from A(i, p) to A(i + 1, p).
    pub a_row_stride: usize,
    /// The offset from A(i, p) to A(i, p + 1).
    pub a_column_stride: usize,
    /// Gathered rows or columns of A, if any. Row indices continue from one tile to the next.
    pub gather: Gather<*const u32>,
    /// B(0, 0). A row of registers is loaded for each term.
    pub b: *const T,
    /// The offset from B(p, j) to B(p + 1, j).
    pub b_stride: usize,
    /// C(0, 0).
    pub c: *mut T,
    /// The offset from C(i, j) to C(i + 1, j).
    pub c_stride: usize,
    /// The number of terms.
    pub k: usize,
    /// The initial value of the accumulators.
    pub accumulate: Accumulate<*const T>,
    /// The lanes in use of the last register.
    pub last: usize,
    /// Where a packing microkernel stores the rows of B that it loads, as contiguous rows of whole registers.
    pub packed: *mut T,
}

impl<T> Tile<T> {
    /// A(0, 0) of tile `index`.
    #[inline(always)]
    pub fn start_of_a(&self, index: usize) -> *const T {
        self.a.wrapping_add(index * self.a_next)
    }
}

/// Computes vertically adjacent tiles.
///
/// # Safety
/// The machine has the level, and the tile is of the function's `AccessA`. Every
/// element of A, B, the gather's indices and the initial row or column that the tile names is readable, and of
/// C writable; 1 ≤ `last` ≤ lanes. A packing microkernel writes k rows of
/// whole registers to `packed`, which B does not overlap.
pub type TileFn<T> = unsafe fn(&Tile<T>);
