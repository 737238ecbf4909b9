//! σ, and σ', computed from a where the formula allows it.

use crate::base::cancel::{CancelToken, ELEMENT_WORK};
use crate::base::error::{Error, Result};
use crate::base::sum::{LaneSum, SUM_BLOCK, sum};
use crate::kernels::elementwise::{activations as kernel, derivatives, map, scale, softmax};
use crate::kernels::real::Real;

/// The activation function σ of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activation {
    /// σ(z) = z.
    Identity,
    /// σ(z) = 1 / (1 + e^−z), σ' = a (1 − a).
    Sigmoid,
    /// σ(z) = tanh z, σ' = (1 − a)(1 + a).
    Tanh,
    /// σ(z) = max(z, 0); σ'(0) = 0.
    Relu,
    /// σ(z) = z for z > 0, else 0.01 z; σ'(0) = 0.01.
    LeakyRelu,
    /// σ(z) = z for z > 0, else e^z − 1; σ' = 1 or a + 1.
    Elu,
    /// σ(z) = z Φ(z), Φ the normal distribution function; σ' = Φ(z) + z φ(z).
    Gelu,
    /// σ(z) = z s(z), s the sigmoid; σ' = s + a (1 − s).
    Silu,
    /// σ(z) = ln(1 + e^z), σ' = 1 − e^−a.
    Softplus,
    /// `σ_j(z) = e^z_j / Σ_k e^z_k`; its Jacobian is not diagonal, so it is allowed in the output layer
    /// only.
    Softmax,
}

/// The neurons processed between two polls of the cancellation token.
const BLOCK: usize = 1 << 13;

impl Activation {
    /// Every activation, in the order shown to users.
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::Sigmoid,
        Self::Tanh,
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Gelu,
        Self::Silu,
        Self::Softplus,
        Self::Softmax,
    ];

    /// The name that users type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Softplus => "softplus",
            Self::Softmax => "softmax",
        }
    }

    /// The activation called `name`; errors name the argument `argument`.
    ///
    /// # Errors
    /// No activation has this name; the message lists the valid ones.
    pub fn from_name(argument: impl std::fmt::Display, name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|activation| activation.name() == name)
            .ok_or_else(|| Error::unknown_name(argument, name, &Self::ALL.map(Self::name)))
    }

    /// The activation called `name`, for a hidden layer.
    ///
    /// # Errors
    /// No activation has this name (the message lists the valid ones), or it is softmax.
    pub fn hidden_from_name(argument: impl std::fmt::Display, name: &str) -> Result<Self> {
        let elementwise = || Self::ALL.into_iter().filter(|&a| a != Self::Softmax);
        if name == Self::Softmax.name() {
            return Err(hidden_softmax_error(argument));
        }
        elementwise().find(|a| a.name() == name).ok_or_else(|| {
            let names: Vec<&str> = elementwise().map(Self::name).collect();
            Error::unknown_name(argument, name, &names)
        })
    }

    /// Whether σ' cannot be computed from a alone, so that z must be stored.
    pub const fn derivative_needs_z(self) -> bool {
        matches!(self, Self::Gelu | Self::Silu)
    }

    /// a = σ(z), in place, for rows of `width` neurons.
    pub fn apply<T: Real>(self, z: &mut [T], width: usize, cancel: &CancelToken<'_>) {
        for block in z.chunks_mut(self.block(width)) {
            self.apply_to_block(block, width);
            if cancel.poll_after(block.len() * ELEMENT_WORK) {
                return;
            }
        }
    }

    /// The neurons processed between two polls of the cancellation token: whole rows for softmax.
    fn block(self, width: usize) -> usize {
        match self {
            Self::Softmax => width * (BLOCK / width).max(1),
            _ => BLOCK,
        }
    }

    fn apply_to_block<T: Real>(self, z: &mut [T], width: usize) {
        match self {
            Self::Identity => {}
            Self::Sigmoid => map(z, kernel::Sigmoid, sigmoid),
            Self::Tanh => map(z, kernel::Tanh, T::tanh),
            // The comparison keeps NaN.
            Self::Relu => map(z, kernel::Relu, |z| if z <= T::ZERO { T::ZERO } else { z }),
            Self::LeakyRelu => map(z, kernel::LeakyRelu, |z| {
                if z > T::ZERO { z } else { T::LEAKY_SLOPE * z }
            }),
            Self::Elu => map(z, kernel::Elu, |z| if z > T::ZERO { z } else { z.exp_m1() }),
            Self::Gelu => map(z, kernel::Gelu, T::gelu),
            Self::Silu => map(z, kernel::Silu, silu),
            Self::Softplus => map(z, kernel::Softplus, softplus),
            Self::Softmax => softmax(z, width, scalar_softmax),
        }
    }

    /// δ ← (∂a/∂z)ᵀ δ for rows of `width` neurons: δ ⊙ σ'(z), and the Jacobian product
    /// `a_j (δ_j − Σ_k a_k δ_k)` for softmax. `z` is read where [`Self::derivative_needs_z`].
    pub fn vjp<T: Real>(
        self,
        delta: &mut [T],
        a: &[T],
        z: &[T],
        width: usize,
        cancel: &CancelToken<'_>,
    ) {
        let step = self.block(width);
        let z_blocks = || (0..).map(|k| z.get(k * step..).unwrap_or_default());
        let blocks = delta.chunks_mut(step).zip(a.chunks(step)).zip(z_blocks());
        for ((delta, a), z) in blocks {
            self.vjp_block(delta, a, z, width);
            if cancel.poll_after(delta.len() * ELEMENT_WORK) {
                return;
            }
        }
    }

    fn vjp_block<T: Real>(self, delta: &mut [T], a: &[T], z: &[T], width: usize) {
        match self {
            Self::Identity => {}
            Self::Sigmoid => scale(delta, a, derivatives::SigmoidDerivative, |a| {
                a * (T::ONE - a)
            }),
            Self::Tanh => scale(delta, a, derivatives::TanhDerivative, |a| {
                (T::ONE - a) * (T::ONE + a)
            }),
            Self::Relu => scale(delta, a, derivatives::ReluDerivative, |a| {
                if a > T::ZERO { T::ONE } else { T::ZERO }
            }),
            Self::LeakyRelu => scale(delta, a, derivatives::LeakyReluDerivative, |a| {
                if a > T::ZERO { T::ONE } else { T::LEAKY_SLOPE }
            }),
            Self::Elu => scale(delta, a, derivatives::EluDerivative, |a| {
                if a > T::ZERO { T::ONE } else { a + T::ONE }
            }),
            Self::Gelu => scale(delta, z, derivatives::GeluDerivative, gelu_derivative),
            Self::Silu => scale(delta, z, derivatives::SiluDerivative, silu_derivative),
            Self::Softplus => scale(delta, a, derivatives::SoftplusDerivative, |a| {
                -(-a).exp_m1()
            }),
            Self::Softmax => {
                for (delta, a) in delta.chunks_exact_mut(width).zip(a.chunks_exact(width)) {
                    softmax_vjp(delta, a);
                }
            }
        }
    }
}

