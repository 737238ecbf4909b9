//! GELU with tanh in place of the normal distribution: z s(w), s the sigmoid,
//! w = 2 √(2/π) (z + 0.044715 z³), and its derivatives.
//!
//! With e = e^−|w|, s' = s (1 − s) = e / (1 + e)².

use crate::kernels::elementwise::activations::third_derivatives::ThreeDerivatives;
use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::cubic_argument::exp_of_cubic;
use crate::kernels::math::exponential::ScaledExp;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// z s(w); all three derivatives, from z.
#[derive(Debug, Clone, Copy)]
pub struct GeluTanh;
/// s + z s' w', from z.
#[derive(Debug, Clone, Copy)]
pub struct GeluTanhDerivative;
/// s' (2w' + z w'' + z w'² (1 − 2s)), from z.
#[derive(Debug, Clone, Copy)]
pub struct GeluTanhSecondDerivative;

/// What the formulas share.
struct SharedTerms<V> {
    /// |z|, where e is not 0.
    x: V,
    /// e, scaled up.
    scaled: ScaledExp<V>,
    /// e.
    e: V,
    /// 1 + e.
    sum: V,
}

impl<T: Real, V: Arithmetic<Scalar = T>> SharedTerms<V> {
    #[inline(always)]
    fn of(z: V) -> Self {
        let x = z.abs().at_most(z.splat(T::CUBIC_END));
        let scaled = exp_of_cubic(x);
        let e = scaled.value() * z.splat(T::INVERSE_SCALE);
        let sum = z.splat(T::ONE) + e;
        Self { x, scaled, e, sum }
    }

    /// w' = A + 3B z² and w'' = 6B |z|.
    #[inline(always)]
    fn slopes(&self) -> (V, V) {
        let cubic = |factor: f64| self.x.splat(T::from_f64(factor) * T::CUBIC[0]);
        let second = self.x * cubic(6.0);
        let first = (self.x * cubic(3.0)).mul_add(self.x, self.x.splat(T::LINEAR[0]));
        (first, second)
    }

    /// s' `factor`.
    #[inline(always)]
    fn times_slope(&self, factor: V) -> V {
        let unscale = self.x.splat(T::INVERSE_SCALE);
        self.scaled.times(factor) / (self.sum * self.sum) * unscale
    }

    /// |1 − 2s| = (1 − e) / (1 + e).
    #[inline(always)]
    fn turn(&self) -> V {
        (self.x.splat(T::ONE) - self.e) / self.sum
    }
}

impl<T: Real> UnaryFunction<T> for GeluTanh {
    /// z e / (1 + e) for z < 0, else z / (1 + e).
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let parts = SharedTerms::of(z);
        let negative = z.less(z.splat(T::ZERO));
        let product = parts.scaled.times(-parts.x);
        let quotient = V::select(negative, product, z) / parts.sum;
        let unscale = z.splat(T::INVERSE_SCALE);
        quotient * V::select(negative, unscale, z.splat(T::ONE))
    }
}

impl<T: Real> UnaryFunction<T> for GeluTanhDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        first(z, &SharedTerms::of(z))
    }
}

impl<T: Real> UnaryFunction<T> for GeluTanhSecondDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        second(&SharedTerms::of(z))
    }
}

impl<T: Real> ThreeDerivatives<T> for GeluTanh {
    /// The third is s' (3w'' − 3h w'² + |z| ((1 − 6s') w'³ − 3h w' w'' + 6B)) with h = |1 − 2s|, and the sign
    /// of z.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> [V; 3] {
        let parts = SharedTerms::of(z);
        let number = |value: f64| z.splat(T::from_f64(value));
        let (slope, bend) = parts.slopes();
        let turn = parts.turn();
        let even = number(1.0) - number(6.0) * (parts.e / (parts.sum * parts.sum));
        let of_x = number(6.0) * z.splat(T::CUBIC[0]) - number(3.0) * turn * slope * bend;
        let of_x = (even * slope * slope).mul_add(slope, of_x);
        let constant = number(3.0) * (bend - turn * slope * slope);
        let third = parts.times_slope(parts.x.mul_add(of_x, constant));
        let third = V::select(z.less(z.splat(T::ZERO)), -third, third);
        [first(z, &parts), second(&parts), third]
    }
}

/// With D = s' (1 + e − |z| w'): D for z < 0, else 1 − D.
#[inline(always)]
fn first<T: Real, V: Arithmetic<Scalar = T>>(z: V, parts: &SharedTerms<V>) -> V {
    let (slope, _) = parts.slopes();
    let difference = parts.times_slope((-parts.x).mul_add(slope, parts.sum));
    let negative = z.less(z.splat(T::ZERO));
    V::select(negative, difference, z.splat(T::ONE) - difference)
}

/// s' (2w' + |z| (w'' − h w'²)) with h = |1 − 2s|.
#[inline(always)]
fn second<T: Real, V: Arithmetic<Scalar = T>>(parts: &SharedTerms<V>) -> V {
    let (slope, bend) = parts.slopes();
    let of_x = (-parts.turn() * slope).mul_add(slope, bend);
    parts.times_slope(parts.x.mul_add(of_x, slope + slope))
}
