//! A row of registers that ends where its columns end.

use super::super::vector::Vector;

/// The most registers across that hold sums.
pub const MOST: usize = 4;

/// Neighbouring columns that some registers hold.
#[derive(Clone, Copy)]
pub struct Tile {
    /// The first of them.
    pub first: usize,
    /// How many.
    pub columns: usize,
    /// The registers.
    pub registers: usize,
}

/// Cuts `columns` into tiles of at most [`MOST`] registers, as even as can be.
pub fn tiles(columns: usize, lanes: usize) -> impl Iterator<Item = Tile> {
    let registers = columns.div_ceil(lanes);
    let count = registers.div_ceil(MOST);
    let mut first = 0;
    (0..count).map(move |index| {
        let registers = (registers + index) / count;
        let columns = (columns - first).min(registers * lanes);
        let tile = Tile {
            first,
            columns,
            registers,
        };
        first += columns;
        tile
    })
}

/// So many columns in REGISTERS, the last of which ends with them: where it is not full, it holds
/// some of the one before as well, and both come to the same numbers. A lone register that is not
/// FULL is masked, which costs a dozen cycles on some machines.
///
/// # Safety
/// The machine has the instructions; the columns may be read. They fill all registers but the last,
/// and, if FULL, one at least; if not, there is one register.
#[inline(always)]
pub unsafe fn load<V: Vector, const REGISTERS: usize, const FULL: bool>(
    from: *const V::Scalar,
    columns: usize,
) -> [V; REGISTERS] {
    // SAFETY: the caller proves the instructions and the columns.
    std::array::from_fn(|register| unsafe {
        if FULL {
            V::load(from.add(place::<V, REGISTERS>(register, columns)))
        } else {
            V::load_first(from, columns)
        }
    })
}

/// Writes what [`load`] reads.
///
/// # Safety
/// As for [`load`].
#[inline(always)]
pub unsafe fn store<V: Vector, const REGISTERS: usize, const FULL: bool>(
    row: [V; REGISTERS],
    to: *mut V::Scalar,
    columns: usize,
) {
    for (index, register) in row.into_iter().enumerate() {
        // SAFETY: the caller proves the columns.
        unsafe {
            if FULL {
                register.store(to.add(place::<V, REGISTERS>(index, columns)));
            } else {
                register.store_first(to, columns);
            }
        }
    }
}

/// The first column of a register.
#[inline(always)]
fn place<V: Vector, const REGISTERS: usize>(register: usize, columns: usize) -> usize {
    if register < REGISTERS - 1 {
        register * V::LANES
    } else {
        columns - V::LANES
    }
}
