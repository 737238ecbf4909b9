//! The forward pass of values and derivatives.

use crate::base::alloc::try_collect_results;
use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::batch::pass::Chunk;
use crate::engine::batch::{Call, Scratch};
use crate::engine::rows_out::RowsOut;
use crate::inside::taylor::directions::Series;
use crate::inside::taylor::elementwise::TaylorLayer;
use crate::kernels::gemm::{self, MatrixMut};
use crate::kernels::real::Real;
use crate::model::activation::Activation;

impl<T: Real> Call<'_, T> {
    /// Writes a^L to `value`, (n, n_L), and its derivatives along each direction to `first` and, for order 2,
    /// `second`, each (k, n, n_L).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn taylor(
        &self,
        series: &Series<'_, T>,
        scratch: &mut Scratch<T>,
        value: &mut [T],
        [first, second]: [&mut [T]; 2],
    ) -> Result<()> {
        let width = self.network.architecture.n_outputs();
        let length = self.inputs.len() * width;
        let parts = value
            .chunks_mut(length)
            .chain(first.chunks_mut(length))
            .chain(second.chunks_mut(length));
        let out = parts.map(|part| RowsOut::new(part, width, self.plan.rows, &mut Vec::new()));
        let out = try_collect_results("workspace", out)?;
        let chunks = (0..self.plan.chunks).map(|chunk| (chunk, ()));
        self.each_chunk(scratch, series.config(), chunks, |chunk, ()| {
            forward(self, series, chunk);
            let Chunk {
                rows,
                layers,
                derivatives,
                ..
            } = chunk;
            let depth = layers.len();
            let outputs = layers.chunks(depth).chain(derivatives.chunks(depth));
            for (out, layers) in out.iter().zip(outputs) {
                out.write(rows, |out| out.copy_from_slice(layers[depth - 1].a));
            }
        })
    }
}

/// Computes z^l and a^l of a chunk, and their derivatives, l = 2 … L.
pub(super) fn forward<T: Real>(
    call: &Call<'_, T>,
    series: &Series<'_, T>,
    chunk: &mut Chunk<'_, '_, T>,
) {
    call.forward_chunk(chunk, None);
    let Chunk {
        rows,
        layers,
        derivatives,
        context,
        ..
    } = chunk;
    let depth = layers.len();
    for index in 0..depth {
        let activation = call.network.architecture.layers()[index].activation;
        for (derivative, layers) in derivatives.chunks_mut(depth).enumerate() {
            if context.cancel.poll_after(0) {
                return;
            }
            let (before, rest) = layers.split_at_mut(index);
            let below = match before.last() {
                Some(below) => Some(below.activations()),
                None => match series.of_x(&call.inputs, derivative) {
                    Some(inputs) => match inputs.row_range(rows).x {
                        LayerInput::Dense(x) => Some(x),
                        LayerInput::Sparse(_) => None,
                    },
                    None => None,
                },
            };
            let layer = &mut rest[0];
            let z = match activation {
                Activation::Identity => &mut *layer.a,
                _ => &mut *layer.z,
            };
            match below {
                Some(below) => {
                    let z = MatrixMut::new(z, rows.len(), layer.width, layer.order);
                    gemm::linear(below, call.network.weights(index), z, context);
                }
                None => z.fill(T::ZERO),
            }
        }
        if activation != Activation::Identity {
            let (firsts, seconds) = derivatives.split_at_mut(series.directions() * depth);
            let layer = TaylorLayer {
                activation,
                values: &mut layers[index],
                firsts,
                seconds,
                index,
                depth,
            };
            layer.forward(context.cancel);
        }
    }
}
