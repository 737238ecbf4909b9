//! ln(1 + x) for −½ ≤ x ≤ 1; softplus and the costs over softmax need no other x.

use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::math::exponential::exp;
use crate::kernels::math::polynomial::polynomial;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// The constants of the logarithm.
pub trait Logarithm: Sized + 'static {
    /// The coefficients of (2 artanh(s) / s − 2) / s² in s² ≤ 1/9, from Remez's algorithm in 60 digits,
    /// minimizing the relative error of ln(1 + x): 5e-9 and 1.6e-18.
    const ARTANH: &'static [Self];
}

impl Logarithm for f32 {
    const ARTANH: &'static [Self] = &[0.666_664_36, 0.400_205_05, 0.280_159_68, 0.279_507_64];
}

impl Logarithm for f64 {
    const ARTANH: &'static [Self] = &[
        0.666_666_666_666_665_1,
        0.400_000_000_000_968_2,
        0.285_714_285_543_968_1,
        0.222_222_236_103_580_33,
        0.181_817_553_404_363_84,
        0.153_863_375_326_737_88,
        0.133_036_725_361_522_75,
        0.120_861_837_165_085_5,
        0.084_217_272_840_165_67,
        0.168_757_560_714_804_4,
    ];
}

/// ln(1 + x) for −½ ≤ x ≤ 1, so that |s| ≤ 1/3.
///
/// With s = x / (2 + x) it is 2 artanh s = 2s + s³ p(s²), and 2s = x − s x. So it equals x − s (x − s²
/// p(s²)), where the rounding error of s contributes less than half.
#[inline(always)]
pub(in crate::kernels) fn ln_1p<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    let s = x / (x + x.splat(T::ONE + T::ONE));
    let square = s * s;
    let p = polynomial(square, square * square, T::ARTANH);
    let bracket = (-square).mul_add(p, x);
    (-s).mul_add(bracket, x)
}

/// ln(1 − e^x) for x ≤ −ln 2.
#[derive(Debug, Clone, Copy)]
pub struct LnOneMinusExp;

impl<T: Real> UnaryFunction<T> for LnOneMinusExp {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, x: V) -> V {
        ln_1p(-exp(x))
    }
}
