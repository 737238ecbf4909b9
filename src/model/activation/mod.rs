//! σ, and its derivatives, computed from a where the formula allows it.

mod apply;
mod formulas;
mod name;
mod parameter;
mod second_derivative;
mod softmax;
mod third_derivative;

use crate::base::error::Error;

pub use formulas::{SELU, sigmoid, softplus};
pub use parameter::Parameter;

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
    /// σ(z) = z for z > 0, else s z; σ'(0) = s.
    LeakyRelu(Parameter),
    /// σ(z) = z for z > 0, else α (e^z − 1); σ' = 1 or a + α, σ'(0) = α.
    Elu(Parameter),
    /// σ(z) = λ z for z > 0, else λ α (e^z − 1), with fixed λ and α; σ'(0) = λ α.
    Selu,
    /// σ(z) = z Φ(z), Φ the normal distribution function; σ' = Φ(z) + z φ(z).
    Gelu,
    /// σ(z) = z s(w), s the sigmoid, w = 2 √(2/π) (z + 0.044715 z³).
    GeluTanh,
    /// σ(z) = z s(z), s the sigmoid; σ' = s + a (1 − s).
    Silu,
    /// σ(z) = z tanh(ln(1 + e^z)).
    Mish,
    /// σ(z) = ln(1 + e^z), σ' = 1 − e^−a.
    Softplus,
    /// σ(z) = 0 for z ≤ −3, 1 for z ≥ 3, else (z + 3) / 6; σ' = 1/6 for 0 < a < 1, else 0.
    HardSigmoid,
    /// σ(z) = z times the hard sigmoid; σ' = 0 for z ≤ −3, 1 for z ≥ 3, else (2z + 3) / 6.
    HardSwish,
    /// σ(z) = sin z.
    Sin,
    /// `σ_j(z) = e^z_j / Σ_k e^z_k`; its Jacobian is not diagonal, so it is allowed in the output layer
    /// only.
    Softmax,
}

impl Activation {
    /// Leaky ReLU with a slope of 0.01 for z ≤ 0.
    pub const LEAKY_RELU: Self = Self::LeakyRelu(Parameter::constant(0.01));
    /// ELU with α = 1.
    pub const ELU: Self = Self::Elu(Parameter::constant(1.0));

    /// Every activation, in the order shown to users; with the default of its parameter.
    pub const ALL: [Self; 16] = [
        Self::Identity,
        Self::Sigmoid,
        Self::Tanh,
        Self::Relu,
        Self::LEAKY_RELU,
        Self::ELU,
        Self::Selu,
        Self::Gelu,
        Self::GeluTanh,
        Self::Silu,
        Self::Mish,
        Self::Softplus,
        Self::HardSigmoid,
        Self::HardSwish,
        Self::Sin,
        Self::Softmax,
    ];

    /// The name that users type, without the parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::LeakyRelu(_) => "leaky_relu",
            Self::Elu(_) => "elu",
            Self::Selu => "selu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Silu => "silu",
            Self::Mish => "mish",
            Self::Softplus => "softplus",
            Self::HardSigmoid => "hard_sigmoid",
            Self::HardSwish => "hard_swish",
            Self::Sin => "sin",
            Self::Softmax => "softmax",
        }
    }

    /// The word that users type for the parameter, and its value.
    pub const fn parameter(self) -> Option<(&'static str, Parameter)> {
        match self {
            Self::LeakyRelu(slope) => Some(("slope", slope)),
            Self::Elu(alpha) => Some(("alpha", alpha)),
            _ => None,
        }
    }

    /// The same activation with another parameter, if it has one and the value is allowed.
    fn with_parameter(self, value: f64) -> Option<Self> {
        let parameter = Parameter::new(value)?;
        match self {
            Self::LeakyRelu(_) => Some(Self::LeakyRelu(parameter)),
            Self::Elu(_) => Some(Self::Elu(parameter)),
            _ => None,
        }
    }

    /// Whether σ' cannot be computed from a alone, so that z must be stored.
    pub const fn derivative_needs_z(self) -> bool {
        match self {
            Self::Gelu | Self::GeluTanh | Self::Silu | Self::Mish | Self::HardSwish | Self::Sin => {
                true
            }
            Self::Identity
            | Self::Sigmoid
            | Self::Tanh
            | Self::Relu
            | Self::LeakyRelu(_)
            | Self::Elu(_)
            | Self::Selu
            | Self::Softplus
            | Self::HardSigmoid
            | Self::Softmax => false,
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
