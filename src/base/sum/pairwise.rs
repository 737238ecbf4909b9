//! Pairwise sums: the error grows with the logarithm of the number of terms, and the order is fixed.

use std::ops::AddAssign;

use crate::base::alloc::{grow_workspace, try_reserve};
use crate::base::cancel::{COPIED_PER_POLL, CancelToken, ELEMENT_WORK};
use crate::base::error::Result;

/// Allocates `count` buffers of `length` elements.
///
/// # Errors
/// Memory runs out.
pub fn reserve_each<T: Copy + Default>(
    buffers: &mut Vec<Vec<T>>,
    count: usize,
    length: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    if buffers.len() < count {
        try_reserve("workspace", buffers, count - buffers.len())?;
        buffers.resize_with(count, Vec::new);
    }
    buffers[..count]
        .iter_mut()
        .try_for_each(|buffer| grow_workspace(buffer, length, 1, cancel))
}

/// Computes a partial sum for each of `parts` and adds them pairwise, in order, into `out`.
///
/// `compute` overwrites its buffer. If `adds`, then for every second part it adds to the buffer,
/// which holds the sum of the part before. `stack` holds pending partial sums: ⌊log2 n⌋ buffers for n
/// parts, each as long as `out`. If `cancel` is cancelled, `out` is not a complete sum.
pub fn sum_pairwise<T: Copy + AddAssign, P>(
    parts: impl Iterator<Item = P>,
    out: &mut [T],
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
            1 => compute(part, out, add),
            _ => compute(part, &mut stack[waiting - 2][..out.len()], add),
        }
        if cancel.poll_after(0) {
            return;
        }
        // 2^k parts are complete when `done` is a multiple of 2^k: add them.
        for _ in usize::from(add)..usize::trailing_zeros(done) as usize {
            waiting -= 1;
            join(out, stack, waiting, cancel);
        }
    }
    while waiting > 1 {
        waiting -= 1;
        join(out, stack, waiting, cancel);
    }
}

/// Adds the partial sum at depth `waiting` to the one below it.
fn join<T: Copy + AddAssign>(
    out: &mut [T],
    stack: &mut [Vec<T>],
    waiting: usize,
    cancel: &CancelToken<'_>,
) {
    let (below, top) = stack.split_at_mut(waiting - 1);
    let below = below.last_mut().map_or(&mut *out, |below| below);
    add(below, &top[0], cancel);
}

/// sum ← sum + term.
pub fn add<T: Copy + AddAssign>(sum: &mut [T], term: &[T], cancel: &CancelToken<'_>) {
    for (sum, term) in sum
        .chunks_mut(COPIED_PER_POLL)
        .zip(term.chunks(COPIED_PER_POLL))
    {
        if cancel.poll_after(COPIED_PER_POLL * ELEMENT_WORK / 4) {
            return;
        }
        for (sum, &term) in sum.iter_mut().zip(term) {
            *sum += term;
        }
    }
}
