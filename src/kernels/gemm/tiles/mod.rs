//! The microkernels of each level, and the copy functions that pack blocks for them.

pub mod access;
pub mod microkernel;
mod sizes;
pub mod tile;

use crate::base::cache_line;
use crate::kernels::gemm::tiles::access::{
    Access, AccessA, Columns, GatheredColumns, Packed, Rows,
};
use crate::kernels::gemm::tiles::microkernel::compute;
use crate::kernels::gemm::tiles::sizes::{mr, nr};
use crate::kernels::gemm::tiles::tile::{Tile, TileFn};
use crate::kernels::simd::level::{Level, Registers, multiplies_in_halves};
use crate::kernels::simd::row::copy_rows;
use crate::kernels::simd::vector::Vector;
use crate::kernels::tuning::gemm::{MAX_MR, MAX_NR};

/// `(src, src_stride, dst, dst_stride, squares)`: transposes `squares` horizontally adjacent squares of
/// [`Microkernels::square`] rows, and stores the results one below the other.
///
/// # Safety
/// The machine has the level; the squares are readable and their transposes writable.
pub type TransposeFn<T> = unsafe fn(*const T, usize, *mut T, usize, usize);

/// `(src, src_stride, dst, rows, tail)`: copies rows of registers to contiguous rows of whole registers.
/// `tail` is the number of lanes in use in the last register; the padding behind them is unspecified.
///
/// # Safety
/// The machine has the level; the rows are readable and their destinations writable.
pub type CopyFn<T> = unsafe fn(*const T, usize, *mut T, usize, usize);

/// The microkernels of a level for one element type.
pub struct Microkernels<T: 'static> {
    /// The lanes of a register.
    pub lanes: usize,
    /// The most accumulators of a tile: an upper bound of rows · vectors.
    pub accumulators: usize,
    /// NR in registers, of a tile of MR rows.
    pub nr: usize,
    /// The rows of the squares that `transpose` handles.
    pub square: usize,
    /// Transposes squares.
    pub transpose: TransposeFn<T>,
    /// MR, the rows of a tile of NR columns, and of a micropanel of a packed A.
    pub mr: usize,
    /// The microkernels with registers of half the length, of a level that this one includes.
    half_length: Option<&'static Microkernels<T>>,
    copies: [CopyFn<T>; MAX_NR],
    functions: [[ByAccess<T>; MAX_NR]; MAX_MR],
    /// Those of MR rows that pack B as well.
    packing: [ByAccess<T>; MAX_NR],
}

/// A microkernel for each [`AccessA`].
type ByAccess<T> = [TileFn<T>; 4];

impl<T: 'static> Microkernels<T> {
    /// The registers that hold `numbers` elements.
    pub fn registers(&self, numbers: usize) -> usize {
        // A shift, since the lanes are a power of two: a division is noticeable in the smallest products.
        numbers.wrapping_add(self.lanes - 1) >> self.lanes.trailing_zeros()
    }

    /// The microkernels for a micropanel of `columns` columns: those with half-length registers if they
    /// leave fewer lanes idle.
    pub fn for_panel(&'static self, columns: usize) -> &'static Self {
        let halves = self.leaves_half_idle(columns) && multiplies_in_halves();
        self.half_length.filter(|_| halves).unwrap_or(self)
    }

    /// Whether at least half of the last register is idle, and half-length registers allow a tile of the
    /// same width.
    fn leaves_half_idle(&self, columns: usize) -> bool {
        let vectors = self.registers(columns);
        2 * vectors <= MAX_NR && 2 * (vectors * self.lanes - columns) >= self.lanes
    }

    /// The microkernel for `rows` rows and `vectors` registers across.
    pub fn get(&self, rows: usize, vectors: usize, access: AccessA) -> TileFn<T> {
        self.functions[rows - 1][vectors - 1][access as usize]
    }

    /// The microkernel for MR rows and at most NR columns that also packs the rows of B that it loads.
    pub fn packing(&self, vectors: usize, access: AccessA) -> TileFn<T> {
        debug_assert!(vectors <= self.nr, "a packing microkernel");
        self.packing[vectors - 1][access as usize]
    }

    /// Whether a tile is no wider than a cache line.
    pub fn fits_cache_line(&self) -> bool {
        self.width() <= cache_line::BYTES
    }

    /// NR in bytes.
    pub fn width(&self) -> usize {
        self.nr * self.lanes * size_of::<T>()
    }

    /// The copy function for rows of `vectors` registers.
    pub fn copy_of(&self, vectors: usize) -> CopyFn<T> {
        self.copies[vectors - 1]
    }
}

