//! σ', σ'' and σ''' of a register, from a = σ(z), or from z where a does not determine them.

use crate::kernels::elementwise::activations::first_derivatives::{
    GeluDerivative, SigmoidDerivative, SiluDerivative, SoftplusDerivative, TanhDerivative,
};
use crate::kernels::elementwise::activations::functions::{
    Gelu, Sigmoid, Silu, Sin, Softplus, Tanh,
};
use crate::kernels::elementwise::activations::second_derivatives::{
    GeluSecondDerivative, SigmoidRatio, SiluSecondDerivative, SoftplusRatio, TanhRatio,
};
use crate::kernels::elementwise::map::{UnaryFunction, fused_level};
use crate::kernels::elementwise::zip::{Zip, ZipFunction};
use crate::kernels::math::exponential::ScaledExp;
use crate::kernels::math::normal::scaled_tail;
use crate::kernels::math::sine::{cos, sin};
use crate::kernels::real::Real;
use crate::kernels::simd::level;
use crate::kernels::simd::vector::Arithmetic;

/// The first three derivatives of a function of one variable, lane by lane.
pub trait ThreeDerivatives<T: Real>: Copy {
    /// σ', σ'', σ'''.
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> [V; 3];
}

/// Writes σ', σ'' and σ''' of each element of `from` to the slices of `out`. `scalar` is `function` for
/// machines without fused multiply-add.
pub fn three_derivatives<T: Real>(
    from: &[T],
    out: [&mut [T]; 3],
    function: impl ThreeDerivatives<T>,
    scalar: impl Fn(T) -> [T; 3],
) {
    if let Some(level) = fused_level() {
        // SAFETY: the machine has the level; the computation has slices and needs no more.
        return unsafe { level::run(level, Zip([from], out, All(function))) };
    }
    let [first, second, third] = out;
    let out = first.iter_mut().zip(second).zip(third);
    for (((first, second), third), &x) in out.zip(from) {
        [*first, *second, *third] = scalar(x);
    }
}

/// The derivatives of a function as what [`Zip`] applies.
#[derive(Clone, Copy)]
struct All<F>(F);

impl<T: Real, F: ThreeDerivatives<T>> ZipFunction<T, 1, 3> for All<F> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, [x]: [V; 1], _old: [V; 3]) -> [V; 3] {
        self.0.of(x)
    }
}

/// From z: σ' = cos z, σ'' = −sin z, σ''' = −cos z.
impl<T: Real> ThreeDerivatives<T> for Sin {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> [V; 3] {
        let slope = cos(z);
        [slope, -sin(z), -slope]
    }
}

/// From a: σ' = a (1 − a), σ'' = σ' (1 − 2a), σ''' = σ' (1 − 6σ').
impl<T: Real> ThreeDerivatives<T> for Sigmoid {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> [V; 3] {
        let first = SigmoidDerivative.of(a);
        let (one, minus_six) = (a.splat(T::ONE), a.splat(T::from_f64(-6.0)));
        [
            first,
            first * SigmoidRatio.of(a),
            first * first.mul_add(minus_six, one),
        ]
    }
}

/// From a: σ' = (1 − a)(1 + a), σ'' = −2a σ', σ''' = σ' (6a² − 2).
impl<T: Real> ThreeDerivatives<T> for Tanh {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> [V; 3] {
        let first = TanhDerivative.of(a);
        let (six, minus_two) = (a.splat(T::from_f64(6.0)), a.splat(T::from_f64(-2.0)));
        let ratio = (a * six).mul_add(a, minus_two);
        [first, first * TanhRatio.of(a), first * ratio]
    }
}

/// From z: σ' = Φ + z φ, σ'' = φ (2 − z²), σ''' = z φ (z² − 4).
impl<T: Real> ThreeDerivatives<T> for Gelu {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> [V; 3] {
        let x = z.abs().at_most(z.splat(T::TAIL_END));
        let (exp, _) = scaled_tail(x);
        let factor = x.mul_add(x, z.splat(T::from_f64(-4.0))) * (x * z.splat(T::DENSITY));
        let third = exp.times(factor) * z.splat(T::INVERSE_SCALE);
        [
            GeluDerivative.of(z),
            GeluSecondDerivative.of(z),
            signed(third, z),
        ]
    }
}

