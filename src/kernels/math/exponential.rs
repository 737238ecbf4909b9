//! e^x and e^x − 1 for x ≤ 0; the activations need no other x.
//!
//! x = n ln 2 + r with n an integer and |r| ≤ ½ ln 2. Then e^x = 2^n e^r, and a polynomial approximates e^r
//! − 1. The result does not depend on the register width.

use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::polynomial::polynomial;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// The constants of the exponential.
pub trait Exponential: Sized + 'static {
    /// e^x is 0 below this.
    const EXP_FLOOR: Self;
    /// [`Self::SCALE`] e^x is a normal number down to this.
    const LOWEST_EXPONENT: Self;
    /// e^x − 1 is −1 below this, even when multiplied by 1 − eps.
    const EXPM1_FLOOR: Self;
    /// 1 / ln 2.
    const LOG2_E: Self;
    /// −ln 2 = this + [`Self::LN_2_LOW`], both rounded to nearest. x − n ln 2 is exact up to the low part,
    /// since it is a multiple of an ulp of ln 2 and less than ½.
    const LN_2_HIGH: Self;
    /// The rest of −ln 2.
    const LN_2_LOW: Self;
    /// 1.5 · 2^p, whose ulp is 1, plus the exponent bias: x + this rounds x to an integer and has the
    /// exponent field of 2^x in its low bits.
    const ROUNDER: Self;
    /// The same plus log2 of [`Self::SCALE`].
    const SCALED_ROUNDER: Self;
    /// A power of two, S. e^x is computed as S e^x, which is a normal number even where e^x is subnormal.
    const SCALE: Self;
    /// 1 / S.
    const INVERSE_SCALE: Self;
    /// The coefficients of (e^r − 1 − r) / r², from Remez's algorithm in 60 digits, minimizing the relative
    /// error of e^r − 1: 1.4e-8 and 1.9e-17.
    const EXPM1: &'static [Self];
    /// Those of (e^2h − 1 − 2h) / 2h² in h.
    const EXPM1_OF_DOUBLE: &'static [Self];
}

/// `c_k 2^(k+1)`, exactly.
macro_rules! of_double {
    ($coefficients:expr) => {{
        let mut coefficients = $coefficients;
        let (mut k, mut power) = (0, 2.0);
        while k < coefficients.len() {
            coefficients[k] *= power;
            power *= 2.0;
            k += 1;
        }
        coefficients
    }};
}

const EXPM1_F32: [f32; 5] = [
    0.5,
    0.166_665_43,
    0.041_666_284,
    0.008_366_489,
    0.001_394_626_6,
];
const EXPM1_F64: [f64; 10] = [
    0.500_000_000_000_000_6,
    0.166_666_666_666_666_85,
    0.041_666_666_666_577_847,
    0.008_333_333_333_315_098,
    0.001_388_888_893_130_892_8,
    0.000_198_412_699_020_508,
    2.480_150_550_133_789_7e-5,
    2.755_722_874_162_427e-6,
    2.762_597_007_267_575e-7,
    2.511_424_746_584_532e-8,
];

impl Exponential for f32 {
    const EXP_FLOOR: Self = -110.0;
    const LOWEST_EXPONENT: Self = -128.0;
    const EXPM1_FLOOR: Self = -20.0;
    const LOG2_E: Self = std::f32::consts::LOG2_E;
    const LN_2_HIGH: Self = -std::f32::consts::LN_2;
    const LN_2_LOW: Self = 1.904_654_2e-9;
    const ROUNDER: Self = 12_582_912.0 + 127.0;
    const SCALED_ROUNDER: Self = 12_582_912.0 + 127.0 + 64.0;
    const SCALE: Self = 18_446_744_073_709_551_616.0; // 2^64
    const INVERSE_SCALE: Self = 1.0 / Self::SCALE;
    const EXPM1: &'static [Self] = &EXPM1_F32;
    const EXPM1_OF_DOUBLE: &'static [Self] = &of_double!(EXPM1_F32);
}

impl Exponential for f64 {
    const EXP_FLOOR: Self = -760.0;
    const LOWEST_EXPONENT: Self = -1060.0;
    const EXPM1_FLOOR: Self = -40.0;
    const LOG2_E: Self = std::f64::consts::LOG2_E;
    const LN_2_HIGH: Self = -std::f64::consts::LN_2;
    const LN_2_LOW: Self = -2.319_046_813_846_299_6e-17;
    const ROUNDER: Self = 6_755_399_441_055_744.0 + 1023.0;
    const SCALED_ROUNDER: Self = 6_755_399_441_055_744.0 + 1023.0 + 512.0;
    const SCALE: Self = f64::from_bits((1023 + 512) << 52); // 2^512
    const INVERSE_SCALE: Self = 1.0 / Self::SCALE;
    const EXPM1: &'static [Self] = &EXPM1_F64;
    const EXPM1_OF_DOUBLE: &'static [Self] = &of_double!(EXPM1_F64);
}

