//! σ and σ' of one neuron, for machines without fused multiply-add.

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
