//! The second derivatives of a cost at the output: the tangent of δ^L, and the Gauss–Newton matrix.

use crate::base::sum::{LaneSum, sum};
use crate::kernels::real::Real;
use crate::model::activation::{Activation, sigmoid};
use crate::model::cost::Cost;
use crate::model::fused::{Fused, largest};

mod root;
mod softmax_cross_entropy;
#[cfg(test)]
mod tests;

use softmax_cross_entropy::SoftmaxCrossEntropy;

/// A matrix of second derivatives of `C_x` by z^L.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputCurvature {
    /// The Hessian of C by z^L.
    Hessian,
    /// Without the curvature of σ_L: σ'ᵀ (∂²C/∂a²) σ'. For cross-entropy over sigmoid and log-likelihood or
    /// Poisson over softmax, which are functions of z^L, the Hessian.
    GaussNewton,
}

/// One example at the output.
pub(crate) struct Output<'a, T, Y> {
    pub cost: Cost,
    pub activation: Activation,
    /// Where the cost or σ' reads it.
    pub z: &'a [T],
    pub a: &'a [T],
    pub y: Y,
}

impl<T: Real, Y: Fn(usize) -> f64> Output<'_, T, Y> {
    /// The product of the matrix with ż = `tangent_z`, into `out`; each (n_L,). A custom cost has none.
    pub fn product(&self, curvature: OutputCurvature, tangent_z: &[T], out: &mut [T]) {
        let hessian = curvature == OutputCurvature::Hessian;
        let (a, dz) = (
            |j: usize| self.a[j].to_f64(),
            |j: usize| tangent_z[j].to_f64(),
        );
        let mut each = |value: &dyn Fn(usize) -> f64| {
            for (j, out) in out.iter_mut().enumerate() {
                *out = T::from_f64(value(j));
            }
        };
        match (self.cost.fused(self.activation), self.activation) {
            // Unknown; the caller refuses it.
            (Some(Fused::Given), _) => each(&|_| f64::NAN),
            (Some(Fused::SigmoidCrossEntropy), _) => each(&|j| {
                let [a, rest] = self.sigmoids(j);
                a * rest * dz(j)
            }),
            (Some(Fused::SoftmaxLogLikelihood | Fused::SoftmaxPoisson), _) => {
                let total = sum((0..self.a.len()).map(&self.y));
                let change = self.centred(dz);
                each(&|j| total * a(j) * change(j));
            }
            (Some(Fused::SigmoidPoisson), _) => each(&|j| {
                let ([a, rest], y) = (self.sigmoids(j), (self.y)(j));
                let factor = if hessian {
                    a * ((y - 1.0) + 2.0 * rest) // 1 − 2a + y
                } else {
                    y * rest
                };
                factor * rest * dz(j)
            }),
            (Some(Fused::SoftplusPoisson), _) => each(&|j| {
                let (a, y) = (a(j), (self.y)(j));
                let (first, second) = self.activation.two_derivatives(f64::NAN, a);
                let factor = if hessian {
                    second - y * first * ratio_derivative(a)
                } else {
                    let ratio = slope_over_a(first, a);
                    y * ratio * ratio
                };
                factor * dz(j)
            }),
            (Some(Fused::SoftmaxCrossEntropy), _) => {
                let example = SoftmaxCrossEntropy {
                    z: self.z,
                    tangent_z,
                    y: &self.y,
                };
                if hessian {
                    example.hessian_product(out);
                } else {
                    example.gauss_newton_product(out);
                }
            }
            (None, Activation::Softmax) => {
                // δ = a ⊙ (g − a · g) for g = ∂C/∂a, and ȧ = a ⊙ change.
                let of_residual = |j: usize| self.residual_derivatives(j);
                let change = self.centred(dz);
                let dg = self.centred(|j| of_residual(j).1 * a(j) * change(j));
                let g = self.centred(|j| of_residual(j).0);
                let da_g = self.dot(|j| a(j) * change(j) * g(j));
                each(&|j| {
                    if hessian {
                        a(j) * (dg(j) + change(j) * g(j) - da_g)
                    } else {
                        a(j) * dg(j)
                    }
                });
            }
            (None, activation) => each(&|j| {
                let z = self.z.get(j).map_or(f64::NAN, |z| z.to_f64());
                let (slope, bend) = activation.two_derivatives(z, a(j));
                let (first, second) = self.residual_derivatives(j);
                let gauss_newton = second * slope * slope;
                let factor = if hessian && bend != 0.0 {
                    gauss_newton + first * bend
                } else {
                    gauss_newton
                };
                factor * dz(j)
            }),
        }
    }

    /// a and 1 − a of one sigmoid output, each with all its digits.
    fn sigmoids(&self, j: usize) -> [f64; 2] {
        let z = self.z[j].to_f64();
        [sigmoid(z), sigmoid(-z)]
    }

    /// ∂C/∂a and ∂²C/∂a² of one output, for the costs of a − y.
    fn residual_derivatives(&self, j: usize) -> (f64, f64) {
        let r = self.a[j].to_f64() - (self.y)(j);
        let sign = if r == 0.0 { 0.0 } else { r.signum() };
        match self.cost {
            Cost::Huber if r.abs() > 1.0 => (sign, 0.0),
            Cost::Absolute => (sign, 0.0),
            _ => (r, 1.0),
        }
    }

    /// `v_j − Σ_k a_k v_k` for softmax, exact for the largest a, where the two are nearly equal.
    fn centred<'b>(&'b self, v: impl Fn(usize) -> f64 + 'b) -> impl Fn(usize) -> f64 + 'b {
        let top = largest(self.a);
        let middle = v(top);
        let mean = self.dot(|j| self.a[j].to_f64() * (v(j) - middle));
        move |j| (v(j) - middle) - mean
    }

    fn dot(&self, term: impl Fn(usize) -> f64) -> f64 {
        let mut sum = LaneSum::default();
        sum.add(self.a.len(), term);
        sum.total()
    }
}

/// σ'/a of softplus; its limit where a underflows.
fn slope_over_a(slope: f64, a: f64) -> f64 {
    if a == 0.0 { 1.0 } else { slope / a }
}

/// The derivative of (1 − e^−a) / a, a ≥ 0.
fn ratio_derivative(a: f64) -> f64 {
    if a > 0.5 {
        return (Real::exp(-a) * (1.0 + a) - 1.0) / (a * a);
    }
    // Σ (−1)^k k a^(k−1) / (k + 1)!, whose terms above k = 14 are below rounding.
    let (mut power, mut factorial, mut sum) = (-1.0, 1.0, 0.0);
    for k in 1..15 {
        let k = f64::from(k);
        factorial *= k + 1.0;
        sum += k * power / factorial;
        power *= -a;
    }
    sum
}
