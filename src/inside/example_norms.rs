//! The norm of the gradient of each example, without forming the gradients.
//!
//! ‖∂C_x‖² = Σ_l ‖δ^l‖² (‖a^(l−1)‖² + 1), as ∂C_x/∂W^l is the outer product of δ^l and a^(l−1); the 1 is for
//! the biases.

use std::ops::Range;

use crate::base::error::Result;
use crate::data::LayerInput;
use crate::engine::batch::pass::{Chunk, Pass};
use crate::engine::batch::{Call, Scratch};
use crate::inside::derivatives::Derivatives;
use crate::kernels::elementwise::norms::{MAX_ROWS_PER_CALL, joined_norm};
use crate::kernels::real::Real;

impl<T: Real> Call<'_, T> {
    /// Writes ‖∂C_x‖ of each example to `out`, (n,).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn per_example_norms(
        &self,
        derivatives: &Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [f64],
    ) -> Result<()> {
        self.each_group(derivatives, scratch, (out, 1), |chunk, rows, out| {
            norms(self, chunk, rows, out);
        })
    }

    /// Writes ‖∂C_x/∂(W^l, b^l)‖ of each example and layer to `out`, (n, L − 1).
    ///
    /// # Errors
    /// Memory runs out, or the call is cancelled.
    pub fn per_example_layer_norms(
        &self,
        derivatives: &Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        out: &mut [f64],
    ) -> Result<()> {
        let layers = self.network.architecture.layers().len();
        self.each_group(derivatives, scratch, (out, layers), |chunk, rows, out| {
            self.each_layer_squares(chunk, rows, |squares| {
                for (row, out) in out.chunks_exact_mut(layers).enumerate() {
                    let (of_errors, of_inputs) = (squares.of_errors[row], squares.of_inputs[row]);
                    let square = layer_square(of_errors, of_inputs, squares.of_biases);
                    out[squares.index] = if is_usual::<T>(square) {
                        square.sqrt()
                    } else {
                        layer_norm(self, chunk, rows.start + row, squares.index)
                    };
                }
            });
        })
    }

    /// Calls `work` with each chunk, some of its rows, and their rows of `out`, (n, width).
    fn each_group(
        &self,
        derivatives: &Derivatives<'_, T>,
        scratch: &mut Scratch<T>,
        (out, width): (&mut [f64], usize),
        work: impl Fn(&Chunk<'_, '_, T>, &Range<usize>, &mut [f64]) + Sync,
    ) -> Result<()> {
        let chunks = out.chunks_mut(self.plan.rows * width).enumerate();
        self.each_chunk(scratch, derivatives.config(), chunks, |chunk, out| {
            self.errors_chunk(derivatives, chunk, &mut []);
            let groups = groups(0..chunk.rows.len(), MAX_ROWS_PER_CALL);
            for (rows, out) in groups.zip(out.chunks_mut(MAX_ROWS_PER_CALL * width)) {
                work(chunk, &rows, out);
            }
        })
    }
}

/// `rows`, at most `size` at a time.
pub(super) fn groups(rows: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(size)
        .map(move |start| start..end.min(start + size))
}

/// Writes ‖∂C_x‖ of at most [`MAX_ROWS_PER_CALL`] rows of a chunk to `out`.
pub(super) fn norms<T: Real>(
    call: &Call<'_, T>,
    chunk: &Chunk<'_, '_, T>,
    rows: &Range<usize>,
    out: &mut [f64],
) {
    out.fill(0.0);
    call.each_layer_squares(chunk, rows, |squares| {
        let factors = squares.of_errors.iter().zip(squares.of_inputs);
        for (sum, (&of_errors, &of_inputs)) in out.iter_mut().zip(factors) {
            *sum += layer_square(of_errors, of_inputs, squares.of_biases);
        }
    });
    let are_usual = out
        .iter()
        .fold(true, |all, &square| all & is_usual::<T>(square));
    if are_usual {
        return out.iter_mut().for_each(|square| *square = square.sqrt());
    }
    for (row, norm) in out.iter_mut().enumerate() {
        *norm = if is_usual::<T>(*norm) {
            norm.sqrt()
        } else {
            let layers = 0..chunk.layers.len();
            joined_norm(layers.map(|index| layer_norm(call, chunk, rows.start + row, index)))
        };
    }
}

/// ‖δ^l‖² (‖a^(l−1)‖² + 1) of an example; NaN if a factor is so large that the other may have lost digits.
#[inline]
fn layer_square(of_errors: f64, of_inputs: f64, of_biases: f64) -> f64 {
    if of_errors < 1e100 && of_inputs < 1e100 {
        of_errors * (of_inputs + of_biases)
    } else {
        f64::NAN
    }
}

/// Whether a sum of such products has all its digits. Those of float32 have, down to 0; a square of float64
/// below 1e-290 may have lost some, and is multiplied by 1e100 at most.
fn is_usual<T: Real>(square: f64) -> bool {
    let is_single = size_of::<T>() < size_of::<f64>();
    square > 1e-175 && square < 1e280 || square == 0.0 && is_single
}

/// ‖∂C_x/∂(W^l, b^l)‖ of a row of a chunk, without overflow or underflow of squares.
#[cold]
fn layer_norm<T: Real>(
    call: &Call<'_, T>,
    chunk: &Chunk<'_, '_, T>,
    row: usize,
    index: usize,
) -> f64 {
    let of_errors = norm_of(chunk.layers[index].errors().row(row));
    let of_inputs = match (index.checked_sub(1), call.inputs.x) {
        (Some(below), _) => norm_of(chunk.layers[below].activations().row(row)),
        (None, LayerInput::Dense(x)) => norm_of(x.row(chunk.rows.start + row)),
        (None, LayerInput::Sparse(x)) => norm_of(x.row(chunk.rows.start + row).1.iter()),
    };
    let has_biases = call.network.architecture.layers()[index].has_biases();
    // √(input² + 1), which is `input` long before its square overflows.
    of_errors
        * if has_biases && of_inputs < 1e100 {
            (of_inputs * of_inputs + 1.0).sqrt()
        } else {
            of_inputs
        }
}

fn norm_of<'a, T: Real>(numbers: impl Iterator<Item = &'a T> + Clone) -> f64 {
    joined_norm(numbers.map(|x| x.to_f64()))
}
