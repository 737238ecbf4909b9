//! Dropout: each step zeroes each hidden neuron of an example with some probability, and scales the others
//! up (Srivastava et al., 2014; Nielsen, ch. 3).
//!
//! a^l ← m ⊙ a^l with m = 0 for a dropped neuron and 1 / (1 − p) for others, so that the expected input of
//! the next layer does not change.

use std::ops::Range;

use crate::base::random::{Purpose, philox};
use crate::kernels::gemm::Order;
use crate::kernels::real::Real;

/// Which neurons are dropped in one step: a function of seed, step, layer, the example's position in the
/// step, and neuron.
#[derive(Debug, Clone, Copy)]
pub struct Dropout<'a> {
    /// p of each hidden layer.
    pub rates: &'a [f64],
    /// The seed of the training.
    pub seed: u64,
    /// The index of the step.
    pub step: u64,
    /// The position of each example in the step; None for 0, 1, …
    pub positions: Option<&'a [u32]>,
}

impl Dropout<'_> {
    /// p of the layer at `index`, or None if it drops no neurons.
    pub fn rate(&self, index: usize) -> Option<f64> {
        self.rates.get(index).copied().filter(|&rate| rate > 0.0)
    }

    /// Writes m of the layer at `index`, for the examples `rows` of the batch and `rate` > 0, to `mask`, which
    /// has this memory order.
    ///
    /// # Panics
    /// An example has no position.
    pub fn mask<T: Real>(
        &self,
        index: usize,
        rate: f64,
        rows: Range<usize>,
        order: Order,
        mask: &mut [T],
    ) {
        let count = rows.len();
        let width = mask.len() / count;
        let kept_factor = T::from_f64(1.0 / (1.0 - rate));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 up to 2^32
        let threshold = (rate * 4_294_967_296.0) as u32;
        for (in_chunk, row) in rows.enumerate() {
            #[allow(clippy::cast_possible_truncation)] // a batch has less than 2^32 examples
            let position = self
                .positions
                .map_or(row as u32, |positions| positions[row]);
            for first in (0..width).step_by(4) {
                let words = philox(self.seed, self.counter(index, position, first));
                for (neuron, word) in (first..width).zip(words) {
                    let at = match order {
                        Order::RowMajor => in_chunk * width + neuron,
                        Order::ColumnMajor => neuron * count + in_chunk,
                    };
                    mask[at] = if word < threshold {
                        T::ZERO
                    } else {
                        kept_factor
                    };
                }
            }
        }
    }

    #[allow(clippy::cast_possible_truncation)] // the step's high bits follow; the rest is below 2^32
    fn counter(&self, index: usize, position: u32, neuron: usize) -> [u32; 4] {
        let purpose = (index as u32) << 8 | Purpose::Dropout as u32;
        [
            (neuron / 4) as u32,
            position,
            self.step as u32,
            purpose ^ ((self.step >> 32) as u32) << 24,
        ]
    }
}

/// x ← m ⊙ x; exactly 0 where m is 0, even if x is NaN or infinite.
pub fn apply_mask<T: Real>(values: &mut [T], mask: &[T]) {
    for (value, &factor) in values.iter_mut().zip(mask) {
        *value = if factor == T::ZERO {
            T::ZERO
        } else {
            *value * factor
        };
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // compares bits that are promised
mod tests {
    use super::*;

    fn mask(rows: Range<usize>, order: Order) -> Vec<f64> {
        mask_of(None, rows, order)
    }

    fn mask_of(positions: Option<&[u32]>, rows: Range<usize>, order: Order) -> Vec<f64> {
        let dropout = Dropout {
            rates: &[0.0, 0.25],
            seed: 5,
            step: 9,
            positions,
        };
        let mut mask = vec![f64::NAN; rows.len() * 7];
        assert_eq!(dropout.rate(0), None);
        let rate = dropout.rate(1).expect("a rate");
        dropout.mask(1, rate, rows, order, &mut mask);
        mask
    }

    #[test]
    fn a_mask_does_not_depend_on_chunks_or_memory_order() {
        let by_rows = mask(0..20, Order::RowMajor);
        let by_chunk = [mask(0..3, Order::RowMajor), mask(3..20, Order::RowMajor)].concat();
        assert_eq!(by_rows, by_chunk);
        let by_columns = mask(0..20, Order::ColumnMajor);
        for row in 0..20 {
            for neuron in 0..7 {
                assert_eq!(by_rows[row * 7 + neuron], by_columns[neuron * 20 + row]);
            }
        }
    }

    #[test]
    fn a_mask_depends_on_the_position_of_the_example_alone() {
        let whole = mask(0..20, Order::RowMajor);
        let positions = [19, 3, 4, 11];
        let some = mask_of(Some(&positions), 1..4, Order::RowMajor);
        for (row, &position) in positions[1..].iter().enumerate() {
            let at = position as usize * 7;
            assert_eq!(some[row * 7..][..7], whole[at..at + 7]);
        }
    }

    /// Expected values from Python, with the same Philox words: one counter gives the words of four
    /// neurons.
    #[test]
    fn a_mask_is_the_same_in_every_release() {
        let dropped: Vec<usize> = (mask(0..10, Order::RowMajor).iter().enumerate())
            .filter(|&(_, &factor)| factor == 0.0)
            .map(|(index, _)| index)
            .collect();
        assert_eq!(
            dropped,
            [
                19, 22, 26, 37, 38, 39, 43, 45, 48, 49, 51, 55, 58, 60, 63, 67
            ]
        );
    }

    #[test]
    fn the_dropped_fraction_is_the_rate() {
        let mask = mask(0..10_000, Order::RowMajor);
        let dropped = mask.iter().filter(|&&factor| factor == 0.0).count();
        // 70,000 draws: three standard deviations are 344.
        assert!(dropped.abs_diff(17_500) < 344, "{dropped}");
        let rest = mask.iter().filter(|&&factor| factor != 0.0);
        assert!(rest.into_iter().all(|&factor| factor == 1.0 / 0.75));
    }
}
