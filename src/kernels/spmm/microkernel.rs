//! A row of registers that ends where its columns end.

use crate::kernels::simd::vector::Vector;

/// The most registers across that hold sums.
pub const MOST: usize = 4;

/// Neighbouring columns that some registers hold.
#[derive(Clone, Copy)]
pub struct SparseTile {
    /// The first of them.
    pub first: usize,
    /// How many.
    pub columns: usize,
    /// The registers.
    pub registers: usize,
}

/// Cuts `columns` into tiles of at most [`MOST`] registers, as even as can be.
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

/// How columns that do not fill the last of their registers are read and written.
pub mod last {
    /// A lone register is masked, which costs a dozen cycles on some machines.
    pub const MASKED: u8 = 0;
    /// The last of several registers is moved back to where it ends with the columns: it holds some of
    /// the one before as well, and both come to the same numbers.
    pub const BACK: u8 = 1;
    /// The rows of the matrix go on behind the columns, for whole registers; vectors are masked.
    pub const WHOLE: u8 = 2;
}

impl SparseTile {
    /// How its last register is used where rows have `room` numbers from the first column of all on.
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

/// So many columns of a row of a matrix, in REGISTERS.
///
/// # Safety
/// The machine has the instructions; the columns may be read, and all lanes where LAST is
/// [`last::WHOLE`]. They fill all registers but the last, and one at least, unless there is one
/// register and it is [`last::MASKED`].
#[inline(always)]
pub unsafe fn load_row<V: Vector, const REGISTERS: usize, const LAST: u8>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    // SAFETY: the caller proves the instructions and the columns.
    std::array::from_fn(|register| unsafe {
        match LAST {
            last::MASKED => V::load_first(from, columns),
            last::BACK => V::load(from.add(back::<V, REGISTERS>(register, columns))),
            _ => V::load(from.add(register * V::LANES)),
        }
    })
}

/// Writes what [`load_row`] reads.
///
/// # Safety
/// As for [`load_row`].
#[inline(always)]
pub unsafe fn store_row<V: Vector, const REGISTERS: usize, const LAST: u8>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    for (index, register) in row.into_iter().enumerate() {
        // SAFETY: the caller proves the columns.
        unsafe {
            match LAST {
                last::MASKED => register.store_first(to, columns),
                last::BACK => register.store(to.add(back::<V, REGISTERS>(index, columns))),
                _ => register.store(to.add(index * V::LANES)),
            }
        }
    }
}

/// So many columns of a vector, which ends with them, in the registers of [`load_row`].
///
/// # Safety
/// As for [`load_row`]; no more than the columns is read.
#[inline(always)]
pub unsafe fn load<V: Vector, const REGISTERS: usize, const LAST: u8>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    if LAST != last::WHOLE {
        // SAFETY: the caller proves it.
        return unsafe { load_row::<V, REGISTERS, LAST>(from, columns) };
    }
    // SAFETY: the caller proves the instructions and the columns.
    std::array::from_fn(|register| unsafe {
        let first = register * V::LANES;
        V::load_first(from.add(first), (columns - first).min(V::LANES))
    })
}

/// Writes what [`load`] reads.
///
/// # Safety
/// As for [`load`].
#[inline(always)]
pub unsafe fn store<V: Vector, const REGISTERS: usize, const LAST: u8>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    if LAST != last::WHOLE {
        // SAFETY: the caller proves it.
        return unsafe { store_row::<V, REGISTERS, LAST>(row, to, columns) };
    }
    for (index, register) in row.into_iter().enumerate() {
        let first = index * V::LANES;
        // SAFETY: the caller proves the columns.
        unsafe { register.store_first(to.add(first), (columns - first).min(V::LANES)) }
    }
}

/// The first column of a register, the last of which ends with the columns.
#[inline(always)]
fn back<V: Vector, const REGISTERS: usize>(register: usize, columns: usize) -> usize {
    if register < REGISTERS - 1 {
        register * V::LANES
    } else {
        columns - V::LANES
    }
}
