//! Softmax of one row, for machines without fused multiply-add, and its Jacobian product for all.

use crate::base::sum::{LaneSum, SUM_BLOCK, sum};
use crate::kernels::real::Real;

/// e^z / Σ e^z, shifted by the largest z so that nothing overflows.
pub(super) fn scalar_softmax<T: Real>(z: &mut [T]) {
    let largest = largest(z);
    for z in z.iter_mut() {
        *z = (*z - largest).exp();
    }
    // In float64: the sum of a million float32 outputs would lose three digits.
    let blocks = z
        .chunks(SUM_BLOCK)
        .map(|block| block.iter().fold(0.0, |sum, z| sum + z.to_f64()));
    let sum = sum(blocks);
    let sum = T::from_f64(sum);
    for z in z {
        *z = *z / sum;
    }
}

/// δ ← `a_j (δ_j − Σ_k a_k δ_k)`, after subtracting δ of the largest a from every δ. As Σ a = 1, this
/// changes nothing mathematically, but it avoids cancellation where that a is nearly 1.
pub(super) fn softmax_vjp<T: Real>(delta: &mut [T], a: &[T]) {
    let largest = largest(a);
    let top = a.iter().position(|&a| a == largest).unwrap_or(0);
    let of_top = delta[top].to_f64();
    let mut dot = LaneSum::default();
    dot.add(a.len(), |k| a[k].to_f64() * (delta[k].to_f64() - of_top));
    let dot = dot.total();
    for (delta, &a) in delta.iter_mut().zip(a) {
        *delta = T::from_f64(a.to_f64() * ((delta.to_f64() - of_top) - dot));
    }
}

/// The largest value; NaN is ignored.
fn largest<T: Real>(values: &[T]) -> T {
    let larger = |a, b| if b > a { b } else { a };
    values.iter().copied().fold(-T::MAX, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels with fused multiply-add use another implementation.
    #[test]
    fn the_vjp_of_softmax_is_accurate_near_saturation() {
        let mut delta = [1.0, 2.0];
        softmax_vjp(&mut delta, &[1.0, 1e-20]);
        assert_eq!(delta.map(f64::to_bits), [-1e-20, 1e-20].map(f64::to_bits));
        let mut delta = [2.0, 1.0];
        softmax_vjp(&mut delta, &[1e-20, 1.0]);
        assert_eq!(delta.map(f64::to_bits), [1e-20, -1e-20].map(f64::to_bits));
    }
}
