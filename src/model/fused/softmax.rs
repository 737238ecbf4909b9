//! Costs over softmax, from z: logarithms of a that are finite where a underflows, and ratios that keep
//! their digits however large the differences of z are. `docs/mathematics.md` derives the formulas.

use crate::base::sum::LaneSum;
use crate::kernels::elementwise::map;
use crate::kernels::math::{Exp, LnOneMinusExp};
use crate::kernels::real::Real;
use crate::model::fused::{LN_BLOCK, ln, times};

/// ln a of one example: a cost of 1e-13 at z = 1000 keeps its digits.
///
/// Everything is halved: the difference of two z may overflow where y times it does not.
pub struct LogSoftmax {
    half_largest: f64,
    /// ½ ln Σ e^(z − largest).
    half_ln_sum: f64,
}

impl LogSoftmax {
    /// From z and its softmax a, down to the smallest normal value of a's type.
    pub fn of<T: Real>(z: &[T], a: &[T]) -> Self {
        let top = largest(z);
        let mut others = LaneSum::default();
        others.add(a.len(), |j| if j == top { 0.0 } else { a[j].to_f64() });
        Self::new(z[top].to_f64(), others.total() / a[top].to_f64())
    }

    /// `others`: Σ e^(z − largest) without the term of the largest z.
    fn new(largest: f64, others: f64) -> Self {
        Self {
            half_largest: 0.5 * largest,
            // 0 · largest is 0, but NaN if z is NaN or +∞.
            half_ln_sum: 0.5 * Real::ln_1p(others + 0.0 * largest),
        }
    }

    /// −½ ln a of the neuron with this z.
    fn half<T: Real>(&self, z: T) -> f64 {
        (self.half_largest - 0.5 * z.to_f64()) + self.half_ln_sum
    }

    /// −y ln a of the neuron with this z.
    pub fn weighted<T: Real>(&self, y: f64, z: T) -> f64 {
        2.0 * times(y, self.half(z))
    }
}

/// Adds the terms of −Σ [y ln a + (1 − y) ln(1 − a)] to `sum`, all in float64.
pub fn cross_entropy<T: Real>(z: &[T], y: impl Fn(usize) -> f64, sum: &mut LaneSum) {
    let (top, second) = largest_two(z);
    let (largest, second) = (z[top].to_f64(), second.to_f64());
    let shift = second.max(f64::MIN);
    let mut numbers = [0.0; LN_BLOCK];
    let blocks = || (0..).step_by(LN_BLOCK).zip(z.chunks(LN_BLOCK));

    let mut rest = LaneSum::default();
    for (first, z) in blocks() {
        let shifted = &mut numbers[..z.len()];
        for (j, (shifted, z)) in (first..).zip(shifted.iter_mut().zip(z)) {
            *shifted = if j == top {
                f64::MIN
            } else {
                z.to_f64() - shift
            };
        }
        map(shifted, Exp, Real::exp);
        rest.add(z.len(), |k| shifted[k]);
    }
    let rest = rest.total();
    let others = rest * Real::exp(second - largest);
    let softmax = LogSoftmax::new(largest, others);

    for (first, z) in blocks() {
        let ln_a = &mut numbers[..z.len()];
        for (j, (ln_a, &z)) in (first..).zip(ln_a.iter_mut().zip(z)) {
            // The largest is handled below, since its 1 − a may be close to 0.
            *ln_a = if j == top {
                f64::MIN
            } else {
                -2.0 * softmax.half(z)
            };
        }
        map(ln_a, LnOneMinusExp, ln_one_minus_exp);
        sum.add(z.len(), |k| {
            let y = y(first + k);
            softmax.weighted(y, z[k]) + times(1.0 - y, -ln_a[k])
        });
    }
    // −½ ln(1 − a) of the largest.
    let half = if others >= 1.0 {
        -0.5 * Real::ln_1p(-1.0 / (1.0 + others))
    } else {
        (softmax.half_largest - 0.5 * second) + (softmax.half_ln_sum - 0.5 * ln(rest))
    };
    sum.add(1, |_| 2.0 * times(1.0 - y(top), half));
}

/// Softmax of one example, split into the largest output t and r, the softmax of the others alone.
#[derive(Debug, Clone, Copy)]
pub struct LargestAndOthers {
    /// t.
    pub top: usize,
    /// `a_t`.
    pub a_top: f64,
    /// q = 1 − `a_t`: `a_j` = q `r_j`.
    pub q: f64,
    /// `r_j` = share · `others_j`; 0 if r has no limit, as several z are −∞.
    pub share: f64,
}

