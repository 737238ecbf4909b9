//! The blocks and parts in which a product is walked: how large they are, and which of them are copied.

use std::ops::Range;

use crate::base::cache_line;
use crate::kernels::gemm::microkernel::MAX_VECTORS;

/// The steps of a tile that reads B where it lies: a few milliseconds at the most.
pub(super) const UNCOPIED_STEPS: usize = 1 << 14;
/// The bytes across the widest panel.
pub(super) const PANEL_BYTES: usize = MAX_VECTORS * 64;
/// From this distance on between the rows of a factor, in bytes, their addresses get into each
/// other's way in the first-level cache.
pub(super) const FAR_APART: usize = 4096;
/// The rows of A that make copying a block of B worth its while.
pub(super) const WORTH_COPYING: usize = 32;
/// The columns of C that make interleaving a block of A worth its while.
pub(super) const WORTH_INTERLEAVING: usize = 128;
/// A B of so many bytes comes from afar, and for one row of A it is not used again.
pub(super) const FROM_AFAR: usize = 1 << 19;
/// The weights from which a product is given more room: C is read and written once a block, and a
/// copy of B used for every row of a block, which in `wide` costs some 3 % less with longer ones.
pub(super) const LARGE: usize = 1 << 18;
/// The steps of a block of B that is copied, and of one of a large matrix. With a panel's width it
/// fits the second-level cache, its pages the table of the processor.
pub(super) const BLOCK_STEPS: (usize, usize) = (512, 1024);
/// So many steps are always one block: a sum apart of them is rounded to what C holds once.
pub const ONE_BLOCK: usize = BLOCK_STEPS.0;
/// The rows and steps of a block of A that is interleaved: more steps than fit the second-level cache,
/// as A comes in its order, and C, which does not, half as often as with 512. 256 rows, of which there
/// are more copies of B, were 1 % slower in `wide-f8`.
pub(super) const INTERLEAVED: (usize, usize) = (512, 1024);

/// The numbers that the products of a matrix of so many weights need room for. A product takes less,
/// [`pack_buffer`] of 0, and then copies shorter blocks.
pub const fn pack_buffer<T>(weights: usize) -> usize {
    let numbers = PANEL_BYTES / size_of::<T>();
    cache_line::numbers::<T>()
        + if weights < LARGE {
            BLOCK_STEPS.0 * numbers
        } else {
            BLOCK_STEPS.1 * numbers + INTERLEAVED.0 * INTERLEAVED.1
        }
}

/// How many rows of δ, so wide, a gradient takes best at a time: more, and C is read and written less
/// often; but where δ is read in its place, more of its lines get into each other's way.
pub const fn rows_at_once<T>(n_out: usize) -> usize {
    if n_out * size_of::<T>() < FAR_APART {
        BLOCK_STEPS.0
    } else {
        BLOCK_STEPS.1
    }
}

/// Cuts `length` into blocks of `most`, but for the last: one at least, which may be empty.
pub(super) fn blocks(length: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let from = next?;
        let end = length.min(from + most);
        next = (end < length).then_some(end);
        Some(from..end)
    })
}

/// The length of the fewest parts of `length` that are at most `longest`, if they are even.
pub(super) fn even(length: usize, longest: usize) -> usize {
    if length <= longest {
        length
    } else {
        length.div_ceil(length.div_ceil(longest))
    }
}

/// Cuts `length` into the fewest parts of at most `longest`, as even as can be.
pub(super) fn parts(length: usize, longest: usize) -> impl Iterator<Item = usize> {
    let (count, short, longer) = if length <= longest {
        (1, length, 0)
    } else {
        let count = length.div_ceil(longest);
        (count, length / count, length % count)
    };
    (0..count).map(move |part| short + usize::from(part < longer))
}