/// Writes x as n ln 2 + r, up to n times the low part of ln 2. Returns n, 2^n and r, and with
/// [`Exponential::SCALED_ROUNDER`] as `rounder` S 2^n instead of 2^n.
#[inline(always)]
fn reduced<T: Real, V: Arithmetic<Scalar = T>>(x: V, rounder: T) -> (V, V, V) {
    let rounder = x.splat(rounder);
    let shifted = x.mul_add(x.splat(T::LOG2_E), rounder);
    let n = shifted - rounder;
    let r = n.mul_add(x.splat(T::LN_2_HIGH), x);
    (n, shifted.low_bits_as_exponent(), r)
}

/// e^r − 1.
#[inline(always)]
fn exp_m1_of_rest<T: Real, V: Arithmetic<Scalar = T>>(r: V) -> V {
    let square = r * r;
    polynomial(r, square, T::EXPM1).mul_add(square, r)
}

/// S e^x; multiply by [`Exponential::INVERSE_SCALE`] last.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct ScaledExp<V> {
    /// S 2^n.
    scale: V,
    /// e^r − 1.
    m1: V,
}

impl<T: Real, V: Arithmetic<Scalar = T>> ScaledExp<V> {
    /// For x ≤ 0, or x + `low` with a small `low`.
    #[inline(always)]
    pub(in crate::kernels) fn of(x: V, low: Option<V>) -> Self {
        Self::with_floor(x, low, T::EXP_FLOOR)
    }

    /// The same, but constant for x below `floor`, at least [`Exponential::LOWEST_EXPONENT`].
    #[inline(always)]
    pub(in crate::kernels) fn with_floor(x: V, low: Option<V>, floor: T) -> Self {
        let (n, scale, r) = reduced(x.at_least(x.splat(floor)), T::SCALED_ROUNDER);
        let r = n.mul_add(x.splat(T::LN_2_LOW), r);
        let m1 = exp_m1_of_rest(low.map_or(r, |low| r + low));
        Self { scale, m1 }
    }

    #[inline(always)]
    pub(in crate::kernels) fn value(self) -> V {
        self.m1.mul_add(self.scale, self.scale)
    }

    /// `factor` times the value, where the value itself is not rounded.
    #[inline(always)]
    pub(in crate::kernels) fn times(self, factor: V) -> V {
        self.m1.mul_add(factor, factor) * self.scale
    }
}

/// e^x for x ≤ 0.
#[inline(always)]
pub(in crate::kernels) fn exp<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    ScaledExp::of(x, None).value() * x.splat(T::INVERSE_SCALE)
}

/// e^x − 1 for x ≤ 0; +0 at −0.
#[inline(always)]
pub(in crate::kernels) fn exp_m1<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    let x = x.at_least(x.splat(T::EXPM1_FLOOR));
    // Ignoring the low part of n ln 2 costs at most 0.05 ulp in float32 and 0.3 ulp in float64.
    let (_, scale, r) = reduced(x, T::ROUNDER);
    exp_m1_of_rest(r).mul_add(scale, scale - x.splat(T::ONE))
}

/// (e^2x − 1) / 2 for x ≤ 0; +0 at −0. Every step is that of [`exp_m1`] at 2x times a power of two.
#[inline(always)]
pub(in crate::kernels) fn half_exp_m1_of_double<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    let half = x.splat(T::HALF);
    let x = x.at_least(x.splat(T::EXPM1_FLOOR * T::HALF));
    let rounder = x.splat(T::ROUNDER);
    let shifted = x.mul_add(x.splat(T::LOG2_E + T::LOG2_E), rounder);
    let scale = shifted.low_bits_as_exponent();
    let half_rest = (shifted - rounder).mul_add(x.splat(T::LN_2_HIGH * T::HALF), x);
    let square = half_rest * half_rest;
    // Half of e^r − 1.
    let m1 = polynomial(half_rest, square, T::EXPM1_OF_DOUBLE).mul_add(square, half_rest);
    m1.mul_add(scale, scale.mul_add(half, x.splat(-T::HALF)))
}

/// e^x for x ≤ 0.
#[derive(Debug, Clone, Copy)]
pub struct Exp;

impl<T: Real> UnaryFunction<T> for Exp {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        exp(x)
    }
}
