//! A row of registers: some whole ones, and one of which some lanes are in use.

use crate::kernels::simd::vector::Vector;

/// As [`crate::kernels::gemm::dispatch::CopyFn`].
///
/// # Safety
/// The same.
#[inline(always)]
pub(in crate::kernels) unsafe fn copy_rows<V: Vector, const VECTORS: usize>(
    from: *const V::Scalar,
    from_row: usize,
    to: *mut V::Scalar,
    rows: usize,
    last: usize,
) {
    for row in 0..rows {
        // SAFETY: the caller proves the level, and that the rows and their places lie in their
        // slices.
        unsafe {
            let registers = load_row::<V, VECTORS>(from.add(row * from_row), last);
            let to = to.add(row * VECTORS * V::LANES);
            for (j, register) in registers.into_iter().enumerate() {
                let at = if VECTORS > 1 {
                    place::<V, VECTORS>(j, last)
                } else {
                    0
                };
                register.store(to.add(at));
            }
        }
    }
}

/// A row of registers, `last` lanes of the last one. Where there are several, the last one is moved
/// back to where all its lanes are in use, and shares some with the one before: both come to the
/// same numbers. A masked store takes a dozen cycles on some machines.
///
/// # Safety
/// The machine has the instructions; the numbers may be read.
#[inline(always)]
pub(in crate::kernels) unsafe fn load_row<V: Vector, const VECTORS: usize>(
    from: *const V::Scalar,
    last: usize,
) -> [V; VECTORS] {
    // SAFETY: the caller proves the instructions and the numbers.
    std::array::from_fn(|j| unsafe {
        if VECTORS > 1 {
            V::load(from.add(place::<V, VECTORS>(j, last)))
        } else {
            V::load_first(from, last)
        }
    })
}

/// Writes what [`load_row`] reads.
///
/// # Safety
/// The machine has the instructions; the numbers may be written.
#[inline(always)]
pub(in crate::kernels) unsafe fn store_row<V: Vector, const VECTORS: usize>(
    row: &[V; VECTORS],
    to: *mut V::Scalar,
    last: usize,
) {
    for (j, register) in row.iter().enumerate() {
        // SAFETY: the caller proves the instructions and the numbers.
        unsafe {
            if VECTORS > 1 {
                register.store(to.add(place::<V, VECTORS>(j, last)));
            } else {
                register.store_first(to, last);
            }
        }
    }
}

/// The first column of a register of several.
#[inline(always)]
fn place<V: Vector, const VECTORS: usize>(register: usize, last: usize) -> usize {
    if register < VECTORS - 1 {
        register * V::LANES
    } else {
        (VECTORS * V::LANES + last).wrapping_sub(2 * V::LANES)
    }
}
