//! Block sizes of a product, and which blocks are packed.

use crate::base::cache_line;
use crate::kernels::caches::{Caches, caches};
use crate::kernels::gemm::matrix::Matrix;
use crate::kernels::gemm::split::even;
use crate::kernels::gemm::tiles::Microkernels;
use crate::kernels::tuning::gemm::{
    ALIASING_STRIDE, KC, KC_IN_PLACE, LARGE, MAX_LANES, MAX_NR, MAX_ONE_ROW_REGISTERS,
    MC_KC_PACKED_A, NR_BYTES, PACK_A_COLUMNS, PACK_B_TILES, PACK_B_TILES_OF_A_LINE, TRANSPOSED,
};

/// The length of the pack buffer for the products of a layer, whose weights have the shape (n_in, n_out), with at most
/// `rows` examples at once. With a shorter one, products have shorter blocks. It is no longer than it must be: every
/// network has one for each thread.
pub fn pack_buffer<T>((n_in, n_out): (usize, usize), rows: usize) -> usize {
    let weights = n_in.saturating_mul(n_out);
    let whole = packed_blocks::<T>(weights);
    if weights >= LARGE {
        return TRANSPOSED + whole;
    }
    let widest = n_in.max(n_out);
    let longest = widest.max(rows);
    // The registers of a transposed row are the widest that is packed.
    let padded =
        widest.saturating_add(MAX_ONE_ROW_REGISTERS * (NR_BYTES / MAX_NR) / size_of::<T>());
    let needed = longest
        .saturating_mul(padded)
        .saturating_add(cache_line::numbers::<T>());
    TRANSPOSED.min(longest.saturating_mul(MAX_LANES)) + whole.min(needed)
}

/// The part of it for packed blocks.
pub(super) const fn packed_blocks<T>(weights: usize) -> usize {
    let numbers = NR_BYTES / size_of::<T>();
    cache_line::numbers::<T>()
        + if weights < LARGE {
            KC.0 * numbers
        } else {
            KC.1 * numbers + BUFFER_OF_A
        }
}

/// The elements of a packed block of A.
const BUFFER_OF_A: usize = MC_KC_PACKED_A.0 * MC_KC_PACKED_A.1;

/// The best number of rows of δ, of `n_out` columns, for one gradient product. More rows access C less
/// often, but where δ is read in place, more of its cache lines conflict.
pub const fn rows_at_once<T>(n_out: usize) -> usize {
    if n_out * size_of::<T>() < ALIASING_STRIDE {
        KC.0
    } else {
        KC.1
    }
}

/// Where the tiles read A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackA {
    /// In its original place.
    InPlace,
    /// In a copy of the block, row by row: rows of a wide A alias in the caches.
    CopyRows,
    /// In micropanels of MR rows.
    Interleave,
}

/// Where the tiles read B.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackB {
    /// In its original place.
    InPlace,
    /// In a micropanel, which is packed for one block of A.
    Micropanel,
    /// In a block of micropanels, (KC, NC), which is packed once for all blocks of A.
    Block,
}

/// The block sizes of a product, and what it packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocking {
    /// The rows of a block of A.
    pub mc: usize,
    /// The terms of a block.
    pub kc: usize,
    /// The columns of a block.
    pub nc: usize,
    pub pack_a: PackA,
    pub pack_b: PackB,
    /// The elements of the pack buffer that are for B; the others are for A.
    pub buffer_of_b: usize,
}

impl Blocking {
    /// For A B, with `buffer` elements of packed blocks. In a `whole` product k is not split.
    #[inline]
    pub fn of<T>(
        kernels: &Microkernels<T>,
        a: &Matrix<'_, T>,
        b: &Matrix<'_, T>,
        buffer: usize,
        whole: bool,
    ) -> Self {
        let caches = caches();
        let is_large = buffer >= packed_blocks::<T>(LARGE);
        let b_is_packed = !b.has_contiguous_rows() || packs_b(kernels, a.rows, b, caches);
        let pack_a = if is_large && b.columns >= PACK_A_COLUMNS {
            packs_a(kernels, a, caches)
        } else {
            PackA::InPlace
        };
        let most = if is_large { KC.1 } else { KC.0 };
        let most = most.min((buffer - cache_line::numbers::<T>()) * size_of::<T>() / NR_BYTES);
        let kc = match b_is_packed {
            _ if whole => b.rows,
            false if pack_a == PackA::InPlace => KC_IN_PLACE,
            _ if kernels.fits_cache_line() => {
                // The L1 cache holds a micropanel of B, which every tile reads, and A passes through it.
                KC.0.min(caches.l1.bytes() / kernels.width())
            }
            _ => most,
        };
        let kc = even(b.rows, kc);
        let mc = mc(kernels, a, kc, pack_a, caches);
        let (pack_b, nc, buffer_of_b) = if !b_is_packed {
            (PackB::InPlace, b.columns, 0)
        } else if packs_blocks(kernels, mc < a.rows, b) {
            let buffer_of_a = match pack_a {
                PackA::InPlace => 0,
                PackA::CopyRows | PackA::Interleave => mc * padded::<T>(kc),
            };
            let buffer_of_b = buffer - cache_line::numbers::<T>() - buffer_of_a;
            let nc = nc(kernels, b.columns, kc, mc < a.rows, buffer_of_b, caches);
            (PackB::Block, nc, kc * nc)
        } else {
            let buffer_of_b = kc * NR_BYTES / size_of::<T>();
            (PackB::Micropanel, b.columns, buffer_of_b)
        };
        Self {
            mc,
            kc,
            nc,
            pack_a,
            pack_b,
            buffer_of_b,
        }
    }
}

