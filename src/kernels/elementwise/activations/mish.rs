//! mish(z) = z tanh(ln(1 + e^z)) and its derivatives.
//!
//! With e = e^−|z| the function is a quotient of polynomials in e. Let t = tanh(ln(1 + e^z)), u = t',
//! and, for z < 0, q = e² + 2e + 2: then t = e (e + 2) / q, u = 4e (1 + e) / q², u' = 4e p / q³ and
//! u'' = 4e r / q⁴ with p = 2 + 2e − 3e² − 2e³ and r = 4 − 32e² − 24e³ + 5e⁴ + 4e⁵. For z ≥ 0 the polynomials
//! are reversed: d = 1 + 2e + 2e², t = (1 + 2e) / d, u = 4e² (1 + e) / d², u' = −4e² p / d³ and
//! u'' = 4e² r / d⁴ with p = 2 + 3e − 2e² − 2e³ and r = 4 + 5e − 24e² − 32e³ + 4e⁵.

use crate::kernels::elementwise::activations::third_derivatives::ThreeDerivatives;
use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::exponential::ScaledExp;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// z tanh(ln(1 + e^z)); all three derivatives, from z.
#[derive(Debug, Clone, Copy)]
pub struct Mish;
/// t + z u, from z.
#[derive(Debug, Clone, Copy)]
pub struct MishDerivative;
/// 2u + z u', from z.
#[derive(Debug, Clone, Copy)]
pub struct MishSecondDerivative;

/// What the formulas share.
struct SharedTerms<V, M> {
    /// z < 0.
    negative: M,
    /// |z|, where e is not 0.
    x: V,
    /// e = e^−|z|, scaled up; it may be subnormal where a product with it is not.
    scaled: ScaledExp<V>,
    /// e.
    e: V,
    /// q for z < 0, else d.
    sum: V,
}

impl<T: Real, V: Arithmetic<Scalar = T>> SharedTerms<V, V::Mask> {
    #[inline(always)]
    fn of(z: V) -> Self {
        let (one, two) = (z.splat(T::ONE), z.splat(T::ONE + T::ONE));
        let negative = z.less(z.splat(T::ZERO));
        let x = z.abs().at_most(z.splat(-T::EXP_FLOOR));
        let scaled = ScaledExp::of(-x, None);
        let e = scaled.value() * z.splat(T::INVERSE_SCALE);
        let below = e.mul_add(e + two, two);
        let above = (e + e).mul_add(e + one, one);
        let sum = V::select(negative, below, above);
        Self {
            negative,
            x,
            scaled,
            e,
            sum,
        }
    }

    /// e `below` / `divisor` for z < 0, else `above` / `divisor`.
    #[inline(always)]
    fn quotient(&self, below: V, above: V, divisor: V) -> V {
        let unscale = self.x.splat(T::INVERSE_SCALE);
        let product = V::select(self.negative, self.scaled.times(below), above);
        let factor = V::select(self.negative, unscale, self.x.splat(T::ONE));
        product / divisor * factor
    }

    /// Σ `c_k` e^k, with the first coefficients for z < 0, else with the second.
    #[inline(always)]
    fn polynomials(&self, [below, above]: [&[f64]; 2]) -> V {
        let of = |coefficients: &[f64]| {
            let last = coefficients.len() - 1;
            let highest = self.x.splat(T::from_f64(coefficients[last]));
            coefficients[..last].iter().rev().fold(highest, |sum, &c| {
                sum.mul_add(self.e, self.x.splat(T::from_f64(c)))
            })
        };
        V::select(self.negative, of(below), of(above))
    }
}

/// p, in powers of e: for z < 0, and for z ≥ 0.
const P: [&[f64]; 2] = [&[2.0, 2.0, -3.0, -2.0], &[2.0, 3.0, -2.0, -2.0]];
/// r.
const R: [&[f64]; 2] = [
    &[4.0, 0.0, -32.0, -24.0, 5.0, 4.0],
    &[4.0, 5.0, -24.0, -32.0, 0.0, 4.0],
];

impl<T: Real> UnaryFunction<T> for Mish {
    /// z e (e + 2) / q for z < 0, else z (1 + 2e) / d.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let parts = SharedTerms::of(z);
        // z times a sum, rounded once. In the products z is bounded, for ∞ · 0.
        let SharedTerms { x, e, .. } = parts;
        let below = x.mul_add(-e, -(x + x));
        let above = z.at_most(z.splat(-T::EXP_FLOOR)).mul_add(e + e, z);
        parts.quotient(below, above, parts.sum)
    }
}

impl<T: Real> UnaryFunction<T> for MishDerivative {
    /// e ((e + 2) q − 4 |z| (1 + e)) / q² for z < 0, else ((1 + 2e) d + 4z e² (1 + e)) / d².
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let parts = SharedTerms::of(z);
        first(z, &parts)
    }
}

impl<T: Real> UnaryFunction<T> for MishSecondDerivative {
    /// 4e (2 (1 + e) q − |z| p) / q³ for z < 0, else 4e² (2 (1 + e) d − z p) / d³.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let parts = SharedTerms::of(z);
        second(z, &parts)
    }
}

impl<T: Real> ThreeDerivatives<T> for Mish {
    /// The third is 4e (3 p q − |z| r) / q⁴ for z < 0, else −4e² (3 p d − z r) / d⁴.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> [V; 3] {
        let parts = SharedTerms::of(z);
        let (three, four) = (z.splat(T::from_f64(3.0)), z.splat(T::from_f64(4.0)));
        let (p, r) = (parts.polynomials(P), parts.polynomials(R));
        let factor = four * (-parts.x).mul_add(r, three * p * parts.sum);
        let square = parts.sum * parts.sum;
        let above = -(parts.e * parts.e * factor);
        let third = parts.quotient(factor, above, square * square);
        [first(z, &parts), second(z, &parts), third]
    }
}

#[inline(always)]
fn first<T: Real, V: Arithmetic<Scalar = T>>(z: V, parts: &SharedTerms<V, V::Mask>) -> V {
    let (one, two) = (z.splat(T::ONE), z.splat(T::ONE + T::ONE));
    let &SharedTerms { x, e, sum, .. } = parts;
    let product = x * z.splat(T::from_f64(4.0)) * (one + e);
    let below = (e + two).mul_add(sum, -product);
    let above = e.mul_add(two, one).mul_add(sum, e * e * product);
    parts.quotient(below, above, sum * sum)
}

#[inline(always)]
fn second<T: Real, V: Arithmetic<Scalar = T>>(z: V, parts: &SharedTerms<V, V::Mask>) -> V {
    let (one, two) = (z.splat(T::ONE), z.splat(T::ONE + T::ONE));
    let &SharedTerms { x, e, sum, .. } = parts;
    let terms = (-x).mul_add(parts.polynomials(P), two * (one + e) * sum);
    let factor = z.splat(T::from_f64(4.0)) * terms;
    parts.quotient(factor, e * e * factor, sum * sum * sum)
}