impl LargestAndOthers {
    /// Writes e^z of the others times a factor to `others`, and 0 for the largest.
    pub fn of<T: Real>(z: &[T], others: &mut [T]) -> Self {
        let (top, second) = largest_two(z);
        let shift = if second < -T::MAX { -T::MAX } else { second };
        for (other, &z) in others.iter_mut().zip(z) {
            *other = z - shift;
        }
        others[top] = -T::MAX;
        map(others, Exp, T::exp);
        let mut rest = LaneSum::default();
        rest.add(z.len(), |j| others[j].to_f64());
        let mut rest = rest.total();
        if rest == 0.0 && z.len() == 2 {
            // The other output's share of r is 1, even at −∞.
            others[1 - top] = T::ONE;
            rest = 1.0;
        }
        let largest = z[top].to_f64();
        let odds = rest * Real::exp(second.to_f64() - largest);
        let whole = 1.0 + odds + 0.0 * largest; // NaN for a z of +∞
        Self {
            top,
            a_top: 1.0 / whole,
            q: odds / whole,
            share: if rest == 0.0 { 0.0 } else { 1.0 / rest },
        }
    }

    /// `a_t − y_t`.
    pub fn miss(&self, y_top: f64) -> f64 {
        if self.a_top > 0.5 {
            (1.0 - y_top) - self.q
        } else {
            self.a_top - y_top
        }
    }

    /// `r_j` times a factor: NaN if r has no limit and the factor is not 0.
    pub fn limit(&self, r: f64, factor: f64) -> f64 {
        if self.share == 0.0 && factor != 0.0 {
            f64::NAN
        } else {
            r * factor
        }
    }
}

/// BP1: δ^L of one example for the cross-entropy.
///
/// With t the largest output, q = 1 − `a_t`, r the softmax of the others alone, so that `a_j` = q `r_j`,
/// and `p_j = (a_j − y_j) / (1 − a_j)`, whose divisor is at least ½: `δ_t = a_t − y_t − a_t Σ_{k≠t} p_k`
/// and `δ_j = p_j − r_j (a_t − y_t + q Σ_{k≠t} p_k)`.
pub fn cross_entropy_delta<T: Real>(z: &[T], y: impl Fn(usize) -> T, delta: &mut [T]) {
    let parts = LargestAndOthers::of(z, delta);
    let (top, a_top, q) = (parts.top, parts.a_top, parts.q);
    let miss = parts.miss(y(top).to_f64());
    let p = |e: T, y: T| {
        let a = e.to_f64() * parts.share * q;
        (a - y.to_f64()) / (1.0 - a)
    };
    let mut sum = LaneSum::default();
    sum.add(z.len(), |j| if j == top { 0.0 } else { p(delta[j], y(j)) });
    let sum = sum.total();
    let shared = miss + q * sum;
    for (j, delta) in delta.iter_mut().enumerate() {
        let r = delta.to_f64() * parts.share;
        *delta = T::from_f64(p(*delta, y(j)) - parts.limit(r, shared));
    }
    delta[top] = T::from_f64(miss - a_top * sum);
}

/// The index of the largest z, and the largest of the others (−∞ if there are none). NaN is ignored.
fn largest_two<T: Real>(z: &[T]) -> (usize, T) {
    let top = largest(z);
    let none = T::from_f64(f64::NEG_INFINITY);
    let of = |z: &[T]| if z.is_empty() { none } else { z[largest(z)] };
    let (before, after) = (of(&z[..top]), of(&z[top + 1..]));
    (top, if after > before { after } else { before })
}

/// The index of the largest value; NaN is ignored.
pub fn largest<T: Real>(z: &[T]) -> usize {
    // Eight independent maxima, which hide the latency of the comparisons.
    let mut tops = [-T::MAX; 8];
    for z in z.chunks(tops.len()) {
        for (top, &z) in tops.iter_mut().zip(z) {
            *top = if z > *top { z } else { *top };
        }
    }
    let top = tops
        .into_iter()
        .fold(-T::MAX, |a, b| if b > a { b } else { a });
    z.iter().position(|&z| z == top).unwrap_or(0)
}

/// ln(1 − e^x) for x ≤ −ln 2.
fn ln_one_minus_exp(x: f64) -> f64 {
    Real::ln_1p(-Real::exp(x))
}
