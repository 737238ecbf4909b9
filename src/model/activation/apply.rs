//! a = σ(z) and δ ← (∂a/∂z)ᵀ δ, for the neurons of a layer.

use crate::base::cancel::{COMPUTED_PER_POLL, CancelToken, ELEMENT_WORK};
use crate::kernels::elementwise::activations::gelu_tanh::{GeluTanh, GeluTanhDerivative};
use crate::kernels::elementwise::activations::mish::{Mish, MishDerivative};
use crate::kernels::elementwise::activations::{
    first_derivatives as derivatives, functions as kernel, softmax,
};
use crate::kernels::elementwise::{map, scale};
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::activation::formulas::{
    SELU, gelu_derivative, gelu_tanh, gelu_tanh_derivatives, hard_sigmoid, hard_swish_derivative,
    mish, mish_derivatives, sigmoid, silu, silu_derivative, softplus,
};
use crate::model::activation::softmax::{scalar_softmax, softmax_vjp};

impl Activation {
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
            Self::Softmax => width * (COMPUTED_PER_POLL / width).max(1),
            _ => COMPUTED_PER_POLL,
        }
    }

    fn apply_to_block<T: Real>(self, z: &mut [T], width: usize) {
        match self {
            Self::Identity => {}
            Self::Sigmoid => map(z, kernel::Sigmoid, sigmoid),
            Self::Tanh => map(z, kernel::Tanh, T::tanh),
            // The comparison keeps NaN.
            Self::Relu => map(z, kernel::Relu, |z| if z <= T::ZERO { T::ZERO } else { z }),
            Self::LeakyRelu(slope) => {
                let slope = T::from_f64(slope.value());
                map(z, kernel::LeakyRelu(slope), |z| {
                    if z > T::ZERO { z } else { slope * z }
                });
            }
            Self::ELU => map(z, kernel::Elu, |z| if z > T::ZERO { z } else { z.exp_m1() }),
            Self::Elu(alpha) => {
                let alpha = T::from_f64(alpha.value());
                map(z, kernel::ScaledElu(T::ONE, alpha), |z| {
                    if z < T::ZERO { alpha * z.exp_m1() } else { z }
                });
            }
            Self::Selu => {
                let [above, below] = SELU.map(T::from_f64);
                map(z, kernel::ScaledElu(above, below), |z| {
                    if z < T::ZERO {
                        below * z.exp_m1()
                    } else {
                        above * z
                    }
                });
            }
            Self::Gelu => map(z, kernel::Gelu, T::gelu),
            Self::GeluTanh => map(z, GeluTanh, gelu_tanh),
            Self::Silu => map(z, kernel::Silu, silu),
            Self::Mish => map(z, Mish, mish),
            Self::Softplus => map(z, kernel::Softplus, softplus),
            Self::HardSigmoid => map(z, kernel::HardSigmoid, hard_sigmoid),
            Self::HardSwish => map(z, kernel::HardSwish, |z| {
                if z <= T::from_f64(-3.0) {
                    -T::ZERO
                } else {
                    z * hard_sigmoid(z)
                }
            }),
            Self::Sin => map(z, kernel::Sin, T::sin),
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
            Self::LeakyRelu(slope) => {
                let slope = T::from_f64(slope.value());
                scale(delta, a, derivatives::LeakyReluDerivative(slope), |a| {
                    if a > T::ZERO { T::ONE } else { slope }
                });
            }
            Self::Elu(alpha) => {
                let alpha = T::from_f64(alpha.value());
                let function = derivatives::ScaledEluDerivative(T::ONE, alpha);
                scale(delta, a, function, |a| {
                    if a > T::ZERO { T::ONE } else { a + alpha }
                });
            }
            Self::Selu => {
                let [above, below] = SELU.map(T::from_f64);
                let function = derivatives::ScaledEluDerivative(above, below);
                scale(delta, a, function, |a| {
                    if a > T::ZERO { above } else { a + below }
                });
            }
            Self::Gelu => scale(delta, z, derivatives::GeluDerivative, gelu_derivative),
            Self::GeluTanh => scale(delta, z, GeluTanhDerivative, |z| {
                T::from_f64(gelu_tanh_derivatives(z.to_f64())[0])
            }),
            Self::Silu => scale(delta, z, derivatives::SiluDerivative, silu_derivative),
            Self::Mish => scale(delta, z, MishDerivative, |z| {
                T::from_f64(mish_derivatives(z.to_f64())[0])
            }),
            Self::HardSigmoid => scale(delta, a, derivatives::HardSigmoidDerivative, |a| {
                let rises = a > T::ZERO && a < T::ONE;
                if rises {
                    T::from_f64(1.0 / 6.0)
                } else {
                    T::ZERO
                }
            }),
            Self::HardSwish => scale(delta, z, derivatives::HardSwishDerivative, |z| {
                T::from_f64(hard_swish_derivative(z.to_f64()))
            }),
            Self::Sin => scale(delta, z, derivatives::SinDerivative, T::cos),
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
