//! Polynomial evaluation in a register.

use crate::kernels::simd::vector::Arithmetic;

/// The most coefficients whose pairs are added one after another.
const SHORT: usize = 6;

/// `Σ_k c_k x^k` with one or more coefficients, given x².
///
/// Estrin's scheme: pairs `c_2j + c_(2j+1) x` are computed independently, and then added by Horner's rule in
/// x²; of a long polynomial, pairs of pairs in x⁴. The chain of dependent multiply-adds is a half or a
/// quarter as long as that of Horner's rule in x.
#[inline(always)]
pub(in crate::kernels) fn polynomial<V: Arithmetic>(
    x: V,
    square: V,
    coefficients: &[V::Scalar],
) -> V {
    let mut rest = coefficients.len();
    if rest <= SHORT {
        rest = (rest - 1) / 2 * 2;
        let mut sum = pair(x, coefficients, rest);
        while rest > 0 {
            rest -= 2;
            sum = sum.mul_add(square, pair(x, coefficients, rest));
        }
        return sum;
    }
    let fourth = square * square;
    rest = (rest - 1) / 4 * 4;
    let mut sum = pair_of_pairs(x, square, coefficients, rest);
    while rest > 0 {
        rest -= 4;
        sum = sum.mul_add(fourth, pair_of_pairs(x, square, coefficients, rest));
    }
    sum
}

/// `c_k + c_(k+1) x`, up to the last coefficient.
#[inline(always)]
fn pair<V: Arithmetic>(x: V, coefficients: &[V::Scalar], k: usize) -> V {
    let sum = x.splat(coefficients[k]);
    if k + 1 < coefficients.len() {
        x.splat(coefficients[k + 1]).mul_add(x, sum)
    } else {
        sum
    }
}

/// `c_k + c_(k+1) x + c_(k+2) x² + c_(k+3) x³`, up to the last coefficient.
#[inline(always)]
fn pair_of_pairs<V: Arithmetic>(x: V, square: V, coefficients: &[V::Scalar], k: usize) -> V {
    let low = pair(x, coefficients, k);
    if k + 2 < coefficients.len() {
        pair(x, coefficients, k + 2).mul_add(square, low)
    } else {
        low
    }
}