/// A table of the microkernels of a register type. Tiles of more accumulators than there are registers are
/// never requested; their entries are smaller tiles.
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
        if $rows * $vectors <= <$vector>::ACCUMULATORS {
            each_access!($entry, $vector, $rows, $vectors, false)
        } else {
            each_access!($entry, $vector, 1, $vectors, false)
        }
    };
}
/// A microkernel for each [`AccessA`], in its order.
macro_rules! each_access {
    ($entry:ident, $vector:ty, $rows:literal, $vectors:literal, $pack:literal) => {
        [
            $entry::<$vector, Rows, $rows, $vectors, $pack> as TileFn<_>,
            $entry::<$vector, Columns, $rows, $vectors, $pack>,
            $entry::<$vector, GatheredColumns, $rows, $vectors, $pack>,
            if $rows <= mr::<$vector>() && $vectors <= nr::<$vector>() {
                $entry::<$vector, Packed, $rows, $vectors, $pack>
            } else {
                $entry::<$vector, Columns, $rows, $vectors, $pack> // never requested
            },
        ]
    };
}
/// The packing microkernels of a register type: those of MR rows.
macro_rules! packing {
    ($entry:ident, $vector:ty, $($vectors:literal)*) => {
        [$(match (mr::<$vector>(), $vectors <= nr::<$vector>()) {
            // Never requested.
            (_, false) => each_access!($entry, $vector, 1, $vectors, false),
            (9, true) => each_access!($entry, $vector, 9, $vectors, true),
            (8, true) => each_access!($entry, $vector, 8, $vectors, true),
            (6, true) => each_access!($entry, $vector, 6, $vectors, true),
            _ => panic!("no packing microkernel of this height"),
        }),*]
    };
}

macro_rules! level {
    (
        $name:ident, $entry:ident, $transpose:ident, $copy:ident, $register:ident, $half_length:expr
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
                // SAFETY: `target_feature` matches the level; the caller guarantees the rest.
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
            // SAFETY: `target_feature` matches the level; the caller guarantees the rest.
            unsafe { copy_rows::<V, VECTORS>(from, from_row, to, rows, last) }
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn $entry<
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
            // SAFETY: `target_feature` matches the level; the caller guarantees the rest.
            unsafe { compute::<V, A, ROWS, VECTORS, PACK>(tile) }
        }

        /// The microkernels of the level.
        struct $name<T>(T);
        impl<T: Registers + Default> $name<T> {
            const TABLE: Microkernels<T> = Microkernels {
                lanes: <T::$register>::LANES,
                accumulators: <T::$register>::ACCUMULATORS,
                nr: nr::<T::$register>(),
                square: <T::$register>::SQUARE,
                transpose: $transpose::<T::$register>,
                mr: mr::<T::$register>(),
                half_length: $half_length,
                copies: [
                    $copy::<T::$register, 1>,
                    $copy::<T::$register, 2>,
                    $copy::<T::$register, 3>,
                    $copy::<T::$register, 4>,
                ],
                functions: table!($entry, T::$register, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]),
                packing: packing!($entry, T::$register, 1 2 3 4),
            };
        }
    };
}

level!(
    Baseline,
    baseline,
    baseline_transpose,
    baseline_copy,
    Baseline,
    None
);
#[cfg(target_arch = "aarch64")]
level!(Neon, neon, neon_transpose, neon_copy, Neon, None);
// For the tests: NEON's tiles, of arrays.
#[cfg(all(test, target_arch = "x86_64"))]
level!(
    Neon,
    neon,
    neon_transpose,
    neon_copy,
    Neon,
    None,
    "avx2,fma"
);
#[cfg(target_arch = "x86_64")]
level!(
    Avx2,
    avx2,
    avx2_transpose,
    avx2_copy,
    Avx2,
    None,
    "avx2,fma"
);
#[cfg(target_arch = "x86_64")]
level!(
    Avx512,
    avx512,
    avx512_transpose,
    avx512_copy,
    Avx512,
    Some(&Avx2::<T>::TABLE),
    "avx512f,avx512dq,avx512vl,avx2,fma"
);

/// The microkernels of `level`.
pub fn microkernels<T: Registers + Default>(level: Level) -> &'static Microkernels<T> {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => const { &Avx512::<T>::TABLE },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => const { &Avx2::<T>::TABLE },
        #[cfg(any(target_arch = "aarch64", all(test, target_arch = "x86_64")))]
        Level::Neon => const { &Neon::<T>::TABLE },
        _ => const { &Baseline::<T>::TABLE },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_of_halves_leaves_less_idle_and_is_no_wider_than_a_tile() {
        let kernels = microkernels::<f64>(Level::Baseline);
        for (registers, over, halves) in [
            (0, 1, true),
            (0, kernels.lanes / 2, true),
            (0, kernels.lanes / 2 + 1, false),
            (1, 0, false),
            (1, 1, true),
            (2, 0, false),
            (2, 1, false),
        ] {
            let columns = registers * kernels.lanes + over;
            assert_eq!(
                kernels.leaves_half_idle(columns),
                halves,
                "{columns} columns"
            );
        }
    }
}
