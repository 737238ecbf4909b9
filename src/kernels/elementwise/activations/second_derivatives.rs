//! σ'' of a register, from z, or its ratio to σ', from a = σ(z).

use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::exponential::ScaledExp;
use crate::kernels::math::normal::scaled_tail;
use crate::kernels::math::sine::sin;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// 1 − 2a.
#[derive(Debug, Clone, Copy)]
pub struct SigmoidRatio;
/// −2a.
#[derive(Debug, Clone, Copy)]
pub struct TanhRatio;
/// 0 for a > 0, else 1.
#[derive(Debug, Clone, Copy)]
pub struct EluRatio;
/// e^−a of a ≥ 0.
#[derive(Debug, Clone, Copy)]
pub struct SoftplusRatio;

/// 1/3 for −3 < z < 3, else 0, from z.
#[derive(Debug, Clone, Copy)]
pub struct HardSwishSecondDerivative;
/// −sin z, from z.
#[derive(Debug, Clone, Copy)]
pub struct SinSecondDerivative;

/// φ(z) (2 − z²), from z.
#[derive(Debug, Clone, Copy)]
pub struct GeluSecondDerivative;
/// s (1 − s) (2 + z (1 − 2s)) with s = 1 / (1 + e^−z), from z.
#[derive(Debug, Clone, Copy)]
pub struct SiluSecondDerivative;

impl<T: Real> UnaryFunction<T> for SigmoidRatio {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        a.splat(T::ONE) - a - a
    }
}

impl<T: Real> UnaryFunction<T> for TanhRatio {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        -a - a
    }
}

impl<T: Real> UnaryFunction<T> for EluRatio {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let (zero, one) = (a.splat(T::ZERO), a.splat(T::ONE));
        V::select(zero.less(a), zero, one)
    }
}

impl<T: Real> UnaryFunction<T> for SoftplusRatio {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> V {
        let a = a.at_most(a.splat(-T::EXP_FLOOR));
        ScaledExp::of(-a, None).value() * a.splat(T::INVERSE_SCALE)
    }
}

impl<T: Real> UnaryFunction<T> for HardSwishSecondDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let (zero, three) = (z.splat(T::ZERO), z.splat(T::from_f64(3.0)));
        V::select(z.abs().less(three), z.splat(T::from_f64(1.0 / 3.0)), zero)
    }
}

impl<T: Real> UnaryFunction<T> for SinSecondDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        -sin(z)
    }
}

impl<T: Real> UnaryFunction<T> for GeluSecondDerivative {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let x = z.abs().at_most(z.splat(T::TAIL_END));
        let (exp, _) = scaled_tail(x);
        let factor = (-x).mul_add(x, z.splat(T::ONE + T::ONE)) * z.splat(T::DENSITY);
        exp.times(factor) * z.splat(T::INVERSE_SCALE)
    }
}

impl<T: Real> UnaryFunction<T> for SiluSecondDerivative {
    /// With e = e^−|z|: e / (1 + e)² (2 − |z| (1 − e) / (1 + e)).
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let one = z.splat(T::ONE);
        let unscale = z.splat(T::INVERSE_SCALE);
        let x = z.abs().at_most(z.splat(-T::EXP_FLOOR));
        let exp = ScaledExp::of(-x, None);
        let small = exp.value() * unscale;
        let sum = one + small;
        let factor = (one + one) - x * ((one - small) / sum);
        exp.times(factor) / (sum * sum) * unscale
    }
}
