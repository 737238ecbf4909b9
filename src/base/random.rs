//! Counter-based random numbers: each is a function of a key and of where it is used only, so the order and
//! the thread in which it is computed do not matter.

use crate::base::cancel::{CancelToken, ELEMENT_WORK};

/// Philox4x32-10: four words for each key and counter (Salmon, Moraes, Dror and Shaw, 2011).
pub fn philox(key: u64, counter: [u32; 4]) -> [u32; 4] {
    const ROUNDS: usize = 10;
    const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
    const STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
    let (mut low, mut high) = halves(key);
    let mut word = counter;
    for _ in 0..ROUNDS {
        let (low0, high0) = halves(u64::from(MULTIPLIERS[0]) * u64::from(word[0]));
        let (low2, high2) = halves(u64::from(MULTIPLIERS[1]) * u64::from(word[2]));
        word = [high2 ^ word[1] ^ low, low2, high0 ^ word[3] ^ high, low0];
        low = low.wrapping_add(STEPS[0]);
        high = high.wrapping_add(STEPS[1]);
    }
    word
}

/// The low and the high half of a 64-bit integer.
#[allow(clippy::cast_possible_truncation)] // the halves are intended
fn halves(number: u64) -> (u32, u32) {
    (number as u32, (number >> 32) as u32)
}

/// The purposes of random numbers, which never share any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The order of the examples in an epoch.
    Order = 0,
    /// The neurons dropped in a step.
    Dropout = 1,
    /// Normally distributed noise.
    Noise = 2,
    /// The examples that are drawn.
    Sampling = 3,
}

/// Writes 0, …, n − 1 in the random order of `epoch`, always the same for the same `seed`. Incomplete if
/// `cancel` is cancelled.
pub fn permutation(seed: u64, epoch: u64, order: &mut [u32], cancel: &CancelToken<'_>) {
    for (entry, index) in order.iter_mut().zip(0..) {
        *entry = index;
    }
    let (low, high) = halves(epoch);
    // One of the counter's four words holds the purpose and the high bits of the epoch.
    let purpose = (high << 8) | Purpose::Order as u32;
    let mut words = [0; 4];
    for (drawn, remaining) in (2..=order.len()).rev().enumerate() {
        let (block, at) = (drawn / 2, drawn % 2 * 2);
        if at == 0 {
            let (index, index_high) = halves(block as u64);
            words = philox(seed, [index, index_high, low, purpose]);
            if cancel.poll_after(ELEMENT_WORK) {
                return;
            }
        }
        let word = u64::from(words[at]) | u64::from(words[at + 1]) << 32;
        order.swap(below(remaining, word), remaining - 1);
    }
}

/// Adds to each number a normally distributed one of this standard deviation (Box and Muller, 1958).
pub fn add_noise<T>(
    seed: u64,
    deviation: f64,
    numbers: &mut [T],
    add: impl Fn(&mut T, f64),
    cancel: &CancelToken<'_>,
) {
    for (block, numbers) in numbers.chunks_mut(2).enumerate() {
        let words = words(seed, block, Purpose::Noise);
        let radius = deviation * (-2.0 * libm::log(1.0 - unit(words[0]))).sqrt();
        let angle = std::f64::consts::TAU * unit(words[1]);
        for (number, part) in numbers.iter_mut().zip([libm::cos(angle), libm::sin(angle)]) {
            add(number, radius * part);
        }
        if cancel.poll_after(2 * ELEMENT_WORK) {
            return;
        }
    }
}

/// Whether each of `n` examples is drawn, with probability `rate`, each by itself.
pub fn is_drawn(seed: u64, rate: f64, n: usize) -> impl Iterator<Item = bool> {
    (0..n).map(move |x| unit(words(seed, x / 2, Purpose::Sampling)[x % 2]) < rate)
}

