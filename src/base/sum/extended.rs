//! Sums of costs that may leave the range of float64 although their mean does not.

use crate::base::sum::{CompensatedSum, sum};

/// A power of two by which a weight below 1e100 times any cost, and a sum of such products, are in range.
const SCALE: f64 = f64::from_bits((1023 - 400) << 52);

/// A number, and the same in a smaller unit, which is in range where the number itself is not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Extended {
    value: f64,
    /// Times [`SCALE`].
    scaled: f64,
}

impl Extended {
    /// a · b.
    pub fn product(a: f64, b: f64) -> Self {
        Self {
            value: a * b,
            scaled: (a * SCALE) * b,
        }
    }

    /// Σ of the terms, with compensation.
    pub fn sum(terms: impl Iterator<Item = Self> + Clone) -> Self {
        Self::either(sum(terms.clone().map(|term| term.value)), || {
            sum(terms.map(|term| term.scaled))
        })
    }

    /// A number that is usually in range, and times [`SCALE`] where it is not.
    fn either(value: f64, scaled: impl FnOnce() -> f64) -> Self {
        let scaled = if value.is_finite() {
            value * SCALE
        } else {
            scaled()
        };
        Self { value, scaled }
    }

    /// The number divided by `divisor`.
    pub fn over(self, divisor: f64) -> f64 {
        if self.value.is_finite() {
            self.value / divisor
        } else {
            self.scaled / divisor / SCALE
        }
    }
}

impl From<f64> for Extended {
    fn from(value: f64) -> Self {
        Self::either(value, || value)
    }
}

/// A running sum with compensation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ExtendedSum {
    value: CompensatedSum,
    scaled: CompensatedSum,
}

impl ExtendedSum {
    /// Adds a term.
    pub fn add(&mut self, term: Extended) {
        self.value.add(term.value);
        self.scaled.add(term.scaled);
    }

    /// The sum.
    pub fn total(self) -> Extended {
        Extended {
            value: self.value.total(),
            scaled: self.scaled.total(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp)] // sums of powers of two, and limits
mod tests {
    use super::*;

    fn mean(terms: &[f64], weight: f64) -> [f64; 2] {
        let divisor = weight * f64::from(u8::try_from(terms.len()).expect("few terms"));
        let terms = terms.iter().map(|&term| Extended::product(weight, term));
        let mut running = ExtendedSum::default();
        terms.clone().for_each(|term| running.add(term));
        let sums = [Extended::sum(terms), running.total()];
        sums.map(|sum| sum.over(divisor))
    }

    #[test]
    fn the_mean_of_numbers_whose_sum_overflows() {
        let large = f64::from_bits((1023 + 1023) << 52);
        for weight in [1.0, 4.0, 0.25] {
            assert_eq!(mean(&[large, large], weight), [large; 2]);
            assert_eq!(mean(&[large, large, -large, -large], weight), [0.0; 2]);
            assert_eq!(mean(&[large; 64], weight), [large; 2]);
        }
    }

    #[test]
    fn infinity_and_nan_stay() {
        assert_eq!(mean(&[f64::INFINITY, 1.0], 1.0), [f64::INFINITY; 2]);
        assert!(mean(&[f64::NAN, 1.0], 1.0).iter().all(|mean| mean.is_nan()));
        assert_eq!(
            Extended::from(f64::NEG_INFINITY).over(2.0),
            f64::NEG_INFINITY
        );
    }

    #[test]
    fn other_sums_keep_their_bits() {
        let terms = [0.1, 1e-310, -3.7, 5e300];
        let expected = sum(terms) / 4.0;
        assert_eq!(mean(&terms, 1.0)[0], expected);
        assert_eq!(mean(&[1e-310, 3e-310], 1.0), [2e-310; 2]);
    }
}