/// From z, with s = 1 / (1 + e^−z) and s' = s (1 − s): σ' = s + z s', σ'' = s' (2 + z (1 − 2s)), σ''' = s' (3
/// (1 − 2s) + z (1 − 6s')).
impl<T: Real> ThreeDerivatives<T> for Silu {
    /// With e = e^−|z|, s' = e / (1 + e)² and t = (1 − e) / (1 + e): σ''' = s' (|z| (1 − 6s') − 3t), with the
    /// sign of z.
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, z: V) -> [V; 3] {
        let one = z.splat(T::ONE);
        let (three, six) = (z.splat(T::from_f64(3.0)), z.splat(T::from_f64(6.0)));
        let unscale = z.splat(T::INVERSE_SCALE);
        let x = z.abs().at_most(z.splat(-T::EXP_FLOOR));
        let exp = ScaledExp::of(-x, None);
        let small = exp.value() * unscale;
        let sum = one + small;
        let square = sum * sum;
        let even = one - six * (small / square);
        let factor = x.mul_add(even, -(three * ((one - small) / sum)));
        let third = exp.times(factor) / square * unscale;
        [
            SiluDerivative.of(z),
            SiluSecondDerivative.of(z),
            signed(third, z),
        ]
    }
}

/// From a: σ' = 1 − e^−a, σ'' = σ' e^−a, σ''' = σ'' (e^−a − σ').
impl<T: Real> ThreeDerivatives<T> for Softplus {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, a: V) -> [V; 3] {
        let (first, ratio) = (SoftplusDerivative.of(a), SoftplusRatio.of(a));
        let second = first * ratio;
        [first, second, second * (ratio - first)]
    }
}

