//! The inner loop of every product: a tile of the result, held in registers while its terms are
//! added one after the other.

use crate::kernels::gemm::accumulate::Accumulate;
use crate::kernels::gemm::matrix::Gather;
use crate::kernels::simd::row::{load_row, store_row};
use crate::kernels::simd::vector::Vector;

/// Tiles of C ← … + A B, one below the other.
pub struct Tile<T> {
    /// How many.
    pub count: usize,
    /// From A(0, 0) of one to that of the next.
    pub a_next: usize,
    /// A(0, 0): one number is read for each row and term.
    pub a: *const T,
    /// From A(i, p) to A(i + 1, p).
    pub a_row_stride: usize,
    /// From A(i, p) to A(i, p + 1).
    pub a_column_stride: usize,
    /// Which rows or columns of A these are: of rows, so many for each tile.
    pub gather: Gather<*const u32>,
    /// B(0, 0): a row of registers is read for each term.
    pub b: *const T,
    /// From B(p, j) to B(p + 1, j).
    pub b_stride: usize,
    /// C(0, 0).
    pub c: *mut T,
    /// From C(i, j) to C(i + 1, j).
    pub c_stride: usize,
    /// The terms of a sum.
    pub k: usize,
    /// What the sums start from.
    pub accumulate: Accumulate<*const T>,
    /// The lanes of the last register that are in use.
    pub last: usize,
}

/// Computes tiles, one below the other.
///
/// # Safety
/// The machine has the level; every number that the tile names may be read, and written for C.
pub type TileFn<T> = unsafe fn(&Tile<T>);

/// # Safety
/// As [`TileFn`].
#[inline(always)]
pub(in crate::kernels) unsafe fn compute<V: Vector, const ROWS: usize, const VECTORS: usize>(
    tile: &Tile<V::Scalar>,
) where
    V::Scalar: Default + From<u8>,
{
    // SAFETY: the caller proves the level and every number.
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
                    for _ in 0..tile.k {
                        add(&mut sums, b, tile.last, |i| a.add(i * tile.a_row_stride));
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
                        add(&mut sums, b, tile.last, |i| rows[i].add(p));
                        b = b.wrapping_add(tile.b_stride);
                    }
                }
                Gather::Columns(places) => {
                    let mut b = tile.b;
                    for p in 0..tile.k {
                        let a = a.add(*places.add(p) as usize * tile.a_column_stride);
                        add(&mut sums, b, tile.last, |i| a.add(i));
                        b = b.wrapping_add(tile.b_stride);
                    }
                }
            }
            if let Accumulate::Sum = tile.accumulate {
                // All are read before any is written: registers may share lanes, and what a masked
                // store has just written is long in coming back.
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

/// Adds a step's terms; `a` tells where the factors of the rows are.
///
/// # Safety
/// As [`TileFn`].
#[inline(always)]
unsafe fn add<V: Vector, const ROWS: usize, const VECTORS: usize>(
    sums: &mut [[V; VECTORS]; ROWS],
    b: *const V::Scalar,
    last: usize,
    a: impl Fn(usize) -> *const V::Scalar,
) {
    // SAFETY: the caller proves the level and the numbers.
    unsafe {
        let row = load_row::<V, VECTORS>(b, last);
        for (i, sums) in sums.iter_mut().enumerate() {
            let factor = V::broadcast(*a(i));
            for (sum, &b) in sums.iter_mut().zip(&row) {
                *sum = factor.mul_add(b, *sum);
            }
        }
    }
}
