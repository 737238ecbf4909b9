//! Polynomial evaluation in a register.

use crate::kernels::simd::vector::Arithmetic;

/// `Σ_k c_k x^k` with two or more coefficients, given x².
///
/// Even and odd powers are summed independently, which halves the chain of dependent multiply-adds.
#[inline(always)]
pub(in crate::kernels) fn polynomial<V: Arithmetic>(
    x: V,
    square: V,
    coefficients: &[V::Scalar],
) -> V {
    let last = coefficients.len() - 1;
    let highest = every_other(square, coefficients, last);
    let next = every_other(square, coefficients, last - 1);
    if last.is_multiple_of(2) {
        next.mul_add(x, highest)
    } else {
        highest.mul_add(x, next)
    }
}

/// `c_k + c_(k−2) / square + …`, multiplied by the power of `square` that makes it a polynomial.
#[inline(always)]
fn every_other<V: Arithmetic>(square: V, coefficients: &[V::Scalar], last: usize) -> V {
    let mut sum = square.splat(coefficients[last]);
    let mut k = last;
    while k >= 2 {
        k -= 2;
        sum = sum.mul_add(square, square.splat(coefficients[k]));
    }
    sum
}
