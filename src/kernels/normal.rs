//! The upper tail of the normal distribution: Q(x) = Φ(−x) = e^(−x²/2) R(x) for x ≥ 0, and the
//! density φ(x) = e^(−x²/2) / √(2π) that shares its exponential.
//!
//! Q is accurate as far as it goes, since nothing is subtracted, and Φ(x) = 1 − Q(x) is never
//! small.

use super::exponential::lifted_exp;
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
    /// The polynomial of (x + K) R(x) in (x − K) / (x + K), 0 ≤ x ≤ [`Self::TAIL_END`], by Remez's
    /// algorithm in 40 digits for the least relative error: 9e-9 and 1.5e-17. K is the one that
    /// needs the fewest coefficients.
    const MILLS: &'static [Self];
}

impl Normal for f32 {
    const TAIL_END: Self = 15.0;
    const DENSITY: Self = 0.398_942_28;
    const MILLS_CENTRE: Self = 4.0;
    const MILLS: &'static [Self] = &[
        0.755_285_14,
        -0.607_896_57,
        0.387_136_9,
        -0.186_523_66,
        0.060_403_49,
        -0.007_524_004_7,
        -0.003_510_211_6,
        0.001_568_408_3,
        0.000_174_660_06,
        -0.000_134_195_89,
    ];
}

impl Normal for f64 {
    const TAIL_END: Self = 40.0;
    const DENSITY: Self = 0.398_942_280_401_432_7;
    const MILLS_CENTRE: Self = 5.0;
    const MILLS: &'static [Self] = &[
        0.769_193_049_750_063,
        -0.665_382_502_890_056_6,
        0.495_305_615_969_977_24,
        -0.313_533_156_671_318_26,
        0.165_020_366_170_349_26,
        -0.069_118_638_705_877_02,
        0.020_795_066_800_489_87,
        -0.002_993_376_776_681_483_7,
        -0.000_797_869_404_094_064_5,
        0.000_544_899_112_704_800_2,
        -5.937_569_499_261_767_5e-5,
        -4.976_303_710_694_16e-5,
        1.668_108_176_345_282e-5,
        3.981_550_951_187_227e-6,
        -2.768_901_910_361_115_4e-6,
        -3.378_092_994_011_882_4e-7,
        4.324_592_882_404_686_4e-7,
        4.362_439_520_085_259e-8,
        -6.513_260_040_656_51e-8,
        -1.016_850_413_895_546_4e-8,
        7.116_244_632_879_457e-9,
        1.985_370_809_125_469_3e-9,
    ];
}

/// Of x ≥ 0: 2^lift e^(−x²/2), to be multiplied by [`super::Exponential::DROP`], and R(x).
///
/// In the tail the exponential magnifies the rounding of x² by x²/2 (700 at the end of float64's),
/// so x² is taken in two parts.
#[inline(always)]
pub(super) fn lifted_tail<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> (V, V) {
    let centre = x.splat(T::MILLS_CENTRE);
    let reciprocal = x.splat(T::ONE) / (x + centre);
    let q = (x - centre) * reciprocal;
    let ratio = polynomial(q, q * q, T::MILLS) * reciprocal;
    let (square, minus_half) = (x * x, x.splat(-T::HALF));
    let rest = x.mul_add(x, -square);
    (
        lifted_exp(square * minus_half, Some(rest * minus_half)),
        ratio,
    )
}
