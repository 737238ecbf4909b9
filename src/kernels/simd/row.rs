//! A row of registers: all full except the last, which may be partial.

use crate::kernels::simd::vector::Vector;

/// Copies `rows` rows of registers, of stride `from_row`, to contiguous rows of whole registers. `last` is
/// the number of lanes in use in the last register; the padding behind them is unspecified.
///
/// # Safety
/// The machine has the instructions of `V`; the rows are readable and their destinations writable.
#[inline(always)]
pub(in crate::kernels) unsafe fn copy_rows<V: Vector, const VECTORS: usize>(
    from: *const V::Scalar,
    from_row: usize,
    to: *mut V::Scalar,
    rows: usize,
    last: usize,
) {
    for row in 0..rows {
        // SAFETY: the caller guarantees the level, and that the rows and their destinations are in bounds.
        unsafe {
            let registers = load_row::<V, VECTORS>(from.add(row * from_row), last);
            store_whole_row(registers, to.add(row * VECTORS * V::LANES), last);
        }
    }
}

/// Stores what [`load_row`] loads to a row of whole registers; the padding behind `last` is unspecified.
///
/// # Safety
/// The machine has the instructions; a row of whole registers is writable.
#[inline(always)]
pub(in crate::kernels) unsafe fn store_whole_row<V: Vector, const VECTORS: usize>(
    row: [V; VECTORS],
    to: *mut V::Scalar,
    last: usize,
) {
    for (j, register) in row.into_iter().enumerate() {
        let at = if VECTORS > 1 {
            first_column::<V, VECTORS>(j, last)
        } else {
            0
        };
        // SAFETY: the caller guarantees the instructions and the elements.
        unsafe { register.store(to.add(at)) }
    }
}

/// Loads a row of registers, with `last` lanes in the last one. If there are several, the last one is
/// shifted back so that all its lanes are in use; it overlaps the one before, and both hold the same values
/// there. This avoids masked stores, which take a dozen cycles on some machines.
///
/// # Safety
/// The machine has the instructions; the elements are readable.
#[inline(always)]
pub(in crate::kernels) unsafe fn load_row<V: Vector, const VECTORS: usize>(
    from: *const V::Scalar,
    last: usize,
) -> [V; VECTORS] {
    // SAFETY: the caller guarantees the instructions and the elements.
    std::array::from_fn(|j| unsafe {
        if VECTORS > 1 {
            V::load(from.add(first_column::<V, VECTORS>(j, last)))
        } else {
            V::load_first(from, last)
        }
    })
}

/// Stores what [`load_row`] loads.
///
/// # Safety
/// The machine has the instructions; the elements are writable.
#[inline(always)]
pub(in crate::kernels) unsafe fn store_row<V: Vector, const VECTORS: usize>(
    row: &[V; VECTORS],
    to: *mut V::Scalar,
    last: usize,
) {
    for (j, register) in row.iter().enumerate() {
        // SAFETY: the caller guarantees the instructions and the elements.
        unsafe {
            if VECTORS > 1 {
                register.store(to.add(first_column::<V, VECTORS>(j, last)));
            } else if last == V::LANES {
                register.store(to);
            } else {
                register.store_first(to, last);
            }
        }
    }
}

/// The first column of a register of the row.
#[inline(always)]
fn first_column<V: Vector, const VECTORS: usize>(register: usize, last: usize) -> usize {
    if register < VECTORS - 1 {
        register * V::LANES
    } else {
        (VECTORS * V::LANES + last).wrapping_sub(2 * V::LANES)
    }
}
