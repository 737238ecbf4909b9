//! The inner loop of every product: a tile of the result, held in registers while its terms are
//! added one after the other.

use super::level::{Level, Registers};
use super::row::{copy_rows, load_row, store_row};
use super::vector::Vector;

/// The most rows of a tile.
pub const MAX_ROWS: usize = 14;
/// The most registers across a tile.
pub const MAX_VECTORS: usize = 4;

/// Tiles of C ← start + A B, one below the other.
pub struct Tile<T> {
    /// How many.
    pub count: usize,
    /// From A(0, 0) of one to that of the next.
    pub a_next: usize,
    /// A(0, 0): one number is read for each row and step.
    pub a: *const T,
    /// From A(i, k) to A(i + 1, k).
    pub a_row: usize,
    /// From A(i, k) to A(i, k + 1).
    pub a_step: usize,
    /// Which rows or steps of A these are.
    pub picked: Picked,
    /// B(0, 0): a row of registers is read for each step.
    pub b: *const T,
    /// From B(k, j) to B(k + 1, j).
    pub b_step: usize,
    /// C(0, 0).
    pub c: *mut T,
    /// From C(i, j) to C(i + 1, j).
    pub c_row: usize,
    /// The terms of a sum.
    pub steps: usize,
    /// What the sums start from.
    pub start: Start<T>,
    /// The lanes of the last register that are in use.
    pub last: usize,
}

/// Which rows or steps of A a tile reads: A(i, k) is that of the i-th row or the k-th step of these.
#[derive(Clone, Copy)]
pub enum Picked {
    /// One after the other.
    None,
    /// The rows at these places, and so many of them for each tile.
    Rows(*const u32),
    /// The steps at these places.
    Steps(*const u32),
}

/// What the sums of a tile start from.
pub enum Start<T> {
    /// 0.
    Zero,
    /// One row, the same for every row of C.
    Row(*const T),
    /// One column, the same for every column of C.
    Column(*const T),
    /// What C holds: the terms before these.
    Sum,
    /// 0, and at their end they are added to what C holds.
    Apart,
}

/// Computes tiles, one below the other.
///
/// # Safety
/// The machine has the level; every number that the tile names may be read, and written for C.
pub type TileFn<T> = unsafe fn(&Tile<T>);

/// Copies neighbouring squares of [`Tiles::square`] rows, the second distance apart, to their
/// transposes one below the other, whose rows are the fourth apart: so many squares.
///
/// # Safety
/// The machine has the level; the squares may be read and their transposes written.
pub type TransposeFn<T> = unsafe fn(*const T, usize, *mut T, usize, usize);

/// Copies rows of registers, the second distance apart, to where they are neighbours: so many, of the
/// last register so many lanes. What lies behind these in a row's place is not told.
///
/// # Safety
/// The machine has the level; the rows may be read and their places written.
pub type CopyFn<T> = unsafe fn(*const T, usize, *mut T, usize, usize);

/// The tiles of a level for numbers of one type.
pub struct Tiles<T> {
    /// The numbers of a register.
    pub lanes: usize,
    /// rows · vectors is at most this.
    pub sums: usize,
    /// The registers across a tile that has rows enough: these and their factor fill the registers
    /// with the fewest loads.
    pub across: usize,
    /// The rows of the squares that `transpose` copies.
    pub square: usize,
    /// Copies squares.
    pub transpose: TransposeFn<T>,
    /// The rows of a tile whose A is interleaved.
    pub interleaved: usize,
    copies: [CopyFn<T>; MAX_VECTORS],
    functions: [[TileFn<T>; MAX_VECTORS]; MAX_ROWS],
}

impl<T> Tiles<T> {
    /// The registers that hold so many numbers.
    pub fn registers(&self, numbers: usize) -> usize {
        // A power of two: the smallest products count divisions.
        numbers.wrapping_add(self.lanes - 1) >> self.lanes.trailing_zeros()
    }

    /// The tile of `rows` rows, `vectors` registers across.
    pub fn get(&self, rows: usize, vectors: usize) -> TileFn<T> {
        self.functions[rows - 1][vectors - 1]
    }

    /// The copy of rows of so many registers.
    pub fn copy_of(&self, vectors: usize) -> CopyFn<T> {
        self.copies[vectors - 1]
    }
}

