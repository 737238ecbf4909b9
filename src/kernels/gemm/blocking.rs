//! The blocks and parts in which a product is walked: how large they are, and which of them are copied.

use std::ops::Range;

use crate::base::cache_line;
use crate::kernels::tuning::gemm::{ALIASING_STRIDE, KC, LARGE, MC_KC_PACKED_A, NR_BYTES};

/// The numbers that the products of a matrix of so many weights need room for. A product takes less,
/// [`pack_buffer`] of 0, and then copies shorter blocks.
pub const fn pack_buffer<T>(weights: usize) -> usize {
    let numbers = NR_BYTES / size_of::<T>();
    cache_line::numbers::<T>()
        + if weights < LARGE {
            KC.0 * numbers
        } else {
            KC.1 * numbers + MC_KC_PACKED_A.0 * MC_KC_PACKED_A.1
        }
}

/// How many rows of δ, so wide, a gradient takes best at a time: more, and C is read and written less
/// often; but where δ is read in its place, more of its lines get into each other's way.
pub const fn rows_at_once<T>(n_out: usize) -> usize {
    if n_out * size_of::<T>() < ALIASING_STRIDE {
        KC.0
    } else {
        KC.1
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
