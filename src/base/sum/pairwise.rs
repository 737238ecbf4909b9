//! Sums in pairs: their error grows with the logarithm of the number of terms, and their order is
//! fixed.

use std::ops::AddAssign;

use crate::base::alloc::{reserve, reserve_list};
use crate::base::cancel::{CancelToken, ELEMENT_WORK};
use crate::base::error::Result;

/// Makes `count` buffers of `length` numbers.
///
/// # Errors
/// The memory cannot be had.
pub fn reserve_each<T: Copy + Default>(
    buffers: &mut Vec<Vec<T>>,
    count: usize,
    length: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    if buffers.len() < count {
        reserve_list("workspace", buffers, count - buffers.len())?;
        buffers.resize_with(count, Vec::new);
    }
    buffers[..count]
        .iter_mut()
        .try_for_each(|buffer| reserve(buffer, length, 1, cancel))
}

/// Computes a partial sum for each of `parts` and adds them pairwise, in their order, into `place`.
///
/// `compute` overwrites what it is given; where it `adds`, it is told for every second part to add the
/// part's sum to what is there, that of the first. `stack` holds the sums that wait: at least one less
/// than wait at once, each as long as `place`. Where `cancel` says stop, what is done is no sum.
pub fn sum_pairwise<T: Copy + AddAssign, P>(
    parts: impl Iterator<Item = P>,
    place: &mut [T],
    stack: &mut [Vec<T>],
    adds: bool,
    cancel: &CancelToken<'_>,
    mut compute: impl FnMut(P, &mut [T], bool),
) {
    let mut waiting = 0;
    for (done, part) in (1..).zip(parts) {
        let add = adds && usize::is_multiple_of(done, 2);
        waiting += usize::from(!add);
        match waiting {
            1 => compute(part, place, add),
            _ => compute(part, &mut stack[waiting - 2][..place.len()], add),
        }
        if cancel.poll_after(0) {
            return;
        }
        // 2^k parts are complete whenever `done` is a multiple of 2^k: join them.
        for _ in usize::from(add)..usize::trailing_zeros(done) as usize {
            waiting -= 1;
            join(place, stack, waiting, cancel);
        }
    }
    while waiting > 1 {
        waiting -= 1;
        join(place, stack, waiting, cancel);
    }
}

/// Adds the partial sum `waiting` to the one below it.
fn join<T: Copy + AddAssign>(
    place: &mut [T],
    stack: &mut [Vec<T>],
    waiting: usize,
    cancel: &CancelToken<'_>,
) {
    let (below, top) = stack.split_at_mut(waiting - 1);
    let below = below.last_mut().map_or(&mut *place, |below| below);
    add(below, &top[0], cancel);
}

/// sum ← sum + term.
pub fn add<T: Copy + AddAssign>(sum: &mut [T], term: &[T], cancel: &CancelToken<'_>) {
    /// Few enough to take less than a millisecond.
    const BLOCK: usize = 1 << 16;
    for (sum, term) in sum.chunks_mut(BLOCK).zip(term.chunks(BLOCK)) {
        if cancel.poll_after(BLOCK * ELEMENT_WORK / 4) {
            return;
        }
        for (sum, &term) in sum.iter_mut().zip(term) {
            *sum += term;
        }
    }
}