/// # Safety
/// As [`TileFn`].
#[inline(always)]
unsafe fn compute<V: Vector, const ROWS: usize, const VECTORS: usize>(tile: &Tile<V::Scalar>)
where
    V::Scalar: Default + From<u8>,
{
    // SAFETY: the caller proves the level and every number.
    unsafe {
        for index in 0..tile.count {
            let c = tile.c.add(index * ROWS * tile.c_row);
            let mut sums = [[V::broadcast(V::Scalar::default()); VECTORS]; ROWS];
            match tile.start {
                Start::Zero | Start::Apart => {}
                Start::Row(row) => sums = [load_row::<V, VECTORS>(row, tile.last); ROWS],
                Start::Column(column) => {
                    for (i, sums) in sums.iter_mut().enumerate() {
                        *sums = [V::broadcast(*column.add(index * ROWS + i)); VECTORS];
                    }
                }
                Start::Sum => {
                    for (i, sums) in sums.iter_mut().enumerate() {
                        *sums = load_row(c.add(i * tile.c_row), tile.last);
                    }
                }
            }
            let mut a = tile.a.wrapping_add(index * tile.a_next);
            match tile.picked {
                Picked::None => {
                    let mut b = tile.b;
                    for _ in 0..tile.steps {
                        add(&mut sums, b, tile.last, |i| a.add(i * tile.a_row));
                        a = a.wrapping_add(tile.a_step);
                        b = b.wrapping_add(tile.b_step);
                    }
                }
                Picked::Rows(places) => {
                    let rows: [*const V::Scalar; ROWS] = std::array::from_fn(|i| {
                        a.add(*places.add(index * ROWS + i) as usize * tile.a_row)
                    });
                    let mut b = tile.b;
                    for k in 0..tile.steps {
                        add(&mut sums, b, tile.last, |i| rows[i].add(k));
                        b = b.wrapping_add(tile.b_step);
                    }
                }
                Picked::Steps(places) => {
                    let mut b = tile.b;
                    for k in 0..tile.steps {
                        let a = a.add(*places.add(k) as usize * tile.a_step);
                        add(&mut sums, b, tile.last, |i| a.add(i));
                        b = b.wrapping_add(tile.b_step);
                    }
                }
            }
            if let Start::Apart = tile.start {
                // All are read before any is written: registers may share lanes, and what a masked
                // store has just written is long in coming back.
                let one = V::broadcast(V::Scalar::from(1));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let before = load_row::<V, VECTORS>(c.add(i * tile.c_row), tile.last);
                    for (sum, before) in sums.iter_mut().zip(before) {
                        *sum = sum.mul_add(one, before);
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                store_row(sums, c.add(i * tile.c_row), tile.last);
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

/// A table of the tiles of a register type. A tile of more sums than there is room for is never
/// asked for; its place holds a smaller one.
macro_rules! table {
    ($entry:ident, $vector:ty, [$($rows:literal)*]) => {
        [$([
            pick!($entry, $vector, $rows, 1),
            pick!($entry, $vector, $rows, 2),
            pick!($entry, $vector, $rows, 3),
            pick!($entry, $vector, $rows, 4),
        ]),*]
    };
}
macro_rules! pick {
    ($entry:ident, $vector:ty, $rows:literal, $vectors:literal) => {
        if $rows * $vectors <= <$vector>::SUMS {
            $entry::<$vector, $rows, $vectors> as TileFn<_>
        } else {
            $entry::<$vector, 1, $vectors>
        }
    };
}

macro_rules! level {
    (
        $name:ident, $entry:ident, $transpose:ident, $copy:ident, $register:ident
        $(, $feature:literal)?
    ) => {
        $(#[target_feature(enable = $feature)])?
        unsafe fn $transpose<V: Vector>(
            from: *const V::Scalar,
            from_row: usize,
            to: *mut V::Scalar,
            to_row: usize,
            squares: usize,
        ) {
            for first in (0..squares * V::SQUARE).step_by(V::SQUARE) {
                // SAFETY: the attribute is the proof of the level; the caller proves the rest.
                unsafe { V::transpose(from.add(first), from_row, to.add(first * to_row), to_row) }
            }
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn $copy<V: Vector, const VECTORS: usize>(
            from: *const V::Scalar,
            from_row: usize,
            to: *mut V::Scalar,
            rows: usize,
            last: usize,
        ) {
            // SAFETY: the attribute is the proof of the level; the caller proves the rest.
            unsafe { copy_rows::<V, VECTORS>(from, from_row, to, rows, last) }
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn $entry<V: Vector, const ROWS: usize, const VECTORS: usize>(
            tile: &Tile<V::Scalar>,
        ) where
            V::Scalar: Default + From<u8>,
        {
            // SAFETY: the attribute is the proof of the level; the caller proves the rest.
            unsafe { compute::<V, ROWS, VECTORS>(tile) }
        }

        /// The tiles of the level.
        struct $name<T>(T);
        impl<T: Registers + Default> $name<T> {
            const TILES: Tiles<T> = Tiles {
                lanes: <T::$register>::LANES,
                sums: <T::$register>::SUMS,
                across: across::<T::$register>(),
                square: <T::$register>::SQUARE,
                transpose: $transpose::<T::$register>,
                interleaved: interleaved::<T::$register>(),
                copies: [
                    $copy::<T::$register, 1>,
                    $copy::<T::$register, 2>,
                    $copy::<T::$register, 3>,
                    $copy::<T::$register, 4>,
                ],
                functions: table!($entry, T::$register, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]),
            };
        }
    };
}

/// The registers across a tile.
const fn across<V: Vector>() -> usize {
    if V::SUMS < 20 { 2 } else { 3 }
}

/// The rows of a tile that are copied together: a power of two that registers hold.
const fn interleaved<V: Vector>() -> usize {
    if V::SUMS / across::<V>() < 8 { 4 } else { 8 }
}

level!(
    Baseline,
    baseline,
    baseline_transpose,
    baseline_copy,
    Baseline
);
#[cfg(target_arch = "aarch64")]
level!(Neon, neon, neon_transpose, neon_copy, Neon);
// For the tests: NEON's code is made of arrays, which x86-64 runs as well.
#[cfg(all(test, target_arch = "x86_64"))]
level!(Neon, neon, neon_transpose, neon_copy, Neon, "avx2,fma");
#[cfg(target_arch = "x86_64")]
level!(Avx2, avx2, avx2_transpose, avx2_copy, Avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
level!(
    Avx512,
    avx512,
    avx512_transpose,
    avx512_copy,
    Avx512,
    "avx512f,avx512dq,avx512vl,avx2,fma"
);

/// The tiles of `level`.
pub fn tiles<T: Registers + Default>(level: Level) -> &'static Tiles<T> {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => const { &Avx512::<T>::TILES },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => const { &Avx2::<T>::TILES },
        #[cfg(any(target_arch = "aarch64", all(test, target_arch = "x86_64")))]
        Level::Neon => const { &Neon::<T>::TILES },
        _ => const { &Baseline::<T>::TILES },
    }
}
