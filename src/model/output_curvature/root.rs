//! The root of the Gauss–Newton matrix H of a cost at the output: S with S Sᵀ = H, column by column.

use crate::base::sum::sum;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::cost::Cost;
use crate::model::fused::{Fused, LargestAndOthers};
use crate::model::output_curvature::{Output, slope_over_a};

impl<T: Real, Y: Fn(usize) -> f64> Output<'_, T, Y> {
    /// Column `c` of S into `out`, (n_L,). NaN where H is not positive semidefinite, which it is for y in the
    /// range of the cost.
    pub fn root_column(&self, c: usize, out: &mut [T]) {
        let fused = self.cost.fused(self.activation);
        match (fused, self.activation) {
            (
                Some(
                    Fused::SoftmaxCrossEntropy
                    | Fused::SoftmaxLogLikelihood
                    | Fused::SoftmaxPoisson,
                ),
                _,
            ) => self.softmax_column(c, out),
            (None, Activation::Softmax) => {
                // S = J √(∂²C/∂a²), J = ∂a/∂z.
                let root = self.residual_derivatives(c).1.sqrt();
                let change = self.centred(|j| if j == c { root } else { 0.0 });
                for (j, out) in out.iter_mut().enumerate() {
                    *out = T::from_f64(self.a[j].to_f64() * change(j));
                }
            }
            _ => {
                out.fill(T::ZERO);
                out[c] = T::from_f64(self.root_of_neuron(c, fused));
            }
        }
    }

    /// The root of a diagonal H.
    fn root_of_neuron(&self, c: usize, fused: Option<Fused>) -> f64 {
        let (a, y) = (self.a[c].to_f64(), (self.y)(c));
        match fused {
            Some(Fused::SigmoidCrossEntropy) => {
                let [a, rest] = self.sigmoids(c);
                (a * rest).sqrt()
            }
            Some(Fused::SigmoidPoisson) => y.sqrt() * self.sigmoids(c)[1],
            Some(Fused::SoftplusPoisson) => {
                let (slope, _) = self.activation.two_derivatives(f64::NAN, a);
                y.sqrt() * slope_over_a(slope, a)
            }
            Some(_) => f64::NAN, // unknown; the caller refuses it
            None => {
                let z = self.z.get(c).map_or(f64::NAN, |z| z.to_f64());
                let (slope, _) = self.activation.two_derivatives(z, a);
                self.residual_derivatives(c).1.sqrt() * slope
            }
        }
    }

    /// H is J diag(d) J with d = ∂²C/∂a² of cross-entropy, or `Σ_k y_k / a`, and J = diag(a) − a aᵀ. Column c of
    /// J √d is side in row c, and −side `a_j` / (1 − `a_c`) in row j, with side = √d a (1 − a) of neuron c.
    fn softmax_column(&self, c: usize, out: &mut [T]) {
        let parts = LargestAndOthers::of(self.z, out);
        let (top, y) = (parts.top, (self.y)(c));
        let of_others = |e: T| e.to_f64() * parts.share;
        let (a, rest) = if c == top {
            (parts.a_top, parts.q)
        } else {
            let a = of_others(out[c]) * parts.q;
            (a, 1.0 - a)
        };
        let side = if self.cost == Cost::CrossEntropy {
            (y * rest * rest + (1.0 - y) * a * a).sqrt()
        } else {
            (a * sum((0..self.a.len()).map(&self.y))).sqrt() * rest
        };
        for (j, out) in out.iter_mut().enumerate() {
            *out = T::from_f64(-match (c == top, j == top) {
                // a_j / (1 − a_top), also where 1 − a_top underflows
                (true, _) => parts.limit(of_others(*out), side),
                (false, true) => parts.a_top / rest * side,
                (false, false) => of_others(*out) * parts.q / rest * side,
            });
        }
        out[c] = T::from_f64(side);
    }
}
