//! σ and σ' of one neuron, for machines without fused multiply-add.

use crate::kernels::math::CubicArgument;
use crate::kernels::real::Real;

/// 1 / (1 + e^−z), without overflow for large |z|.
pub fn sigmoid<T: Real>(z: T) -> T {
    let small = (-z.abs()).exp();
    let numerator = if z < T::ZERO { small } else { T::ONE };
    numerator / (T::ONE + small)
}

/// z s(z). Below −40, where s(z) = e^z, as two factors: s(z) may be subnormal where z s(z) is not.
pub(super) fn silu<T: Real>(z: T) -> T {
    if z < T::from_f64(-40.0) {
        let half = (z * T::HALF).exp();
        return at_least_min(z) * half * half;
    }
    z * sigmoid(z)
}

/// Φ(z) + z φ(z).
pub(super) fn gelu_derivative<T: Real>(z: T) -> T {
    let density = z.normal_pdf();
    // At z = ±∞ the product z φ(z) is 0 · ∞; its limit is 0.
    let product = if density == T::ZERO {
        T::ZERO
    } else {
        z * density
    };
    z.normal_cdf() + product
}

/// s + z s (1 − s).
pub(super) fn silu_derivative<T: Real>(z: T) -> T {
    let s = sigmoid(z);
    s + at_least_min(-at_least_min(-z)) * s * sigmoid(-z)
}

/// ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|).
pub fn softplus<T: Real>(z: T) -> T {
    let small = (-z.abs()).exp().ln_1p();
    if z > T::ZERO { z + small } else { small }
}

/// z, with −∞ replaced by the lowest finite value, so that its product with 0 is 0.
fn at_least_min<T: Real>(z: T) -> T {
    if z < -T::MAX { -T::MAX } else { z }
}

/// λ and λ α of SELU (Klambauer et al. 2017).
pub const SELU: [f64; 2] = [1.050_700_987_355_480_5, 1.758_099_340_847_376_8];

/// 0 for z ≤ −3, 1 for z ≥ 3, else (z + 3) / 6; 0 and 1 only there.
pub(super) fn hard_sigmoid<T: Real>(z: T) -> T {
    let three = T::from_f64(3.0);
    if z >= three {
        return T::ONE;
    }
    if z <= -three {
        return T::ZERO;
    }
    let half = (three - z.abs()) * T::from_f64(1.0 / 6.0);
    if z < T::ZERO { half } else { T::ONE - half }
}

/// 0 for z ≤ −3, 1 for z ≥ 3, else (2z + 3) / 6.
pub(super) fn hard_swish_derivative(z: f64) -> f64 {
    if z.abs() >= 3.0 {
        return hard_sigmoid(z);
    }
    (z + z + 3.0) * (1.0 / 6.0)
}

/// z tanh(ln(1 + e^z)), with e^−|z| as in `kernels::elementwise::activations::mish`.
pub(super) fn mish<T: Real>(z: T) -> T {
    let two = T::ONE + T::ONE;
    if z < T::from_f64(-40.0) {
        let half = (z * T::HALF).exp();
        return at_least_min(z) * half * half;
    }
    let e = (-z.abs()).exp();
    if z < T::ZERO {
        return z * (e * (e + two)) / (e * (e + two) + two);
    }
    z * ((T::ONE + two * e) / (T::ONE + two * e * (T::ONE + e)))
}

/// Its first three derivatives.
pub(super) fn mish_derivatives(z: f64) -> [f64; 3] {
    let x = if z.abs() > 760.0 { 760.0 } else { z.abs() };
    let e = Real::exp(-x);
    let powers = |coefficients: [f64; 6]| coefficients.iter().rev().fold(0.0, |sum, c| sum * e + c);
    if z < 0.0 {
        let q = e * (e + 2.0) + 2.0;
        let p = powers([2.0, 2.0, -3.0, -2.0, 0.0, 0.0]);
        let r = powers([4.0, 0.0, -32.0, -24.0, 5.0, 4.0]);
        return [
            e * ((e + 2.0) * q - 4.0 * x * (1.0 + e)) / (q * q),
            4.0 * e * (2.0 * (1.0 + e) * q - x * p) / (q * q * q),
            4.0 * e * (3.0 * p * q - x * r) / (q * q * q * q),
        ];
    }
    let d = 1.0 + 2.0 * e * (1.0 + e);
    let p = powers([2.0, 3.0, -2.0, -2.0, 0.0, 0.0]);
    let r = powers([4.0, 5.0, -24.0, -32.0, 0.0, 4.0]);
    [
        ((1.0 + 2.0 * e) * d + 4.0 * x * e * e * (1.0 + e)) / (d * d),
        4.0 * e * e * (2.0 * (1.0 + e) * d - x * p) / (d * d * d),
        -4.0 * e * e * (3.0 * p * d - x * r) / (d * d * d * d),
    ]
}

/// A and B of w = z (A + B z²) = 2 √(2/π) (z + 0.044715 z³), each as the sum of two numbers.
const LINEAR: [f64; 2] = <f64 as CubicArgument>::LINEAR;
const CUBIC: [f64; 2] = <f64 as CubicArgument>::CUBIC;

/// e^(−|w| / 2): half of the exponent, since e^−|w| may be subnormal where its product with z is not.
fn root_of_tail(z: f64) -> f64 {
    let x = z.abs();
    let square = x * x;
    let square_low = libm::fma(x, x, -square);
    let product = CUBIC[0] * square;
    let product_low =
        libm::fma(CUBIC[0], square, -product) + CUBIC[0] * square_low + CUBIC[1] * square;
    let factor = LINEAR[0] + product;
    let rest = factor - LINEAR[0];
    let factor_low = (LINEAR[0] - (factor - rest)) + (product - rest) + product_low + LINEAR[1];
    let w = x * factor;
    let w_low = libm::fma(x, factor, -w) + x * factor_low;
    let root = Real::exp(-0.5 * w);
    root - root * (0.5 * w_low)
}

/// z s(w), s the sigmoid.
pub(super) fn gelu_tanh<T: Real>(z: T) -> T {
    let z = z.to_f64();
    if z < -f64::CUBIC_END {
        return -T::ZERO;
    }
    if z > f64::CUBIC_END {
        return T::from_f64(z);
    }
    let root = root_of_tail(z);
    let sum = 1.0 + root * root;
    T::from_f64(if z < 0.0 {
        z * root / sum * root
    } else {
        z / sum
    })
}

/// Its first three derivatives.
pub(super) fn gelu_tanh_derivatives(z: f64) -> [f64; 3] {
    let x = if z.abs() > f64::CUBIC_END {
        f64::CUBIC_END
    } else {
        z.abs()
    };
    let root = root_of_tail(x);
    let e = root * root;
    let s_prime = e / ((1.0 + e) * (1.0 + e));
    let turn = (1.0 - e) / (1.0 + e);
    let (slope, bend) = (LINEAR[0] + 3.0 * CUBIC[0] * x * x, 6.0 * CUBIC[0] * x);
    let first = s_prime * (1.0 + e - x * slope);
    let second = s_prime * (2.0 * slope + x * (bend - turn * slope * slope));
    let third = s_prime
        * (3.0 * (bend - turn * slope * slope)
            + x * ((1.0 - 6.0 * s_prime) * slope * slope * slope - 3.0 * turn * slope * bend
                + 6.0 * CUBIC[0]));
    if z < 0.0 {
        [first, second, -third]
    } else {
        [1.0 - first, second, third]
    }
}
