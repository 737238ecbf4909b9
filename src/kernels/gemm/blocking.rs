//! Block sizes of a product, and which blocks are packed.

use crate::base::cache_line;
use crate::kernels::caches::{Caches, caches};
use crate::kernels::gemm::matrix::Matrix;
use crate::kernels::gemm::split::even;
use crate::kernels::gemm::tiles::Tiles;
use crate::kernels::tuning::gemm::{
    ALIASING_STRIDE, KC, KC_IN_PLACE, LARGE, MC_KC_PACKED_A, NR_BYTES, PACK_A_COLUMNS,
    PACK_B_TILES, PACK_B_TILES_NARROW, TRANSPOSED,
};

/// The length of the pack buffer for products with a matrix of `weights` elements. A product also works
/// with that of [`pack_buffer`] of 0, with shorter blocks.
pub const fn pack_buffer<T>(weights: usize) -> usize {
    TRANSPOSED + packed_blocks::<T>(weights)
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
        tiles: &Tiles<T>,
        a: &Matrix<'_, T>,
        b: &Matrix<'_, T>,
        buffer: usize,
        whole: bool,
    ) -> Self {
        let caches = caches();
        let is_large = buffer >= packed_blocks::<T>(LARGE);
        let b_is_packed = !b.has_contiguous_rows() || packs_b(tiles, a.rows, b, caches);
        let pack_a = if is_large && b.columns >= PACK_A_COLUMNS {
            packs_a(tiles, a, caches)
        } else {
            PackA::InPlace
        };
        let most = if is_large { KC.1 } else { KC.0 };
        let kc = match b_is_packed {
            _ if whole => b.rows,
            false if pack_a == PackA::InPlace => KC_IN_PLACE,
            _ if tiles.is_narrow() => {
                // The L1 cache holds a micropanel of B, which every tile reads, and A passes through it.
                KC.0.min(caches.l1.bytes() / tiles.width())
            }
            _ => most,
        };
        let kc = even(b.rows, kc);
        let mc = mc(tiles, a.rows, kc, pack_a, caches);
        let (pack_b, nc, buffer_of_b) = if !b_is_packed {
            (PackB::InPlace, b.columns, 0)
        } else if tiles.is_narrow() && (mc < a.rows || aliases(b)) {
            let buffer_of_a = match pack_a {
                PackA::InPlace => 0,
                PackA::CopyRows | PackA::Interleave => mc * padded::<T>(kc),
            };
            let buffer_of_b = buffer - cache_line::numbers::<T>() - buffer_of_a;
            let nc = nc(tiles, b.columns, kc, mc < a.rows, buffer_of_b, caches);
            (PackB::Block, nc, kc * nc)
        } else {
            let buffer_of_b = most * NR_BYTES / size_of::<T>();
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

/// MC, in whole tiles, of an A of `rows` rows.
#[inline]
fn mc<T>(tiles: &Tiles<T>, rows: usize, kc: usize, pack_a: PackA, caches: Caches) -> usize {
    let most = match pack_a {
        PackA::InPlace => rows,
        // Half of the L2 cache holds a block of A, which every micropanel of B meets.
        _ if tiles.is_narrow() => {
            (caches.l2.bytes() / 2 / size_of::<T>()).min(BUFFER_OF_A) / padded::<T>(kc)
        }
        _ => MC_KC_PACKED_A.0,
    };
    if rows <= most {
        return rows;
    }
    let most = (most / tiles.mr).max(1) * tiles.mr;
    even(rows, most).next_multiple_of(tiles.mr)
}

/// NC, in whole micropanels, of a B of `columns` columns. Several blocks of A read a block of B from memory; for a
/// single one the L2 cache holds it.
fn nc<T>(
    tiles: &Tiles<T>,
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
    let nr = tiles.nr * tiles.lanes;
    even(columns, (most / (kc * nr)).max(1) * nr).next_multiple_of(nr)
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

/// Whether a B with contiguous rows is packed. Unless the rows that a tile reads stay in a cache until the
/// next tile reads them again, every tile fetches them from the next one.
#[inline]
fn packs_b<T>(tiles: &Tiles<T>, rows: usize, b: &Matrix<'_, T>, caches: Caches) -> bool {
    let stride = b.row_stride * size_of::<T>();
    let (few, more) = if tiles.is_narrow() {
        PACK_B_TILES_NARROW
    } else {
        PACK_B_TILES
    };
    (rows >= few * tiles.mr && b.rows > 2 * caches.l2.lines_apart(stride))
        || (rows >= more * tiles.mr && b.rows > caches.l1.lines_apart(stride) / 2)
}

/// How A is packed for a B of many columns.
#[inline(never)] // keeps the code of small products short
fn packs_a<T>(tiles: &Tiles<T>, a: &Matrix<'_, T>, caches: Caches) -> PackA {
    let bytes = |elements: usize| elements * size_of::<T>();
    if a.has_contiguous_rows() && a.row_stride == 1 {
        return PackA::InPlace; // a single column, which may be gathered
    }
    if a.has_contiguous_rows() {
        let fits = bytes(a.rows * a.columns) <= caches.l2.bytes() / 2;
        return if tiles.is_narrow() && !fits {
            PackA::CopyRows
        } else {
            PackA::InPlace
        };
    }
    let stride = bytes(a.column_stride);
    // A narrow tile reads a few bytes of a page per term, and each panel of B makes it read them again: on a
    // Zen 3 the gradients of 784 by 512 weights took 2 to 18 % longer in place, most with many examples.
    let stays = !tiles.is_narrow()
        && stride < ALIASING_STRIDE
        && a.columns <= caches.l2.lines_apart(stride) / 2;
    if stays {
        PackA::InPlace
    } else {
        PackA::Interleave
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::caches::{Cache, forced};
    use crate::kernels::gemm::tiles::tiles;
    use crate::kernels::simd::level::Level;

    /// L1: 32 KiB, L2: 512 KiB, as in a Zen 3.
    const ZEN3: Caches = Caches {
        l1: Cache { sets: 64, ways: 8 },
        l2: Cache {
            sets: 1024,
            ways: 8,
        },
    };

    /// Of z = a W with `rows` examples: the blocks of a level whose tiles are narrow.
    fn forward(rows: usize, n_in: usize, n_out: usize) -> Blocking {
        let (a, w) = (vec![0.0_f64; rows * n_in], vec![0.0; n_in * n_out]);
        let (a, w) = (
            Matrix::by_rows(&a, rows, n_in),
            Matrix::by_rows(&w, n_in, n_out),
        );
        let buffer = pack_buffer::<f64>(n_in * n_out);
        let tiles = tiles(Level::Baseline);
        forced::with(ZEN3, || Blocking::of(tiles, &a, &w, buffer, false))
    }

    #[test]
    fn b_is_packed_if_its_rows_leave_a_cache_between_two_tiles() {
        let mr = tiles::<f64>(Level::Baseline).mr;
        // 784 rows that are 4 KiB apart compete for 16 sets of the L2 cache.
        let packs = |rows, n_in, n_out| forward(rows, n_in, n_out).pack_b != PackB::InPlace;
        assert!(packs(2 * mr, 784, 512));
        assert!(!packs(2 * mr - 1, 784, 512));
        // 64 rows that are 512 bytes apart compete for eight sets of the L1 cache, and stay in the L2 cache.
        assert!(packs(4 * mr, 64, 64));
        assert!(!packs(4 * mr - 1, 64, 64));
        assert!(!packs(4 * mr, 32, 64));
    }

    #[test]
    fn a_block_of_a_fits_half_of_the_l2_cache() {
        let block = forward(512, 1024, 1024);
        assert_eq!(block.pack_a, PackA::CopyRows);
        let bytes = block.mc * padded::<f64>(block.kc) * size_of::<f64>();
        assert!(
            (ZEN3.l2.bytes() / 4..=ZEN3.l2.bytes() / 2).contains(&bytes),
            "{bytes}"
        );
        assert_eq!(block.mc % tiles::<f64>(Level::Baseline).mr, 0);
        // A small A is read in place, whole.
        let block = forward(64, 512, 512);
        assert_eq!((block.pack_a, block.mc), (PackA::InPlace, 64));
    }

    #[test]
    fn several_blocks_of_a_share_a_packed_block_of_b() {
        let block = forward(512, 1024, 4096);
        assert!(block.mc < 512);
        assert_eq!(block.pack_b, PackB::Block);
        assert_eq!(block.buffer_of_b, block.kc * block.nc);
        let buffer = packed_blocks::<f64>(LARGE) - cache_line::numbers::<f64>();
        let both = block.buffer_of_b + block.mc * padded::<f64>(block.kc);
        assert!((buffer / 2..=buffer).contains(&both), "{both} of {buffer}");
        // One block of A packs each micropanel of B as it comes to it,
        assert_eq!(forward(64, 784, 511).pack_b, PackB::Micropanel);
        // or some together in the L2 cache, if their rows alias.
        let block = forward(64, 784, 512);
        assert_eq!((block.pack_b, block.mc), (PackB::Block, 64));
        let bytes = block.buffer_of_b * size_of::<f64>();
        assert!(
            (ZEN3.l2.bytes() / 8..=ZEN3.l2.bytes() / 4).contains(&bytes),
            "{bytes}"
        );
    }
}
