//! The second derivatives of a cost at the output: the tangent of δ^L, and the Gauss–Newton matrix.

use crate::base::sum::{LaneSum, sum};
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::model::fused::Fused;

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
            (Some(Fused::SigmoidCrossEntropy), _) => each(&|j| a(j) * (1.0 - a(j)) * dz(j)),
            (Some(Fused::SoftmaxLogLikelihood | Fused::SoftmaxPoisson), _) => {
                let total = sum((0..self.a.len()).map(&self.y));
                let mean = self.dot(|j| a(j) * dz(j));
                each(&|j| total * a(j) * (dz(j) - mean));
            }
            (Some(Fused::SigmoidPoisson), _) => each(&|j| {
                let (a, y) = (a(j), (self.y)(j));
                let rest = 1.0 - a;
                let factor = if hessian {
                    a * (1.0 - a - a + y)
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
                    let ratio = if a == 0.0 { 1.0 } else { first / a };
                    y * ratio * ratio
                };
                factor * dz(j)
            }),
            (Some(Fused::SoftmaxCrossEntropy), _) => self.softmax_cross_entropy(hessian, dz, out),
            (None, Activation::Softmax) => {
                let mean = self.dot(|j| a(j) * dz(j));
                let da = |j: usize| a(j) * (dz(j) - mean);
                let of_residual = |j: usize| self.residual_derivatives(j);
                let weighted = self.dot(|j| a(j) * of_residual(j).1 * da(j));
                let nabla = self.dot(|j| a(j) * of_residual(j).0);
                let tangent = self.dot(|j| da(j) * of_residual(j).0);
                each(&|j| {
                    let (first, second) = of_residual(j);
                    let gauss_newton = a(j) * (second * da(j) - weighted);
                    if hessian {
                        gauss_newton + da(j) * (first - nabla) - a(j) * tangent
                    } else {
                        gauss_newton
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

    /// With u = (a − y) / (1 − a), δ = u − a Σu. The a of this function are computed in float64 from z, and
    /// 1 − a of the largest from the others.
    fn softmax_cross_entropy(&self, hessian: bool, dz: impl Fn(usize) -> f64, out: &mut [T]) {
        let z = |j: usize| self.z[j].to_f64();
        let indices = || 0..self.z.len();
        let top = indices().fold(0, |top, j| if z(j) > z(top) { j } else { top });
        let exp = |j: usize| Real::exp(z(j) - z(top));
        let others = self.dot(|j| if j == top { 0.0 } else { exp(j) });
        let total = 1.0 + others;
        let a = |j: usize| exp(j) / total;
        let rest = |j: usize| if j == top { others / total } else { 1.0 - a(j) };
        let mean = self.dot(|j| a(j) * dz(j));
        // 1 − a of the top may be so small that its square is not.
        let t = |j: usize| dz(j) - mean;
        let (u, du): (&dyn Fn(usize) -> f64, &dyn Fn(usize) -> f64) = if hessian {
            (&|j| (a(j) - (self.y)(j)) / rest(j), &|j| {
                times((1.0 - (self.y)(j)) / rest(j), t(j) / rest(j) * a(j))
            })
        } else {
            (&|_| 0.0, &|j| {
                let odds = a(j) / rest(j);
                let y = (self.y)(j);
                y * t(j) + times(1.0 - y, odds * odds * t(j))
            })
        };
        let (sum, tangent) = (self.dot(u), self.dot(du));
        for (j, out) in out.iter_mut().enumerate() {
            *out = T::from_f64(du(j) - a(j) * t(j) * sum - a(j) * tangent);
        }
    }

    fn dot(&self, term: impl Fn(usize) -> f64) -> f64 {
        let mut sum = LaneSum::default();
        sum.add(self.a.len(), term);
        sum.total()
    }
}

/// The derivative of (1 − e^−a) / a, a ≥ 0.
fn ratio_derivative(a: f64) -> f64 {
    if a > 0.5 {
        return ((-a).exp() * (1.0 + a) - 1.0) / (a * a);
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

/// factor · value, with 0 · ∞ = 0.
fn times(factor: f64, value: f64) -> f64 {
    if factor == 0.0 { 0.0 } else { factor * value }
}
