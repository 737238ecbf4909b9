//! σ(z) of a register.

use super::exponential::{exp, exp_m1};
use super::map::Function;
use super::vector::Arithmetic;
use crate::scalar::Real;

/// 1 / (1 + e^−z).
#[derive(Debug, Clone, Copy)]
pub struct Sigmoid;
/// tanh z.
#[derive(Debug, Clone, Copy)]
pub struct Tanh;
/// max(z, 0), +0 at −0.
#[derive(Debug, Clone, Copy)]
pub struct Relu;
/// z for z > 0, else 0.01 z.
#[derive(Debug, Clone, Copy)]
pub struct LeakyRelu;
/// z for z > 0, else e^z − 1.
#[derive(Debug, Clone, Copy)]
pub struct Elu;

impl Function for Sigmoid {
    /// With e = e^−|z|: e / (1 + e) for z < 0, else 1 / (1 + e).
    #[inline(always)]
    fn of<V: Arithmetic>(z: V) -> V
    where
        V::Scalar: Real,
    {
        let (zero, one) = (z.splat(V::Scalar::ZERO), z.splat(V::Scalar::ONE));
        let small = exp(-z.abs());
        V::select(z.less(zero), small, one) / (one + small)
    }
}

impl Function for Tanh {
    /// With t = e^(−2|z|) − 1: |tanh z| = −t / (t + 2).
    #[inline(always)]
    fn of<V: Arithmetic>(z: V) -> V
    where
        V::Scalar: Real,
    {
        let two = z.splat(V::Scalar::ONE + V::Scalar::ONE);
        let t = exp_m1(z.abs() * -two);
        (t / (t + two)).with_sign_of(z)
    }
}

impl Function for Relu {
    #[inline(always)]
    fn of<V: Arithmetic>(z: V) -> V
    where
        V::Scalar: Real,
    {
        let zero = z.splat(V::Scalar::ZERO);
        z.at_least(zero) + zero // −0 + 0 = 0
    }
}

impl Function for LeakyRelu {
    #[inline(always)]
    fn of<V: Arithmetic>(z: V) -> V
    where
        V::Scalar: Real,
    {
        let (zero, slope) = (z.splat(V::Scalar::ZERO), z.splat(V::Scalar::LEAKY_SLOPE));
        V::select(zero.less(z), z, slope * z)
    }
}

impl Function for Elu {
    #[inline(always)]
    fn of<V: Arithmetic>(z: V) -> V
    where
        V::Scalar: Real,
    {
        let zero = z.splat(V::Scalar::ZERO);
        // The smaller of z and 0 keeps the polynomial finite where it is not wanted.
        V::select(zero.less(z), z, exp_m1(z.at_most(zero)).with_sign_of(z))
    }
}
