//! σ(z) of a register.

use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::exponential::{ScaledExp, exp, exp_m1, half_exp_m1_of_double};
use crate::kernels::math::logarithm::ln_1p;
use crate::kernels::math::normal::scaled_tail;
use crate::kernels::math::sine::sin;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// 1 / (1 + e^−z).
#[derive(Debug, Clone, Copy)]
pub struct Sigmoid;
/// tanh z.
#[derive(Debug, Clone, Copy)]
pub struct Tanh;
/// max(z, 0), +0 at −0.
#[derive(Debug, Clone, Copy)]
pub struct Relu;
/// z for z > 0, else the slope times z; the slope is positive.
#[derive(Debug, Clone, Copy)]
pub struct LeakyRelu<T>(pub T);
/// z for z > 0, else e^z − 1.
#[derive(Debug, Clone, Copy)]
pub struct Elu;
/// s z for z > 0, else t (e^z − 1); s and t are positive, s ≥ 1.
#[derive(Debug, Clone, Copy)]
pub struct ScaledElu<T>(pub T, pub T);

/// 0 for z ≤ −3, 1 for z ≥ 3, else (z + 3) / 6.
#[derive(Debug, Clone, Copy)]
pub struct HardSigmoid;
/// z times [`HardSigmoid`].
#[derive(Debug, Clone, Copy)]
pub struct HardSwish;
/// sin z.
#[derive(Debug, Clone, Copy)]
pub struct Sin;

/// z Φ(z), Φ the normal distribution function.
#[derive(Debug, Clone, Copy)]
pub struct Gelu;
/// z / (1 + e^−z).
#[derive(Debug, Clone, Copy)]
pub struct Silu;
/// ln(1 + e^z).
#[derive(Debug, Clone, Copy)]
pub struct Softplus;

impl<T: Real> UnaryFunction<T> for Sigmoid {
    /// With e = e^−|z|: e / (1 + e) for z < 0, else 1 / (1 + e), both fractions expanded by
    /// `SCALE`.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let (zero, one) = (z.splat(T::ZERO), z.splat(T::SCALE));
        let small = ScaledExp::of(-z.abs(), None).value();
        V::select(z.less(zero), small, one) / (one + small)
    }
}

impl<T: Real> UnaryFunction<T> for Tanh {
    /// With h = (e^(−2|z|) − 1) / 2: |tanh z| = −h / (h + 1).
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let h = half_exp_m1_of_double(-z.abs());
        // The sign is set while the denominator is added.
        h.with_sign_of(z) / (h + z.splat(T::ONE))
    }
}

impl<T: Real> UnaryFunction<T> for Relu {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let zero = z.splat(T::ZERO);
        z.at_least(zero) + zero // −0 + 0 = 0
    }
}

impl<T: Real> UnaryFunction<T> for LeakyRelu<T> {
    /// The larger of z and its product with the slope; the smaller, if the slope is above 1.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let product = z * z.splat(self.0);
        if self.0 <= T::ONE {
            z.at_least(product)
        } else {
            z.at_most(product)
        }
    }
}

impl<T: Real> UnaryFunction<T> for Elu {
    /// The larger of z and e^z − 1, which is 0 for z > 0 here.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        z.at_least(exp_m1(z.at_most(z.splat(T::ZERO))))
    }
}

impl<T: Real> UnaryFunction<T> for ScaledElu<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let zero = z.splat(T::ZERO);
        let below = z.splat(self.1) * exp_m1(z.at_most(zero));
        V::select(z.less(zero), below, z.splat(self.0) * z)
    }
}

impl<T: Real> UnaryFunction<T> for HardSigmoid {
    /// With h = max(3 − |z|, 0) / 6: h for z < 0, else 1 − h. So it is 0 or 1 only where |z| ≥ 3.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let (zero, three) = (z.splat(T::ZERO), z.splat(T::from_f64(3.0)));
        let half = (three - z.abs()).at_least(zero) * z.splat(T::from_f64(1.0 / 6.0));
        V::select(z.less(zero), half, z.splat(T::ONE) - half)
    }
}

impl<T: Real> UnaryFunction<T> for HardSwish {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let bounded = z.at_least(z.splat(T::from_f64(-3.0))); // for −∞ · 0
        bounded * HardSigmoid.of(z)
    }
}

impl<T: Real> UnaryFunction<T> for Sin {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        sin(z)
    }
}

impl<T: Real> UnaryFunction<T> for Gelu {
    /// max(z, 0) − |z| Q(|z|): z − z Q(z) for z ≥ 0, z Q(−z) else.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let x = z.abs().at_most(z.splat(T::TAIL_END));
        let (exp, ratio) = scaled_tail(x);
        let tail = exp.times(ratio * x) * z.splat(T::INVERSE_SCALE);
        let relu = V::select(z.less(z.splat(T::ZERO)), z.splat(-T::ZERO), z);
        relu - tail
    }
}

impl<T: Real> UnaryFunction<T> for Silu {
    /// With e = e^−|z|: z e / (1 + e) for z < 0, else z / (1 + e). The product z e is computed scaled up,
    /// because e may be subnormal where z e is not.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        let (zero, one) = (z.splat(T::ZERO), z.splat(T::ONE));
        let unscale = z.splat(T::INVERSE_SCALE);
        let negative = z.less(zero);
        let exp = ScaledExp::of(-z.abs(), None);
        let product = exp.times(z.at_least(z.splat(T::EXP_FLOOR)));
        let quotient = V::select(negative, product, z) / exp.value().mul_add(unscale, one);
        quotient * V::select(negative, unscale, one)
    }
}

impl<T: Real> UnaryFunction<T> for Softplus {
    /// max(z, 0) + ln(1 + e^−|z|).
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> V {
        z.at_least(z.splat(T::ZERO)) + ln_1p(exp(-z.abs()))
    }
}
