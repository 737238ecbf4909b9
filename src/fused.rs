//! Costs that meet their output: the pairs where ∇_a C alone would divide by 0 although δ^L and C
//! are finite. Both are written in z and a so that nothing overflows; `docs/mathematics.md`
//! derives them.

use crate::activation::{Activation, softplus};
use crate::cost::Cost;
use crate::scalar::Real;

/// A cost together with the output that it is taken over.
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
    /// Poisson over softmax: `δ_j = a_j − y_j − a_j Σ_k (a_k − y_k)`.
    SoftmaxPoisson,
}

impl Fused {
    /// The pair, if it is one.
    pub const fn of(cost: Cost, output: Activation) -> Option<Self> {
        match (cost, output) {
            (Cost::CrossEntropy, Activation::Sigmoid) => Some(Self::SigmoidCrossEntropy),
            (Cost::CrossEntropy, Activation::Softmax) => Some(Self::SoftmaxCrossEntropy),
            (Cost::LogLikelihood, Activation::Softmax) => Some(Self::SoftmaxLogLikelihood),
            (Cost::Poisson, Activation::Sigmoid) => Some(Self::SigmoidPoisson),
            (Cost::Poisson, Activation::Softplus) => Some(Self::SoftplusPoisson),
            (Cost::Poisson, Activation::Softmax) => Some(Self::SoftmaxPoisson),
            _ => None,
        }
    }

    /// `C_x`, in float64.
    pub fn cost<T: Real>(self, z: &[T], a: &[T], y: impl Fn(usize) -> T) -> f64 {
        let lse = match self {
            Self::SoftmaxLogLikelihood | Self::SoftmaxPoisson => log_sum_exp(z, None),
            _ => 0.0,
        };
        let top = match self {
            Self::SoftmaxCrossEntropy => Some(Top::of(z)),
            _ => None,
        };
        let term = |(j, (z, a)): (usize, (&T, &T))| {
            let (z, a, y) = (z.to_f64(), a.to_f64(), y(j).to_f64());
            match self {
                Self::SigmoidCrossEntropy => {
                    times(y, || softplus(-z)) + times(1.0 - y, || softplus(z))
                }
                Self::SoftmaxCrossEntropy => top.as_ref().map_or(0.0, |top| {
                    times(-y, || z - top.lse) + times(y - 1.0, || top.log_complement(j, z))
                }),
                Self::SoftmaxLogLikelihood => times(y, || lse - z),
                Self::SigmoidPoisson => a + times(y, || softplus(-z)),
                Self::SoftplusPoisson => softplus(z) - times(y, || log_softplus(z)),
                Self::SoftmaxPoisson => a + times(y, || lse - z),
            }
        };
        z.iter()
            .zip(a)
            .enumerate()
            .map(term)
            .fold(0.0, |sum, term| sum + term)
    }

    /// BP1: δ^L of one example.
    pub fn delta<T: Real>(self, z: &[T], a: &[T], y: impl Fn(usize) -> T, delta: &mut [T]) {
        let indices = || 0..a.len();
        match self {
            Self::SigmoidCrossEntropy => indices().for_each(|j| delta[j] = a[j] - y(j)),
            Self::SoftmaxLogLikelihood => {
                let total = indices().fold(T::ZERO, |sum, j| sum + y(j));
                indices().for_each(|j| delta[j] = a[j] * total - y(j));
            }
            Self::SigmoidPoisson => {
                indices().for_each(|j| delta[j] = (a[j] - y(j)) * (T::ONE - a[j]));
            }
            Self::SoftplusPoisson => indices().for_each(|j| {
                let derivative = -(-a[j]).exp_m1();
                // Where a underflows, a = e^z = σ' and their ratio is 1.
                let ratio = if a[j] == T::ZERO {
                    T::ONE
                } else {
                    derivative / a[j]
                };
                delta[j] = derivative - y(j) * ratio;
            }),
            Self::SoftmaxPoisson => {
                let total = indices().fold(T::ZERO, |sum, j| sum + (a[j] - y(j)));
                indices().for_each(|j| delta[j] = a[j] - y(j) - a[j] * total);
            }
            Self::SoftmaxCrossEntropy => {
                // With p_j = (a_j − y_j) / (1 − a_j): δ_j = a_j − y_j − a_j Σ_{k≠j} p_k. Only the
                // largest output t can be so near 1 that 1 − a_t is lost; for it, the product
                // a_j p_t = r_j (a_t − y_t), r the softmax of the others, is taken instead.
                let top = Top::of(z);
                let output = |j: usize| (z[j].to_f64() - top.lse).exp();
                let target = |j: usize| y(j).to_f64();
                let p = |j: usize| (output(j) - target(j)) / (1.0 - output(j));
                let others = indices().filter(|&j| j != top.index);
                let sum = others.fold(0.0, |sum, j| sum + p(j));
                let miss = output(top.index) - target(top.index);
                for j in indices() {
                    let error = if j == top.index {
                        miss - output(j) * sum
                    } else {
                        let share = (z[j].to_f64() - top.lse_of_others).exp();
                        output(j) - target(j) - output(j) * (sum - p(j)) - share * miss
                    };
                    delta[j] = T::from_f64(error);
                }
            }
        }
    }
}

/// The largest z of a softmax layer, and ln Σ e^z with and without it.
struct Top {
    index: usize,
    lse: f64,
    lse_of_others: f64,
}

impl Top {
    fn of<T: Real>(z: &[T]) -> Self {
        let index = (1..z.len()).fold(0, |top, j| if z[j] > z[top] { j } else { top });
        Self {
            index,
            lse: log_sum_exp(z, None),
            lse_of_others: log_sum_exp(z, Some(index)),
        }
    }

    /// ln(1 − `a_j`), where `a_j` = e^(z − lse).
    fn log_complement(&self, j: usize, z: f64) -> f64 {
        if j == self.index {
            self.lse_of_others - self.lse
        } else {
            (-(z - self.lse).exp()).ln_1p()
        }
    }
}

/// ln Σ e^z over all entries but `left_out`; −∞ where none is left.
fn log_sum_exp<T: Real>(z: &[T], left_out: Option<usize>) -> f64 {
    let entries = || {
        let kept = z.iter().enumerate().filter(|(j, _)| Some(*j) != left_out);
        kept.map(|(_, z)| z.to_f64())
    };
    let largest = entries().fold(f64::MIN, f64::max);
    let sum = entries().fold(0.0, |sum, z| sum + libm::exp(z - largest));
    largest + libm::log(sum)
}

/// ln ln(1 + e^z), also where ln(1 + e^z) = e^z underflows.
fn log_softplus(z: f64) -> f64 {
    if z < -40.0 { z } else { libm::log(softplus(z)) }
}

/// factor · value(), and 0 where the factor is 0: the limit of 0 · ln 0.
fn times(factor: f64, value: impl Fn() -> f64) -> f64 {
    if factor == 0.0 { 0.0 } else { factor * value() }
}
