//! The gradient of each example: ∂C_x, or its norm alone.
//!
//! ‖∂C_x‖² = Σ_l ‖δ^l‖² (‖a^(l−1)‖² + 1), as ∂C_x/∂W^l is the outer product of δ^l and a^(l−1); the 1 is for
//! the biases.

use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::backward::bp4;
use crate::engine::batch::pass::Chunk;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::inside::derivatives::Derivatives;
use crate::kernels::elementwise::{row_norms, sparse_norm};
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

    /// Writes ‖∂C_x/∂(W^l, b^l)‖ of each example and layer to `out`, (n, L − 1).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn per_example_norms(
        &self,
        derivatives: &Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [f64],
    ) -> Result<()> {
        let layers = self.network.architecture.layers().len();
        let chunks = out.chunks_mut(self.plan.rows * layers).enumerate();
        let config = BufferConfig::TRACE_ERRORS;
        self.each_chunk(scratch, config, chunks, |chunk, out| {
            self.errors_chunk(derivatives, chunk, &mut []);
            each_norms(self, chunk, |first, layer, norms| {
                for (row, norm) in (first..).zip(norms) {
                    out[row * layers + layer] = *norm;
                }
            });
        })
    }
}

/// √(a² + b²), without overflow or underflow of the squares. Of basic operations alone, so that it has the same
/// bits on every machine.
pub(crate) fn joined_norm(a: f64, b: f64) -> f64 {
    let squares = a * a + b * b;
    let largest = a.max(b);
    if (1e-280..1e280).contains(&squares) {
        squares.sqrt()
    } else if largest == 0.0 || !squares.is_finite() && !largest.is_finite() {
        a + b
    } else {
        let (a, b) = (a / largest, b / largest);
        largest * (a * a + b * b).sqrt()
    }
}

/// The examples whose norms are computed together.
pub(crate) const TOGETHER: usize = 64;

/// Calls `each` with ‖∂C_x/∂(W^l, b^l)‖ of some examples of a chunk with row-major layers: the first row, the
/// index of the layer, and at most [`TOGETHER`] norms. All layers of some examples come before the next.
pub(crate) fn each_norms<T: Real>(
    call: &Call<'_, T>,
    chunk: &Chunk<'_, '_, T>,
    mut each: impl FnMut(usize, usize, &[f64]),
) {
    let x = call.inputs.row_range(&chunk.rows);
    let rows = chunk.rows.len();
    for first in (0..rows).step_by(TOGETHER) {
        let count = TOGETHER.min(rows - first);
        let (mut of_inputs, mut of_errors) = ([0.0; TOGETHER], [0.0; TOGETHER]);
        let (of_inputs, of_errors) = (&mut of_inputs[..count], &mut of_errors[..count]);
        match x.row_range(&(first..first + count)).x {
            LayerInput::Dense(x) => {
                for (norm, row) in of_inputs.iter_mut().zip(x.iter_rows()) {
                    row_norms(row, row.len(), std::slice::from_mut(norm));
                }
            }
            LayerInput::Sparse(x) => {
                for (row, norm) in of_inputs.iter_mut().enumerate() {
                    let (columns, values) = x.row(row);
                    *norm = sparse_norm(columns, values);
                }
            }
        }
        for (index, layer) in chunk.layers.iter().enumerate() {
            let numbers = first * layer.width..(first + count) * layer.width;
            row_norms(&layer.delta[numbers.clone()], layer.width, of_errors);
            let has_biases = call.network.architecture.layers()[index].has_biases();
            for (error, input) in of_errors.iter_mut().zip(of_inputs.iter()) {
                // √(input² + 1), which is `input` long before its square overflows.
                *error *= if has_biases && *input < 1e100 {
                    (input * input + 1.0).sqrt()
                } else {
                    *input
                };
            }
            each(first, index, of_errors);
            if index + 1 < chunk.layers.len() {
                row_norms(&layer.a[numbers], layer.width, of_inputs);
            }
            if chunk.context.cancel.poll_after(2 * count * layer.width) {
                return;
            }
        }
    }
}
