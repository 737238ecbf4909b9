//! The gradient ∂C_x of each example.

use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::backward::bp4;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::inside::derivatives::Derivatives;
use crate::kernels::gemm::{Accumulate, Matrix};
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// Writes ∂C_x to the rows of `out`, (n, P), each in the layout of the parameters.
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn per_example_gradients(
        &self,
        derivatives: Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) -> Result<()> {
        let layers = self.network.architecture.layers();
        let length = self.network.architecture.n_params();
        let chunks = out.chunks_mut(self.plan.rows * length).enumerate();
        let config = BufferConfig::TRACE_ERRORS;
        self.each_chunk(scratch, config, chunks, |chunk, out| {
            self.errors_chunk(&derivatives, chunk, &mut []);
            let x = self.inputs.row_range(&chunk.rows);
            for (row, out) in out.chunks_exact_mut(length).enumerate() {
                let row = row..row + 1;
                for (index, layer) in layers.iter().enumerate() {
                    let a = match index {
                        0 => x.row_range(&row).x,
                        _ => {
                            LayerInput::Dense(chunk.layers[index - 1].activations().row_range(&row))
                        }
                    };
                    // Exactly one row, as CSR input needs it.
                    let numbers = row.start * layer.n_out..row.end * layer.n_out;
                    let delta =
                        Matrix::by_rows(&chunk.layers[index].delta[numbers], 1, layer.n_out);
                    let neurons = (0..layer.n_in, layer.row_stride);
                    let nabla = &mut out[layer.weights.start..layer.biases.end];
                    bp4(
                        delta,
                        a,
                        neurons,
                        nabla,
                        Accumulate::Overwrite,
                        &mut chunk.context,
                    );
                }
                if chunk.context.cancel.poll_after(length) {
                    return;
                }
            }
        })
    }
}
