//! The gradient of each example: ∂C_x, or its norm alone.
//!
//! ‖∂C_x‖² = Σ_l ‖δ^l‖² (‖a^(l−1)‖² + 1), as ∂C_x/∂W^l is the outer product of δ^l and a^(l−1); the 1 is for
//! the biases.

use crate::base::error::Result;
use crate::base::sum::LaneSum;
use crate::data::{LayerInput, Targets};
use crate::engine::backward::bp4;
use crate::engine::batch::pass::Backprop;
use crate::engine::batch::pass::Chunk;
use crate::engine::batch::{Call, Scratch};
use crate::engine::workspace::BufferConfig;
use crate::inside::derivatives::Derivatives;
use crate::kernels::gemm::Accumulate;
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
                    let delta = chunk.layers[index].errors().row_range(&row);
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
        targets: &Targets<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [f64],
    ) -> Result<()> {
        let layers = self.network.architecture.layers().len();
        let chunks = out.chunks_mut(self.plan.rows * layers).enumerate();
        let config = BufferConfig::TRACE_ERRORS;
        self.each_chunk(scratch, config, chunks, |chunk, out| {
            self.errors_chunk(&Backprop { targets }, chunk, &mut []);
            for (row, out) in out.chunks_exact_mut(layers).enumerate() {
                for (out, norm) in out.iter_mut().zip(norms(self, chunk, row)) {
                    *out = norm;
                }
            }
        })
    }
}

/// ‖∂C_x/∂(W^l, b^l)‖ of the example in row `row` of a chunk with row-major layers, l = 2 … L.
pub(crate) fn norms<T: Real>(
    call: &Call<'_, T>,
    chunk: &Chunk<'_, '_, T>,
    row: usize,
) -> impl Iterator<Item = f64> {
    let x = chunk.rows.start + row;
    let mut of_inputs = match call.inputs.row_range(&(x..x + 1)).x {
        LayerInput::Dense(x) => x.iter_rows().next().map_or(0.0, norm),
        LayerInput::Sparse(x) => norm(x.row(0).1),
    };
    chunk.layers.iter().map(move |layer| {
        let numbers = row * layer.width..(row + 1) * layer.width;
        let of_layer = norm(&layer.delta[numbers.clone()]) * of_inputs.hypot(1.0);
        of_inputs = norm(&layer.a[numbers]);
        chunk.context.cancel.poll_after(layer.width);
        of_layer
    })
}

/// √Σ v², in float64; scaled by the largest |v| where squares overflow or underflow.
fn norm<T: Real>(values: &[T]) -> f64 {
    let squares = |unit: f64| {
        let mut sum = LaneSum::default();
        sum.add(values.len(), |j| {
            let value = values[j].to_f64() / unit;
            value * value
        });
        sum.total()
    };
    let sum = squares(1.0);
    if (f64::MIN_POSITIVE / f64::EPSILON..=f64::MAX).contains(&sum) {
        return sum.sqrt();
    }
    let sizes = values.iter().map(|value| value.to_f64().abs());
    let largest = sizes.fold(
        0.0,
        |largest: f64, size| if size <= largest { largest } else { size },
    );
    if largest > 0.0 && largest.is_finite() {
        largest * squares(largest).sqrt()
    } else {
        largest
    }
}