/// An odd function of z from its value at |z|.
#[inline(always)]
fn signed<T: Real, V: Arithmetic<Scalar = T>>(value: V, z: V) -> V {
    V::select(z.less(z.splat(T::ZERO)), -value, value)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::kernels::simd::level::forced;
    use crate::kernels::testing::{Bits, assert_same, fused_levels, numbers, run_in_arrays};

    /// The three of `function` at `x`, after asserting that every level gives the same bits.
    fn values<T: Bits, F: ThreeDerivatives<T> + Debug>(function: F, x: &[T]) -> [Vec<T>; 3] {
        let mut expected = [(); 3].map(|()| vec![T::ZERO; x.len()]);
        let out = expected.each_mut().map(Vec::as_mut_slice);
        run_in_arrays(Zip([x], out, All(function)));
        for level in fused_levels() {
            // The last element alone, to have a length that fills no register.
            for range in [0..x.len(), x.len() - 1..x.len()] {
                let mut got = [(); 3].map(|()| vec![T::ZERO; range.len()]);
                let out = got.each_mut().map(Vec::as_mut_slice);
                forced::at(level, || {
                    three_derivatives(&x[range.clone()], out, function, |_| [T::MAX; 3]);
                });
                for (got, expected) in got.iter().zip(&expected) {
                    assert_same(got, &expected[range.clone()], (&function, level));
                }
            }
        }
        expected
    }

    /// Compares with `exact`, which gives the three values and the sizes of the terms that they sum.
    fn check<T: Bits, F: ThreeDerivatives<T> + Debug>(
        function: F,
        domain: (f64, f64),
        exact: fn(f64) -> [(f64, f64); 3],
    ) {
        let x: Vec<T> = numbers();
        // The rounding of 1, and of numbers below the normal ones.
        let (eps, tiny) = if size_of::<T>() == 4 {
            (6e-8, 1.2e-38)
        } else {
            (1.2e-16, 2.3e-308)
        };
        let got = values(function, &x);
        for (at, x) in x.iter().enumerate() {
            let x = x.to_f64();
            if !(domain.0..=domain.1).contains(&x) {
                continue;
            }
            for (order, (value, terms)) in exact(x).into_iter().enumerate() {
                let got = got[order][at].to_f64();
                assert!(
                    (got - value).abs() <= 8.0 * eps * terms + tiny,
                    "{function:?}({x:e}), derivative {}: {got:e}, not {value:e}",
                    order + 1
                );
            }
        }
    }

    /// s, s', s'' and s''' of the sigmoid.
    fn sigmoid(z: f64) -> [f64; 4] {
        let small = libm::exp(-z.abs());
        let (less, more) = (small / (1.0 + small), 1.0 / (1.0 + small));
        let (slope, turn) = (less * more, (more - less) * z.signum());
        let s = if z < 0.0 { less } else { more };
        [s, slope, -slope * turn, slope * (1.0 - 6.0 * slope)]
    }

    #[test]
    fn from_a() {
        fn both<F: ThreeDerivatives<f32> + ThreeDerivatives<f64> + Debug>(
            function: F,
            domain: (f64, f64),
            exact: fn(f64) -> [(f64, f64); 3],
        ) {
            check::<f32, F>(function, domain, exact);
            check::<f64, F>(function, domain, exact);
        }
        both(Sigmoid, (0.0, 1.0), |a| {
            let slope = a * (1.0 - a);
            let (second, third) = (slope * (1.0 - 2.0 * a), slope * (1.0 - 6.0 * slope));
            [(slope, slope), (second, slope), (third, 2.5 * slope)]
        });
        both(Tanh, (-1.0, 1.0), |a| {
            let slope = (1.0 - a) * (1.0 + a);
            let third = slope * (6.0 * a * a - 2.0);
            let second = -2.0 * a * slope;
            [(slope, slope), (second, second.abs()), (third, 8.0 * slope)]
        });
        both(Softplus, (0.0, 600.0), |a| {
            let (slope, rest) = (-libm::expm1(-a), libm::exp(-a));
            let second = slope * rest;
            [
                (slope, slope),
                (second, second),
                (second * (rest - slope), second),
            ]
        });
    }

    #[test]
    fn from_z() {
        fn gelu(z: f64) -> [(f64, f64); 3] {
            let (density, square) = (z.normal_pdf(), z * z);
            let first = z.normal_cdf() + z * density;
            // The exponential of z²/2 keeps the rounding of z².
            let inexact = density * (1.0 + square);
            [
                (first, z.normal_cdf() + z.abs() * inexact),
                (density * (2.0 - square), inexact * (2.0 + square)),
                (
                    z * density * (square - 4.0),
                    z.abs() * inexact * (4.0 + square),
                ),
            ]
        }
        fn silu(z: f64) -> [(f64, f64); 3] {
            let [s, slope, second, third] = sigmoid(z);
            let size = z.abs();
            [
                (s + z * slope, s + size * slope),
                (2.0 * slope + z * second, slope * (2.0 + size)),
                (3.0 * second + z * third, slope * (3.0 + 7.0 * size)),
            ]
        }
        check::<f32, _>(Gelu, (-12.0, 12.0), gelu);
        check::<f64, _>(Gelu, (-36.0, 36.0), gelu);
        check::<f32, _>(Silu, (-80.0, 80.0), silu);
        check::<f64, _>(Silu, (-700.0, 700.0), silu);
    }

    #[test]
    fn limits() {
        let x = [f64::NEG_INFINITY, -800.0, 800.0, f64::INFINITY];
        for [first, second, third] in [values(Gelu, &x), values(Silu, &x)] {
            let limits = first.iter().zip([0.0, 0.0, 1.0, 1.0]);
            assert!(
                limits
                    .into_iter()
                    .all(|(v, limit)| (v - limit).abs() < 1e-300)
            );
            assert!(second.iter().chain(&third).all(|v| v.abs() < 1e-300));
        }
    }
}
