//! The ways in which a microkernel reads A.

use crate::kernels::gemm::matrix::Gather;
use crate::kernels::gemm::tiles::tile::Tile;

/// How a tile reads its rows of A. Each way is a microkernel of its own, so that its addresses stay in
/// registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessA {
    /// Rows, which may be gathered, of contiguous elements.
    Rows,
    /// Columns of contiguous elements.
    Columns,
    /// The same, gathered.
    GatheredColumns,
    /// MR rows, term by term, where B is packed as well, in whole registers.
    Packed,
}

/// An [`AccessA`] as a type.
pub(in crate::kernels) trait Access {
    /// Whether B has a stride of NR elements, and its last register is full.
    const IS_B_PACKED: bool = false;

    /// The address of A(i, p) of tile `index`, as a function of p and i.
    ///
    /// # Safety
    /// The indices of a gather are readable.
    unsafe fn addresses<T, const ROWS: usize>(
        tile: &Tile<T>,
        index: usize,
    ) -> impl Fn(usize, usize) -> *const T;
}

/// [`AccessA::Rows`].
pub(in crate::kernels) struct Rows;
/// [`AccessA::Columns`].
pub(in crate::kernels) struct Columns;
/// [`AccessA::GatheredColumns`].
pub(in crate::kernels) struct GatheredColumns;
/// [`AccessA::Packed`].
pub(in crate::kernels) struct Packed;

impl Access for Rows {
    #[inline(always)]
    unsafe fn addresses<T, const ROWS: usize>(
        tile: &Tile<T>,
        index: usize,
    ) -> impl Fn(usize, usize) -> *const T {
        let a = tile.start_of_a(index);
        let rows: [*const T; ROWS] = std::array::from_fn(|i| {
            let row = match tile.gather {
                // SAFETY: the caller guarantees it.
                Gather::Rows(places) => unsafe { *places.add(index * ROWS + i) as usize },
                _ => i,
            };
            opaque(a.wrapping_add(row * tile.a_row_stride))
        });
        move |p, i| rows[i].wrapping_add(p)
    }
}

impl Access for Columns {
    #[inline(always)]
    unsafe fn addresses<T, const ROWS: usize>(
        tile: &Tile<T>,
        index: usize,
    ) -> impl Fn(usize, usize) -> *const T {
        let (a, stride) = (tile.start_of_a(index), tile.a_column_stride);
        move |p, i| a.wrapping_add(p * stride + i)
    }
}

impl Access for GatheredColumns {
    #[inline(always)]
    unsafe fn addresses<T, const ROWS: usize>(
        tile: &Tile<T>,
        index: usize,
    ) -> impl Fn(usize, usize) -> *const T {
        let (a, stride) = (tile.start_of_a(index), tile.a_column_stride);
        let places = match tile.gather {
            Gather::Columns(places) => places,
            _ => std::ptr::null(),
        };
        // SAFETY: the caller guarantees that the columns are gathered, and the indices of the terms.
        move |p, i| a.wrapping_add(unsafe { *places.add(p) } as usize * stride + i)
    }
}

impl Access for Packed {
    const IS_B_PACKED: bool = true;

    #[inline(always)]
    unsafe fn addresses<T, const ROWS: usize>(
        tile: &Tile<T>,
        index: usize,
    ) -> impl Fn(usize, usize) -> *const T {
        let a = tile.start_of_a(index);
        move |p, i| a.wrapping_add(p * ROWS + i)
    }
}

/// The same pointer, of which the compiler does not know how it was computed. It would compute the addresses
/// of all rows from one of them in each pass, and keep accumulators in memory meanwhile.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block)] // nothing is read through it
fn opaque<T>(pointer: *const T) -> *const T {
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    {
        let mut pointer = pointer;
        // SAFETY: no instruction is executed.
        unsafe {
            std::arch::asm!(
                "/* {0} */",
                inout(reg) pointer,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        pointer
    }
    #[cfg(any(not(any(target_arch = "x86_64", target_arch = "aarch64")), miri))]
    std::hint::black_box(pointer)
}
