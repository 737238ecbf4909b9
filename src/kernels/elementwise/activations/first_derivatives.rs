//! σ' of a register, computed from a = σ(z), or from z where a does not determine it.

use crate::kernels::elementwise::activations::functions::HardSigmoid;
use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::exponential::{ScaledExp, exp_m1};
use crate::kernels::math::normal::scaled_tail;
use crate::kernels::math::sine::cos;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// a (1 − a).
#[derive(Debug, Clone, Copy)]
pub struct SigmoidDerivative;
/// (1 − a)(1 + a).
#[derive(Debug, Clone, Copy)]
pub struct TanhDerivative;
/// 1 for a > 0, else 0.
#[derive(Debug, Clone, Copy)]
pub struct ReluDerivative;
/// 1 for a > 0, else the slope.
#[derive(Debug, Clone, Copy)]
pub struct LeakyReluDerivative<T>(pub T);
/// s for a > 0, else a + t.
#[derive(Debug, Clone, Copy)]
pub struct ScaledEluDerivative<T>(pub T, pub T);
/// 1 − e^−a of a ≥ 0.
#[derive(Debug, Clone, Copy)]
pub struct SoftplusDerivative;

/// 1/6 for 0 < a < 1, else 0.
#[derive(Debug, Clone, Copy)]
pub struct HardSigmoidDerivative;
/// 0 for z ≤ −3, 1 for z ≥ 3, else (2z + 3) / 6, from z.
#[derive(Debug, Clone, Copy)]
pub struct HardSwishDerivative;
/// cos z, from z.
#[derive(Debug, Clone, Copy)]
pub struct SinDerivative;

/// Φ(z) + z φ(z), from z.
#[derive(Debug, Clone, Copy)]
pub struct GeluDerivative;
/// s + z s (1 − s) with s = 1 / (1 + e^−z), from z.
#[derive(Debug, Clone, Copy)]
pub struct SiluDerivative;

impl<T: Real> UnaryFunction<T> for SigmoidDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        a * (a.splat(T::ONE) - a)
    }
}

impl<T: Real> UnaryFunction<T> for TanhDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let one = a.splat(T::ONE);
        (one - a) * (one + a)
    }
}

impl<T: Real> UnaryFunction<T> for ReluDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let (zero, one) = (a.splat(T::ZERO), a.splat(T::ONE));
        V::select(zero.less(a), one, zero)
    }
}

impl<T: Real> UnaryFunction<T> for LeakyReluDerivative<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let (zero, one) = (a.splat(T::ZERO), a.splat(T::ONE));
        V::select(zero.less(a), one, a.splat(self.0))
    }
}

impl<T: Real> UnaryFunction<T> for ScaledEluDerivative<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let (zero, above, below) = (a.splat(T::ZERO), a.splat(self.0), a.splat(self.1));
        V::select(zero.less(a), above, a + below)
    }
}

impl<T: Real> UnaryFunction<T> for SoftplusDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        exp_m1(-a).abs()
    }
}

impl<T: Real> UnaryFunction<T> for HardSigmoidDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let (zero, one) = (a.splat(T::ZERO), a.splat(T::ONE));
        let below_one = V::select(a.less(one), a.splat(T::from_f64(1.0 / 6.0)), zero);
        V::select(zero.less(a), below_one, zero)
    }
}

impl<T: Real> UnaryFunction<T> for HardSwishDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let three = z.splat(T::from_f64(3.0));
        let line = (z + z + three) * z.splat(T::from_f64(1.0 / 6.0));
        V::select(z.abs().less(three), line, HardSigmoid.of(z))
    }
}

impl<T: Real> UnaryFunction<T> for SinDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        cos(z)
    }
}

impl<T: Real> UnaryFunction<T> for GeluDerivative {
    /// With D = Q(|z|) − |z| φ(z): D for z < 0, else 1 − D.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let x = z.abs().at_most(z.splat(T::TAIL_END));
        let (exp, ratio) = scaled_tail(x);
        let factor = x.mul_add(z.splat(-T::DENSITY), ratio);
        let difference = exp.times(factor) * z.splat(T::INVERSE_SCALE);
        let negative = z.less(z.splat(T::ZERO));
        V::select(negative, difference, z.splat(T::ONE) - difference)
    }
}

impl<T: Real> UnaryFunction<T> for SiluDerivative {
    /// With e = e^−|z| and D = e (1 + e − |z|) / (1 + e)²: D for z < 0, else 1 − D.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let (zero, one) = (z.splat(T::ZERO), z.splat(T::ONE));
        let unscale = z.splat(T::INVERSE_SCALE);
        let x = z.abs().at_most(z.splat(-T::EXP_FLOOR));
        let exp = ScaledExp::of(-x, None);
        let sum = exp.value().mul_add(unscale, one);
        let difference = exp.times(sum - x) / (sum * sum) * unscale;
        V::select(z.less(zero), difference, one - difference)
    }
}
