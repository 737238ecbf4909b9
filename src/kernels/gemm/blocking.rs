//! Block sizes of a product, and which blocks are packed.

use std::ops::Range;

use crate::base::cache_line;
use crate::kernels::tuning::gemm::{ALIASING_STRIDE, KC, LARGE, MC_KC_PACKED_A, NR_BYTES};

/// The length of the pack buffer for products with a matrix of `weights` elements. A product also works
/// with that of [`pack_buffer`] of 0, with shorter blocks.
pub const fn pack_buffer<T>(weights: usize) -> usize {
    let numbers = NR_BYTES / size_of::<T>();
    cache_line::numbers::<T>()
        + if weights < LARGE {
            KC.0 * numbers
        } else {
            KC.1 * numbers + MC_KC_PACKED_A.0 * MC_KC_PACKED_A.1
        }
}

/// The best number of rows of δ, of `n_out` columns, for one gradient product. More rows access C less
/// often, but where δ is read in place, more of its cache lines conflict.
pub const fn rows_at_once<T>(n_out: usize) -> usize {
    if n_out * size_of::<T>() < ALIASING_STRIDE {
        KC.0
    } else {
        KC.1
    }
}

/// Splits `length` into blocks of `most`; the last may be shorter. At least one block, which may be empty.
pub(super) fn blocks(length: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let from = next?;
        let end = length.min(from + most);
        next = (end < length).then_some(end);
        Some(from..end)
    })
}

/// The length of a part when `length` is split evenly into the fewest parts of at most `longest`.
pub(super) fn even(length: usize, longest: usize) -> usize {
    if length <= longest {
        length
    } else {
        length.div_ceil(length.div_ceil(longest))
    }
}

/// Splits `length` into the fewest parts of at most `longest`, as evenly as possible.
pub(super) fn parts(length: usize, longest: usize) -> impl Iterator<Item = usize> {
    let (count, short, longer) = if length <= longest {
        (1, length, 0)
    } else {
        let count = length.div_ceil(longest);
        (count, length / count, length % count)
    };
    (0..count).map(move |part| short + usize::from(part < longer))
}
