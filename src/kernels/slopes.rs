//! σ' of a register, from a = σ(z), or from z where a does not tell.

use super::exponential::exp_m1;
use super::map::Function;
use super::vector::Arithmetic;
use crate::scalar::Real;

/// a (1 − a).
#[derive(Debug, Clone, Copy)]
pub struct SigmoidSlope;
/// (1 − a)(1 + a).
#[derive(Debug, Clone, Copy)]
pub struct TanhSlope;
/// 1 for a > 0, else 0.
#[derive(Debug, Clone, Copy)]
pub struct ReluSlope;
/// 1 for a > 0, else 0.01.
#[derive(Debug, Clone, Copy)]
pub struct LeakyReluSlope;
/// 1 for a > 0, else a + 1.
#[derive(Debug, Clone, Copy)]
pub struct EluSlope;
/// 1 − e^−a of a ≥ 0.
#[derive(Debug, Clone, Copy)]
pub struct SoftplusSlope;

impl Function for SigmoidSlope {
    #[inline(always)]
    fn of<V: Arithmetic>(a: V) -> V
    where
        V::Scalar: Real,
    {
        a * (a.splat(V::Scalar::ONE) - a)
    }
}

impl Function for TanhSlope {
    #[inline(always)]
    fn of<V: Arithmetic>(a: V) -> V
    where
        V::Scalar: Real,
    {
        let one = a.splat(V::Scalar::ONE);
        (one - a) * (one + a)
    }
}

impl Function for ReluSlope {
    #[inline(always)]
    fn of<V: Arithmetic>(a: V) -> V
    where
        V::Scalar: Real,
    {
        let (zero, one) = (a.splat(V::Scalar::ZERO), a.splat(V::Scalar::ONE));
        V::select(zero.less(a), one, zero)
    }
}

impl Function for LeakyReluSlope {
    #[inline(always)]
    fn of<V: Arithmetic>(a: V) -> V
    where
        V::Scalar: Real,
    {
        let (zero, one) = (a.splat(V::Scalar::ZERO), a.splat(V::Scalar::ONE));
        V::select(zero.less(a), one, a.splat(V::Scalar::LEAKY_SLOPE))
    }
}

impl Function for EluSlope {
    #[inline(always)]
    fn of<V: Arithmetic>(a: V) -> V
    where
        V::Scalar: Real,
    {
        let (zero, one) = (a.splat(V::Scalar::ZERO), a.splat(V::Scalar::ONE));
        V::select(zero.less(a), one, a + one)
    }
}

impl Function for SoftplusSlope {
    #[inline(always)]
    fn of<V: Arithmetic>(a: V) -> V
    where
        V::Scalar: Real,
    {
        exp_m1(-a).abs()
    }
}
