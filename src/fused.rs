//! Costs that meet their output: the pairs where ∇_a C alone would divide by 0 although δ^L and C
//! are finite. All are written in z and a so that nothing overflows; `docs/mathematics.md`
//! derives them.

use crate::activation::softplus;
use crate::cost::Sum;
use crate::kernels::{activations, map, scale, slopes};
use crate::scalar::Real;

/// The outputs whose logarithms are taken at once, a multiple of eight.
const BLOCK: usize = 64;

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
    /// Poisson over softmax: δ as for the log-likelihood.
    SoftmaxPoisson,
}

impl Fused {
    /// `C_x`, in float64.
    pub fn cost<T: Real>(self, z: &[T], a: &[T], y: impl Fn(usize) -> T) -> f64 {
        let n = z.len();
        let y = |j: usize| y(j).to_f64();
        let mut sum = Sum::default();
        match self {
            Self::SigmoidCrossEntropy => {
                // softplus(∓z) = max(∓z, 0) + ln(1 + e^−|z|): one logarithm for both.
                let mut small = [T::ZERO; BLOCK];
                for (first, z) in (0..n).step_by(BLOCK).zip(z.chunks(BLOCK)) {
                    let small = &mut small[..z.len()];
                    small.iter_mut().zip(z).for_each(|(s, z)| *s = -z.abs());
                    map(small, activations::Softplus, softplus);
                    sum.add(z.len(), |k| {
                        let (y, z, small) = (y(first + k), z[k].to_f64(), small[k].to_f64());
                        times(y, (-z).max(0.0) + small) + times(1.0 - y, z.max(0.0) + small)
                    });
                }
            }
            Self::SoftmaxLogLikelihood => {
                let shares = Shares::of(z, a);
                sum.add(n, |j| times(y(j), -shares.ln(z, j)));
            }
            Self::SoftmaxCrossEntropy => {
                let shares = Shares::exact(z);
                sum.add(n, |j| {
                    let (surprise, complement) = (-shares.ln(z, j), -shares.ln_rest(z, j));
                    times(y(j), surprise) + times(1.0 - y(j), complement)
                });
            }
            Self::SigmoidPoisson => {
                sum.add(n, |j| a[j].to_f64() + times(y(j), softplus(-z[j].to_f64())));
            }
            Self::SoftplusPoisson => sum.add(n, |j| {
                let (z, a) = (z[j].to_f64(), a[j].to_f64());
                // Below −40 a = e^z, also where that underflows.
                let ln_a = if z < -40.0 { z } else { ln(a) };
                a - times(y(j), ln_a)
            }),
            Self::SoftmaxPoisson => {
                let shares = Shares::of(z, a);
                sum.add(n, |j| a[j].to_f64() + times(y(j), -shares.ln(z, j)));
            }
        }
        sum.total()
    }

