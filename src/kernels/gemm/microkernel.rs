//! The microkernel of every product: a tile of C, held in registers while its terms are added serially.

use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::matrix::Gather;
use crate::kernels::simd::row::{load_row, store_row, store_whole_row};
use crate::kernels::simd::vector::Vector;

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

/// Computes vertically adjacent tiles.
///
/// # Safety
/// The machine has the level. Every element of A, B, the gather's indices and the initial row or column that
/// the tile names is readable, and of C writable; 1 ≤ `last` ≤ lanes. A packing microkernel writes k rows of
/// whole registers to `packed`, which B does not overlap.
pub type TileFn<T> = unsafe fn(&Tile<T>);

/// # Safety
/// As [`TileFn`].
#[inline(always)]
pub(in crate::kernels) unsafe fn compute<
    V: Vector,
    const ROWS: usize,
    const VECTORS: usize,
    const PACK: bool,
>(
    tile: &Tile<V::Scalar>,
) where
    V::Scalar: Default + From<u8>,
{
    let packed = |p: usize| tile.packed.wrapping_add(p * VECTORS * V::LANES);
    // SAFETY: the caller guarantees the level and every element.
    unsafe {
        for index in 0..tile.count {
            let c = tile.c.add(index * ROWS * tile.c_stride);
            let mut sums = [[V::broadcast(V::Scalar::default()); VECTORS]; ROWS];
            match tile.accumulate {
                Accumulate::Overwrite | Accumulate::Sum => {}
                Accumulate::Row(row) => sums = [load_row::<V, VECTORS>(row, tile.last); ROWS],
                Accumulate::Column(column) => {
                    for (i, sums) in sums.iter_mut().enumerate() {
                        *sums = [V::broadcast(*column.add(index * ROWS + i)); VECTORS];
                    }
                }
                Accumulate::Terms => {
                    for (i, sums) in sums.iter_mut().enumerate() {
                        *sums = load_row(c.add(i * tile.c_stride), tile.last);
                    }
                }
            }
            let mut a = tile.a.wrapping_add(index * tile.a_next);
            match tile.gather {
                Gather::None => {
                    let mut b = tile.b;
                    for p in 0..tile.k {
                        let at = |i| a.add(i * tile.a_row_stride);
                        add::<V, ROWS, VECTORS, PACK>(&mut sums, b, tile.last, packed(p), at);
                        a = a.wrapping_add(tile.a_column_stride);
                        b = b.wrapping_add(tile.b_stride);
                    }
                }
                Gather::Rows(places) => {
                    let rows: [*const V::Scalar; ROWS] = std::array::from_fn(|i| {
                        a.add(*places.add(index * ROWS + i) as usize * tile.a_row_stride)
                    });
                    let mut b = tile.b;
                    for p in 0..tile.k {
                        let a = |i: usize| rows[i].add(p);
                        add::<V, ROWS, VECTORS, PACK>(&mut sums, b, tile.last, packed(p), a);
                        b = b.wrapping_add(tile.b_stride);
                    }
                }
                Gather::Columns(places) => {
                    let mut b = tile.b;
                    for p in 0..tile.k {
                        let a = a.add(*places.add(p) as usize * tile.a_column_stride);
                        let a = |i| a.add(i);
                        add::<V, ROWS, VECTORS, PACK>(&mut sums, b, tile.last, packed(p), a);
                        b = b.wrapping_add(tile.b_stride);
                    }
                }
            }
            if let Accumulate::Sum = tile.accumulate {
                // All are loaded before any is stored: registers may overlap, and loading what a masked
                // store has just written is slow.
                let one = V::broadcast(V::Scalar::from(1));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let before = load_row::<V, VECTORS>(c.add(i * tile.c_stride), tile.last);
                    for (sum, before) in sums.iter_mut().zip(before) {
                        *sum = sum.mul_add(one, before);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                store_row(sums, c.add(i * tile.c_stride), tile.last);
            }
        }
    }
}

/// Adds the terms of one p; `a` gives the addresses of the rows' factors.
///
/// # Safety
/// As [`TileFn`].
#[inline(always)]
unsafe fn add<V: Vector, const ROWS: usize, const VECTORS: usize, const PACK: bool>(
    sums: &mut [[V; VECTORS]; ROWS],
    b: *const V::Scalar,
    last: usize,
    packed: *mut V::Scalar,
    a: impl Fn(usize) -> *const V::Scalar,
) {
    // SAFETY: the caller guarantees the level and the elements.
    unsafe {
        let row = load_row::<V, VECTORS>(b, last);
        if PACK {
            store_whole_row(row, packed, last);
        }
        for (i, sums) in sums.iter_mut().enumerate() {
            let factor = V::broadcast(*a(i));
            for (sum, &b) in sums.iter_mut().zip(&row) {
                *sum = factor.mul_add(b, *sum);
            }
        }
    }
}
