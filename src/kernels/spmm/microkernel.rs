//! Loads and stores of a row of registers whose end is the end of its columns.

use crate::kernels::simd::vector::Vector;
use crate::kernels::tuning::spmm::MAX_REGISTERS;

/// Adjacent columns held in registers.
#[derive(Clone, Copy)]
pub struct SparseTile {
    /// The first column.
    pub first: usize,
    /// The number of columns.
    pub columns: usize,
    /// The number of registers.
    pub registers: usize,
}

/// Divides `columns` into tiles of at most [`MAX_REGISTERS`] registers, as evenly as possible.
pub fn tiles(columns: usize, lanes: usize) -> impl Iterator<Item = SparseTile> {
    let registers = columns.div_ceil(lanes);
    let count = registers.div_ceil(MAX_REGISTERS);
    let mut first = 0;
    (0..count).map(move |index| {
        let registers = (registers + index) / count;
        let columns = (columns - first).min(registers * lanes);
        let tile = SparseTile {
            first,
            columns,
            registers,
        };
        first += columns;
        tile
    })
}

/// How a partial last register is loaded and stored.
pub mod tail {
    /// A single register is masked, which costs a dozen cycles on some machines.
    pub const MASKED: u8 = 0;
    /// The last of several registers is shifted back to end with the columns: it overlaps the one before,
    /// and both hold the same values there.
    pub const OVERLAPPED: u8 = 1;
    /// The rows of the matrix are padded, so whole registers are used; vectors are masked.
    pub const PADDED: u8 = 2;
}

impl SparseTile {
    /// How the last register is used where rows have `row_length` elements from the first column on.
    pub fn tail(self, lanes: usize, row_length: usize) -> u8 {
        if self.first + self.registers * lanes <= row_length {
            tail::PADDED
        } else if self.columns < lanes {
            tail::MASKED
        } else {
            tail::OVERLAPPED
        }
    }
}

/// Loads `columns` columns of a matrix row into REGISTERS registers.
///
/// # Safety
/// The machine has the instructions; the columns are readable, and all lanes if TAIL is [`tail::PADDED`].
/// The columns fill every register but the last, and at least one, unless there is a single register with
/// [`tail::MASKED`].
#[inline(always)]
pub unsafe fn load_row<V: Vector, const REGISTERS: usize, const TAIL: u8>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    // SAFETY: the caller guarantees the instructions and the columns.
    std::array::from_fn(|register| unsafe {
        match TAIL {
            tail::MASKED => V::load_first(from, columns),
            tail::OVERLAPPED => {
                V::load(from.add(register_start::<V, REGISTERS>(register, columns)))
            }
            _ => V::load(from.add(register * V::LANES)),
        }
    })
}

/// Stores what [`load_row`] loads.
///
/// # Safety
/// As for [`load_row`], for writing.
#[inline(always)]
pub unsafe fn store_row<V: Vector, const REGISTERS: usize, const TAIL: u8>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    for (index, register) in row.into_iter().enumerate() {
        // SAFETY: the caller guarantees the columns.
        unsafe {
            match TAIL {
                tail::MASKED => register.store_first(to, columns),
                tail::OVERLAPPED => {
                    register.store(to.add(register_start::<V, REGISTERS>(index, columns)));
                }
                _ => register.store(to.add(index * V::LANES)),
            }
        }
    }
}

/// Loads `columns` columns of a vector that has no padding, into the same registers as [`load_row`].
///
/// # Safety
/// As for [`load_row`]; nothing past the columns is read.
#[inline(always)]
pub unsafe fn load<V: Vector, const REGISTERS: usize, const TAIL: u8>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    if TAIL != tail::PADDED {
        // SAFETY: the caller guarantees it.
        return unsafe { load_row::<V, REGISTERS, TAIL>(from, columns) };
    }
    // SAFETY: the caller guarantees the instructions and the columns.
    std::array::from_fn(|register| unsafe {
        let first = register * V::LANES;
        V::load_first(from.add(first), (columns - first).min(V::LANES))
    })
}

/// Stores what [`load`] loads.
///
/// # Safety
/// As for [`load`], for writing.
#[inline(always)]
pub unsafe fn store<V: Vector, const REGISTERS: usize, const TAIL: u8>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    if TAIL != tail::PADDED {
        // SAFETY: the caller guarantees it.
        return unsafe { store_row::<V, REGISTERS, TAIL>(row, to, columns) };
    }
    for (index, register) in row.into_iter().enumerate() {
        let first = index * V::LANES;
        // SAFETY: the caller guarantees the columns.
        unsafe { register.store_first(to.add(first), (columns - first).min(V::LANES)) }
    }
}

/// The first column of a register; the last register ends with the columns.
#[inline(always)]
fn register_start<V: Vector, const REGISTERS: usize>(register: usize, columns: usize) -> usize {
    if register < REGISTERS - 1 {
        register * V::LANES
    } else {
        columns - V::LANES
    }
}
