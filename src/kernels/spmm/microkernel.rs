//! Loads and stores of a row of registers whose end is the end of its columns.

use crate::kernels::simd::vector::Vector;

/// The most registers across a tile that hold accumulators.
pub const MOST: usize = 4;

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

/// Divides `columns` into tiles of at most [`MOST`] registers, as evenly as possible.
pub fn tiles(columns: usize, lanes: usize) -> impl Iterator<Item = SparseTile> {
    let registers = columns.div_ceil(lanes);
    let count = registers.div_ceil(MOST);
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
pub mod last {
    /// A single register is masked, which costs a dozen cycles on some machines.
    pub const MASKED: u8 = 0;
    /// The last of several registers is shifted back to end with the columns: it overlaps the one before,
    /// and both hold the same values there.
    pub const BACK: u8 = 1;
    /// The rows of the matrix are padded, so whole registers are used; vectors are masked.
    pub const WHOLE: u8 = 2;
}

impl SparseTile {
    /// How the last register is used if rows have `room` elements from the first column on.
    pub fn last(self, lanes: usize, room: usize) -> u8 {
        if self.first + self.registers * lanes <= room {
            last::WHOLE
        } else if self.columns < lanes {
            last::MASKED
        } else {
            last::BACK
        }
    }
}

/// Loads `columns` columns of a matrix row into REGISTERS registers.
///
/// # Safety
/// The machine has the instructions; the columns are readable, and all lanes if LAST is [`last::WHOLE`].
/// The columns fill every register but the last, and at least one, unless there is a single register with
/// [`last::MASKED`].
#[inline(always)]
pub unsafe fn load_row<V: Vector, const REGISTERS: usize, const LAST: u8>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    // SAFETY: the caller guarantees the instructions and the columns.
    std::array::from_fn(|register| unsafe {
        match LAST {
            last::MASKED => V::load_first(from, columns),
            last::BACK => V::load(from.add(back::<V, REGISTERS>(register, columns))),
            _ => V::load(from.add(register * V::LANES)),
        }
    })
}

/// Stores what [`load_row`] loads.
///
/// # Safety
/// As for [`load_row`], for writing.
#[inline(always)]
pub unsafe fn store_row<V: Vector, const REGISTERS: usize, const LAST: u8>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    for (index, register) in row.into_iter().enumerate() {
        // SAFETY: the caller guarantees the columns.
        unsafe {
            match LAST {
                last::MASKED => register.store_first(to, columns),
                last::BACK => register.store(to.add(back::<V, REGISTERS>(index, columns))),
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
pub unsafe fn load<V: Vector, const REGISTERS: usize, const LAST: u8>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    if LAST != last::WHOLE {
        // SAFETY: the caller guarantees it.
        return unsafe { load_row::<V, REGISTERS, LAST>(from, columns) };
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
pub unsafe fn store<V: Vector, const REGISTERS: usize, const LAST: u8>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    if LAST != last::WHOLE {
        // SAFETY: the caller guarantees it.
        return unsafe { store_row::<V, REGISTERS, LAST>(row, to, columns) };
    }
    for (index, register) in row.into_iter().enumerate() {
        let first = index * V::LANES;
        // SAFETY: the caller guarantees the columns.
        unsafe { register.store_first(to.add(first), (columns - first).min(V::LANES)) }
    }
}

/// The first column of a register; the last register ends with the columns.
#[inline(always)]
fn back<V: Vector, const REGISTERS: usize>(register: usize, columns: usize) -> usize {
    if register < REGISTERS - 1 {
        register * V::LANES
    } else {
        columns - V::LANES
    }
}
