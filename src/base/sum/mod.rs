//! Sums in float64 whose error hardly grows with the number of terms, for costs, weights and squares. Their
//! order depends on the number of terms only.

pub mod compensated;
pub mod extended;
pub mod pairwise;

/// The terms of a block, whose sum is added with compensation.
pub const SUM_BLOCK: usize = 1 << 10;

/// A running sum with compensation (Neumaier): exact to one or two ulps of Σ |term|, for any number of
/// terms.
///
/// Source: A. Neumaier, *Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen*, ZAMM 54
/// (1974), 39-51.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CompensatedSum {
    sum: f64,
    compensation: f64,
}

impl CompensatedSum {
    /// Adds a term.
    #[inline]
    pub fn add(&mut self, term: f64) {
        // The exact rounding error of the addition, whichever operand is larger (Knuth).
        let new = self.sum + term;
        let of_term = new - self.sum;
        let error = (self.sum - (new - of_term)) + (term - of_term);
        self.sum = new;
        // Infinity stays infinity, although its rounding error is NaN.
        self.compensation += if error.is_finite() { error } else { 0.0 };
    }

    /// The sum.
    #[inline]
    pub fn total(self) -> f64 {
        self.sum + self.compensation
    }
}

impl Extend<f64> for CompensatedSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, terms: I) {
        terms.into_iter().for_each(|term| self.add(term));
    }
}

/// Σ of the terms, with compensation.
pub fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = CompensatedSum::default();
    sum.extend(terms);
    sum.total()
}

/// A sum with eight accumulators, each of every eighth term, so that additions are independent. After every
/// [`SUM_BLOCK`] terms the accumulators are added to the total, with compensation.
#[derive(Debug, Default)]
pub struct LaneSum {
    lanes: [f64; 8],
    /// The terms of the current block.
    terms: usize,
    /// The total of the blocks before.
    blocks: Option<CompensatedSum>,
}

impl LaneSum {
    /// Σ of at most eight terms, with the bits of [`Self::add`].
    #[inline]
    pub fn of_few<const N: usize>(term: impl Fn(usize) -> f64) -> f64 {
        let mut sum = Self::default();
        for j in 0..N {
            sum.lanes[j] += term(j);
        }
        sum.block_sum()
    }

    /// Adds `count` terms. Each term's accumulator depends on the counts so far; if each count but the last
    /// is a multiple of eight, it depends on the total count only.
    #[inline]
    pub fn add(&mut self, count: usize, term: impl Fn(usize) -> f64) {
        let mut first = 0;
        while count - first > SUM_BLOCK - self.terms {
            let end = first + (SUM_BLOCK - self.terms);
            self.add_to_block(first, end, &term);
            self.close_block();
            first = end;
        }
        self.add_to_block(first, count, &term);
        self.terms += count - first;
    }

    #[inline]
    fn add_to_block(&mut self, first: usize, end: usize, term: &impl Fn(usize) -> f64) {
        let lanes = self.lanes.len();
        let whole = end - (end - first) % lanes;
        for first in (first..whole).step_by(lanes) {
            for (lane, sum) in self.lanes.iter_mut().enumerate() {
                *sum += term(first + lane);
            }
        }
        for (j, sum) in (whole..end).zip(&mut self.lanes) {
            *sum += term(j);
        }
    }

    #[cold]
    fn close_block(&mut self) {
        let block_sum = self.block_sum();
        self.blocks.get_or_insert_default().add(block_sum);
        (self.lanes, self.terms) = ([0.0; 8], 0);
    }

    #[inline]
    fn block_sum(&self) -> f64 {
        let [a, b, c, d, e, f, g, h] = self.lanes;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }

    /// The sum.
    #[inline]
    pub fn total(&self) -> f64 {
        match self.blocks {
            None => self.block_sum(),
            Some(mut blocks) => {
                blocks.add(self.block_sum());
                blocks.total()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The terms 1/1, 1/2, …, and their sum in double-double precision.
    fn harmonic(count: u32) -> (Vec<f64>, f64) {
        let terms: Vec<f64> = (1..=count).map(|k| 1.0 / f64::from(k)).collect();
        let (mut high, mut low) = (0.0_f64, 0.0_f64);
        for &term in &terms {
            let new = high + term;
            low += term - (new - high); // the terms decrease, so high is larger
            high = new;
        }
        (terms, high + low)
    }

    #[test]
    fn the_error_does_not_grow_with_the_number_of_terms() {
        for count in [10, 1000, 100_000, 1 << 20] {
            let (terms, exact) = harmonic(count);
            assert!((sum(terms.iter().copied()) / exact - 1.0).abs() <= f64::EPSILON);
            let mut lanes = LaneSum::default();
            lanes.add(terms.len(), |k| terms[k]);
            // 128 terms per accumulator, whose errors differ in sign.
            let error = (lanes.total() / exact - 1.0).abs();
            assert!(error <= 8.0 * f64::EPSILON, "{count} {error:e}");
        }
    }

    #[test]
    fn the_sum_does_not_depend_on_how_terms_are_grouped() {
        let (terms, _) = harmonic(5000);
        let mut whole = LaneSum::default();
        whole.add(terms.len(), |k| terms[k]);
        let whole = whole.total();
        for block in [8, 64, 1024, 4096] {
            let mut sum = LaneSum::default();
            for terms in terms.chunks(block) {
                sum.add(terms.len(), |k| terms[k]);
            }
            assert_eq!(sum.total().to_bits(), whole.to_bits(), "{block}");
        }
    }

    #[test]
    fn infinity_stays_infinity_and_nan_stays_nan() {
        let inf = f64::INFINITY;
        for (terms, expected) in [
            (&[1.0, inf, 1.0, 1e308, 1e308][..], inf),
            (&[1e308, 1e308, -1.0], inf),
            (&[-inf, 1.0], -inf),
            (&[], 0.0),
            (&[1.0, 1e100, 1.0, -1e100], 2.0),
        ] {
            let got = sum(terms.iter().copied());
            assert_eq!(got.to_bits(), expected.to_bits(), "{terms:?} {got:e}");
        }
        assert!(sum([inf, 1.0, -inf]).is_nan());
        assert!(sum([1.0, f64::NAN, 1.0]).is_nan());
    }
}
