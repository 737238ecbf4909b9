//! σ', σ'' and σ''', for Taylor mode.

use crate::kernels::elementwise::activations::functions as kernel;
use crate::kernels::elementwise::activations::gelu_tanh::GeluTanh;
use crate::kernels::elementwise::activations::mish::Mish;
use crate::kernels::elementwise::activations::third_derivatives::three_derivatives;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::activation::formulas::{gelu_tanh_derivatives, mish_derivatives, sigmoid};

impl Activation {
    /// Whether σ has continuous derivatives of every order, and acts on each neuron by itself.
    pub const fn is_smooth(self) -> bool {
        match self {
            Self::Identity
            | Self::Sigmoid
            | Self::Tanh
            | Self::Gelu
            | Self::GeluTanh
            | Self::Silu
            | Self::Mish
            | Self::Softplus
            | Self::Sin => true,
            Self::Relu
            | Self::LeakyRelu(_)
            | Self::Elu(_)
            | Self::Selu
            | Self::HardSigmoid
            | Self::HardSwish
            | Self::Softmax => false,
        }
    }

    /// Writes σ', σ'' and σ''' of each neuron to the slices of `out`; of a smooth activation. `from` is z where
    /// [`Self::derivative_needs_z`], else a.
    pub(crate) fn three_derivatives<T: Real>(self, from: &[T], out: [&mut [T]; 3]) {
        let rounded =
            |of: fn(Self, f64) -> [f64; 3]| move |x: T| of(self, x.to_f64()).map(T::from_f64);
        match self {
            Self::Sigmoid => {
                three_derivatives(from, out, kernel::Sigmoid, rounded(Self::three_of_a));
            }
            Self::Tanh => three_derivatives(from, out, kernel::Tanh, rounded(Self::three_of_a)),
            Self::Softplus => {
                three_derivatives(from, out, kernel::Softplus, rounded(Self::three_of_a));
            }
            Self::Gelu => three_derivatives(from, out, kernel::Gelu, rounded(Self::three_of_z)),
            Self::Silu => three_derivatives(from, out, kernel::Silu, rounded(Self::three_of_z)),
            Self::GeluTanh => three_derivatives(from, out, GeluTanh, rounded(Self::three_of_z)),
            Self::Mish => three_derivatives(from, out, Mish, rounded(Self::three_of_z)),
            Self::Sin => three_derivatives(from, out, kernel::Sin, rounded(Self::three_of_z)),
            Self::Identity => {
                let [first, second, third] = out;
                first.fill(T::ONE);
                second.fill(T::ZERO);
                third.fill(T::ZERO);
            }
            Self::Relu
            | Self::LeakyRelu(_)
            | Self::Elu(_)
            | Self::Selu
            | Self::HardSigmoid
            | Self::HardSwish
            | Self::Softmax => unreachable!("not smooth"),
        }
    }

    /// From a.
    fn three_of_a(self, a: f64) -> [f64; 3] {
        let (first, second) = self.two_derivatives(f64::NAN, a);
        let third = match self {
            Self::Sigmoid => first * (1.0 - 6.0 * first),
            Self::Tanh => first * (6.0 * a * a - 2.0),
            Self::Softplus => second * (Real::exp(-a) - first),
            _ => unreachable!("not computed from a"),
        };
        [first, second, third]
    }

    /// From z.
    fn three_of_z(self, z: f64) -> [f64; 3] {
        let (first, second) = self.two_derivatives(z, f64::NAN);
        let third = match self {
            Self::Gelu => gelu_third(z),
            Self::Silu => silu_third(z),
            Self::GeluTanh => gelu_tanh_derivatives(z)[2],
            Self::Mish => mish_derivatives(z)[2],
            Self::Sin => -first,
            _ => unreachable!("not computed from z"),
        };
        [first, second, third]
    }
}

/// z φ(z) (z² − 4).
fn gelu_third(z: f64) -> f64 {
    let density = z.normal_pdf();
    if density == 0.0 {
        return 0.0;
    }
    z * density * (z * z - 4.0)
}

/// s' (3 (1 − 2s) + z (1 − 6s')) with s' = s (1 − s).
fn silu_third(z: f64) -> f64 {
    let s = sigmoid(z);
    let slope = s * sigmoid(-z);
    if slope == 0.0 {
        return 0.0;
    }
    slope * (3.0 * (1.0 - 2.0 * s) + z * (1.0 - 6.0 * slope))
}
