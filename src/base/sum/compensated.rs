//! Compensated sums of vectors: the error does not grow with the number of terms.

use ndarray::LinalgScalar;

use crate::base::cancel::{COPIED_PER_POLL, CancelToken, ELEMENT_WORK};

/// sum ← sum + term, with the accumulated rounding error in `compensation` (Kahan). If the sum is not finite, the
/// error is reset: ∞ stays ∞.
pub fn add_compensated<T: LinalgScalar + PartialEq>(
    sum: &mut [T],
    compensation: &mut [T],
    term: &[T],
    cancel: &CancelToken<'_>,
) {
    let blocks = sum
        .chunks_mut(COPIED_PER_POLL)
        .zip(compensation.chunks_mut(COPIED_PER_POLL));
    for ((sum, compensation), term) in blocks.zip(term.chunks(COPIED_PER_POLL)) {
        if cancel.poll_after(COPIED_PER_POLL * ELEMENT_WORK / 4) {
            return;
        }
        for ((sum, compensation), &term) in sum.iter_mut().zip(compensation).zip(term) {
            let corrected = term - *compensation;
            let new = *sum + corrected;
            let missing = (new - *sum) - corrected;
            let is_finite = missing * T::zero() == T::zero();
            *compensation = if is_finite { missing } else { T::zero() };
            *sum = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_below_one_ulp_of_the_sum_add_up() {
        let (mut sum, mut compensation) = ([1.0_f32], [0.0_f32]);
        for _ in 0..1000 {
            add_compensated(&mut sum, &mut compensation, &[1e-8], &CancelToken::none());
        }
        // 1e-8 alone is below half an ulp of 1.
        assert!((sum[0] - 1.000_01).abs() < 1e-7, "{sum:?}");
    }

    #[test]
    fn infinity_stays_infinity() {
        let (mut sum, mut compensation) = ([f64::INFINITY], [0.0]);
        for _ in 0..3 {
            add_compensated(&mut sum, &mut compensation, &[1.0], &CancelToken::none());
        }
        assert!(sum[0].is_infinite(), "{sum:?}");
    }
}
