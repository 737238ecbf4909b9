//! Costs fused with their output activation: pairs for which ∇_a C alone would divide by 0 although δ^L and
//! C are finite. The formulas use z and a so that nothing overflows; `docs/mathematics.md` derives them.

use crate::base::sum::LaneSum;
use crate::kernels::elementwise::activations::first_derivatives::SoftplusDerivative;
use crate::kernels::elementwise::activations::functions::{Sigmoid, Softplus};
use crate::kernels::elementwise::{map, scale};
use crate::kernels::real::Real;
use crate::model::activation::{sigmoid, softplus};

mod softmax;

use softmax::LogSoftmax;

pub(crate) use softmax::{LargestAndOthers, largest};

/// The outputs whose logarithms are computed together, a multiple of eight.
const LN_BLOCK: usize = 64;

/// A cost with the output activation that it is fused with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fused {
    /// Cross-entropy over sigmoid: δ = a − y.
    SigmoidCrossEntropy,
    /// Cross-entropy over softmax.
    SoftmaxCrossEntropy,
    /// Log-likelihood over softmax: `δ_j = a_j Σ_k y_k − y_j`.
    SoftmaxLogLikelihood,
    /// Poisson over sigmoid: δ = (a − y)(1 − a).
    SigmoidPoisson,
    /// Poisson over softplus: δ = σ' − y σ'/a.
    SoftplusPoisson,
    /// Poisson over softmax: δ as for the log-likelihood.
    SoftmaxPoisson,
    /// A custom cost of z^L: y is δ itself, and the cost is not known here.
    Given,
}

impl Fused {
    /// `C_x`, in float64.
    pub fn cost<T: Real>(self, z: &[T], a: &[T], y: impl Fn(usize) -> T) -> f64 {
        let n = z.len();
        let y = |j: usize| y(j).to_f64();
        let mut sum = LaneSum::default();
        match self {
            Self::Given => {}
            Self::SigmoidCrossEntropy => {
                // softplus(∓z) = max(∓z, 0) + ln(1 + e^−|z|): one logarithm for both.
                let mut small = [T::ZERO; LN_BLOCK];
                for (first, z) in (0..n).step_by(LN_BLOCK).zip(z.chunks(LN_BLOCK)) {
                    let small = &mut small[..z.len()];
                    small.iter_mut().zip(z).for_each(|(s, z)| *s = -z.abs());
                    map(small, Softplus, softplus);
                    sum.add(z.len(), |k| {
                        let (y, z, small) = (y(first + k), z[k].to_f64(), small[k].to_f64());
                        times(y, (-z).max(0.0) + small) + times(1.0 - y, z.max(0.0) + small)
                    });
                }
            }
            Self::SoftmaxLogLikelihood => {
                let softmax = LogSoftmax::of(z, a);
                sum.add(n, |j| softmax.weighted(y(j), z[j]));
            }
            Self::SoftmaxCrossEntropy => softmax::cross_entropy(z, y, &mut sum),
            Self::SigmoidPoisson => {
                sum.add(n, |j| a[j].to_f64() + times(y(j), softplus(-z[j].to_f64())));
            }
            Self::SoftplusPoisson => sum.add(n, |j| {
                let (z, a) = (z[j].to_f64(), a[j].to_f64());
                // Below −40, a = e^z, even if that underflows.
                let ln_a = if z < -40.0 { z } else { ln(a) };
                a - times(y(j), ln_a)
            }),
            Self::SoftmaxPoisson => {
                let softmax = LogSoftmax::of(z, a);
                sum.add(n, |j| a[j].to_f64() + softmax.weighted(y(j), z[j]));
            }
        }
        sum.total()
    }

    /// BP1: δ^L of one example.
    pub fn delta<T: Real>(self, z: &[T], a: &[T], y: impl Fn(usize) -> T, delta: &mut [T]) {
        let indices = || 0..a.len();
        match self {
            Self::Given => indices().for_each(|j| delta[j] = y(j)),
            Self::SigmoidCrossEntropy => indices().for_each(|j| delta[j] = a[j] - y(j)),
            // Their costs differ by Σ a, which is 1.
            Self::SoftmaxLogLikelihood | Self::SoftmaxPoisson => {
                let total = total(a.len(), &y);
                indices().for_each(|j| delta[j] = a[j] * total - y(j));
            }
            Self::SigmoidPoisson => {
                // 1 − a = σ(−z).
                indices().for_each(|j| delta[j] = -z[j]);
                map(delta, Sigmoid, sigmoid);
                indices().for_each(|j| delta[j] *= a[j] - y(j));
            }
            Self::SoftplusPoisson => {
                delta.fill(T::ONE);
                scale(delta, a, SoftplusDerivative, |a| -(-a).exp_m1());
                indices().for_each(|j| {
                    let derivative = delta[j];
                    // Where a underflows, a = e^z = σ' and their ratio is 1.
                    let ratio = if a[j] == T::ZERO {
                        T::ONE
                    } else {
                        derivative / a[j]
                    };
                    delta[j] = derivative - y(j) * ratio;
                });
            }
            Self::SoftmaxCrossEntropy => softmax::cross_entropy_delta(z, y, delta),
        }
    }
}