/// Two random integers of 64 bits.
fn words(seed: u64, block: usize, purpose: Purpose) -> [u64; 2] {
    let (low, high) = halves(block as u64);
    let [a, b, c, d] = philox(seed, [low, high, 0, purpose as u32]);
    [
        u64::from(a) | u64::from(b) << 32,
        u64::from(c) | u64::from(d) << 32,
    ]
}

/// A number from 0, and below 1, in steps of 2^−53.
#[allow(clippy::cast_precision_loss)] // 53 bits
fn unit(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// A random integer below `end` from 64 random bits. The bias is end / 2^64.
#[allow(clippy::cast_possible_truncation)] // the product's high half is below `end`
fn below(end: usize, word: u64) -> usize {
    ((u128::from(word) * end as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::cast_precision_loss)] // small counts
    fn noise_has_the_deviation_and_examples_are_drawn_at_the_rate() {
        let mut noise = vec![0.0; 100_000];
        add_noise(
            7,
            3.0,
            &mut noise,
            |number, term| *number += term,
            &CancelToken::none(),
        );
        let n = 1e5;
        let mean = noise.iter().sum::<f64>() / n;
        let variance = noise.iter().map(|x| x * x).sum::<f64>() / n;
        // Five standard errors: of the mean 3/√n, of the variance 9 √(2/n).
        assert!(mean.abs() < 5.0 * 3.0 / n.sqrt(), "{mean}");
        assert!(
            (variance - 9.0).abs() < 5.0 * 9.0 * (2.0 / n).sqrt(),
            "{variance}"
        );
        let within = noise.iter().filter(|x| x.abs() < 3.0).count();
        assert!((within as f64 / n - 0.682_689).abs() < 5.0 * (0.22 / n).sqrt());
        let drawn = is_drawn(7, 0.3, 100_000).filter(|&drawn| drawn).count();
        assert!((drawn as f64 / n - 0.3).abs() < 5.0 * (0.21 / n).sqrt());
    }

    /// The test vectors of Random123, the authors' implementation.
    #[test]
    fn philox_matches_the_published_vectors() {
        let cases = [
            (
                0,
                [0; 4],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                u64::MAX,
                [u32::MAX; 4],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                0x299f_31d0_a409_3822,
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (key, counter, expected) in cases {
            assert_eq!(philox(key, counter), expected);
        }
    }

    #[test]
    fn an_order_is_a_permutation() {
        for n in [0, 1, 2, 3, 10, 1000] {
            let mut order = vec![7; n];
            permutation(3, 1, &mut order, &CancelToken::none());
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(
                sorted
                    .iter()
                    .zip(0..)
                    .all(|(&found, expected)| found == expected)
            );
        }
        let order = |seed, epoch| {
            let mut order = vec![0; 50];
            permutation(seed, epoch, &mut order, &CancelToken::none());
            order
        };
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
    }

    /// The meaning of seed and epoch must never change. Expected values from a Fisher-Yates shuffle in
    /// Python, with the same Philox words.
    #[test]
    fn an_order_is_the_same_in_every_release() {
        let order = |epoch| {
            let mut order = [0; 9];
            permutation(1, epoch, &mut order, &CancelToken::none());
            order
        };
        assert_eq!(order(2), [6, 2, 3, 8, 1, 7, 5, 0, 4]);
        assert_eq!(order((3 << 32) + 2), [6, 2, 8, 0, 4, 3, 1, 7, 5]);
    }

    /// Every example is at every position about equally often: χ² of 5 × 5 counts.
    #[test]
    fn orders_are_uniform() {
        let mut counts = [[0.0_f64; 5]; 5];
        for epoch in 0..5000 {
            let mut order = [0; 5];
            permutation(0, epoch, &mut order, &CancelToken::none());
            for (position, &example) in order.iter().enumerate() {
                counts[position][example as usize] += 1.0;
            }
        }
        let chi2: f64 = (counts.iter().flatten())
            .map(|count| (count - 1000.0) * (count - 1000.0) / 1000.0)
            .sum();
        assert!(chi2 < 40.0, "{chi2}"); // 16 degrees of freedom: p = 0.001
    }
}
