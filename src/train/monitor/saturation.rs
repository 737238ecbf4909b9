//! When the neurons of a layer count as saturated.

use crate::kernels::elementwise::saturation::ClosedGate;
use crate::model::activation::{Activation, SELU};
use crate::model::architecture::Architecture;
use crate::model::cost::Cost;

// The same thresholds as in python/bpfast/inside/_causes/limits.py.
/// A gate σ' below this part of its maximum is closed.
const CLOSED: f64 = 0.1;
/// A neuron of a one-sided activation is off if σ' is at most this.
const OFF: f64 = 0.01;

/// The kind of saturation of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Saturation {
    /// The part of the gates σ' that are closed.
    Gates(ClosedGate),
    /// The part of the neurons that are off for all examples: a^l, or z^l where σ' reads that, is never above
    /// a limit.
    Neurons { above: f64 },
    /// None.
    None,
}

impl Saturation {
    /// That of the layer at `index`.
    pub fn of(architecture: &Architecture, index: usize) -> Self {
        let activation = architecture.layers()[index].activation;
        let is_last = index + 1 == architecture.layers().len();
        // There σ' cancels, as `CANCELLING` in python/bpfast/inside/_quantities.py has it: of poisson over sigmoid a
        // part of it is left.
        let cost = architecture.cost();
        let cancels =
            cost.is_fused(activation) && (cost, activation) != (Cost::Poisson, Activation::Sigmoid);
        if is_last && cancels {
            return Self::None;
        }
        match activation {
            Activation::Sigmoid => Self::Gates(ClosedGate::Sigmoid(CLOSED / 4.0)),
            // σ' = 0 where a is 0 or 1.
            Activation::HardSigmoid => {
                Self::Gates(ClosedGate::Sigmoid(f64::from(f32::MIN_POSITIVE)))
            }
            Activation::Tanh => Self::Gates(ClosedGate::Tanh(1.0 - CLOSED)),
            Activation::Relu => Self::Neurons { above: 0.0 },
            // σ' = a + α, at most α where z ≤ 0.
            Activation::Elu(alpha) => Self::Neurons {
                above: (OFF - alpha.value()).min(0.0),
            },
            // σ' = a + λα.
            Activation::Selu => Self::Neurons {
                above: OFF - SELU[1],
            },
            // σ' = 1 − e^−a = 0.01 at −ln 0.99.
            Activation::Softplus => Self::Neurons {
                above: 0.010_050_335_853_501_45,
            },
            // σ'(z) is 0.01 there, less at every smaller z, and more between there and 0.
            Activation::Gelu => Self::Neurons {
                above: -0.729_079_833_918_921_4,
            },
            Activation::GeluTanh => Self::Neurons {
                above: -0.729_693_455_096_478_7,
            },
            Activation::Mish => Self::Neurons {
                above: -1.155_996_285_894_172_7,
            },
            // σ' = (2z + 3) / 6, and 0 below −3.
            Activation::HardSwish => Self::Neurons { above: -1.47 },
            Activation::Silu => Self::Neurons {
                above: -1.233_897_976_864_304_8,
            },
            Activation::Identity
            | Activation::LeakyRelu(_)
            | Activation::Sin
            | Activation::Softmax => Self::None,
        }
    }
}