/// Σ y: in the type of y for few outputs, in float64 for many, as float32 would lose digits.
fn total<T: Real>(n: usize, y: impl Fn(usize) -> T) -> T {
    if n <= LN_BLOCK {
        return (0..n).fold(T::ZERO, |sum, j| sum + y(j));
    }
    let mut sum = LaneSum::default();
    sum.add(n, |j| y(j).to_f64());
    T::from_f64(sum.total())
}

/// ln x, not inlined, like [`Real`]'s functions.
#[inline(never)]
fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// factor · value, with 0 · ∞ = 0: the limit of y ln a as both go to 0.
fn times(factor: f64, value: f64) -> f64 {
    if factor == 0.0 && value.is_infinite() {
        0.0
    } else {
        factor * value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_costs_are_accurate() {
        // ln(1 + e^−30), from the expansion e^−30 − e^−60 / 2.
        let expected = (-30.0_f64).exp() - 0.5 * (-60.0_f64).exp();
        let y = |j: usize| if j == 0 { 1.0 } else { 0.0 };
        let cost = Fused::SoftmaxLogLikelihood.cost(&[1000.0, 970.0], &[1.0, (-30.0_f64).exp()], y);
        assert!((cost / expected - 1.0).abs() < 1e-12, "{cost} {expected}");
    }

    #[test]
    fn cross_entropy_over_softmax_is_finite_when_saturated_and_wrong() {
        // a = (1, e^−1000) and y = (0, 1): C = 2000, and δ = (2, −2) in the limit.
        let y = |j: usize| if j == 0 { 0.0 } else { 1.0 };
        let (z, a) = ([1000.0, 0.0], [1.0, 0.0]);
        assert!((Fused::SoftmaxCrossEntropy.cost(&z, &a, y) - 2000.0).abs() < 1e-9);
        let mut delta = [f64::NAN; 2];
        Fused::SoftmaxCrossEntropy.delta(&z, &a, y, &mut delta);
        assert!(
            delta
                .iter()
                .zip([2.0, -2.0])
                .all(|(d, e)| (d - e).abs() < 1e-12),
            "{delta:?}"
        );
    }

    #[test]
    fn softmax_probabilities_are_accurate_far_below_the_largest_z() {
        // r = softmax of (0.3, −0.5): δ = (2, −1 − r_1, −r_2) in the limit.
        let r = 1.0 / (1.0 + (-0.8_f64).exp());
        let y = |j: usize| if j == 1 { 1.0 } else { 0.0 };
        for gap in [1e3, 1e6, 1e16, 1.7e308] {
            let mut delta = [f64::NAN; 3];
            Fused::SoftmaxCrossEntropy.delta(&[gap, 0.3, -0.5], &[1.0, 0.0, 0.0], y, &mut delta);
            for (got, expected) in delta.iter().zip([2.0, -1.0 - r, r - 1.0]) {
                assert!((got - expected).abs() < 1e-15, "{gap} {delta:?}");
            }
        }
    }

    #[test]
    fn a_difference_of_two_z_may_overflow_where_the_cost_does_not() {
        // C = ¼ · 3.4e308 for the log-likelihood, and the largest z adds the same with 1 − y = ¼.
        let (z, a) = ([1.7e308, -1.7e308], [1.0, 0.0]);
        let y = |j: usize| if j == 0 { 0.75 } else { 0.25 };
        let cost = Fused::SoftmaxLogLikelihood.cost(&z, &a, y);
        assert!((cost / 8.5e307 - 1.0).abs() < 1e-15, "{cost:e}");
        let cost = Fused::SoftmaxCrossEntropy.cost(&z, &a, y);
        assert!((cost / 1.7e308 - 1.0).abs() < 1e-15, "{cost:e}");
    }

    #[test]
    fn infinite_z_give_their_limit_where_it_exists() {
        let low = f64::NEG_INFINITY;
        let delta = |z: &[f64], y: &[f64]| {
            let mut delta = vec![f64::NAN; z.len()];
            Fused::SoftmaxCrossEntropy.delta(z, &[], |j| y[j], &mut delta);
            delta
        };
        assert_eq!(delta(&[0.0, low], &[0.0, 1.0]), [2.0, -2.0]);
        assert_eq!(delta(&[0.0, low, low], &[1.0, 0.0, 0.0]), [0.0; 3]);
        // The ratio of the two at −∞ has no limit.
        let undefined = delta(&[0.0, low, low], &[0.0, 1.0, 0.0]);
        assert!(
            undefined[0].to_bits() == 2.0_f64.to_bits()
                && undefined[1..].iter().all(|d| d.is_nan()),
            "{undefined:?}"
        );
        assert!(
            delta(&[f64::INFINITY, 0.0], &[1.0, 0.0])
                .iter()
                .all(|d| d.is_nan())
        );
    }
}
