//! The pass back: from the sensitivities of a cost to values and derivatives, the gradient by the parameters.
//!
//! With δ, δ̇ and δ̈ the derivatives of C by z, ż and z̈, and ∂C/∂a^l = δ^(l+1) W^(l+1), ∂C/∂ȧ^l = δ̇^(l+1)
//! W^(l+1) and ∂C/∂ä^l = δ̈^(l+1) W^(l+1):
//! δ = σ' ∂C/∂a + Σ_v (σ'' ż ∂C/∂ȧ + (σ''' ż² + σ'' z̈) ∂C/∂ä), δ̇ = σ' ∂C/∂ȧ + 2σ'' ż ∂C/∂ä, δ̈ = σ' ∂C/∂ä,
//! ∂C/∂W^l = δᵀ a^(l−1) + Σ_v (δ̇ᵀ ȧ^(l−1) + δ̈ᵀ ä^(l−1)), ∂C/∂b^l = Σ_x δ.

use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::{Inputs, Targets};
use crate::engine::batch::pass::{Chunk, Factors, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::inside::taylor::directions::Series;
use crate::inside::taylor::elementwise::TaylorLayer;
use crate::inside::taylor::forward::forward;
use crate::kernels::gemm::{self, MatrixMut};
use crate::kernels::real::Real;
use crate::model::activation::Activation;

/// The derivatives of `C_x` by the outputs and their derivatives; what is missing is 0.
#[derive(Debug, Clone, Copy)]
pub struct Nabla<'a, T> {
    /// By a^L, (n, n_L).
    pub value: Option<&'a [T]>,
    /// By ȧ^L of each direction, (k, n, n_L).
    pub first: Option<&'a [T]>,
    /// By ä^L, likewise.
    pub second: Option<&'a [T]>,
}

/// A cost of values and derivatives.
pub struct TaylorCost<'a, T> {
    /// The directions.
    pub series: Series<'a, T>,
    /// What the cost returned.
    pub nabla: Nabla<'a, T>,
    /// The weight of each example.
    pub targets: &'a Targets<'a, T>,
}

/// The pass of a [`TaylorCost`].
struct TaylorPass<'a, T> {
    cost: &'a TaylorCost<'a, T>,
    inputs: Inputs<'a, T>,
    products: Vec<Factors>,
}

impl<T: Real> Call<'_, T> {
    /// Writes the gradient of the cost to `gradient`, which has the layout of the parameters.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn backprop_taylor(
        &self,
        cost: &TaylorCost<'_, T>,
        scratch: &mut Scratch<T>,
        gradient: &mut [T],
    ) -> Result<()> {
        let pass = &TaylorPass {
            cost,
            inputs: self.inputs,
            products: cost.series.products()?,
        };
        self.gradient(pass, scratch, gradient)
    }
}

impl<T: Real> TaylorPass<'_, T> {
    /// The sensitivities of the output, before the factors of the examples.
    fn output_sensitivities(&self, chunk: &mut Chunk<'_, '_, T>) {
        let Chunk {
            rows,
            layers,
            derivatives,
            ..
        } = chunk;
        let (depth, n) = (layers.len(), self.inputs.len());
        let Nabla {
            value,
            first,
            second,
        } = self.cost.nabla;
        let directions = self.cost.series.directions();
        let parts = layers
            .chunks_mut(depth)
            .chain(derivatives.chunks_mut(depth));
        for (part, layers) in parts.enumerate() {
            let layer = &mut layers[depth - 1];
            let (of_part, place) = match part {
                0 => (value, 0),
                _ if part <= directions => (first, part - 1),
                _ => (second, part - 1 - directions),
            };
            match of_part {
                Some(nabla) => {
                    let first = place * n + rows.start;
                    let numbers = first * layer.width..(first + rows.len()) * layer.width;
                    layer.delta.copy_from_slice(&nabla[numbers]);
                }
                None => layer.delta.fill(T::ZERO),
            }
        }
    }

    /// Multiplies the errors of each example by its factor. After σ', which may be as small as the factor is
    /// large.
    fn weigh(&self, chunk: &mut Chunk<'_, '_, T>) {
        let Chunk {
            rows,
            layers,
            derivatives,
            ..
        } = chunk;
        let depth = layers.len();
        let parts = layers
            .chunks_mut(depth)
            .chain(derivatives.chunks_mut(depth));
        for layers in parts {
            let layer = &mut layers[depth - 1];
            let examples = layer.delta.chunks_exact_mut(layer.width);
            for (x, delta) in rows.clone().zip(examples) {
                let factor = self.cost.targets.factor(x);
                for delta in delta {
                    *delta *= factor;
                }
            }
        }
    }
}

impl<T: Real> Pass<T> for TaylorPass<'_, T> {
    fn config(&self) -> BufferConfig {
        self.cost.series.config()
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, _costs: &mut [Extended]) {
        forward(call, &self.cost.series, chunk);
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        let depth = chunk.layers.len();
        let is_output = index + 1 == depth;
        if is_output {
            self.output_sensitivities(chunk);
        }
        let Chunk {
            rows,
            layers,
            derivatives,
            context,
            ..
        } = chunk;
        if !is_output {
            let parts = layers
                .chunks_mut(depth)
                .chain(derivatives.chunks_mut(depth));
            for layers in parts {
                let (these, after) = layers.split_at_mut(index + 1);
                let layer = &mut these[index];
                let delta = MatrixMut::new(layer.delta, rows.len(), layer.width, layer.order);
                let weights = call.network.weights(index + 1);
                gemm::errors(after[0].errors(), weights, delta, context);
            }
        }
        let activation = call.network.architecture.layers()[index].activation;
        if activation != Activation::Identity {
            let directions = self.cost.series.directions();
            let (firsts, seconds) = derivatives.split_at_mut(directions * depth);
            let layer = TaylorLayer {
                activation,
                values: &mut layers[index],
                firsts,
                seconds,
                index,
                depth,
            };
            layer.backward(context.cancel);
        }
        if is_output {
            self.weigh(chunk);
        }
    }

    fn products(&self) -> &[Factors] {
        &self.products
    }

    fn derivative_of_x(&self, factors: &Factors) -> Option<Inputs<'_, T>> {
        self.cost.series.of_x(&self.inputs, factors.derivative?)
    }
}
