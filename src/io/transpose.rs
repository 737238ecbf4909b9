//! Transposes each W^l to the order of a file, (n_l, n_(l−1)) row-major, and back.

use crate::base::alloc::try_reserve;
use crate::base::cancel::CancelToken;
use crate::base::error::{Error, Result};
use crate::model::architecture::Architecture;

/// The elements copied between two polls of the cancellation token.
const POLL_ELEMENTS: usize = 1 << 18;

/// The cost of moving an element, in multiply-adds: it may miss the cache.
const MOVE_WORK: usize = 4;

/// The parameters with each W^l in the order of a file, (n_l, n_(l−1)) row-major.
///
/// # Errors
/// Memory runs out, or the call is cancelled.
pub fn to_file_order<T: Copy>(
    architecture: &Architecture,
    params: &[T],
    cancel: &CancelToken<'_>,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    try_reserve("copy of params", &mut rows, params.len())?;
    for piece in params.chunks(POLL_ELEMENTS) {
        rows.extend_from_slice(piece);
        if cancel.poll_after(piece.len() * MOVE_WORK) {
            return Err(Error::interrupted());
        }
    }
    for layer in architecture.layers() {
        let weights = layer.weights.clone();
        let (from, to) = (&params[weights.clone()], &mut rows[weights]);
        transpose(from, to, layer.n_out, cancel)?;
    }
    Ok(rows)
}

/// `to` ← `from` transposed; `from` has rows of `columns` elements.
///
/// # Errors
/// The call is cancelled; `to` is incomplete.
pub fn transpose<T: Copy>(
    from: &[T],
    to: &mut [T],
    columns: usize,
    cancel: &CancelToken<'_>,
) -> Result<()> {
    /// The rows and columns of a block fit the L1 cache together.
    const BLOCK: usize = 32;
    let rows = from.len() / columns;
    for first in (0..rows).step_by(BLOCK) {
        for left in (0..columns).step_by(BLOCK) {
            for row in first..rows.min(first + BLOCK) {
                for column in left..columns.min(left + BLOCK) {
                    to[column * rows + row] = from[row * columns + column];
                }
            }
            if cancel.poll_after(BLOCK * BLOCK * MOVE_WORK) {
                return Err(Error::interrupted());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::cancel::CancelFlag;
    use crate::base::error::ErrorKind;
    use crate::model::activation::Activation;
    use crate::model::cost::Cost;

    #[test]
    fn sizes_that_are_no_multiple_of_a_block_are_transposed() {
        for (rows, columns) in [(1, 1), (1, 70), (33, 1), (31, 65), (64, 32)] {
            let from: Vec<usize> = (0..rows * columns).collect();
            let (mut to, mut back) = (vec![usize::MAX; from.len()], vec![usize::MAX; from.len()]);
            transpose(&from, &mut to, columns, &CancelToken::none()).expect("whole");
            assert_eq!(to[rows * (columns - 1)], columns - 1);
            transpose(&to, &mut back, rows, &CancelToken::none()).expect("whole");
            assert_eq!(back, from);
        }
    }

    #[test]
    fn a_cancelled_copy_ends_early() {
        let (identity, cost) = (Activation::Identity, Cost::Quadratic);
        let architecture =
            Architecture::new(&[70, 40], &[], identity, cost).expect("a good network");
        let params = vec![1.0_f64; architecture.n_params()];
        let stop = CancelFlag::default();
        assert!(to_file_order(&architecture, &params, &CancelToken::worker(&stop)).is_ok());
        stop.cancel();
        let cancelled = CancelToken::worker(&stop);
        let ended = to_file_order(&architecture, &params, &cancelled).expect_err("stopped");
        assert_eq!(ended.kind(), ErrorKind::Interrupted);
        let mut to = vec![0.0; 2800];
        let ended = transpose(&params[..2800], &mut to, 40, &cancelled).expect_err("stopped");
        assert_eq!(ended.kind(), ErrorKind::Interrupted);
        assert!(to.contains(&0.0)); // stopped at once, and not after the last block
    }
}
