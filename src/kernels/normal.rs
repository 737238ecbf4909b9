//! The upper tail of the normal distribution: Q(x) = Φ(−x) = e^(−x²/2) R(x) for x ≥ 0, and the
//! density φ(x) = e^(−x²/2) / √(2π) that shares its exponential.
//!
//! Q is accurate as far as it goes, since nothing is subtracted, and Φ(x) = 1 − Q(x) is never
//! small.

use super::exponential::lifted_parts;
use super::polynomial::polynomial;
use super::vector::Arithmetic;
use crate::scalar::Real;

/// The constants of the normal distribution.
pub trait Normal: Sized + 'static {
    /// x Q(x) and Q(x) are 0 from here on.
    const TAIL_END: Self;
    /// 1 / √(2π).
    const DENSITY: Self;
    /// K of [`Self::MILLS`].
    const MILLS_CENTRE: Self;
    /// The polynomial of (x + 1) R(x) in (x − K) / (x + K), 0 ≤ x ≤ [`Self::TAIL_END`], by Remez's
    /// algorithm in 40 digits for the least relative error: 4e-9 and 6e-18. x + 1
    /// makes it nearly constant, and K is the one that needs the fewest coefficients.
    const MILLS: &'static [Self];
}

impl Normal for f32 {
    const TAIL_END: Self = 15.0;
    const DENSITY: Self = 0.398_942_3;
    const MILLS_CENTRE: Self = 2.5;
    const MILLS: &'static [Self] = &[
        0.494_659_66,
        -0.091_587_48,
        -0.037_716_653,
        0.046_062_805,
        -0.008_699_891,
        -0.006_046_931,
        0.001_284_417_8,
        0.001_262_217_3,
        -4.968_931e-7,
        -0.000_225_589_64,
        -6.201_240_5e-5,
    ];
}

impl Normal for f64 {
    const TAIL_END: Self = 40.0;
    const DENSITY: Self = 0.398_942_280_401_432_7;
    const MILLS_CENTRE: Self = 4.0;
    const MILLS: &'static [Self] = &[
        0.472_053_206_509_844_67,
        -0.096_703_477_326_525_8,
        0.013_999_634_724_425_442,
        0.028_600_364_053_549_78,
        -0.032_197_837_428_087_996,
        0.017_936_097_479_705_777,
        -0.005_002_378_590_984_932,
        -0.000_285_623_098_418_289_7,
        0.000_694_897_103_762_950_9,
        -9.443_025_061_407_988e-5,
        -8.785_317_752_026_158e-5,
        2.125_003_533_134_755_6e-5,
        1.362_684_122_254_03e-5,
        -3.432_163_127_824_462_6e-6,
        -2.612_828_356_001_215e-6,
        4.044_311_136_346_541e-7,
        5.518_647_674_293_792e-7,
        1.503_238_523_929_688_9e-9,
        -1.108_630_672_715_877_2e-7,
        -1.990_279_688_009_922e-8,
        1.756_724_072_712_084e-8,
        6.219_194_940_206_866e-9,
        -1.521_413_435_322_805_3e-9,
        -7.788_172_566_732_353e-10,
    ];
}

/// 2^lift e^(−x²/2) in the parts that [`Tail::times`] puts together.
pub(super) struct Tail<V> {
    scale: V,
    m1: V,
    /// R(x).
    pub ratio: V,
}

impl<T: Real, V: Arithmetic<Scalar = T>> Tail<V> {
    /// Of x ≥ 0.
    ///
    /// In the tail the exponential magnifies the rounding of x² by x²/2 (700 at the end of
    /// float64's), so x² is taken in two parts.
    #[inline(always)]
    pub(super) fn of(x: V) -> Self {
        let (one, centre) = (x.splat(T::ONE), x.splat(T::MILLS_CENTRE));
        let q = (x - centre) / (x + centre);
        // The largest coefficient comes last, so that only its sum is rounded in full.
        let slope = polynomial(q, q * q, &T::MILLS[1..]);
        let ratio = slope.mul_add(q, x.splat(T::MILLS[0])) / (x + one);
        let (square, minus_half) = (x * x, x.splat(-T::HALF));
        let rest = x.mul_add(x, -square);
        let (scale, m1) = lifted_parts(square * minus_half, Some(rest * minus_half));
        Self { scale, m1, ratio }
    }

    /// `factor` e^(−x²/2).
    #[inline(always)]
    pub(super) fn times(self, factor: V) -> V {
        self.m1.mul_add(factor, factor) * self.scale * factor.splat(T::DROP)
    }
}
