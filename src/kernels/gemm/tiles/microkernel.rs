//! The microkernel of most products: a tile of C, held in registers while its terms are added serially.

use crate::base::cache_line;
use crate::kernels::gemm::accumulate::{Accumulate, add_to_finished};
use crate::kernels::gemm::tiles::access::Access;
use crate::kernels::gemm::tiles::tile::Tile;
use crate::kernels::simd::row::{load_row, store_row, store_whole_row};
use crate::kernels::simd::vector::Vector;
use crate::kernels::tuning::gemm::PREFETCHED_TERMS;

/// Computes the tiles: a `TileFn`.
///
/// # Safety
/// As `TileFn`.
#[inline(always)]
pub(in crate::kernels) unsafe fn compute<
    V: Vector,
    A: Access,
    const ROWS: usize,
    const VECTORS: usize,
    const PACK: bool,
>(
    tile: &Tile<V::Scalar>,
) where
    V::Scalar: Default + From<u8>,
{
    // SAFETY: the caller guarantees the level and every element.
    unsafe {
        for index in 0..tile.count {
            let c = tile.c.add(index * ROWS * tile.c_stride);
            // An initial row is loaded once for all rows of the tile, unlike in `initial_sums`.
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
            let a = A::addresses::<V::Scalar, ROWS>(tile, index);
            add_terms::<V, A, ROWS, VECTORS, PACK>(&mut sums, tile, a);
            if let Accumulate::Sum = tile.accumulate {
                for (i, sums) in sums.iter_mut().enumerate() {
                    add_to_finished(sums, c.add(i * tile.c_stride), tile.last);
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                store_row(sums, c.add(i * tile.c_stride), tile.last);
            }
        }
    }
}

/// Adds all terms, several of them in each pass of a loop; `a` gives the address of the factor of term p and
/// row i.
///
/// # Safety
/// As `TileFn`.
#[inline(always)]
unsafe fn add_terms<
    V: Vector,
    A: Access,
    const ROWS: usize,
    const VECTORS: usize,
    const PACK: bool,
>(
    sums: &mut [[V; VECTORS]; ROWS],
    tile: &Tile<V::Scalar>,
    a: impl Fn(usize, usize) -> *const V::Scalar,
) {
    let (b_stride, last) = if A::IS_B_PACKED {
        (VECTORS * V::LANES, V::LANES)
    } else {
        (tile.b_stride, tile.last)
    };
    let packed = |p: usize| tile.packed.wrapping_add(p * VECTORS * V::LANES);
    let (mut p, mut b) = (0, tile.b);
    // SAFETY: the caller guarantees the level and the elements of k terms.
    unsafe {
        if !PACK && V::TERMS_PER_PASS > 1 {
            while p + V::TERMS_PER_PASS <= tile.k {
                for q in 0..V::TERMS_PER_PASS {
                    let b = b.wrapping_add(q * b_stride);
                    add::<V, ROWS, VECTORS, PACK>(sums, b, last, packed(p + q), |i| a(p + q, i));
                }
                p += V::TERMS_PER_PASS;
                b = b.wrapping_add(V::TERMS_PER_PASS * b_stride);
            }
        }
        while p < tile.k {
            if PACK {
                prefetch_row::<V, VECTORS>(b.wrapping_add(PREFETCHED_TERMS * b_stride));
            }
            add::<V, ROWS, VECTORS, PACK>(sums, b, last, packed(p), |i| a(p, i));
            p += 1;
            b = b.wrapping_add(b_stride);
        }
    }
}

/// Adds the terms of one p; `a` gives the addresses of the rows' factors.
///
/// # Safety
/// As `TileFn`.
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

/// Prefetches the cache lines of a row of registers, which may start within one.
#[inline(always)]
fn prefetch_row<V: Vector, const VECTORS: usize>(row: *const V::Scalar) {
    let numbers = VECTORS * V::LANES;
    for line in (0..numbers).step_by(cache_line::numbers::<V::Scalar>()) {
        V::prefetch(row.wrapping_add(line));
    }
    V::prefetch(row.wrapping_add(numbers - 1));
}