/// The error for softmax in a hidden layer.
pub(crate) fn hidden_softmax_error(argument: impl std::fmt::Display) -> Error {
    Error::value(
        argument,
        "an activation that acts on each neuron by itself",
        "'softmax', which goes with the output alone",
    )
}

/// 1 / (1 + e^−z), without overflow for large |z|.
pub fn sigmoid<T: Real>(z: T) -> T {
    let small = (-z.abs()).exp();
    let numerator = if z < T::ZERO { small } else { T::ONE };
    numerator / (T::ONE + small)
}

/// z s(z). Below −40, where s(z) = e^z, as two factors: s(z) may be subnormal where z s(z) is not.
fn silu<T: Real>(z: T) -> T {
    if z < T::from_f64(-40.0) {
        let half = (z * T::HALF).exp();
        return at_least_min(z) * half * half;
    }
    z * sigmoid(z)
}

/// Φ(z) + z φ(z).
pub(crate) fn gelu_derivative<T: Real>(z: T) -> T {
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
pub(crate) fn silu_derivative<T: Real>(z: T) -> T {
    let s = sigmoid(z);
    s + at_least_min(-at_least_min(-z)) * s * sigmoid(-z)
}

/// ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|).
pub fn softplus<T: Real>(z: T) -> T {
    let small = (-z.abs()).exp().ln_1p();
    if z > T::ZERO { z + small } else { small }
}

/// e^z / Σ e^z, shifted by the largest z so that nothing overflows.
fn scalar_softmax<T: Real>(z: &mut [T]) {
    let largest = largest(z);
    for z in z.iter_mut() {
        *z = (*z - largest).exp();
    }
    // In float64: the sum of a million float32 outputs would lose three digits.
    let blocks = z
        .chunks(SUM_BLOCK)
        .map(|block| block.iter().fold(0.0, |sum, z| sum + z.to_f64()));
    let sum = sum(blocks);
    let sum = T::from_f64(sum);
    for z in z {
        *z = *z / sum;
    }
}

/// δ ← `a_j (δ_j − Σ_k a_k δ_k)`, after subtracting δ of the largest a from every δ. As Σ a = 1, this
/// changes nothing mathematically, but it avoids cancellation where that a is nearly 1.
fn softmax_vjp<T: Real>(delta: &mut [T], a: &[T]) {
    let largest = largest(a);
    let top = a.iter().position(|&a| a == largest).unwrap_or(0);
    let of_top = delta[top].to_f64();
    let mut dot = LaneSum::default();
    dot.add(a.len(), |k| a[k].to_f64() * (delta[k].to_f64() - of_top));
    let dot = dot.total();
    for (delta, &a) in delta.iter_mut().zip(a) {
        *delta = T::from_f64(a.to_f64() * ((delta.to_f64() - of_top) - dot));
    }
}

/// The largest value; NaN is ignored.
fn largest<T: Real>(values: &[T]) -> T {
    let larger = |a, b| if b > a { b } else { a };
    values.iter().copied().fold(-T::MAX, larger)
}

/// z, with −∞ replaced by the lowest finite value, so that its product with 0 is 0.
fn at_least_min<T: Real>(z: T) -> T {
    if z < -T::MAX { -T::MAX } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels with fused multiply-add use another implementation.
    #[test]
    fn the_vjp_of_softmax_is_accurate_near_saturation() {
        let mut delta = [1.0, 2.0];
        softmax_vjp(&mut delta, &[1.0, 1e-20]);
        assert_eq!(delta.map(f64::to_bits), [-1e-20, 1e-20].map(f64::to_bits));
        let mut delta = [2.0, 1.0];
        softmax_vjp(&mut delta, &[1e-20, 1.0]);
        assert_eq!(delta.map(f64::to_bits), [1e-20, -1e-20].map(f64::to_bits));
    }
}
