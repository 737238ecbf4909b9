//! Splits a length into blocks or parts.

use std::ops::Range;

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
pub(super) fn parts(length: usize, longest: usize) -> impl Iterator<Item = usize> + Clone {
    let (count, short, longer) = if length <= longest {
        (1, length, 0)
    } else {
        let count = length.div_ceil(longest);
        (count, length / count, length % count)
    };
    (0..count).map(move |part| short + usize::from(part < longer))
}