    /// BP1: δ^L of one example.
    pub fn delta<T: Real>(self, z: &[T], a: &[T], y: impl Fn(usize) -> T, delta: &mut [T]) {
        let indices = || 0..a.len();
        match self {
            Self::SigmoidCrossEntropy => indices().for_each(|j| delta[j] = a[j] - y(j)),
            // Their costs differ by Σ a = 1.
            Self::SoftmaxLogLikelihood | Self::SoftmaxPoisson => {
                let total = indices().fold(T::ZERO, |sum, j| sum + y(j));
                indices().for_each(|j| delta[j] = a[j] * total - y(j));
            }
            Self::SigmoidPoisson => {
                indices().for_each(|j| delta[j] = (a[j] - y(j)) * (T::ONE - a[j]));
            }
            Self::SoftplusPoisson => {
                delta.fill(T::ONE);
                scale(delta, a, slopes::Softplus, |a| -(-a).exp_m1());
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
            Self::SoftmaxCrossEntropy => {
                // With p_j = (a_j − y_j) / (1 − a_j): δ_j = p_j − a_j Σ_k p_k. Only the largest
                // output t can be so near 1 that 1 − a_t is lost; in place of a_j p_t stands the
                // equal r_j (a_t − y_t), r the softmax of the others, and
                // δ_t = a_t − y_t − a_t Σ_{k≠t} p_k.
                let shares = Shares::exact(z);
                let top = shares.top;
                let output = |j: usize| shares.ln(z, j).exp();
                let miss = output(top) - y(top).to_f64();
                let rest = shares.ln_rest(z, top);
                // First p_j in place of δ_j.
                let mut sum = 0.0;
                for j in indices().filter(|&j| j != top) {
                    let a = output(j);
                    let p = (a - y(j).to_f64()) / (1.0 - a);
                    sum += p;
                    delta[j] = T::from_f64(p);
                }
                for j in indices().filter(|&j| j != top) {
                    let (ln_a, p) = (shares.ln(z, j), delta[j].to_f64());
                    let (a, share) = (ln_a.exp(), (ln_a - rest).exp());
                    delta[j] = T::from_f64(p - a * sum - share * miss);
                }
                delta[top] = T::from_f64(miss - output(top) * sum);
            }
        }
    }
}

/// Softmax in logarithms, with the largest z taken out before anything is added: a cost of 1e-13
/// at z = 1000 keeps its digits, down to the smallest normal number of a's dtype.
struct Shares {
    /// The largest z, and its index.
    shift: f64,
    top: usize,
    /// ln Σ e^(z − shift).
    ln_sum: f64,
}

impl Shares {
    /// Of z and a, its softmax: the others' shares of the largest are there already.
    fn of<T: Real>(z: &[T], a: &[T]) -> Self {
        let top = largest(z);
        let mut others = Sum::default();
        others.add(a.len(), |j| if j == top { 0.0 } else { a[j].to_f64() });
        Self::new(z, top, others.total() / a[top].to_f64())
    }

    /// Of z alone, in float64 whatever its dtype.
    fn exact<T: Real>(z: &[T]) -> Self {
        let top = largest(z);
        Self::new(z, top, Self::sum_of_others(z, top, z[top].to_f64()))
    }

    /// `others`: Σ e^(z − shift) without the largest z.
    fn new<T: Real>(z: &[T], top: usize, others: f64) -> Self {
        let shift = z[top].to_f64();
        Self {
            shift,
            top,
            // 0 · shift is 0, or NaN for a z of NaN or +∞.
            ln_sum: (others + 0.0 * shift).ln_1p(),
        }
    }

    /// Σ e^(z − shift) without the largest z.
    fn sum_of_others<T: Real>(z: &[T], top: usize, shift: f64) -> f64 {
        let others = (0..z.len()).filter(|&j| j != top);
        others.fold(0.0, |sum, j| sum + Real::exp(z[j].to_f64() - shift))
    }

    /// ln a_j.
    fn ln<T: Real>(&self, z: &[T], j: usize) -> f64 {
        (z[j].to_f64() - self.shift) - self.ln_sum
    }

    /// ln(1 − a_j).
    fn ln_rest<T: Real>(&self, z: &[T], j: usize) -> f64 {
        if j == self.top {
            // Shifted by the largest of the others; −∞ where there is no other.
            let others = (0..z.len()).filter(|&j| j != self.top);
            let second = others.map(|j| z[j].to_f64()).fold(f64::MIN, f64::max);
            let sum = Self::sum_of_others(z, self.top, second);
            (second - self.shift) + ln(sum) - self.ln_sum
        } else {
            (-self.ln(z, j).exp()).ln_1p()
        }
    }
}

/// The index of the largest number, NaN passed over.
fn largest<T: Real>(z: &[T]) -> usize {
    // Eight at a time: to compare each with the last largest would be to wait for it.
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

/// ln x, not inlined, as [`Real`]'s functions are not.
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
    fn a_small_cost_keeps_its_digits() {
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
}
