//! The Hessian-vector product, by the R-operator (Pearlmutter, 1994).
//!
//! With ż^l and ȧ^l of the direction v = (Ẇ, ḃ):
//! δ̇^L is the product of the Hessian of C by z^L with ż^L,
//! δ̇^l = (δ̇^(l+1) W^(l+1) + δ^(l+1) Ẇ^(l+1)) ⊙ σ'(z^l) + (δ^(l+1) W^(l+1)) ⊙ σ''(z^l) ⊙ ż^l,
//! and H v is Σ_x δ̇^l for the biases and (δ̇^l)ᵀ a^(l−1) + (δ^l)ᵀ ȧ^(l−1) for the weights.

use crate::base::error::Result;
use crate::base::sum::extended::Extended;
use crate::data::Targets;
use crate::engine::backward::{error, hidden_error};
use crate::engine::batch::pass::{Chunk, Factors, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::{BufferConfig, LayerBuffers, Part, Tangents};
use crate::inside::gauss_newton::output_product;
use crate::inside::stored::StoredForward;
use crate::inside::tangent::{Direction, forward_with_tangents};
use crate::kernels::gemm::{self, MatrixMut};
use crate::kernels::real::Real;
use crate::model::network::Network;
use crate::model::output_curvature::OutputCurvature;

/// The pass of a Hessian-vector product.
pub struct HessianProduct<'a, T> {
    /// y and the weights.
    pub targets: &'a Targets<'a, T>,
    /// v, in the layout of the parameters.
    pub direction: Network<'a, T>,
    /// The forward pass, if it is known.
    pub stored: Option<StoredForward<'a, T>>,
    /// δ^l, each (n, n_l), l = 2 … L, if they are known too.
    pub errors: Option<&'a [&'a [T]]>,
}

impl<T: Real> Call<'_, T> {
    /// Writes H v to `out`, in the layout of the parameters.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn hvp(
        &self,
        product: &HessianProduct<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        self.gradient(product, scratch, out)
    }
}

impl<T: Real> HessianProduct<'_, T> {
    /// δ^l, and ∇_a C where [`LayerBuffers::nabla_a`] has room for it.
    fn primal_error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        let Chunk {
            rows,
            layers,
            context,
            ..
        } = chunk;
        let network = call.network;
        let is_output = index + 1 == layers.len();
        if !is_output && !layers[index].nabla_a.is_empty() {
            let (these, after) = layers.split_at_mut(index + 1);
            let layer = &mut these[index];
            let out = MatrixMut::new(layer.nabla_a, rows.len(), layer.width, layer.order);
            gemm::errors(after[0].errors(), network.weights(index + 1), out, context);
        }
        let layer = &mut layers[index];
        if let Some(errors) = self.errors {
            let numbers = rows.start * layer.width..rows.end * layer.width;
            layer.delta.copy_from_slice(&errors[index][numbers]);
        } else if is_output {
            error(network, self.targets, rows.clone(), layers, index, context);
        } else if layer.nabla_a.is_empty() {
            hidden_error(network, layers, index, context);
        } else {
            layer.delta.copy_from_slice(layer.nabla_a);
            let activation = network.architecture.layers()[index].activation;
            activation.vjp(layer.delta, layer.a, layer.z, layer.width, context.cancel);
        }
    }
}

impl<T: Real> Pass<T> for HessianProduct<'_, T> {
    fn config(&self) -> BufferConfig {
        let stored = self.stored.is_some() || self.errors.is_some();
        BufferConfig {
            tangents: Tangents::ActivationsAndErrors,
            row_major_layers: if stored { usize::MAX } else { 0 },
            ..BufferConfig::BACKPROP
        }
    }

    fn forward(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, _costs: &mut [Extended]) {
        let direction = Direction::of_params(self.direction);
        forward_with_tangents(call, self.stored, direction, chunk);
    }

    fn error(&self, call: &Call<'_, T>, chunk: &mut Chunk<'_, '_, T>, index: usize) {
        self.primal_error(call, chunk, index);
        let Chunk {
            rows,
            layers,
            context,
            ..
        } = chunk;
        let (these, after) = layers.split_at_mut(index + 1);
        let layer = &mut these[index];
        let Some(after) = after.first() else {
            let hessian = OutputCurvature::Hessian;
            return output_product(call, self.targets, rows, layer, hessian, Part::Tangent);
        };
        let LayerBuffers {
            z,
            a,
            delta,
            tangent_delta,
            nabla_a,
            derivative_tangent,
            order,
            width,
            ..
        } = layer;
        let mut out = MatrixMut::new(tangent_delta, rows.len(), *width, *order);
        let (weights, direction) = (
            call.network.weights(index + 1),
            self.direction.weights(index + 1),
        );
        gemm::errors(
            after.errors_of(Part::Tangent),
            weights,
            out.reborrow(),
            context,
        );
        gemm::add_errors(after.errors(), direction, out, context);
        let activation = call.network.architecture.layers()[index].activation;
        activation.vjp(tangent_delta, a, z, *width, context.cancel);
        let error: &[T] = if nabla_a.is_empty() { delta } else { nabla_a };
        let terms = error.iter().zip(derivative_tangent.iter());
        for (sum, (error, derivative)) in tangent_delta.iter_mut().zip(terms) {
            *sum += *error * *derivative;
        }
    }

    fn products(&self) -> &[Factors] {
        const {
            &[
                Factors::new(Part::Tangent, Part::Primal),
                Factors::new(Part::Primal, Part::Tangent),
            ]
        }
    }
}
