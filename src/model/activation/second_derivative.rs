//! σ'', for derivatives of errors along a direction.
//!
//! Where σ'' vanishes with σ', the ratio of the two is computed: then δ^l times the ratio is the error before
//! σ' times σ'', and that error need not be stored.

use crate::base::cancel::{COMPUTED_PER_POLL, CancelToken, ELEMENT_WORK};
use crate::kernels::elementwise::activations::gelu_tanh::GeluTanhSecondDerivative;
use crate::kernels::elementwise::activations::mish::MishSecondDerivative;
use crate::kernels::elementwise::activations::second_derivatives as kernel;
use crate::kernels::elementwise::scale;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::activation::formulas::{
    SELU, gelu_derivative, gelu_tanh_derivatives, hard_swish_derivative, mish_derivatives, sigmoid,
    silu_derivative,
};

impl Activation {
    /// Whether σ'' is 0, except at kinks.
    pub const fn is_piecewise_linear(self) -> bool {
        match self {
            Self::Identity | Self::Relu | Self::LeakyRelu(_) | Self::HardSigmoid => true,
            Self::Sigmoid
            | Self::Tanh
            | Self::Elu(_)
            | Self::Selu
            | Self::Gelu
            | Self::GeluTanh
            | Self::Silu
            | Self::Mish
            | Self::Softplus
            | Self::HardSwish
            | Self::Sin
            | Self::Softmax => false,
        }
    }

    /// ż ← ż ⊙ σ''(z) / σ'(z), or ż ⊙ σ''(z) where [`Self::derivative_needs_z`]; not for softmax.
    pub(crate) fn derivative_tangent<T: Real>(
        self,
        tangent_z: &mut [T],
        a: &[T],
        z: &[T],
        cancel: &CancelToken<'_>,
    ) {
        let z_blocks = || (0..).map(|k| z.get(k * COMPUTED_PER_POLL..).unwrap_or_default());
        let blocks = tangent_z
            .chunks_mut(COMPUTED_PER_POLL)
            .zip(a.chunks(COMPUTED_PER_POLL));
        for ((values, a), z) in blocks.zip(z_blocks()) {
            match self {
                Self::Identity
                | Self::Relu
                | Self::LeakyRelu(_)
                | Self::HardSigmoid
                | Self::Softmax => {
                    values.fill(T::ZERO);
                }
                Self::Sigmoid => scale(values, a, kernel::SigmoidRatio, |a| T::ONE - a - a),
                Self::Tanh => scale(values, a, kernel::TanhRatio, |a| -a - a),
                Self::Elu(_) | Self::Selu => scale(values, a, kernel::EluRatio, |a| {
                    if a > T::ZERO { T::ZERO } else { T::ONE }
                }),
                Self::Softplus => scale(values, a, kernel::SoftplusRatio, |a| (-a).exp()),
                Self::Gelu => scale(values, z, kernel::GeluSecondDerivative, |z| {
                    T::from_f64(gelu_second(z.to_f64()))
                }),
                Self::Silu => scale(values, z, kernel::SiluSecondDerivative, |z| {
                    T::from_f64(silu_second(z.to_f64()))
                }),
                Self::GeluTanh => scale(values, z, GeluTanhSecondDerivative, |z| {
                    T::from_f64(gelu_tanh_derivatives(z.to_f64())[1])
                }),
                Self::Mish => scale(values, z, MishSecondDerivative, |z| {
                    T::from_f64(mish_derivatives(z.to_f64())[1])
                }),
                Self::HardSwish => scale(values, z, kernel::HardSwishSecondDerivative, |z| {
                    T::from_f64(hard_swish_second(z.to_f64()))
                }),
                Self::Sin => scale(values, z, kernel::SinSecondDerivative, |z| -z.sin()),
            }
            if cancel.poll_after(values.len() * ELEMENT_WORK) {
                return;
            }
        }
    }

    /// σ'(z) and σ''(z) of one neuron, from z or a, as [`Self::derivative_needs_z`] says; not for softmax.
    pub(crate) fn two_derivatives(self, z: f64, a: f64) -> (f64, f64) {
        match self {
            Self::Identity | Self::Softmax => (1.0, 0.0),
            Self::Sigmoid => (a * (1.0 - a), a * (1.0 - a) * (1.0 - a - a)),
            Self::Tanh => {
                let first = (1.0 - a) * (1.0 + a);
                (first, -2.0 * a * first)
            }
            Self::Relu => (if a > 0.0 { 1.0 } else { 0.0 }, 0.0),
            Self::LeakyRelu(slope) => (if a > 0.0 { 1.0 } else { slope.value() }, 0.0),
            Self::Elu(_) if a > 0.0 => (1.0, 0.0),
            Self::Elu(alpha) => (a + alpha.value(), a + alpha.value()),
            Self::Softplus => {
                let first = -Real::exp_m1(-a);
                (first, first * Real::exp(-a))
            }
            Self::Gelu => (gelu_derivative(z), gelu_second(z)),
            Self::Silu => (silu_derivative(z), silu_second(z)),
            Self::Selu if a > 0.0 => (SELU[0], 0.0),
            Self::Selu => (a + SELU[1], a + SELU[1]),
            Self::GeluTanh => first_two(gelu_tanh_derivatives(z)),
            Self::Mish => first_two(mish_derivatives(z)),
            Self::HardSigmoid if a > 0.0 && a < 1.0 => (1.0 / 6.0, 0.0),
            Self::HardSigmoid => (0.0, 0.0),
            Self::HardSwish => (hard_swish_derivative(z), hard_swish_second(z)),
            Self::Sin => (Real::cos(z), -Real::sin(z)),
        }
    }
}

/// φ(z) (2 − z²).
fn gelu_second(z: f64) -> f64 {
    let density = z.normal_pdf();
    if density == 0.0 {
        return 0.0;
    }
    density * (2.0 - z * z)
}

/// s (1 − s) (2 + z (1 − 2s)).
fn silu_second(z: f64) -> f64 {
    let s = sigmoid(z);
    let slope = s * sigmoid(-z);
    if slope == 0.0 {
        return 0.0;
    }
    slope * (2.0 + z * (1.0 - 2.0 * s))
}

/// 1/3 for −3 < z < 3, else 0.
fn hard_swish_second(z: f64) -> f64 {
    if z.abs() < 3.0 { 1.0 / 3.0 } else { 0.0 }
}

fn first_two([first, second, _]: [f64; 3]) -> (f64, f64) {
    (first, second)
}
