//! sin x and cos x.
//!
//! x = n π/2 + r with n an integer and |r| ≤ π/4. Two polynomials approximate sin r and cos r; n modulo 4
//! chooses one of them and the sign. Where n is too large for that, libm computes the lane.

use crate::kernels::math::polynomial::polynomial;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;
use crate::kernels::tuning::{elementwise, gemm};

/// The constants of sine and cosine.
pub trait Sine: Sized + 'static {
    /// Up to this size of x, r has all its digits, and |r| is at most 1.01 π/4.
    const LARGEST_ANGLE: Self;
    /// 2 / π.
    const TWO_OVER_PI: Self;
    /// −π/2 as a sum, each part rounded towards 0, so that −0 stays. x − n π/2 is exact up to the second
    /// part, and its smallest size in the range, 2^−58 in float64, is far larger than n times what the three
    /// leave.
    const MINUS_HALF_PI: [Self; 3];
    /// 1.5 · 2^p, whose ulp is 1: adding and subtracting it rounds to an integer.
    const INTEGER_ROUNDER: Self;
    /// The coefficients of (sin r / r − 1) / r² in r²: a least-squares fit at Chebyshev points in 50 digits,
    /// each rounded before the next is fitted. The error relative to sin r is 4.1e-9 and 4.1e-18.
    const SINE: &'static [Self];
    /// The same for (cos r − 1) / r²; the error is 1.1e-10 and 5.9e-20.
    const COSINE: &'static [Self];
}

impl Sine for f32 {
    const LARGEST_ANGLE: Self = 16384.0;
    const TWO_OVER_PI: Self = std::f32::consts::FRAC_2_PI;
    #[allow(clippy::approx_constant)] // a part of it
    const MINUS_HALF_PI: [Self; 3] = [-1.570_796_3, -7.549_789_4e-8, -5.390_302_5e-15];
    const INTEGER_ROUNDER: Self = 12_582_912.0;
    const SINE: &'static [Self] = &[-0.166_666_54, 0.008_332_11, -0.000_195_085_62];
    const COSINE: &'static [Self] = &[-0.5, 0.041_666_646, -0.001_388_730_2, 2.443_088_1e-5];
}

impl Sine for f64 {
    const LARGEST_ANGLE: Self = 1_073_741_824.0;
    const TWO_OVER_PI: Self = std::f64::consts::FRAC_2_PI;
    const MINUS_HALF_PI: [Self; 3] = [
        -std::f64::consts::FRAC_PI_2,
        -6.123_233_995_736_765e-17,
        -1.082_856_673_921_913_9e-32,
    ];
    const INTEGER_ROUNDER: Self = 6_755_399_441_055_744.0;
    const SINE: &'static [Self] = &[
        -0.166_666_666_666_666_27,
        0.008_333_333_333_321_136,
        -0.000_198_412_698_287_740_8,
        2.755_731_332_799_228e-6,
        -2.505_070_024_372_435_8e-8,
        1.589_338_975_968_230_2e-10,
    ];
    const COSINE: &'static [Self] = &[
        -0.5,
        0.041_666_666_666_666_59,
        -0.001_388_888_888_887_215_8,
        2.480_158_728_825_412_5e-5,
        -2.755_731_399_589_617_6e-7,
        2.087_567_448_842_649e-9,
        -1.135_710_181_484_794_8e-11,
    ];
}

/// sin x; −0 at −0.
#[inline(always)]
pub(in crate::kernels) fn sin<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    let (n, r) = reduced(x);
    or_by_lane(x, of_quadrant(n, r), T::sin)
}

/// cos x = sin (x + π/2).
#[inline(always)]
pub(in crate::kernels) fn cos<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    let (n, r) = reduced(x);
    or_by_lane(x, of_quadrant(n + x.splat(T::ONE), r), T::cos)
}

/// n and r.
#[inline(always)]
fn reduced<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> (V, V) {
    let n = rounded(x * x.splat(T::TWO_OVER_PI));
    let r = T::MINUS_HALF_PI
        .iter()
        .fold(x, |r, &part| n.mul_add(x.splat(part), r));
    (n, r)
}

/// sin (n π/2 + r).
#[inline(always)]
fn of_quadrant<T: Real, V: Arithmetic<Scalar = T>>(n: V, r: V) -> V {
    let (zero, one) = (r.splat(T::ZERO), r.splat(T::ONE));
    let square = r * r;
    let fourth = square * square;
    let sine = (r * square)
        .mul_add(polynomial(square, fourth, T::SINE), r)
        .with_sign_of(r); // the sum is +0 at −0
    let cosine = square.mul_add(polynomial(square, fourth, T::COSINE), one);
    let (pairs, is_odd) = halved(n);
    let (_, is_negative) = halved(pairs);
    let value = V::select(zero.less(is_odd), cosine, sine);
    V::select(zero.less(is_negative), -value, value)
}

/// ⌊n / 2⌋ of an integer, and what is left: 0 or 1.
#[inline(always)]
fn halved<T: Real, V: Arithmetic<Scalar = T>>(n: V) -> (V, V) {
    let quarter = n.splat(T::from_f64(-0.25));
    let half = rounded(n.mul_add(n.splat(T::HALF), quarter));
    (half, n - (half + half))
}

/// The nearest integer.
#[inline(always)]
fn rounded<T: Real, V: Arithmetic<Scalar = T>>(x: V) -> V {
    let rounder = x.splat(T::INTEGER_ROUNDER);
    (x + rounder) - rounder
}

/// `values`, where |x| is at most [`Sine::LARGEST_ANGLE`] or NaN, and f(x) elsewhere.
#[inline(always)]
fn or_by_lane<T: Real, V: Arithmetic<Scalar = T>>(x: V, values: V, f: fn(T) -> T) -> V {
    if !V::any(x.splat(T::LARGEST_ANGLE).less(x.abs())) {
        return values;
    }
    let (mut lanes, mut angles) = ([T::ZERO; MAX_LANES], [T::ZERO; MAX_LANES]);
    let (lanes, angles) = (&mut lanes[..V::LANES], &mut angles[..V::LANES]);
    // SAFETY: both have a register's lanes; a value of the type proves the instructions.
    unsafe {
        values.store(lanes.as_mut_ptr());
        x.store(angles.as_mut_ptr());
    }
    replace_large(lanes, angles, f);
    // SAFETY: as above.
    unsafe { V::load(lanes.as_ptr()) }
}

/// The most lanes of V.
const MAX_LANES: usize = gemm::MAX_LANES * elementwise::REGISTERS_AT_ONCE;

#[cold]
#[inline(never)]
fn replace_large<T: Real>(values: &mut [T], angles: &[T], f: fn(T) -> T) {
    for (value, &x) in values.iter_mut().zip(angles) {
        if x.abs() > T::LARGEST_ANGLE {
            *value = f(x);
        }
    }
}
