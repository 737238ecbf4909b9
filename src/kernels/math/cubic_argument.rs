//! e^−w of w = 2 √(2/π) (x + 0.044715 x³) = x (A + B x²), for x ≥ 0: the exponential of GELU by tanh.

use crate::kernels::math::exponential::ScaledExp;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// The constants of w.
pub trait CubicArgument: Sized + 'static {
    /// A, as the sum of two numbers.
    const LINEAR: [Self; 2];
    /// B, as the sum of two numbers.
    const CUBIC: [Self; 2];
    /// x e^−w is 0 from here on.
    const CUBIC_END: Self;
}

impl CubicArgument for f32 {
    const LINEAR: [Self; 2] = [1.595_769_2, -4.534_068e-8];
    const CUBIC: [Self; 2] = [0.071_354_814, 2.398_832_5e-9];
    const CUBIC_END: Self = 12.0;
}

impl CubicArgument for f64 {
    const LINEAR: [Self; 2] = [1.595_769_121_605_730_8, -9.969_308_809_110_92e-17];
    const CUBIC: [Self; 2] = [0.071_354_816_272_600_25, -6.175_149_918_155_315e-19];
    const CUBIC_END: Self = 22.0;
}

/// e^−w.
///
/// In the tail the exponential magnifies the rounding error of w by w (740 at the end of float64's range),
/// so w is a sum of two parts.
#[inline(always)]
pub(in crate::kernels) fn exp_of_cubic<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> ScaledExp<V> {
    let [linear, linear_low] = T::LINEAR.map(|part| x.splat(part));
    let [cubic, cubic_low] = T::CUBIC.map(|part| x.splat(part));
    let square = x * x;
    let square_low = x.mul_add(x, -square);
    let product = cubic * square;
    let product_low = cubic.mul_add(square, -product);
    let product_low = cubic_low.mul_add(square, cubic.mul_add(square_low, product_low));
    // Both terms are positive, so what the sum rounds off is known exactly.
    let factor = linear + product;
    let rest = factor - linear;
    let factor_low = (linear - (factor - rest)) + (product - rest);
    let factor_low = factor_low + (product_low + linear_low);
    let w = x * factor;
    let w_low = x.mul_add(factor_low, x.mul_add(factor, -w));
    // The derivatives multiply it by powers of w' of more than 1e6.
    ScaledExp::with_floor(-w, Some(-w_low), T::LOWEST_EXPONENT)
}
