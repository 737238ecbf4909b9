//! The upper tail of the normal distribution: Q(x) = Φ(−x) = e^(−x²/2) R(x) for x ≥ 0, and the
//! density φ(x) = e^(−x²/2) / √(2π) that shares its exponential.
//!
//! Q is accurate over its whole range, since nothing is subtracted, and Φ(x) = 1 − Q(x) is never small.

use crate::kernels::math::exponential::ScaledExp;
use crate::kernels::math::polynomial::polynomial;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// The constants of the normal distribution.
pub trait Normal: Sized + 'static {
    /// x Q(x) and Q(x) underflow to 0 from here on.
    const TAIL_END: Self;
    /// 1 / √(2π).
    const DENSITY: Self;
    /// K of [`Self::MILLS`], chosen for the fewest coefficients.
    const MILLS_CENTRE: Self;
    /// w of [`Self::MILLS`], chosen so that the polynomial stays just below 1, where an ulp is relatively
    /// small, and its first coefficient is almost exactly representable.
    const MILLS_WEIGHT: Self;
    /// The coefficients of w (x + 1) R(x), which is nearly constant, in (x − K) / (x + K) for 0 ≤ x ≤
    /// [`Self::TAIL_END`]: a least-squares fit at Chebyshev points in 40 digits, each coefficient rounded
    /// before the next is fitted. The relative error is 7e-9 and 1.3e-17.
    const MILLS: &'static [Self];
}

impl Normal for f32 {
    const TAIL_END: Self = 15.0;
    const DENSITY: Self = 0.398_942_3;
    const MILLS_CENTRE: Self = 2.5;
    const MILLS_WEIGHT: Self = 1.781_25;
    const MILLS: &'static [Self] = &[
        0.881_112_5,
        -0.163_140_21,
        -0.067_182_7,
        0.082_049_75,
        -0.015_497_037,
        -0.010_773_726,
        0.002_287_628_1,
        0.002_254_939_2,
        2.311_841_9e-6,
        -0.000_407_362_15,
        -0.000_114_326_44,
    ];
}

impl Normal for f64 {
    const TAIL_END: Self = 40.0;
    const DENSITY: Self = 0.398_942_280_401_432_7;
    const MILLS_CENTRE: Self = 4.0;
    const MILLS_WEIGHT: Self = 1.898_437_5;
    const MILLS: &'static [Self] = &[
        0.896_163_509_233_533_3,
        -0.183_585_507_737_076_35,
        0.026_577_431_547_149_987,
        0.054_296_003_632_914_15,
        -0.061_125_581_992_334_053,
        0.034_050_560_059_034_88,
        -0.009_496_703_107_192_674,
        -0.000_542_237_599_663_704_9,
        0.001_319_218_728_665_460_3,
        -0.000_179_269_937_670_086_4,
        -0.000_166_783_815_099_954_1,
        4.034_189_957_042_178e-5,
        2.586_989_139_725_393_2e-5,
        -6.515_829_341_436_618e-6,
        -4.960_760_164_709_538e-6,
        7.678_763_638_462_401e-7,
        1.048_462_391_953_892_3e-6,
        2.874_389_739_191_024e-9,
        -2.112_904_855_990_368_3e-7,
        -3.795_585_904_014_576_6e-8,
        3.384_780_994_349_133e-8,
        1.198_572_410_891_671e-8,
        -3.019_379_610_548_758_3e-9,
        -1.542_095_258_418_556_5e-9,
    ];
}

/// For x ≥ 0: e^(−x²/2), as a [`ScaledExp`], and R(x).
///
/// In the tail the exponential magnifies the rounding error of x² by x²/2 (700 at the end of float64's
/// range), so x² is split into two parts.
#[inline(always)]
pub(in crate::kernels) fn scaled_tail<T: Real, V: Arithmetic<Scalar = T>>(
    x: V,
) -> (ScaledExp<V>, V) {
    let (weight, centre) = (x.splat(T::MILLS_WEIGHT), x.splat(T::MILLS_CENTRE));
    let q = (x - centre) / (x + centre);
    // The largest coefficient is added last, so that only the last sum has its full rounding error.
    let rest = polynomial(q, q * q, &T::MILLS[1..]);
    let ratio = rest.mul_add(q, x.splat(T::MILLS[0])) / x.mul_add(weight, weight);
    let (square, minus_half) = (x * x, x.splat(-T::HALF));
    let low = x.mul_add(x, -square);
    (
        ScaledExp::of(square * minus_half, Some(low * minus_half)),
        ratio,
    )
}
