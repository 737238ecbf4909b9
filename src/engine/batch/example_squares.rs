//! ‖a^(l−1)‖² and ‖δ^l‖² of single examples, of which norms of their gradients are made: ∂C_x/∂W^l is the outer
//! product of δ^l and a^(l−1), and ∂C_x/∂b^l is δ^l.

use std::ops::Range;

use crate::data::LayerInput;
use crate::engine::batch::Call;
use crate::engine::batch::pass::Chunk;
use crate::kernels::elementwise::norms::{MAX_ROWS_PER_CALL, row_squares, sparse_squares};
use crate::kernels::real::Real;

/// The squares of some examples at one layer.
pub(crate) struct LayerSquares<'a> {
    /// The index of the layer.
    pub index: usize,
    /// ‖a^(l−1)‖² of each example.
    pub of_inputs: &'a [f64],
    /// ‖δ^l‖² of each example.
    pub of_errors: &'a [f64],
    /// The derivative of z^l by b^l: 1, or 0 for a layer without biases.
    pub of_biases: f64,
}

impl<T: Real> Call<'_, T> {
    /// Calls `each` for the layers l = 2 … L, with the squares of the rows `rows` of a chunk, at most
    /// [`MAX_ROWS_PER_CALL`] of them. Squares of float64 may have left its range.
    pub(crate) fn each_layer_squares(
        &self,
        chunk: &Chunk<'_, '_, T>,
        rows: &Range<usize>,
        mut each: impl FnMut(LayerSquares<'_>),
    ) {
        let (mut of_inputs, mut of_errors) = ([0.0; MAX_ROWS_PER_CALL], [0.0; MAX_ROWS_PER_CALL]);
        let of_inputs = &mut of_inputs[..rows.len()];
        let of_errors = &mut of_errors[..rows.len()];
        let examples = chunk.rows.start + rows.start..chunk.rows.start + rows.end;
        match self.inputs.row_range(&examples).x {
            LayerInput::Dense(x) => row_squares(x, of_inputs),
            LayerInput::Sparse(x) => {
                for (row, square) in of_inputs.iter_mut().enumerate() {
                    let (columns, values) = x.row(row);
                    *square = sparse_squares(columns, values);
                }
            }
        }
        let layers = self.network.architecture.layers();
        for (index, layer) in chunk.layers.iter().enumerate() {
            row_squares(layer.errors().row_range(rows), of_errors);
            each(LayerSquares {
                index,
                of_inputs,
                of_errors,
                of_biases: if layers[index].has_biases() { 1.0 } else { 0.0 },
            });
            if index + 1 < layers.len() {
                row_squares(layer.activations().row_range(rows), of_inputs);
            }
            let cancel = chunk.context.cancel;
            if cancel.poll_after(2 * rows.len() * layer.width) {
                return;
            }
        }
    }
}
