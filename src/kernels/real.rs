//! The floating-point types of a network: `f32` and `f64`.

use std::fmt::Debug;
use std::ops::{AddAssign, MulAssign, Neg, SubAssign};

use ndarray::LinalgScalar;

use crate::kernels::math::{CubicArgument, Exponential, Logarithm, Normal, Sine};
use crate::kernels::simd::Registers;

/// A floating-point type that a network can use.
///
/// `exp`, `exp_m1`, `ln_1p`, `tanh`, `sin`, `cos` and `erfc` come from the Rust crate `libm` and not from the platform's
/// C library: the same source gives the same bits on every machine. Costs use them, and activations do on
/// machines without fused multiply-add; otherwise `kernels::math` replaces them.
pub trait Real:
    LinalgScalar
    + Registers
    + Exponential
    + Logarithm
    + Normal
    + Sine
    + CubicArgument
    + Send
    + Sync
    + Debug
    + PartialOrd
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// NumPy's name of the type.
    const DTYPE: &'static str;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// 1/2.
    const HALF: Self;
    /// The largest finite number.
    const MAX: Self;
    /// The smallest positive number with all digits.
    const MIN_POSITIVE: Self;
    /// `value`, rounded to nearest.
    fn from_f64(value: f64) -> Self;
    /// The same value, exactly.
    fn to_f64(self) -> f64;
    /// |x|.
    fn abs(self) -> Self;
    /// self · `factor` + `term`, rounded once; slow unless inlined where the instruction is enabled.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// e^x.
    fn exp(self) -> Self;
    /// e^x − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// ln(1 + x), accurate near 0.
    fn ln_1p(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// sin x.
    fn sin(self) -> Self;
    /// cos x.
    fn cos(self) -> Self;
    /// Φ(x) = ½ erfc(−x/√2), the normal distribution function, accurate in the lower tail.
    fn normal_cdf(self) -> Self;
    /// x Φ(x).
    fn gelu(self) -> Self;
    /// φ(x) = e^(−x²/2) / √(2π), the normal density.
    fn normal_pdf(self) -> Self;
}

// Not inlined: libm's functions are long and are used in many loops, and would fill a tenth of the library.

const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

impl Real for f64 {
    const DTYPE: &'static str = "float64";
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const HALF: Self = 0.5;
    const MAX: Self = f64::MAX;
    const MIN_POSITIVE: Self = f64::MIN_POSITIVE;

    fn from_f64(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f64::mul_add(self, factor, term)
    }
    #[inline(never)]
    fn exp(self) -> Self {
        libm::exp(self)
    }
    #[inline(never)]
    fn exp_m1(self) -> Self {
        libm::expm1(self)
    }
    #[inline(never)]
    fn ln_1p(self) -> Self {
        libm::log1p(self)
    }
    #[inline(never)]
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    #[inline(never)]
    fn sin(self) -> Self {
        libm::sin(self)
    }
    #[inline(never)]
    fn cos(self) -> Self {
        libm::cos(self)
    }

    /// In the tail erfc magnifies the rounding error of −x/√2 by 2x² (1400 at the end of the range). So the
    /// argument is a sum t + d, and the first-order term of d is added: erfc(t + d) ≈ erfc(t) − (2/√π)
    /// e^(−t²) d.
    #[inline(never)]
    fn normal_cdf(self) -> Self {
        use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
        /// 1/√2 = `FRAC_1_SQRT_2` + this.
        const FRAC_1_SQRT_2_LOW: f64 = -4.833_646_656_726_457e-17;
        let t = -self * FRAC_1_SQRT_2;
        let erfc = libm::erfc(t);
        if !(-1.0..27.5).contains(&t) {
            return 0.5 * erfc;
        }
        let d = libm::fma(-self, FRAC_1_SQRT_2, -t) - self * FRAC_1_SQRT_2_LOW;
        0.5 * (erfc - FRAC_2_SQRT_PI * libm::exp(-t * t) * d)
    }
    /// Below −36, Φ(x) becomes subnormal and loses its last digits. There x Φ(x) is −φ(x) (1 − 1/x² + 3/x⁴
    /// − 15/x⁶ + …), with e^(−x²/2) as two factors and x² split into two parts.
    #[inline(never)]
    fn gelu(self) -> Self {
        if self < -39.0 {
            return -0.0; // the rounded value, and the limit at −∞, where the product is −∞ · 0
        }
        if !(-39.0..-36.0).contains(&self) {
            return self * self.normal_cdf();
        }
        let square = self * self;
        let rest = libm::fma(self, self, -square);
        let t = 1.0 / square;
        let series =
            1.0 - t * (1.0 - t * (3.0 - t * (15.0 - t * (105.0 - t * (945.0 - t * 10395.0)))));
        let half = libm::exp(-0.25 * square);
        -(FRAC_1_SQRT_2PI * series * (1.0 - 0.5 * rest) * half) * half
    }
    /// The rounding error of x² is a factor of its own: half of it would be an error of hundreds of ulp.
    #[inline(never)]
    fn normal_pdf(self) -> Self {
        let square = self * self;
        if square > 1500.0 {
            return 0.0;
        }
        let rest = libm::fma(self, self, -square);
        FRAC_1_SQRT_2PI * libm::exp(-0.5 * square) * (1.0 - 0.5 * rest)
    }
}

impl Real for f32 {
    const DTYPE: &'static str = "float32";
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const HALF: Self = 0.5;
    const MAX: Self = f32::MAX;
    const MIN_POSITIVE: Self = f32::MIN_POSITIVE;

    #[allow(clippy::cast_possible_truncation)] // rounds to the nearest f32, as intended
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        f32::mul_add(self, factor, term)
    }
    #[inline(never)]
    fn exp(self) -> Self {
        libm::expf(self)
    }
    #[inline(never)]
    fn exp_m1(self) -> Self {
        libm::expm1f(self)
    }
    #[inline(never)]
    fn ln_1p(self) -> Self {
        libm::log1pf(self)
    }
    #[inline(never)]
    fn tanh(self) -> Self {
        libm::tanhf(self)
    }
    #[inline(never)]
    fn sin(self) -> Self {
        libm::sinf(self)
    }
    #[inline(never)]
    fn cos(self) -> Self {
        libm::cosf(self)
    }
    #[inline(never)]
    fn normal_cdf(self) -> Self {
        let t = -f64::from(self) * std::f64::consts::FRAC_1_SQRT_2;
        Self::from_f64(0.5 * libm::erfc(t))
    }
    #[inline(never)]
    fn gelu(self) -> Self {
        Self::from_f64(f64::from(self).gelu())
    }
    #[inline(never)]
    fn normal_pdf(self) -> Self {
        let x = f64::from(self);
        Self::from_f64(FRAC_1_SQRT_2PI * libm::exp(-0.5 * x * x))
    }
}
