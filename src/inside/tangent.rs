//! The forward pass of tangents: the derivatives ż and ȧ of z and a along a direction (Ẇ, ḃ, ẋ).
//!
//! ż^l = ȧ^(l−1) (W^l)ᵀ + a^(l−1) (Ẇ^l)ᵀ + ḃ^l, ȧ^l = σ'(z^l) ⊙ ż^l (forward-mode differentiation; the
//! R-operator of Pearlmutter, 1994).

use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::batch::pass::Chunk;
use crate::engine::batch::{Call, Scratch};
use crate::engine::forward::weighted_sums;
use crate::engine::workspace::{BufferConfig, LayerBuffers, Part, Tangents};
use crate::inside::stored::{self, StoredForward};
use crate::kernels::gemm::{self, Matrix, MatrixMut};
use crate::kernels::real::Real;
use crate::model::network::Network;

/// A direction; what is missing is 0.
#[derive(Clone, Copy)]
pub struct Direction<'a, T> {
    /// Ẇ and ḃ, in the layout of the parameters.
    pub params: Option<Network<'a, T>>,
    /// ẋ, (n, n_1).
    pub x: Option<&'a [T]>,
}

impl<'a, T> Direction<'a, T> {
    /// A direction of the parameters, for fixed x.
    pub fn of_params(params: Network<'a, T>) -> Self {
        Self {
            params: Some(params),
            x: None,
        }
    }
}

/// The forward pass of a chunk, computed or stored, and its tangents: ȧ^l for l = 2 … L − 1, and ż^L. If the
/// layers have a buffer for it, also the tangent of σ'(z^l), which [`crate::inside::hessian`] needs.
pub(crate) fn forward_with_tangents<T: Real>(
    call: &Call<'_, T>,
    stored: Option<StoredForward<'_, T>>,
    direction: Direction<'_, T>,
    chunk: &mut Chunk<'_, '_, T>,
) {
    stored::forward(call, stored, chunk);
    let Chunk {
        rows,
        layers: buffers,
        context,
        ..
    } = chunk;
    let layers = call.network.architecture.layers();
    let dx = direction.x.map(|x| {
        let width = call.network.architecture.n_inputs();
        Matrix::by_rows(&x[rows.start * width..rows.end * width], rows.len(), width)
    });
    for (index, layer) in layers.iter().enumerate() {
        if context.cancel.poll_after(0) {
            return;
        }
        let (before, rest) = buffers.split_at_mut(index);
        let LayerBuffers {
            z,
            a,
            tangent_a: tangent,
            derivative_tangent,
            order,
            ..
        } = &mut rest[0];
        if let Some(params) = direction.params {
            let input = match before.last() {
                Some(below) => LayerInput::Dense(below.activations()),
                None => call.inputs.row_range(rows).x,
            };
            let out = MatrixMut::new(tangent, rows.len(), layer.n_out, *order);
            weighted_sums(params, index, input, 0..layer.n_out, out, context);
        } else {
            tangent.fill(T::ZERO);
        }
        let below = match before.last() {
            Some(below) => Some(below.activations_of(Part::Tangent)),
            None => dx,
        };
        if let Some(below) = below {
            let out = MatrixMut::new(tangent, rows.len(), layer.n_out, *order);
            gemm::add_forward(below, call.network.weights(index), out, context);
        }
        if index + 1 < layers.len() {
            if !derivative_tangent.is_empty() {
                derivative_tangent.copy_from_slice(tangent);
                layer
                    .activation
                    .derivative_tangent(derivative_tangent, a, z, context.cancel);
            }
            // σ' is diagonal in hidden layers.
            layer
                .activation
                .vjp(tangent, a, z, layer.n_out, context.cancel);
        }
    }
}

impl<T: Real> Call<'_, T> {
    /// The Jacobian-vector product: writes a^L to `a` and ȧ^L to `tangent_a`, each (n, n_L).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn jvp(
        &self,
        direction: Direction<'_, T>,
        stored: Option<StoredForward<'_, T>>,
        scratch: &mut Scratch<T>,
        a: &mut [T],
        tangent_a: &mut [T],
    ) -> Result<()> {
        let architecture = self.network.architecture;
        let length = self.plan.rows * architecture.n_outputs();
        let chunks = a.chunks_mut(length).zip(tangent_a.chunks_mut(length));
        let config = BufferConfig {
            tangents: Tangents::Activations,
            all_z: stored.is_some(),
            row_major_layers: if stored.is_some() { usize::MAX } else { 0 },
            ..BufferConfig::FORWARD
        };
        self.each_chunk(
            scratch,
            config,
            chunks.enumerate(),
            |chunk, (a, tangent_a)| {
                forward_with_tangents(self, stored, direction, chunk);
                if let Some(output) = chunk.layers.last_mut() {
                    a.copy_from_slice(output.a);
                    tangent_a.copy_from_slice(output.tangent_a);
                    // The Jacobian of softmax is symmetric.
                    let (width, cancel) = (output.width, chunk.context.cancel);
                    architecture
                        .output()
                        .vjp(tangent_a, output.a, output.z, width, cancel);
                }
            },
        )
    }
}