/// MC, in whole tiles.
#[inline]
fn mc<T>(
    kernels: &Microkernels<T>,
    a: &Matrix<'_, T>,
    kc: usize,
    pack_a: PackA,
    caches: Caches,
) -> usize {
    let rows = a.rows;
    // Half of the L2 cache holds a block of A, which every micropanel of B meets.
    let elements = caches.l2.bytes() / 2 / size_of::<T>();
    let most = match pack_a {
        // The hardware prefetcher follows rows, which are read from end to end.
        PackA::InPlace if kernels.fits_cache_line() || a.has_contiguous_rows() => rows,
        PackA::InPlace => elements / kc,
        PackA::CopyRows | PackA::Interleave if kernels.fits_cache_line() => {
            elements.min(BUFFER_OF_A) / padded::<T>(kc)
        }
        PackA::CopyRows | PackA::Interleave => MC_KC_PACKED_A.0,
    };
    if rows <= most {
        return rows;
    }
    let most = (most / kernels.mr).max(1) * kernels.mr;
    even(rows, most).next_multiple_of(kernels.mr)
}

/// NC, in whole micropanels, of a B of `columns` columns. Several blocks of A read a block of B from memory; for a
/// single one the L2 cache holds it.
fn nc<T>(
    kernels: &Microkernels<T>,
    columns: usize,
    kc: usize,
    is_reused: bool,
    buffer: usize,
    caches: Caches,
) -> usize {
    let most = if is_reused {
        buffer
    } else {
        buffer.min(caches.l2.bytes() / 4 / size_of::<T>())
    };
    let nr = kernels.nr * kernels.lanes;
    even(columns, (most / (kc * nr)).max(1) * nr).next_multiple_of(nr)
}

/// Whether a packed B is packed in blocks, before any tile is computed: if several blocks of A read it, or if its
/// micropanels should not be packed one by one.
fn packs_blocks<T>(kernels: &Microkernels<T>, is_reused: bool, b: &Matrix<'_, T>) -> bool {
    kernels.fits_cache_line() && (is_reused || aliases(b))
}

/// Whether the rows of B compete for few sets of the L1 cache. A micropanel of such a B is packed cache line by
/// cache line, unless its neighbours are packed with it.
fn aliases<T>(b: &Matrix<'_, T>) -> bool {
    b.has_contiguous_rows() && b.row_stride * size_of::<T>() >= ALIASING_STRIDE
}

/// The row stride of a copied block of A of `kc` terms: an odd number of cache lines, so that rows do not
/// alias.
pub(super) fn padded<T>(kc: usize) -> usize {
    let line = cache_line::numbers::<T>();
    (kc.div_ceil(line) | 1) * line
}

/// Whether a B with contiguous rows is packed. All tiles of a micropanel read the same rows of B. If these do not
/// stay in a cache, each tile loads them from the next level; packed rows stay. A passes through the same cache:
/// rows of B that need more than half of the cache lines at their stride do not stay.
#[inline]
fn packs_b<T>(kernels: &Microkernels<T>, rows: usize, b: &Matrix<'_, T>, caches: Caches) -> bool {
    let stride = b.row_stride * size_of::<T>();
    let (beyond_l2, beyond_l1) = if kernels.fits_cache_line() {
        PACK_B_TILES_OF_A_LINE
    } else {
        PACK_B_TILES
    };
    (rows >= beyond_l2 * kernels.mr && b.rows > caches.l2.lines_apart(stride) / 2)
        || (rows >= beyond_l1 * kernels.mr && b.rows > caches.l1.lines_apart(stride) / 2)
}

/// How A is packed for a B of many columns.
#[inline(never)] // keeps the code of small products short
fn packs_a<T>(kernels: &Microkernels<T>, a: &Matrix<'_, T>, caches: Caches) -> PackA {
    let bytes = |elements: usize| elements * size_of::<T>();
    if a.has_contiguous_rows() && a.row_stride == 1 {
        return PackA::InPlace; // a single column, which may be gathered
    }
    if a.has_contiguous_rows() {
        let fits = bytes(a.rows * a.columns) <= caches.l2.bytes() / 2;
        return if kernels.fits_cache_line() && !fits {
            PackA::CopyRows
        } else {
            PackA::InPlace
        };
    }
    let stride = bytes(a.column_stride);
    // A narrow tile reads a few bytes of a page per term, and each panel of B makes it read them again: on a
    // Zen 3 the gradients of 784 by 512 weights took 2 to 18 % longer in place, most with many examples.
    let stays = !kernels.fits_cache_line()
        && stride < ALIASING_STRIDE
        && a.columns <= caches.l2.lines_apart(stride) / 2;
    if stays {
        PackA::InPlace
    } else {
        PackA::Interleave
    }
}
