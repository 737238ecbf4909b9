//! The second derivatives of cross-entropy over softmax by z.
//!
//! With t the largest output, q = 1 − `a_t`, r the softmax of the others alone, so that `a_j` = q `r_j`,
//! and m = `Σ_j r_j (ż_j − ż_t)`, the derivatives of ln a along ż are `s_j = ż_j − ż_t − q m` and `s_t` = −q m,
//! and that of ln (1 − `a_t`) is `a_t` m. No difference of nearly equal numbers is divided by q, which may be
//! as small as the distance of `a_t` from 1.

use crate::base::sum::LaneSum;
use crate::kernels::real::Real;
use crate::model::fused::LargestAndOthers;

/// One example: its z, and ż as `tangent_z`.
#[derive(Clone, Copy)]
pub struct SoftmaxCrossEntropy<'a, T, Y> {
    pub z: &'a [T],
    pub tangent_z: &'a [T],
    pub y: Y,
}

impl<T: Real, Y: Fn(usize) -> f64> SoftmaxCrossEntropy<'_, T, Y> {
    /// The derivative of δ along ż, into `out`.
    ///
    /// Of `δ_t = a_t − y_t − a_t Σ_{k≠t} p_k` and `δ_j = p_j − r_j (a_t − y_t) − a_j Σ_{k≠t} p_k`, where
    /// `p_k = (a_k − y_k) / (1 − a_k)` and `ṗ_k = a_k s_k (1 − y_k) / (1 − a_k)²`.
    pub fn hessian_product(&self, out: &mut [T]) {
        let (parts, m) = self.parts(out);
        let (top, a_top, q) = (parts.top, parts.a_top, parts.q);
        let a = |e: T| e.to_f64() * parts.share * q;
        let s = |j: usize| self.change(top, j) - q * m;
        let dp = |e: T, j: usize| a(e) * s(j) * (1.0 - (self.y)(j)) / (1.0 - a(e)).powi(2);
        let p_sum = sum_except(top, out, |e, j| (a(e) - (self.y)(j)) / (1.0 - a(e)));
        let dp_sum = sum_except(top, out, dp);
        let (s_top, miss) = (-q * m, parts.miss((self.y)(top)));
        let da_top = a_top * s_top;
        for (j, out) in out.iter_mut().enumerate() {
            let (e, r) = (*out, out.to_f64() * parts.share);
            // q ṙ_j + r_j q̇ is ȧ_j = a_j s_j, and q̇ = −ȧ_t.
            let of_top = parts.limit(r, (self.change(top, j) - m) * miss + da_top);
            *out = T::from_f64(dp(e, j) - a(e) * (s(j) * p_sum + dp_sum) - of_top);
        }
        out[top] = T::from_f64(da_top - a_top * (s_top * p_sum + dp_sum));
    }

    /// The product of Σ_k [`y_k` ∂(ln `a_k`) ∂(ln `a_k`)ᵀ + (1 − `y_k`) ∂(ln (1 − `a_k`)) ∂(ln (1 − `a_k`))ᵀ]
    /// with ż, into `out`.
    pub fn gauss_newton_product(&self, out: &mut [T]) {
        let (parts, m) = self.parts(out);
        let (top, a_top, q) = (parts.top, parts.a_top, parts.q);
        let a = |e: T| e.to_f64() * parts.share * q;
        let s = |j: usize| self.change(top, j) - q * m;
        let of_rest = |e: T, j: usize| {
            let odds = a(e) / (1.0 - a(e));
            (1.0 - (self.y)(j)) * odds * odds * s(j)
        };
        let y_sum = sum_except(top, out, |_, j| (self.y)(j) * s(j));
        let rest_sum = sum_except(top, out, of_rest);
        let (s_top, y_top) = (-q * m, (self.y)(top));
        let of_top = (1.0 - y_top) * a_top * a_top * m;
        for (j, out) in out.iter_mut().enumerate() {
            let (e, r) = (*out, out.to_f64() * parts.share);
            let shared = y_sum + y_top * s_top + rest_sum;
            let own = (self.y)(j) * s(j) + of_rest(e, j);
            *out = T::from_f64(own - a(e) * shared + parts.limit(r, of_top));
        }
        out[top] = T::from_f64(y_top * s_top * q - a_top * (y_sum + rest_sum) - of_top);
    }

    /// Writes e^z times a factor to `out`, and 0 for the largest; returns the rest and m.
    fn parts(&self, out: &mut [T]) -> (LargestAndOthers, f64) {
        let parts = LargestAndOthers::of(self.z, out);
        let top = parts.top;
        let sum = sum_except(top, out, |e, j| e.to_f64() * self.change(top, j));
        (parts, sum * parts.share)
    }

    /// `ż_j − ż_t`.
    fn change(&self, top: usize, j: usize) -> f64 {
        self.tangent_z[j].to_f64() - self.tangent_z[top].to_f64()
    }
}

/// The sum of `term` of each number and its index, without that at `top`.
fn sum_except<T: Real>(top: usize, numbers: &[T], term: impl Fn(T, usize) -> f64) -> f64 {
    let mut sum = LaneSum::default();
    sum.add(numbers.len(), |j| {
        if j == top { 0.0 } else { term(numbers[j], j) }
    });
    sum.total()
}
